"""What an answer's headers say of time: dates, and how long to wait."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_lti_ags.ags.exchange import Exchange


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
