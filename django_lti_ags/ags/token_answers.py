"""What a token endpoint says: the token, and a record that holds none.

Not what is known to be secret is taken out, but what is known to be harmless is kept: a platform may put
a token into any field, header or status that nobody thought of.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.redaction import REDACTED, redacted
from django_lti_ags.ags.token_stores import Token

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_DEFAULT_LIFE_SECONDS: Final = 300.0
"""For a platform that does not say how long its token lives."""
_LONGEST_LIFE_SECONDS: Final = 24 * 3600.0
_RENEWED_EARLY_SECONDS: Final = 60.0
_RENEWED_EARLY_SHARE: Final = 0.1
_LONGEST_TOKEN: Final = 8192
"""Servers take no longer header; and what is longer than any token in use need not be looked for in every answer."""
_TOKEN: Final = re.compile(f"[!-~]{{1,{_LONGEST_TOKEN}}}")

_FIELDS: Final = frozenset(
    {"error", "errors", "error_description", "error_uri", "error_code", "errorcode", "message", "detail", "details", "title", "type"}
    | {"code", "status", "reason", "token_type", "expires_in", "scope"}
)
_HEADERS: Final = frozenset(
    {"allow", "connection", "content-encoding", "content-length", "content-type", "date", "retry-after", "server", "transfer-encoding"}
    | {"via", "www-authenticate", "x-rate-limit-remaining", "x-ratelimit-remaining", "x-ratelimit-reset", "x-request-cost"}
)
_SHORTEST_LIFE_SECONDS: Final = 1.0
"""A token that has just been granted is good for one request, however little the platform says."""
_DEEPEST: Final = 4
_LONGEST_LIST: Final = 10
_LONGEST_TEXT: Final = 1000
_NAMED: Final = re.compile(r"""((?:token|assertion|secret|password)["']?\s{0,3}[=:]\s{0,3}["']?)[^\s"'&<>,;]+""", re.IGNORECASE)
_OPAQUE: Final = re.compile(r"[\w~+=%-]{20,}", re.ASCII)
"""As long as a token, and, with a digit in it, no word."""


def read(exchange: Exchange, asked: frozenset[str], asked_at: float) -> tuple[Token | None, Exchange]:
    """The token in an answer, and the record without it; None: there is none, and the record says why.

    Args:
        exchange: as the transport gave it.
        asked: the scopes; granted, if the answer names none.
        asked_at: Unix time of the request, from which the token's life counts.
    """
    if not exchange.ok:
        return None, _refused(exchange)
    try:
        # Whatever media type it claims: Moodle says text/html.
        body = exchange.json()
    except (ValueError, RecursionError):
        return None, _unusable(exchange, "the answer is not JSON")
    if not isinstance(body, dict):
        return None, _unusable(exchange, "the answer is not a JSON object")
    text = body.get("access_token")
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        return None, _unusable(exchange, "the answer holds no access_token that a header can carry")
    life = _life_seconds(body.get("expires_in"))
    early = min(_RENEWED_EARLY_SECONDS, life * _RENEWED_EARLY_SHARE)
    scope = body.get("scope")
    granted = frozenset(scope.split()) if isinstance(scope, str) and scope.strip() else asked
    shown = json.dumps({"access_token": REDACTED, **_harmless(body, 0)})
    return Token(text, granted, asked_at + life - early), _recorded(exchange, redacted(shown, [text]), [text])


def _life_seconds(value: Any) -> float:
    try:
        life = float(value)
    except (TypeError, ValueError, OverflowError):
        return _DEFAULT_LIFE_SECONDS
    if not life > 0:  # also NaN
        return _DEFAULT_LIFE_SECONDS
    return min(max(life, _SHORTEST_LIFE_SECONDS), _LONGEST_LIFE_SECONDS)


def _unusable(exchange: Exchange, problem: str) -> Exchange:
    # What came may hold a token in some shape nobody can read: it is not kept.
    return replace(_recorded(exchange, _not_kept(exchange)), failure=Failure.BAD_TOKEN_ANSWER, detail=problem)


def _refused(exchange: Exchange) -> Exchange:
    if exchange.failure is not None:
        return _recorded(exchange, _not_kept(exchange))  # half an answer may hold half a token
    said = exchange.body.removeprefix("\ufeff").strip()
    try:
        body = json.loads(said)
    except (ValueError, RecursionError):
        broken_json = said.startswith(("{", "["))
        return _recorded(exchange, _not_kept(exchange) if broken_json else _masked(said))
    return _recorded(exchange, json.dumps(_harmless(body, 0)))


def _recorded(exchange: Exchange, body: str, secrets: Collection[str] = ()) -> Exchange:
    return replace(
        exchange.recorded(),
        body=body,
        reason=_masked(redacted(exchange.reason, secrets)),
        headers=_kept_headers(exchange.headers, secrets),
        detail=_masked(exchange.detail),
    )


def _kept_headers(headers: Mapping[str, str], secrets: Collection[str]) -> dict[str, str]:
    kept = {name: _masked(redacted(value, secrets)) for name, value in headers.items() if name in _HEADERS}
    if "location" in headers:
        # Where it leads tells what is wrong (a login page); what it carries may be a token.
        kept["location"] = _masked(redacted(re.split("[?#]", headers["location"])[0], secrets))
    return kept


def _harmless(value: Any, depth: int) -> Any:
    """``value`` without any field that is not known, without what looks like a token, and not too large."""
    if depth > _DEEPEST:
        return REDACTED
    if isinstance(value, dict):
        return {name: _harmless(inner, depth + 1) for name, inner in value.items() if name.lower() in _FIELDS}
    if isinstance(value, list):
        return [_harmless(inner, depth + 1) for inner in value[:_LONGEST_LIST]]
    return _masked(value) if isinstance(value, str) else value


def _masked(text: str) -> str:
    text = _NAMED.sub(lambda found: found[1] + REDACTED, text[:_LONGEST_TEXT])
    return _OPAQUE.sub(lambda found: REDACTED if any(character.isdigit() for character in found[0]) else found[0], text)


def _not_kept(exchange: Exchange) -> str:
    return f"[{len(exchange.body)} characters, not kept]"
