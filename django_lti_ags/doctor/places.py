"""Whether delivery is on, whether the tool can sign, and whether both sides publish their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from django_lti_ags.ags.exchange import Exchange
from django_lti_ags.doctor.causes import unanswered
from django_lti_ags.doctor.findings import Finding, Side, fail, ok, skipped, warn
from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.models import Service
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.sync.clients import credentials_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_lti_ags.doctor.case import Case

_MOST_SHUT: Final = 5
_SHOWN_KIDS: Final = 5


def delivery(case: Case) -> Iterator[Finding]:
    """Whether anything keeps the worker from sending: a pause, or a campus that is down."""
    registration = case.registration
    if registration.paused_at is not None:
        todo = f"{ADVICE.get(registration.paused_code, '')} Resume it in the admin, when what fails below is put right.".strip()
        seen = f"Paused since {registration.paused_at:%Y-%m-%d %H:%M} UTC ({registration.paused_code}): {registration.paused_reason}"
        yield fail("delivery", seen, todo, Side.TOOL)
    else:
        yield ok("delivery", "Not paused.")
    shut = Service.objects.filter(registration=registration, closed_until__isnull=False).order_by("-failing_since")[:_MOST_SHUT]
    for service in shut:
        since = f"{service.failing_since:%Y-%m-%d %H:%M} UTC" if service.failing_since else "a while ago"
        seen = (
            f"{service.origin} has been failing since {since} ({service.last_failure_code}); it is asked now and then, one score at a time."
        )
        yield warn("delivery", seen, "Nothing, if the checks below pass: delivery goes on by itself.", Side.PLATFORM)


def signing_key(case: Case) -> Iterator[Finding]:
    """Whether the private key can be read and is published."""
    key = case.registration.signing_key
    try:
        case.credentials = credentials_of(case.registration)
    except EncryptionError as problem:
        yield fail("signing_key", str(problem), ADVICE["key_unusable"], Side.TOOL)
        return
    if key.retired_at is not None:
        seen = f"The key {key.kid} was retired on {key.retired_at:%Y-%m-%d}, and still signs."
        yield fail("signing_key", seen, "Sign with a published one: manage.py lti_ags_keys --use KID.", Side.TOOL)
        return
    days = (timezone.now() - key.created_at).days
    yield ok("signing_key", f"The key {key.kid}, {days} days old, can be read and is published.")


def tool_key_set(case: Case) -> Iterator[Finding]:
    """Whether the tool's own key set is where platforms look for it, and holds the key that signs."""
    check = "tool_key_set"
    if not case.tool_url:
        yield skipped(check, "Give --tool-url to fetch the tool's own key set as platforms do.")
        return
    exchange = case.get("jwks", f"{case.tool_url}/jwks.json")
    kid = case.registration.signing_key.kid
    found = unanswered(check, exchange)
    listed = _listed(exchange) if found is None else None
    if found is not None:
        yield found
    elif listed is None:
        todo = "Include lti_urls() in the tool's URLs under --tool-url, open to anybody, and give the platform that address."
        yield fail(check, exchange.summary(), todo, Side.TOOL)
    elif case.registration.signing_key.public_jwk.get("n") not in [entry.get("n") for entry in listed if entry.get("kid") == kid]:
        seen = f"{exchange.url} holds {_kids(listed)}, not {kid}."
        todo = "Another instance of the tool, or a cache in front of it, answers there. Give the platform the address of this one."
        yield fail(check, seen, todo, Side.TOOL)
    else:
        yield ok(check, f"{exchange.url} holds {kid}. Seen from here: the platform must reach it too.")


def platform_key_set(case: Case) -> Iterator[Finding]:
    """Whether the platform's key set can be fetched and holds keys; launches need it, grades do not."""
    check = "platform_key_set"
    exchange = case.get("jwks", case.registration.jwks_url)
    case.exchanges.append(exchange.recorded())
    found = unanswered(check, exchange)
    if found is not None:
        yield found
        return
    listed = _listed(exchange)
    usable = [entry for entry in listed or [] if entry.get("kty") == "RSA" and entry.get("kid")]
    if listed is None:
        todo = "Correct the address of the platform's key set: manage.py lti_ags_register --update --jwks-url URL."
        yield fail(check, exchange.summary(), todo, Side.TOOL)
    elif not usable:
        yield fail(
            check, f"{exchange.url} holds no RSA key with a kid.", "The platform publishes no key that signs launches.", Side.PLATFORM
        )
    else:
        yield ok(check, f"{exchange.url} holds {_kids(usable)}.")


def _listed(exchange: Exchange) -> list[dict[str, Any]] | None:
    try:
        entries = exchange.json()["keys"] if exchange.ok else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(entries, list):
        return None
    return [entry for entry in entries if isinstance(entry, dict)]


def _kids(listed: list[dict[str, Any]]) -> str:
    kids = [str(entry.get("kid"))[:100] for entry in listed]
    more = f" and {len(kids) - _SHOWN_KIDS} more" if len(kids) > _SHOWN_KIDS else ""
    return f"{', '.join(kids[:_SHOWN_KIDS])}{more}" if kids else "no key"
