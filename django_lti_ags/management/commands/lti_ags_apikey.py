"""Keys of tools that run beside this app."""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from django_lti_ags import api_keys
from django_lti_ags.management.choosing import context
from django_lti_ags.management.keyed import api_key
from django_lti_ags.management.registered import HOW, registered
from django_lti_ags.management.telling import TellingCommand
from django_lti_ags.models import ApiKey

_OPTIONS: Final = {"name": "--create", "registrations": "--registration", "contexts": "--context"}


class Command(TellingCommand):
    """``manage.py lti_ags_apikey``."""

    help = (
        "List the API keys of tools that run beside this app, make one, or revoke one. A key's text is shown once, when it is made: "
        "only its hash is stored."
    )
    examples = """examples:
  manage.py lti_ags_apikey

Make one for a tool; it sees the courses of Campus, and nothing else:
  manage.py lti_ags_apikey --create "Quiz in Node" --registration Campus

only one course of it:
  manage.py lti_ags_apikey --create "Quiz in Node" --registration Campus --context 5d2e07f0-21a3-4f3c-a9a5-0a1a4e0ad3b5

  manage.py lti_ags_apikey --revoke 3f9a1c07"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One thing at a time."""
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="List the keys, the newest first; what happens if nothing is asked for.")
        what.add_argument("--create", metavar="NAME", help="Make a key for the tool of this name, and print it.")
        what.add_argument("--revoke", metavar="KEY", help="Let this key open nothing any more: its prefix or uid. There is no way back.")
        parser.add_argument(
            "--registration", metavar="NAME", action="append", default=[], help=f"It sees this registration: its {HOW}. May be repeated."
        )
        parser.add_argument(
            "--context",
            metavar="UID",
            action="append",
            default=[],
            help="It sees only this course: its uid, or the id that the platform calls it by. May be repeated.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["create"] is None and (options["registration"] or options["context"]):
            raise CommandError("--registration and --context belong to --create.")
        if options["create"] is not None:
            self._create(options["create"], options["registration"], options["context"])
        elif options["revoke"] is not None:
            self._revoke(api_key(options["revoke"]))
        else:
            self._list()

    def _create(self, name: str, registrations: list[str], contexts: list[str]) -> None:
        try:
            key, text = api_keys.issue(name, [registered(one) for one in registrations], [context(one) for one in contexts])
        except ValidationError as problem:
            field, said = next(iter(problem.message_dict.items()))
            raise CommandError(f"{_OPTIONS[field]}: {' '.join(said)}") from None
        self.tell(text)
        self.tell("This is the key. Copy it now: it is not stored, and never shown again.")
        self.answer(_shown(key) | {"key": text})

    def _revoke(self, key: ApiKey) -> None:
        done = api_keys.revoke(key)
        self.tell(f"{key}: {'revoked' if done else 'it was revoked before'}.")
        self.answer(_shown(key) | {"changed": done})

    def _list(self) -> None:
        keys = list(ApiKey.objects.prefetch_related("registrations", "contexts").order_by("-pk"))
        if not keys:
            self.tell("There is no API key yet. Make one: manage.py lti_ags_apikey --create NAME --registration NAME")
        for key in keys:
            sees = ", ".join(str(one) for one in key.registrations.all()) or "nothing"
            courses = f", {len(key.contexts.all())} of its courses" if key.narrowed else ""
            used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else used
            self.tell(f"{key.prefix}  {key.name}  {state}  sees {sees}{courses}")
        self.answer({"keys": [_shown(key) for key in keys]})


def _shown(key: ApiKey) -> dict[str, Any]:
    shown = {name: getattr(key, name) for name in ("uid", "name", "prefix", "narrowed", "created_at", "last_used_at", "revoked_at")}
    return shown | {"registrations": [one.pk for one in key.registrations.all()], "contexts": [str(one.uid) for one in key.contexts.all()]}
