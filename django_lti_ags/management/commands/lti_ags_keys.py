"""The tool's signing keys."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from django.utils import timezone

from django_lti_ags import conf, keys
from django_lti_ags.management.given import check_name
from django_lti_ags.models import Registration, SigningKey

_MOST_BITS = 16_384


class Command(BaseCommand):
    """``manage.py lti_ags_keys``."""

    help = "List the tool's signing keys, make one, retire one, or print the public key set. A private key is never shown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One thing at a time."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="List the keys, the newest first; what happens if nothing is asked for.")
        what.add_argument("--generate", action="store_true", help="Make a new key. Platforms find it in the key set before it signs.")
        what.add_argument("--retire", metavar="UID", help="Do not publish this key any more.")
        what.add_argument("--jwks", action="store_true", help="Print the public key set, for platforms that want it pasted.")
        parser.add_argument("--name", default="", help="With --generate: a name for people.")
        parser.add_argument("--bits", type=int, help=f"With --generate: the key's size, {keys.SMALLEST_BITS} by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if not options["generate"] and (options["name"] or options["bits"] is not None):
            raise CommandError("--name and --bits belong to --generate.")
        if options["generate"]:
            self._generate(options["name"], keys.SMALLEST_BITS if options["bits"] is None else options["bits"])
        elif options["retire"]:
            self._retire(options["retire"])
        elif options["jwks"]:
            self.stdout.write(json.dumps(keys.jwks(), indent=2, sort_keys=True))
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
        self.stdout.write(f"Made the key {key.uid} (kid {key.kid}). Platforms find it in the tool's key set.")

    def _list(self) -> None:
        rows = SigningKey.objects.annotate(users=Count("registrations")).order_by("-created_at", "-pk")
        if not rows:
            self.stdout.write("There is no key yet. Make one: manage.py lti_ags_keys --generate")
        for key in rows:
            state = f"retired {key.retired_at:%Y-%m-%d}" if key.retired_at else "published"
            self.stdout.write(f"{key.uid}  {state:18}  {key.users} registrations  kid {key.kid}  {key.name}".rstrip())

    def _retire(self, uid: str) -> None:
        try:
            key = SigningKey.objects.get(uid=UUID(uid))
        except (ValueError, SigningKey.DoesNotExist):
            raise CommandError(f"There is no key {uid!r}. List them: manage.py lti_ags_keys --list") from None
        users = Registration.objects.filter(signing_key=key)[:5]
        if users:
            named = ", ".join(str(registration) for registration in users)
            raise CommandError(
                f"The key still signs for {named}: platforms would refuse every token. "
                "Give them another first: manage.py lti_ags_register --update --key UID."
            )
        if key.retired_at is None:
            key.retired_at = timezone.now()
            key.save(using=conf.get("database"), update_fields=["retired_at"])
        self.stdout.write(f"Retired {key.uid}: it is no longer in the key set.")
