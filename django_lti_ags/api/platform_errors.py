"""What a platform's refusal is to the client: its own mistake (4xx), or the platform's trouble (502, 503, 504), with its words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.ags.exchange import Failure
from django_lti_ags.api.errors import ApiError
from django_lti_ags.api.fields import named
from django_lti_ags.exceptions import (
    ExchangeFailed,
    IncompleteReading,
    InvalidAnswer,
    InvalidLineItem,
    MissingScope,
    NotGranted,
    NotStarted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.profiles.base import Profile

_SAID_LENGTH: Final = 500
_NOT_HERE: Final = frozenset({404, 410})
_REFUSED: Final = frozenset({401, 403})


@contextmanager
def told_to(profile: Profile) -> Iterator[None]:
    """Turn what the calls inside raise into an :class:`ApiError`."""
    try:
        yield
    except NotGranted as problem:
        scope = {"scope": problem.scope} if isinstance(problem, MissingScope) else {}
        raise ApiError(403, "NOT_GRANTED_BY_PLATFORM", str(problem), more=scope) from None
    except InvalidLineItem as problem:
        raise ApiError(
            502, "PLATFORM_ANSWER_UNUSABLE", f"The platform's line item cannot be used: {named(problem.field)} {problem.rule}."
        ) from None
    except NotStarted:
        raise ApiError(504, "PLATFORM_SILENT", "The platform takes too long for all that would have to be asked.") from None
    except InvalidAnswer as failed:
        description = f"The platform's answer cannot be used: {failed.problem}."
        raise ApiError(502, "PLATFORM_ANSWER_UNUSABLE", description, more=_said(failed.exchange)) from None
    except IncompleteReading as cut:
        if isinstance(cut.problem, ExchangeFailed):
            raise _of(cut.problem.exchange, profile) from None
        raise ApiError(504, "PLATFORM_SILENT", "The platform takes too long for all of its results. Nothing was compared.") from None
    except ExchangeFailed as failed:
        raise _of(failed.exchange, profile) from None


def _of(exchange: Exchange, profile: Profile) -> ApiError:
    verdict, more = profile.judge(exchange), _said(exchange)
    if verdict.code == "throttled":
        description = "The platform asks for a pause. Nothing was done."
        return ApiError(503, "PLATFORM_BUSY", description, more=more, retry_after_seconds=verdict.retry_after_seconds or 30.0)
    if exchange.kind == "token":
        return _without_token(exchange, more)
    if exchange.failure is Failure.NO_ANSWER:
        return ApiError(
            504, "PLATFORM_SILENT", "The platform did not answer in time. Whether it did what was asked, nobody knows.", more=more
        )
    if exchange.failure is not None or exchange.status is None:
        return ApiError(502, "PLATFORM_UNREACHABLE", f"No usable answer came from the platform ({exchange.failure}).", more=more)
    if exchange.status in _NOT_HERE:
        return ApiError(404, "UNKNOWN_LINE_ITEM", "The platform knows no such line item, or no such course.", more=more)
    if exchange.status in _REFUSED:
        return ApiError(403, "REFUSED_BY_PLATFORM", "The platform does not let the tool do this.", more=more)
    if 400 <= exchange.status < 500:
        return ApiError(400, "REFUSED_BY_PLATFORM", "The platform refuses what was sent; its words say why.", more=more)
    status = exchange.status if exchange.status in (503, 504) else 502
    return ApiError(status, "PLATFORM_FAILED", "The platform failed. Try again later.", more=more)


def _without_token(exchange: Exchange, more: dict[str, Any]) -> ApiError:
    if exchange.failure is Failure.NO_ANSWER or exchange.status == 504:
        return ApiError(504, "PLATFORM_SILENT", "The platform gave no access token in time. Nothing was done.", more=more)
    status = 503 if exchange.status == 503 else 502
    return ApiError(status, "NO_PLATFORM_TOKEN", "The platform gave the tool no access token. Nothing was done.", more=more)


def _said(exchange: Exchange) -> dict[str, Any]:
    """From the record of the exchange, in which secrets are blotted out; of a token request nothing but its status."""
    told: dict[str, Any] = {"status": exchange.status}
    if exchange.failure is not None:
        told["failure"] = str(exchange.failure)
    words = " ".join(f"{exchange.reason} {exchange.body}".split())
    if exchange.kind != "token" and not exchange.ok and words:
        told["said"] = words[:_SAID_LENGTH]
    return {"platform": told}
