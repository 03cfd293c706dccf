"""What can be read off any platform's answer: its words, its ``Retry-After``, its clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_lti_ags.ags.exchange import Exchange

_DETAIL_LENGTH = 500
_BELIEVABLE_SKEW = timedelta(days=1)
"""A clock that is further off is no clock; following it would put scores into another year."""


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
    except (ValueError, TypeError, OverflowError):  # years and zones beyond every calendar
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def clock_skew_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """How far the platform's clock is ahead of ``now``, by its ``Date`` header (whole seconds); None: it sent no believable one."""
    date = http_date(headers.get("date", ""))
    if date is None or abs(date - now) > _BELIEVABLE_SKEW:
        return None
    return (date - now).total_seconds()


def said(exchange: Exchange, *path: str) -> Any:
    """What stands under ``path`` in a JSON answer; None: nothing does, or it is no JSON."""
    try:
        value: Any = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
