"""What can be read off any platform's answer: its words, its clock."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django_lti_ags.ags.times import http_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

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
