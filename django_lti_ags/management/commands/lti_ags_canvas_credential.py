"""What Canvas' REST API is asked with."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError

from django_lti_ags import canvas_credentials
from django_lti_ags.exceptions import InvalidCanvasArgument
from django_lti_ags.management.registered import HOW, registered
from django_lti_ags.management.telling import TellingCommand
from django_lti_ags.models import CanvasCredential, Registration

_LONGEST: Final = 65_536
_ASKED: Final = {"access_token": "Access token", "client_secret": "The developer key's secret", "refresh_token": "Refresh token"}
_OPTIONS: Final = {"base_url": "--base-url", "client_id": "--developer-key"}


class Command(TellingCommand):
    """``manage.py lti_ags_canvas_credential``."""

    help = (
        "Store what Canvas' REST API is asked with, encrypted, for outcome results and live assessments: the LTI token is good for grades "
        "only. Secrets are asked for on a terminal, or read from standard input or a file, one a line; never from the command line, which "
        "others can see. Nothing stored is ever shown."
    )
    examples = """examples:
  manage.py lti_ags_canvas_credential
      lists what is stored, without secrets

A user's token (Canvas: Account, Settings, New Access Token), asked for on the terminal:
  manage.py lti_ags_canvas_credential --registration Campus --base-url https://school.instructure.com
or from a variable:
  printenv CANVAS_TOKEN | manage.py lti_ags_canvas_credential --registration Campus --base-url https://school.instructure.com

An API developer key that a user has authorised; the file has its secret in the first line, the refresh token in the second:
  manage.py lti_ags_canvas_credential --registration Campus --base-url https://school.instructure.com \\
      --developer-key 10000000000042 --secret-file /run/secrets/canvas

  manage.py lti_ags_canvas_credential --registration Campus --remove

Then see whether it works, and which scopes it lacks: manage.py lti_ags_doctor Campus"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One registration's, or a list of all."""
        super().add_arguments(parser)
        parser.add_argument("--registration", metavar="NAME", help=f"Whose; the registration's {HOW}.")
        parser.add_argument("--base-url", metavar="URL", help="Store one for the Canvas at this address.")
        parser.add_argument("--developer-key", metavar="ID", help="It is a developer key with this id; else it is a user's token.")
        parser.add_argument("--secret-file", metavar="FILE", help="Read the secrets from this file, one a line.")
        parser.add_argument("--remove", action="store_true", help="Keep none. At Canvas it stays good until it is deleted there.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        _check(options)
        if options["registration"] is None:
            self._list(list(CanvasCredential.objects.select_related("registration").order_by("pk")))
            return
        registration = registered(options["registration"])
        if options["remove"]:
            removed = canvas_credentials.forget(registration)
            self.tell(f"{registration}: {'removed. At Canvas it is still good: delete it there too' if removed else 'there was none'}.")
            self.answer({"registration": registration.pk, "removed": removed})
        elif options["base_url"] is None:
            self._list(list(CanvasCredential.objects.select_related("registration").filter(registration=registration)))
        else:
            self._store(registration, options)

    def _list(self, rows: list[CanvasCredential]) -> None:
        if not rows:
            self.tell("Nothing is stored. Store a token: manage.py lti_ags_canvas_credential --registration NAME --base-url URL")
        for row in rows:
            whose = f"developer key {row.client_id}" if row.client_id else "a user's token"
            self.tell(f"{row.registration.pk}  {row.registration}  {row.base_url}  {whose}, stored {row.changed_at:%Y-%m-%d}")
        self.answer({"credentials": [_shown(row) for row in rows]})

    def _store(self, registration: Registration, options: dict[str, Any]) -> None:
        key_id = options["developer_key"]
        names = ("access_token",) if key_id is None else ("client_secret", "refresh_token")
        secrets = _secrets(names, options["secret_file"])
        try:
            if key_id is None:
                stored = canvas_credentials.store_user_token(registration, base_url=options["base_url"], **secrets)
            else:
                stored = canvas_credentials.store_developer_key(registration, base_url=options["base_url"], client_id=key_id, **secrets)
        except InvalidCanvasArgument as problem:
            raise CommandError(f"{_OPTIONS.get(problem.field, _ASKED.get(problem.field))}: {problem.rule}.") from None
        self.tell(f"{registration}: stored, encrypted, for {stored.base_url}.")
        self.tell(f"See whether it works, and which scopes it lacks: manage.py lti_ags_doctor {registration.pk}")
        self.answer(_shown(stored))


def _check(options: dict[str, Any]) -> None:
    for name in ("developer_key", "secret_file"):
        if options[name] is not None and options["base_url"] is None:
            raise CommandError(f"--{name.replace('_', '-')} belongs to --base-url: where is this Canvas?")
    if options["remove"] and options["base_url"] is not None:
        raise CommandError("Either --remove, or --base-url to store another.")
    if options["registration"] is None and (options["remove"] or options["base_url"] is not None):
        raise CommandError("--registration must be given: whose is it?")


def _secrets(names: tuple[str, ...], file: str | None) -> dict[str, str]:
    """Each secret, by its name."""
    if file is None and sys.stdin.isatty():
        return {name: getpass(f"{_ASKED[name]}: ").strip() for name in names}
    where = "standard input" if file is None else file
    try:
        text = sys.stdin.read(_LONGEST) if file is None else _read(file)
    except (OSError, UnicodeDecodeError) as problem:
        raise CommandError(f"{where} cannot be read: {type(problem).__name__}.") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != len(names):
        wanted = ", then ".join(_ASKED[name][0].lower() + _ASKED[name][1:] for name in names)
        raise CommandError(f"{where} holds {len(lines)} lines, and must hold {len(names)}: {wanted}.")
    return dict(zip(names, lines, strict=True))


def _read(file: str) -> str:
    with Path(file).open(encoding="utf-8") as opened:
        return opened.read(_LONGEST)


def _shown(row: CanvasCredential) -> dict[str, Any]:
    shown = {"registration": row.registration_id, "name": str(row.registration)}
    return shown | {name: getattr(row, name) for name in ("base_url", "kind", "client_id", "changed_at")}
