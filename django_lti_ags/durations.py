"""Lengths of time, as people write and read them."""

from __future__ import annotations

import re
from typing import Final

from django.utils.formats import number_format
from django.utils.translation import gettext

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_WRITTEN: Final = re.compile(rf"([0-9]{{1,9}}(?:\.[0-9]{{1,3}})?)([{''.join(_UNITS)}])")
_LONGEST_SECONDS: Final = 100 * 365 * 86_400


def parse(text: str) -> float:
    """Seconds of ``90s``, ``15m``, ``36h``, ``90d`` or ``4w``.

    Raises:
        ValueError: it is none of these, zero, or more than a hundred years.
    """
    found = _WRITTEN.fullmatch(text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise ValueError(f"{text!r} is no span of time above zero: write a number and a unit, as in 30s, 15m, 36h, 90d or 4w")
    return seconds


def written(seconds: float) -> str:
    """As :func:`parse` reads it, in the largest unit up to days that divides it."""
    for unit in ("d", "h", "m"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:g}{unit}"
    return f"{seconds:g}s"


def spoken(seconds: float) -> str:
    """With the two units that tell most: ``0.8 s``, ``42 s``, ``12 min``, ``3 h 5 min``, ``2 d 4 h``."""
    if seconds < 10:
        return gettext("%(seconds)s s") % {"seconds": number_format(round(seconds, 1), 1)}
    if seconds < 60:
        return gettext("%(seconds)d s") % {"seconds": seconds}
    minutes = int(seconds // 60)
    if minutes < 60:
        return gettext("%(minutes)d min") % {"minutes": minutes}
    if minutes < 24 * 60:
        return gettext("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}
    return gettext("%(days)d d %(hours)d h") % {"days": minutes // 1440, "hours": minutes % 1440 // 60}
