"""Whether the platform gives the tool a token, for what is needed, and whether both clocks agree."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.times import http_date
from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_PREFIX, SCOPE_RESULT_READONLY, SCOPE_SCORE
from django_lti_ags.doctor.causes import unanswered
from django_lti_ags.doctor.findings import Finding, Side, fail, ok, skipped, warn
from django_lti_ags.models import LineItem
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.profiles.answers import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_lti_ags.ags.tokens import Credentials
    from django_lti_ags.doctor.case import Case

_AGREEING_SECONDS: Final = 5.0
"""An assertion is back-dated by so much, and a Date header knows whole seconds only."""
_FAILING_SECONDS: Final = 60.0
"""Most platforms let an assertion be no further ahead."""
_D2L_AUDIENCE: Final = "https://api.brightspace.com/auth/token"

_COMPLAINTS: Final = (
    (
        r"\baud(ience)?\b",
        Side.TOOL,
        "Assertions are addressed to {audience}, and the platform wants another: manage.py lti_ags_register --update --token-audience AUD.",
    ),
    (
        r"signature|\bkid\b|\bjwks?\b|\bkey",
        Side.PLATFORM,
        "The platform cannot verify with the tool's key {kid}: give it the tool's key set URL, or paste the key (lti_ags_keys --jwks).",
    ),
    (r"\b(exp|iat|expired|future|lies ahead|not yet valid)\b", Side.TOOL, "The clocks differ: see the check of the clock."),
)
"""Words of a refusal, and what they mean."""
_ANY_COMPLAINT: Final = (
    Side.PLATFORM,
    "Compare with the platform's tool settings: the client_id is {client_id!r} here, its key {kid}. The tool must be enabled there.",
)


def audience(case: Case) -> Iterator[Finding]:
    """What assertions are addressed to."""
    registration = case.registration
    sent = registration.token_audience or registration.token_url
    if registration.profile == "d2l" and sent != _D2L_AUDIENCE:
        todo = f"Brightspace wants {_D2L_AUDIENCE}: manage.py lti_ags_register --update --token-audience {_D2L_AUDIENCE}"
        yield warn("audience", f"Assertions are addressed to {sent}.", todo, Side.TOOL)
        return
    what = "a value of its own" if registration.token_audience else "the token URL"
    yield ok("audience", f"Assertions are addressed to {what}: {sent}")


def token(case: Case) -> Iterator[Finding]:
    """Whether the platform gives a new token."""
    if case.credentials is None:
        yield skipped("token", "Without a key nothing can be asked.")
        return
    got = case.obtain(case.credentials, case.scopes)
    if not isinstance(got, Exchange):
        case.granted = got.scopes
        yield ok("token", f"{case.registration.token_url} gave a token for {_names(got.scopes)}.")
        return
    if "invalid_scope" in describe(got):
        case.granted = case.usable = _granted_singly(case, case.credentials)
        yield _without_scopes(case, got)
        return
    yield unanswered("token", got) or _refused(case, got)


def scopes(case: Case) -> Iterator[Finding]:
    """Whether what is granted is what is needed."""
    if case.granted is None:
        yield skipped("scopes", "There is no token to look at.")
        return
    granted = case.granted & case.scopes if case.line_items else case.granted
    where = "the newest launch and the token" if case.line_items else "the token (no launch has brought a column yet)"
    if SCOPE_SCORE not in granted:
        todo = f"Grant the scope {SCOPE_SCORE} in the platform's tool settings; then launch the tool once."
        yield fail("scopes", f"By {where}: {_names(granted)}.", todo, Side.PLATFORM)
        return
    missing = {} if not case.line_items else _wanted(case, granted)
    for scope, why in missing.items():
        yield warn(
            "scopes", f"Not granted: {scope.removeprefix(SCOPE_PREFIX)}. {why}", f"Grant {scope}; then launch the tool once.", Side.PLATFORM
        )
    if not missing:
        yield ok("scopes", f"By {where}: {_names(granted)}.")


def clock(case: Case) -> Iterator[Finding]:
    """Whether the platform's clock agrees with ours, by the Date header of its last answer that has one."""
    for exchange in reversed(case.exchanges):
        date = http_date(exchange.headers.get("date", "")) if exchange.status is not None else None
        if date is None:
            continue
        skew = (date - exchange.started_at - timedelta(milliseconds=exchange.duration_ms)).total_seconds()
        way = "ahead of" if skew > 0 else "behind"
        seen = f"The platform's clock ({urlsplit(exchange.url).hostname}) is {abs(skew):.0f} s {way} this machine's."
        todo = "Let this machine's clock be set by NTP; if it is right, the platform's is not."
        if abs(skew) <= _AGREEING_SECONDS:
            yield ok("clock", f"Both clocks agree within {_AGREEING_SECONDS:g} s.")
        elif abs(skew) <= _FAILING_SECONDS:
            yield warn("clock", seen, todo, Side.TOOL)
        else:
            yield fail("clock", f"{seen} Assertions may be refused as expired, or as from the future.", todo, Side.TOOL)
        return
    yield skipped("clock", "The platform told no time.")


