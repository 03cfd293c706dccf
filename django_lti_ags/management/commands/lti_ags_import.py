"""Take over an existing set-up."""

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from django_lti_ags import conf, keys
from django_lti_ags.management.given import LONGEST_NAME
from django_lti_ags.management.pylti1p3_file import entries
from django_lti_ags.models import Deployment, Registration, SigningKey
from django_lti_ags.models.identity import digest


class Command(BaseCommand):
    """``manage.py lti_ags_import``."""

    help = (
        "Take over the registrations of a pylti1p3 configuration file, with the same keys, kids and deployments. A platform notices "
        "nothing, unless it leaves its client_id out of logins at an issuer with several clients: those are named. "
        "All or nothing; running it again adds the deployments that are new in the file, and changes nothing else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to read."""
        parser.add_argument(
            "--pylti1p3-json", metavar="FILE", required=True, help="The file that ToolConfJsonFile reads; key files are found beside it."
        )
        parser.add_argument("--dry-run", action="store_true", help="Check everything, store nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, store, report."""
        source = Path(options["pylti1p3_json"])
        found = list(entries(source))
        alias = conf.get("database")
        with transaction.atomic(using=alias):
            told = [line for issuer, entry in found for line in _store(issuer, entry, source)]
            told += _lost_defaults(found)
            if options["dry_run"]:
                transaction.set_rollback(True, using=alias)
        for line in told:
            self.stdout.write(line)
        if options["dry_run"]:
            self.stdout.write("Nothing was stored (--dry-run).")


def _store(issuer: str, entry: dict[str, Any], source: Path) -> Iterator[str]:
    """Store one entry; gives what to tell of it."""
    key = _key(issuer, entry, source)
    values = {
        "auth_login_url": entry["auth_login_url"],
        "token_url": entry["auth_token_url"],
        "token_audience": entry.get("auth_audience") or "",
        "jwks_url": entry["key_set_url"],
        "signing_key": key,
        # pylti1p3 lets in the deployments of the list only, and so do we.
        "accept_new_deployments": False,
    }
    fresh = {"issuer": issuer, "client_id": entry["client_id"], **values}
    registration, made = Registration.objects.get_or_create(key=digest(issuer, entry["client_id"]), defaults=fresh)
    differing = [name for name, value in values.items() if getattr(registration, name) != value]
    if differing:
        raise CommandError(
            f"{registration} is registered already, with another {', '.join(differing)}. Change it with lti_ags_register --update, "
            "or take it out of the file; nothing was stored."
        )
    yield f"{'Took over' if made else 'Is there already:'} {registration}, kid {key.kid}"
    yield from _store_deployments(registration, entry["deployment_ids"])


def _store_deployments(registration: Registration, listed: list[str]) -> Iterator[str]:
    known = set(registration.deployments.values_list("deployment_id", flat=True))
    added = [deployment_id for deployment_id in dict.fromkeys(listed) if deployment_id not in known]
    for deployment_id in added:
        Deployment.objects.create(registration=registration, deployment_id=deployment_id)
    gone = sorted(known.difference(listed))
    if added:
        yield f"  Added the deployment{_named(added)}."
    if gone:
        verb = "is not in the file, and is" if len(gone) == 1 else "are not in the file, and are"
        yield f"  The deployment{_named(gone)} {verb} still let in here: nothing is deleted, since courses and scores hang on it."
    if not (known or added):
        yield (
            f"  {registration} lists no deployment, so nobody is let in until one is added: manage.py lti_ags_register --update "
            f"--issuer {quote(registration.issuer)} --client-id {quote(registration.client_id)} --deployment-id ID"
        )


def _named(deployment_ids: list[str]) -> str:
    return f"{'' if len(deployment_ids) == 1 else 's'} {', '.join(map(repr, deployment_ids))}"


def _lost_defaults(found: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """Where pylti1p3 had a client for logins that name none, and we cannot tell which one is meant."""
    for issuer, entry in found:
        # The database may compare without case.
        clients = [row for row in Registration.objects.filter(issuer=issuer) if row.issuer == issuer]
        if entry.get("default") and len(clients) > 1:
            yield (
                f"Warning: pylti1p3 took {entry['client_id']!r} for logins from {issuer!r} without a client_id. Here {len(clients)} "
                "registrations have this issuer, so such logins are refused: the platform must send its client_id when it begins a login "
                "(third-party initiated login, LTI 1.3, 4.1.3)."
            )


def _key(issuer: str, entry: dict[str, Any], source: Path) -> SigningKey:
    """The entry's key under the kid that pylti1p3 gives it: its thumbprint (RFC 7638)."""
    file = source.parent / entry["private_key_file"]
    try:
        key = keys.import_pem(file.read_text(encoding="utf-8"), name=file.name[:LONGEST_NAME])
    except (OSError, ValueError) as problem:
        raise CommandError(f"The private key {file} of {issuer!r} cannot be taken over: {_said(problem)}") from None
    if entry.get("public_key_file"):
        public = source.parent / entry["public_key_file"]
        try:
            published = load_pem_public_key(public.read_bytes())
        except (OSError, ValueError) as problem:
            raise CommandError(f"The public key {public} of {issuer!r} cannot be read: {_said(problem)}") from None
        if not isinstance(published, RSAPublicKey) or keys.thumbprint(published) != key.kid:
            raise CommandError(
                f"The public key {public} of {issuer!r} is not that of the private key {file}: nothing it signs can be verified."
            )
    return key


def _said(problem: Exception) -> str:
    return problem.strerror or "" if isinstance(problem, OSError) else str(problem)
