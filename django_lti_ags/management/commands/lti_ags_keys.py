"""The tool's signing keys."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.db.models import Count

from django_lti_ags import keys
from django_lti_ags.management.given import check_name
from django_lti_ags.management.registered import HOW, registered
from django_lti_ags.management.telling import FOUND, TellingCommand
from django_lti_ags.models import Registration, SigningKey
from django_lti_ags.models.identity import digest

_MOST_BITS = 16_384
_BELONGS = {"name": "generate", "bits": "generate", "registration": "use", "force": "use"}


class Command(TellingCommand):
    """``manage.py lti_ags_keys``."""

    help = (
        "List the tool's signing keys, make one, sign with it, retire one, print the public key set, or re-encrypt every stored secret. "
        "A private key is never shown."
    )
    examples = """examples:
  manage.py lti_ags_keys

To change the signing key, publish first and sign later:
  manage.py lti_ags_keys --generate --name 2027
  (wait an hour: platforms keep the key set for a while; where the key was pasted, paste the new one beside it)
  manage.py lti_ags_keys --use KID --registration Campus
  manage.py lti_ags_keys --use KID
  manage.py lti_ags_keys --retire OLD-KID

To change the encryption key: put the new one first in LTI_AGS["ENCRYPTION_KEYS"], the old one second; restart every
process; then
  manage.py lti_ags_keys --rotate-encryption
and take the old one out.

Exit code 3: some secrets cannot be read with any of the encryption keys."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One thing at a time."""
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="List the keys, the newest first; what happens if nothing is asked for.")
        what.add_argument("--generate", action="store_true", help="Make a new key. Platforms find it in the key set before it signs.")
        what.add_argument(
            "--use",
            metavar="KEY",
            help="Sign with this key from now on, for all registrations: its UID or kid; a kid that begins with a dash as --use=KID.",
        )
        what.add_argument("--retire", metavar="KEY", help="Do not publish this key (its kid or UID) any more.")
        what.add_argument("--jwks", action="store_true", help="Print the public key set, for platforms that want it pasted.")
        what.add_argument(
            "--rotate-encryption",
            action="store_true",
            help="Encrypt every stored secret with the newest encryption key: private keys, and what Canvas' REST API is asked with.",
        )
        parser.add_argument("--name", default="", help="With --generate: a name for people.")
        parser.add_argument("--bits", type=int, help=f"With --generate: the key's size, {keys.SMALLEST_BITS} by default.")
        parser.add_argument(
            "--registration", action="append", default=[], help=f"With --use: only for this one; its {HOW}. May be repeated."
        )
        parser.add_argument("--force", action="store_true", help="With --use: even if the key was made within the last hour.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        for name, what in _BELONGS.items():
            given = options[name] not in ("", []) and options[name] is not None and options[name] is not False
            if given and not options[what]:
                both = " and ".join(f"--{one}" for one, other in _BELONGS.items() if other == what)
                raise CommandError(f"{both} belong to --{what}.")
        if options["generate"]:
            self._generate(options["name"], keys.SMALLEST_BITS if options["bits"] is None else options["bits"])
        elif options["use"]:
            self._use(_key(options["use"]), options["registration"], force=options["force"])
        elif options["retire"]:
            self._retire(_key(options["retire"]))
        elif options["jwks"]:
            self.stdout.write(json.dumps(keys.jwks(), indent=2, sort_keys=True))
        elif options["rotate_encryption"]:
            self._rotate_encryption()
        else:
            self._list()

    def _generate(self, name: str, bits: int) -> None:
        try:
            check_name(name)
        except ValueError as problem:
            raise CommandError(f"--name: {problem}.") from None
        if bits > _MOST_BITS:
            raise CommandError(f"--bits: at most {_MOST_BITS}: a longer key takes minutes to make, and seconds to sign with.")
        try:
            key = keys.generate(name, bits=bits)
        except keys.InvalidKey as problem:
            raise CommandError(f"--bits: {problem}") from None
        self.tell(f"Made the key {key.uid} (kid {key.kid}). Platforms find it in the tool's key set.")
        self.tell(f"It signs once you say so, in an hour: manage.py lti_ags_keys --use {key.uid}")
        self.answer({"uid": key.uid, "kid": key.kid})

    def _list(self) -> None:
        rows = list(SigningKey.objects.annotate(users=Count("registrations")).order_by("-created_at", "-pk"))
        if not rows:
            self.tell("There is no key yet. Make one: manage.py lti_ags_keys --generate")
        for key in rows:
            state = f"retired {key.retired_at:%Y-%m-%d}" if key.retired_at else "published"
            self.tell(f"{key.uid}  {state:18}  {key.users} registrations  kid {key.kid}  {key.name}".rstrip())
        shown = ("uid", "kid", "name", "created_at", "retired_at")
        self.answer({"keys": [{name: getattr(key, name) for name in shown} | {"registrations": key.users} for key in rows]})

    def _use(self, key: SigningKey, given: list[str], *, force: bool) -> None:
        rows = Registration.objects.all()
        if given:
            rows = rows.filter(pk__in=[registered(one).pk for one in given])
        try:
            count = keys.use(key, rows, force=force)
        except keys.KeyTooYoung as problem:
            raise CommandError(f"{problem} Platforms may keep a key set without it until then. --force does it now.") from None
        except keys.InvalidKey as problem:
            raise CommandError(str(problem)) from None
        self.tell(f"{count} registrations sign with {key.kid} from now on; {rows.count() - count} did already.")
        self.tell("Where a platform had the key pasted, it must have this one too: manage.py lti_ags_keys --jwks")
        self.tell("See whether it is taken: manage.py lti_ags_doctor --all")
        self.answer({"kid": key.kid, "changed": count})

    def _retire(self, key: SigningKey) -> None:
        try:
            retired = keys.retire(key)
        except keys.KeyInUse as problem:
            raise CommandError(f"{problem} Give them another first: manage.py lti_ags_keys --use KID.") from None
        self.tell(f"Retired {key.uid}: it is no longer in the key set.")
        self.answer({"kid": key.kid, "changed": retired})

    def _rotate_encryption(self) -> None:
        done = keys.rotate_encryption(lambda done: self.progress(f"{done.rotated + done.current} secrets"))
        self.tell(f"{done.rotated} secrets re-encrypted with the newest encryption key; {done.current} were already.")
        self.answer({"rotated": done.rotated, "current": done.current, "unreadable": done.unreadable})
        if done.unreadable:
            self.tell(f"{len(done.unreadable)} cannot be read with any of them: {', '.join(done.unreadable)}.")
            self.tell(
                'Put the key they were written with back into LTI_AGS["ENCRYPTION_KEYS"], or make other keys, and store other credentials.'
            )
            raise SystemExit(FOUND)
        self.tell('The older ones may leave LTI_AGS["ENCRYPTION_KEYS"], once every process has been restarted with the newest first.')


def _key(given: str) -> SigningKey:
    """The key with this kid or UID."""
    key = SigningKey.objects.filter(kid_digest=digest(given)).first()
    if key is None:
        try:
            key = SigningKey.objects.filter(uid=UUID(given)).first()
        except ValueError:
            key = None
    if key is None:
        raise CommandError(f"There is no key {given!r}. List them: manage.py lti_ags_keys --list")
    return key
