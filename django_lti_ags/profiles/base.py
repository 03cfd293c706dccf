"""Strict AGS 2.0: what every platform gets that has no profile of its own.

A profile is data where a quirk is data, and a method where it is behaviour. Everything here is
pure: (profile, exchange) in, verdict out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, ClassVar

from django_lti_ags.ags.exchange import Failure
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_lti_ags.ags.exchange import Exchange

_DETAIL_LENGTH = 500
_NOT_SENT = frozenset({Failure.DNS, Failure.CONNECT, Failure.TLS})
_REFUSED = frozenset({400, 405, 406, 411, 412, 413, 414, 415, 422})
_GONE = frozenset({404, 410})
_BUSY = frozenset({408, 425, 429, 503})
_GATEWAY = frozenset({502, 504})


class Profile:
    """How one kind of platform is spoken to, and how its answers are read."""

    key: ClassVar[str] = ""
    timestamp_step_seconds: ClassVar[float] = 0.001
    """How far two timestamps of one (line item, user) must lie apart. AGS 2.0 (3.4.9) asks for sub-second digits;
    a millisecond survives every platform that keeps any."""
    max_concurrency: ClassVar[int] = 8
    """Requests in flight per service."""
    result_tolerance: ClassVar[float] = 1e-5
    """How far a shown result may lie from the score, on the column's scale, and still be it (Moodle keeps five decimals)."""

    def judge(self, exchange: Exchange) -> Verdict:
        """What the decisive exchange of a send means."""
        if exchange.kind == "token":
            return self.judge_token(exchange)
        if exchange.failure is not None:
            return self.judge_failure(exchange)
        return self.judge_status(exchange)

    def judge_token(self, exchange: Exchange) -> Verdict:
        """What it means that no token could be had: never the score's fault."""
        detail = describe(exchange)
        if exchange.failure in (Failure.ADDRESS_REFUSED, Failure.BAD_URL):
            return _registration("token_address_refused", detail)
        if exchange.failure is Failure.SCOPE_NOT_GRANTED:
            return _registration("scope_refused", detail)
        if exchange.failure in (Failure.BAD_TOKEN_ANSWER, Failure.TOO_LARGE):
            return _registration("token_unusable", detail)
        if exchange.failure is not None or exchange.status is None:
            return _service("unreachable", detail)
        if exchange.status in _BUSY:
            return _service("throttled", detail, retry_after_seconds(exchange))
        if exchange.status >= 500:
            return _service("server_error", detail)
        return _registration("client_refused", detail)

    def judge_failure(self, exchange: Exchange) -> Verdict:
        """What it means that there was no usable answer."""
        detail = describe(exchange)
        if exchange.failure is Failure.ADDRESS_REFUSED:
            return Verdict(code="address_refused", disposition=Disposition.REJECTED, reach=Reach.LINE_ITEM, detail=detail)
        if exchange.failure is Failure.BAD_URL:
            return Verdict(code="bad_address", disposition=Disposition.REJECTED, reach=Reach.LINE_ITEM, detail=detail)
        if exchange.failure in _NOT_SENT or not exchange.sent:
            return _service("unreachable", detail)
        if exchange.failure is Failure.TOO_LARGE:
            if exchange.status is not None and not _is_success(exchange.status):
                return self.judge_status(exchange)
            return Verdict(code="answer_unreadable", disposition=Disposition.AMBIGUOUS, detail=detail)
        return Verdict(code="no_answer", disposition=Disposition.AMBIGUOUS, strains_service=True, detail=detail)

    def judge_status(self, exchange: Exchange) -> Verdict:
        """What a complete answer means, by its status (AGS 2.0, 3.4.2; RFC 9110)."""
        status = exchange.status or 0
        detail = describe(exchange)
        if _is_success(status):
            return Verdict(code="delivered", disposition=Disposition.DELIVERED, detail="")
        if status in _BUSY:
            return _service("throttled", detail, retry_after_seconds(exchange))
        if status in _GATEWAY:
            return Verdict(code="gateway_error", disposition=Disposition.AMBIGUOUS, strains_service=True, detail=detail)
        if status >= 500:
            # Not the service's by itself: some platforms answer 500 for one score for ever.
            return Verdict(code="server_error", disposition=Disposition.RETRY, strains_service=True, detail=detail)
        if status == 409:
            return Verdict(code="conflict", disposition=Disposition.AMBIGUOUS, detail=detail)
        return _rejected(status, detail)


def _rejected(status: int, detail: str) -> Verdict:
    if status == 401:
        return _registration("unauthorised", detail)
    if status in _GONE:
        return Verdict(code="line_item_gone", disposition=Disposition.REJECTED, reach=Reach.LINE_ITEM, detail=detail)
    if status in _REFUSED:
        return Verdict(code="score_refused", disposition=Disposition.REJECTED, detail=detail)
    if 300 <= status < 400:
        return Verdict(code="redirected", disposition=Disposition.REJECTED, reach=Reach.LINE_ITEM, detail=detail)
    if status == 403:
        return Verdict(code="forbidden", disposition=Disposition.REJECTED, reach=Reach.LINE_ITEM, detail=detail)
    return Verdict(code="score_refused", disposition=Disposition.REJECTED, detail=detail)


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _service(code: str, detail: str, wait_seconds: float | None = None) -> Verdict:
    return Verdict(
        code=code,
        disposition=Disposition.RETRY,
        reach=Reach.SERVICE,
        retry_after_seconds=wait_seconds,
        strains_service=True,
        detail=detail,
    )


def _registration(code: str, detail: str) -> Verdict:
    return Verdict(code=code, disposition=Disposition.REJECTED, reach=Reach.REGISTRATION, detail=detail)


def describe(exchange: Exchange) -> str:
    """What the platform said, in one capped piece of text."""
    said = exchange.body.strip() if exchange.failure is None else exchange.detail
    text = f"{exchange.status or ''} {exchange.reason} {said}".strip()
    # PostgreSQL takes no NUL, and nobody can read one.
    return text.replace("\x00", "\ufffd")[:_DETAIL_LENGTH]


def retry_after_seconds(exchange: Exchange) -> float | None:
    """The ``Retry-After`` header (RFC 9110, 10.2.3) in seconds from the answer; None: absent or unreadable."""
    value = exchange.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    when = http_date(value)
    if when is None:
        return None
    answered_at = http_date(exchange.headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (when - answered_at).total_seconds())


def http_date(value: str) -> datetime | None:
    """An HTTP date (RFC 9110, 5.6.7), aware; None: absent or unreadable."""
    try:
        parsed = parsedate_to_datetime(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def clock_skew_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """How far the platform's clock is ahead of ``now``, by its ``Date`` header (whole seconds); None: it sent none."""
    date = http_date(headers.get("date", ""))
    return None if date is None else (date - now).total_seconds()
