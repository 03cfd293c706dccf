"""Add a platform, or change one."""

from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from django_lti_ags import conf, keys
from django_lti_ags.ags.urls import check_url
from django_lti_ags.management.given import check_identifier, check_name, check_place
from django_lti_ags.management.pasting import UNKNOWN_TOOL, to_paste
from django_lti_ags.management.private_hosts import warnings
from django_lti_ags.models import Deployment, Registration, SigningKey
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.presets import CUSTOM, PRESETS
from django_lti_ags.registrations import check_launches_to

_URLS = ("auth_login_url", "token_url", "jwks_url")
_FIELDS = ("issuer", *_URLS, "token_audience")


class Command(BaseCommand):
    """``manage.py lti_ags_register``."""

    help = (
        "Register a platform, and print what to paste into it. Presets know the addresses of the common platforms: with one, "
        "--client-id and for most --platform-url are enough. Without --client-id nothing is stored: paste what is printed, then "
        "run it again with the client_id that the platform shows. With --update, what is not given stays as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the platform shows for the tool."""
        parser.add_argument("--client-id", help="What the platform calls the tool; many show it only after the tool's URLs were pasted.")
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
        parser.add_argument("--tool-url", default=UNKNOWN_TOOL, help="Where the tool's LTI addresses are, for what is printed.")
        parser.add_argument(
            "--launches-to",
            metavar="URL",
            help="Hand launches over to a tool in another language: redirect them to this address, with ltik=… added. Blank: no longer.",
        )
        parser.add_argument("--update", action="store_true", help="Change the registration if it is there already.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Register, and say what to paste."""
        _check_given(options)
        if options["client_id"] is None:
            self.stdout.write("\n".join(_before(options)))
            return
        with transaction.atomic(using=conf.get("database")):
            registration, done = _store(_addresses(options), options)
        key = registration.signing_key
        said = [f"{done} {registration} with the signing key {key.kid}.", "", *to_paste(options["tool_url"], key, _hint(options))]
        self.stdout.write("\n".join(said))
        # The authorisation endpoint is opened by the browser, wherever it is.
        for line in warnings((registration.token_url, registration.jwks_url), conf.get("allowed_private_hosts")):
            self.stderr.write(line)


def _before(options: dict[str, Any]) -> Iterator[str]:
    """What comes before the platform shows a client_id: nothing is stored."""
    if options["update"]:
        raise CommandError("--update needs --client-id: a registration is found by its issuer and client_id.")
    key = _key(options["key"]) if options["key"] else _newest_key()
    yield "Nothing is stored yet: a registration needs the client_id, which many platforms show only after the tool's URLs were pasted."
    if key is None:
        yield "There is no signing key yet either. Make one first, since some platforms read the key set at once: lti_ags_keys --generate"
    yield ""
    yield from to_paste(options["tool_url"], key, _hint(options))
    yield ""
    yield "Then run this again with --client-id and the client_id that the platform shows."


def _hint(options: dict[str, Any]) -> str:
    return "" if options["preset"] == CUSTOM else PRESETS[options["preset"]].hint


def _check_given(options: dict[str, Any]) -> None:
    """Nothing blank, nothing with spaces around it (they come with copying), URLs that can be requested."""
    for name in ("client_id", "issuer", "key"):
        if options[name] is not None:
            _check(name, check_identifier, options[name])
    for name in ("token_audience", "platform_id"):
        if options[name]:
            _check(name, check_identifier, options[name])
    for deployment_id in options["deployment_id"]:
        _check("deployment_id", check_identifier, deployment_id)
    if options["platform_url"]:
        _check("platform_url", check_url, options["platform_url"])
    if options["launches_to"]:
        _check("launches_to", check_launches_to, options["launches_to"])
    _check("tool_url", check_place, options["tool_url"])
    _check("name", check_name, options["name"])


def _check(name: str, check: Any, value: str) -> None:
    try:
        check(value)
    except ValueError as problem:
        raise CommandError(f"{_option(name)}: {problem}.") from None


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
    if known is None:
        _check("issuer", check_place, given["issuer"])  # one that is there may have come from elsewhere
    registration = known or Registration(client_id=client_id)
    for name, value in given.items():
        setattr(registration, name, value)
    _check_addresses(registration)
    _set_rest(registration, options, is_new=known is None)
    registration.save(using=conf.get("database"))
    for deployment_id in options["deployment_id"]:
        Deployment.objects.get_or_create(
            registration=registration, deployment_digest=digest(deployment_id), defaults={"deployment_id": deployment_id}
        )
    return registration, "Registered" if known is None else "Changed"


def _check_addresses(registration: Registration) -> None:
    missing = [_option(name) for name in _URLS if not getattr(registration, name)]
    if missing:
        raise CommandError(f"{', '.join(missing)} must be given: the preset {CUSTOM!r} knows no addresses.")
    for name in _URLS:
        _check(name, check_url, getattr(registration, name))


def _set_rest(registration: Registration, options: dict[str, Any], *, is_new: bool) -> None:
    registration.name = options["name"] or registration.name
    if options["preset"] != CUSTOM:
        registration.profile = PRESETS[options["preset"]].profile
    if options["launches_to"] is not None:
        registration.tool_url = options["launches_to"]
    if options["only_listed_deployments"] is not None:
        registration.accept_new_deployments = not options["only_listed_deployments"]
    if is_new or options["key"]:
        registration.signing_key = _key(options["key"])


def _newest_key() -> SigningKey | None:
    return SigningKey.objects.filter(retired_at=None).first()


def _key(uid: str | None) -> SigningKey:
    if not uid:
        return _newest_key() or keys.generate("made by lti_ags_register")
    try:
        return SigningKey.objects.get(uid=UUID(uid), retired_at=None)
    except (ValueError, SigningKey.DoesNotExist):
        raise CommandError(f"--key: there is no published key {uid!r}. List them: manage.py lti_ags_keys --list") from None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
