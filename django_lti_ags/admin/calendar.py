"""Which times an address or a form may name: those that every time zone can say."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, date, datetime
from typing import Final

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""No question was asked before, and nothing came to rest."""


def is_sayable(moment: date) -> bool:
    """Not at the ends of the calendar: there lie times that other zones cannot say, and databases fail on them only when asked."""
    return EARLIEST.year <= moment.year < MAXYEAR
