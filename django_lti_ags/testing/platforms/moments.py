"""Points in time as the wire has them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:[0-5]\d)", re.ASCII)


def read_moment(text: object, *, with_fraction: bool = False) -> tuple[datetime, Fraction]:
    """An ISO 8601 time with a zone, in UTC, and what it has below a microsecond.

    Raises:
        ValueError: it is none, or has no sub-second digits though they must be there.
    """
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is None or (with_fraction and found[2] is None):
        raise ValueError("must be ISO 8601 with sub-second digits and a zone" if with_fraction else "must be ISO 8601 with a zone")
    digits = (found[2] or "").ljust(7, "0")
    try:
        moment = datetime.fromisoformat(f"{found[1]}.{digits[:6]}{found[3]}").astimezone(UTC)
        return moment, Fraction(int(digits[6:]), 10 ** len(digits[6:]))
    except (ValueError, OverflowError) as problem:
        raise ValueError(f"must be ISO 8601: {problem}") from None