def _wanted(case: Case, granted: frozenset[str]) -> dict[str, str]:
    """The scopes that delivery can do without, and what it cannot do then."""
    missing = {}
    if SCOPE_RESULT_READONLY not in granted:
        missing[SCOPE_RESULT_READONLY] = "After a lost answer a person must look into the gradebook, and nothing can be reconciled."
    declares = LineItem.objects.filter(context__deployment__registration=case.registration, declared_digest__isnull=False).exists()
    if declares and SCOPE_LINE_ITEM not in granted:
        missing[SCOPE_LINE_ITEM] = "The tool declares columns, and cannot make them."
    elif not granted & {SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY}:
        missing[SCOPE_LINE_ITEM_READONLY] = "Columns cannot be looked at."
    return missing


def _granted_singly(case: Case, credentials: Credentials) -> frozenset[str]:
    """Which scopes are granted, asked one by one: a strict platform refuses the whole request for one."""
    return frozenset(scope for scope in sorted(case.scopes) if not isinstance(case.obtain(credentials, frozenset({scope})), Exchange))


def _without_scopes(case: Case, exchange: Exchange) -> Finding:
    missing = case.scopes - (case.granted or frozenset())
    if not missing:
        todo = "Each scope is granted by itself, but not together. Grant them to the same tool and deployment; then launch the tool once."
    else:
        todo = f"Grant in its tool settings: {' '.join(sorted(missing))}. Then launch the tool once, and resume the registration."
    return fail("token", exchange.summary(), todo, Side.PLATFORM)


def _refused(case: Case, exchange: Exchange) -> Finding:
    seen, status = exchange.summary(), exchange.status or 0
    if case.profile.judge(exchange).code == "jwks_unreachable":
        return fail("token", seen, ADVICE["jwks_unreachable"], Side.TOOL)
    if exchange.failure is Failure.BAD_TOKEN_ANSWER or status in (404, 405, 410) or 300 <= status < 400:
        return fail("token", seen, "This is no token endpoint. Correct it: manage.py lti_ags_register --update --token-url URL.", Side.TOOL)
    if status >= 500 or status in (408, 425, 429):
        return fail("token", seen, "The platform itself is in trouble, or busy. Try again later.", Side.PLATFORM)
    said = describe(exchange).casefold()
    side, todo = next(((side, todo) for words, side, todo in _COMPLAINTS if re.search(words, said)), _ANY_COMPLAINT)
    registration = case.registration
    told = {
        "audience": registration.token_audience or registration.token_url,
        "kid": registration.signing_key.kid,
        "client_id": registration.client_id,
    }
    return fail("token", seen, todo.format(**told), side)


def _names(granted: frozenset[str]) -> str:
    return ", ".join(sorted(scope.removeprefix(SCOPE_PREFIX) for scope in granted)) or "nothing"
