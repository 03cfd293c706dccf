"""Canvas' error answers as typed errors: what it said, and what to change. Its statuses alone mislead: 401 means four things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.canvas.throttling import is_rate_limit
from django_lti_ags.exceptions import (
    CanvasBadRequest,
    CanvasNotAuthorized,
    CanvasNotFound,
    CanvasScopeMissing,
    CanvasThrottled,
    CanvasTokenRefused,
    ExchangeFailed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django_lti_ags.ags.exchange import Exchange

_SAID_LENGTH: Final = 300
_UNAUTHORIZED: Final = "user not authorized"
_SCOPES: Final = "insufficient scopes"
_ADVICE: Final = (
    ("users in the outcome context", "Leave out who is not a student of this course (any more), or correct the ids in user_ids."),
    ("user must be in the context", "Leave out who is not in this course (any more); Canvas recorded none of the results."),
    ("outcomes in the outcome context", "Leave out what is not linked to this course, or link the outcome there."),
    ("outcome group id in the outcome context", "Name a group of this course in outcome_group_id, or leave it out."),
    ("outcome must be linked", "Link the outcome to this course, or name one that is; Canvas made no assessment."),
    ("no access to all grades", "Name user_ids, or use the token of someone who may see all grades of the course."),
    ("invalid section id", "Name a section of this course in section_id, or leave it out."),
    ("missing required key", "Give every field that Canvas names."),
)


def refusal(exchanges: Sequence[Exchange], scope: str) -> ExchangeFailed:
    """The error for the last of ``exchanges``, which did not succeed; ``scope`` is what the endpoint needs."""
    exchange = exchanges[-1]
    if exchange.failure is not None or exchange.status is None or not 400 <= exchange.status < 500:
        return ExchangeFailed(exchanges)
    quoted = said(exchange)
    if is_rate_limit(exchange) or exchange.status == 429:
        return CanvasThrottled(
            exchanges, quoted, "Wait some seconds, and send fewer requests at once: one after the other is never throttled."
        )
    if lacks_scope(exchange):
        return CanvasScopeMissing(exchanges, quoted, scope)
    if _UNAUTHORIZED in quoted.casefold() or exchange.status == 403:
        return CanvasNotAuthorized(
            exchanges, quoted, "Use the token of someone who may see and manage all grades of this course, such as its teacher."
        )
    if exchange.status == 401:
        return CanvasTokenRefused(
            exchanges, quoted, "Store a new access token: this one is missing, expired or revoked, or was issued by another Canvas."
        )
    if exchange.status == 404:
        return CanvasNotFound(exchanges, quoted, "Check the ids in the URL: the course, the outcome or the assessment is not there.")
    return CanvasBadRequest(exchanges, quoted, _advice(quoted))


def lacks_scope(exchange: Exchange) -> bool:
    """Whether the token is good, but not for this."""
    return exchange.status in (401, 403) and _SCOPES in said(exchange).casefold()


def may_be_stale(exchange: Exchange) -> bool:
    """Whether another token may succeed."""
    if exchange.failure is not None or exchange.status != 401:
        return False
    return not lacks_scope(exchange) and _UNAUTHORIZED not in said(exchange).casefold()


def token_refusal(exchanges: Sequence[Exchange]) -> ExchangeFailed:
    """The error for a token endpoint that gave no token."""
    exchange = exchanges[-1]
    quoted = said(exchange)
    if is_rate_limit(exchange) or exchange.status == 429:
        return CanvasThrottled(exchanges, quoted, "Wait some seconds: tokens have a rate limit of their own.")
    if exchange.failure is not None or exchange.status not in (400, 401, 403):
        return ExchangeFailed(exchanges)
    return CanvasTokenRefused(
        exchanges, quoted, "Check the developer key's id and secret, that it is on, and let the user authorise the tool again."
    )


def said(exchange: Exchange) -> str:
    """Canvas' own words in one line; empty: there are none that can be quoted.

    ``{"message": …}``, ``{"errors": [{"message": …}]}``, ``{"errors": {"message": …}}``,
    ``{"errors": {"passed": [{"message": …}]}}``, ``{"error": …, "error_description": …}``, or plain text.
    """
    try:
        found = _words(exchange.recorded().json())
    except (ValueError, RecursionError):
        body = exchange.body.strip()
        found = "" if body.startswith("<") else body  # a page of HTML says nothing in one line
    return " ".join(found.split())[:_SAID_LENGTH]


def _words(body: Any) -> str:
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return "; ".join(filter(None, map(_words, body[:5])))
    if not isinstance(body, dict):
        return ""
    for name in ("message", "error_description", "errors", "error"):
        if found := _words(body.get(name)):
            return found
    listed = [f"{name}: {found}" for name, value in list(body.items())[:5] if isinstance(value, list) and (found := _words(value))]
    return "; ".join(listed)


def _advice(quoted: str) -> str:
    for words, advice in _ADVICE:
        if words in quoted:
            return advice
    return "Change what Canvas names and ask again; nothing was done."
