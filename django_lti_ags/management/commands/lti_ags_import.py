"""Take over an existing set-up."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from django_lti_ags import conf, keys
from django_lti_ags.ags.urls import check_url
from django_lti_ags.models import Deployment, Registration, SigningKey
from django_lti_ags.models.identity import digest

_NEEDED = ("client_id", "auth_login_url", "auth_token_url", "private_key_file")
_MAY_BE_TEXT = ("auth_audience", "public_key_file")
_URLS = ("auth_login_url", "auth_token_url", "key_set_url")


class Command(BaseCommand):
    """``manage.py lti_ags_import``."""

    help = (
        "Take over the registrations of a pylti1p3 configuration file, with the same keys and kids: the platforms notice nothing. "
        "All or nothing; running it again changes nothing."
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
        entries = list(_entries(source))
        alias = conf.get("database")
        with transaction.atomic(using=alias):
            told = [_store(issuer, entry, source) for issuer, entry in entries]
            if options["dry_run"]:
                transaction.set_rollback(True, using=alias)
        for line in told:
            self.stdout.write(line)
        if options["dry_run"]:
            self.stdout.write("Nothing was stored (--dry-run).")


def _entries(source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each issuer with each of its configurations, checked."""
    try:
        configuration = json.loads(source.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        raise CommandError(f"{source} cannot be read: {problem.strerror}.") from None
    except (ValueError, RecursionError) as problem:
        raise CommandError(f"{source} is not JSON: {problem}.") from None
    if not isinstance(configuration, dict) or not configuration:
        raise CommandError(f"{source} must hold an object with an entry per issuer, as pylti1p3's ToolConfJsonFile reads it.")
    for issuer, listed in configuration.items():
        if not issuer.strip():
            raise CommandError(f"{source}: an issuer is blank.")
        for entry in listed if isinstance(listed, list) else [listed]:
            try:
                _check(entry)
            except ValueError as problem:
                raise CommandError(f"{source}: an entry of {issuer!r} {problem}.") from None
            yield issuer, entry


def _check(entry: Any) -> None:
    if not isinstance(entry, dict):
        raise ValueError("must be an object")
    missing = [name for name in _NEEDED if not isinstance(entry.get(name), str) or not entry[name].strip()]
    if missing:
        raise ValueError(f"lacks {', '.join(missing)}")
    if not entry.get("key_set_url"):
        raise ValueError(
            "has no key_set_url. A key set pasted into the file (key_set) goes stale when the platform changes its keys, so it is not "
            "taken over; put the platform's key set URL there"
        )
    for name in _URLS:
        try:
            check_url(entry[name])
        except ValueError as problem:
            raise ValueError(f"has a bad {name}: {problem}") from None
    for name in _MAY_BE_TEXT:
        if not isinstance(entry.get(name) or "", str):
            raise ValueError(f"has a bad {name}: it must be text")
    deployments = entry.get("deployment_ids") or []
    if not isinstance(deployments, list) or not all(isinstance(item, str) and item for item in deployments):
        raise ValueError("has bad deployment_ids: they must be a list of texts")


def _store(issuer: str, entry: dict[str, Any], source: Path) -> str:
    key = _key(issuer, entry, source)
    values = {
        "auth_login_url": entry["auth_login_url"],
        "token_url": entry["auth_token_url"],
        "token_audience": entry.get("auth_audience") or "",
        "jwks_url": entry["key_set_url"],
        "signing_key": key,
    }
    deployments = entry.get("deployment_ids") or []
    # pylti1p3 lets in the deployments of the list only, and so do we.
    fresh = {"issuer": issuer, "client_id": entry["client_id"], "accept_new_deployments": not deployments, **values}
    registration, made = Registration.objects.get_or_create(key=digest(issuer, entry["client_id"]), defaults=fresh)
    differing = [name for name, value in values.items() if getattr(registration, name) != value]
    if differing:
        raise CommandError(
            f"{registration} is registered already, with another {', '.join(differing)}. Change it with lti_ags_register --update, "
            "or take it out of the file; nothing was stored."
        )
    for deployment_id in deployments:
        Deployment.objects.get_or_create(
            registration=registration, deployment_digest=digest(deployment_id), defaults={"deployment_id": deployment_id}
        )
    listed = f", {len(deployments)} listed deployments" if deployments else ""
    return f"{'Took over' if made else 'Is there already:'} {registration}, kid {key.kid}{listed}"


def _key(issuer: str, entry: dict[str, Any], source: Path) -> SigningKey:
    """The entry's key under the kid that pylti1p3 gives it: its thumbprint (RFC 7638)."""
    file = source.parent / entry["private_key_file"]
    try:
        key = keys.import_pem(file.read_text(encoding="utf-8"), name=file.name)
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
