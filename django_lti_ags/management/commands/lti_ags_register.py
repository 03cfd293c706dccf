"""Add a platform, or change one."""

import json
from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from django_lti_ags import conf, keys
from django_lti_ags.ags.urls import check_url
from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM, SCOPE_RESULT_READONLY, SCOPE_SCORE
from django_lti_ags.models import Deployment, Registration, SigningKey
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.presets import CUSTOM, PRESETS

_URLS = ("auth_login_url", "token_url", "jwks_url")
_FIELDS = ("issuer", *_URLS, "token_audience")
_UNKNOWN_TOOL = "https://YOUR-TOOL/lti"


class Command(BaseCommand):
    """``manage.py lti_ags_register``."""

    help = (
        "Register a platform, and print what to paste into it. Presets know the addresses of the common platforms: with one, "
        "--client-id and for most --platform-url are enough. With --update, what is not given stays as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the platform shows for the tool."""
        parser.add_argument("--client-id", required=True, help="What the platform calls the tool.")
        parser.add_argument("--preset", choices=[*sorted(PRESETS), CUSTOM], default=CUSTOM, help="What kind of platform it is.")
        parser.add_argument("--platform-url", default="", help="The platform's address, for the presets that need it.")
        parser.add_argument("--platform-id", default="", help="The id that Sakai or Open edX shows with the tool.")
        parser.add_argument("--issuer", help="The platform's issuer (iss), if there is no preset or not as the preset says.")
        parser.add_argument("--auth-login-url", help="The OIDC authorisation endpoint, likewise.")
        parser.add_argument("--token-url", help="The OAuth 2 token endpoint, likewise.")
        parser.add_argument("--jwks-url", help="The platform's public key set, likewise.")
        parser.add_argument("--token-audience", help="The assertion's aud, if it is not the token URL.")
        parser.add_argument("--deployment-id", action="append", default=[], help="List a deployment; may be repeated.")
        parser.add_argument(
            "--only-listed-deployments", action=BooleanOptionalAction, default=None, help="Refuse launches from other deployments."
        )
        parser.add_argument("--name", default="", help="A name for people.")
        parser.add_argument("--key", metavar="UID", help="The signing key; by default the newest, or a new one.")
        parser.add_argument("--tool-url", default=_UNKNOWN_TOOL, help="Where the tool's LTI addresses are, for what is printed.")
        parser.add_argument("--update", action="store_true", help="Change the registration if it is there already.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Register, and say what to paste."""
        _check_given(options)
        with transaction.atomic(using=conf.get("database")):
            registration, done = _store(_addresses(options), options)
        self.stdout.write("\n".join(_to_paste(registration, done, options)))


def _check_given(options: dict[str, Any]) -> None:
    """Nothing blank, nothing with spaces around it (they come with copying), URLs that can be requested."""
    for name in ("client_id", "issuer", "token_audience", "key"):
        _check_text(name, options[name])
    for deployment_id in options["deployment_id"]:
        _check_text("deployment_id", deployment_id)
    for name in ("platform_url", "tool_url"):
        if options[name]:
            _check_url(name, options[name])


def _check_text(name: str, value: str | None) -> None:
    if value is not None and (not value.strip() and name != "token_audience"):
        raise CommandError(f"{_option(name)} must not be blank: it is what the platform shows.")
    if value is not None and (value != value.strip() or "\x00" in value):
        raise CommandError(
            f"{_option(name)}: {value!r} has spaces around it, or a NUL in it. Identifiers are compared character for character."
        )


def _check_url(name: str, value: str) -> None:
    try:
        check_url(value)
    except ValueError as problem:
        raise CommandError(f"{_option(name)}: {problem}") from None


def _addresses(options: dict[str, Any]) -> dict[str, str]:
    """What is given of issuer, endpoints and audience, by the preset or one by one."""
    values: dict[str, str] = {}
    if options["preset"] != CUSTOM:
        try:
            values = PRESETS[options["preset"]].urls(
                site=options["platform_url"], client_id=options["client_id"], platform_id=options["platform_id"]
            )
        except ValueError as problem:
            raise CommandError(f"--preset {options['preset']}: {problem}.") from None
    elif options["platform_url"] or options["platform_id"]:
        raise CommandError("--platform-url and --platform-id belong to a preset: choose one with --preset, or give each address.")
    return values | {name: options[name] for name in _FIELDS if options[name] is not None}


def _store(given: dict[str, str], options: dict[str, Any]) -> tuple[Registration, str]:
    if not given.get("issuer"):
        raise CommandError("--issuer must be given, unless a preset knows it.")
    client_id = options["client_id"]
    known = Registration.objects.filter(key=digest(given["issuer"], client_id)).first()
    if known is not None and not options["update"]:
        raise CommandError(f"{known} is registered already. Change it with --update.")
    registration = known or Registration(client_id=client_id)
    for name, value in given.items():
        setattr(registration, name, value)
    missing = [_option(name) for name in _URLS if not getattr(registration, name)]
    if missing:
        raise CommandError(f"{', '.join(missing)} must be given: the preset {CUSTOM!r} knows no addresses.")
    for name in _URLS:
        _check_url(name, getattr(registration, name))
    registration.name = options["name"] or registration.name
    if options["preset"] != CUSTOM:
        registration.profile = PRESETS[options["preset"]].profile
    if options["only_listed_deployments"] is not None:
        registration.accept_new_deployments = not options["only_listed_deployments"]
    if known is None or options["key"]:
        registration.signing_key = _key(options["key"])
    registration.save(using=conf.get("database"))
    for deployment_id in options["deployment_id"]:
        Deployment.objects.get_or_create(
            registration=registration, deployment_digest=digest(deployment_id), defaults={"deployment_id": deployment_id}
        )
    return registration, "Registered" if known is None else "Changed"


def _key(uid: str | None) -> SigningKey:
    if not uid:
        return SigningKey.objects.filter(retired_at=None).first() or keys.generate("made by lti_ags_register")
    try:
        return SigningKey.objects.get(uid=UUID(uid), retired_at=None)
    except (ValueError, SigningKey.DoesNotExist):
        raise CommandError(f"--key: there is no published key {uid!r}. List them: manage.py lti_ags_keys --list") from None


def _to_paste(registration: Registration, done: str, options: dict[str, Any]) -> Iterator[str]:
    tool = options["tool_url"].rstrip("/")
    yield f"{done} {registration} with the signing key {registration.signing_key.kid}."
    yield ""
    yield "Paste into the platform:"
    yield f"  Login initiation URL   {tool}/login/"
    yield f"  Redirect URL           {tool}/launch/"
    yield f"  Target link URL        {tool}/launch/"
    yield f"  Public key set URL     {tool}/jwks.json"
    yield f"  or the public JWK      {json.dumps(registration.signing_key.public_jwk, sort_keys=True)}"
    yield f"  Scopes                 {SCOPE_LINE_ITEM}"
    yield f"{'':25}{SCOPE_SCORE}"
    yield f"{'':25}{SCOPE_RESULT_READONLY}"
    if options["preset"] != CUSTOM:
        yield ""
        yield PRESETS[options["preset"]].hint
    if tool == _UNKNOWN_TOOL:
        yield ""
        yield "--tool-url https://… (where lti_urls() is included) prints the tool's own addresses."


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
