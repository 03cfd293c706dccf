"""Fields of a platform's JSON, as the type that AGS 2.0 says, and such that every database can store them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.ags.rules import MAX_EXTENSIONS, extension_size
from django_lti_ags.exceptions import InvalidScore

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNKEEPABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL does not take, and what cannot be encoded."""


def require_object(body: Any, what: str) -> None:
    """Accept a JSON object."""
    if not isinstance(body, dict):
        raise ValueError(f"{what} must be a JSON object, not {type(body).__name__}")


def text(body: Mapping[str, Any], name: str) -> str | None:
    """A field as text; None: it is absent or null.

    Raises:
        ValueError: it is something else, or cannot be stored.
    """
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # ids that a platform sends as numbers
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string, not {value!r:.80}")
    if _UNKEEPABLE.search(value):
        raise ValueError(f"{name} holds a NUL character or a lone surrogate: {value!r:.80}")
    return value


def shown(body: Mapping[str, Any], name: str) -> str | None:
    """A field that is only shown: characters that cannot be stored are replaced."""
    value = body.get(name)
    return _UNKEEPABLE.sub("\ufffd", value) if isinstance(value, str) else text(body, name)


def text_or_none(body: Mapping[str, Any], name: str) -> str | None:
    """A field as text; None also if it is something else."""
    try:
        return text(body, name)
    except ValueError:
        return None


def number_or_none(body: Mapping[str, Any], name: str) -> float | None:
    """A field as a number; None also if it is something else."""
    try:
        return number(body, name)
    except ValueError:
        return None


def number(body: Mapping[str, Any], name: str) -> float | None:
    """A field as a finite number, also if it is written as text; None: it is absent or null.

    Raises:
        ValueError: it is something else.
    """
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise ValueError(f"{name} must be a number, not {value!r:.80}") from None
    try:
        finite = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an int beyond every float
        finite = False
    if not finite:
        raise ValueError(f"{name} must be a number, not {value!r:.80}")
    return float(value)


def extensions(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are named by a full URL (AGS 2.0, 3.1.1), but for those that no database can store."""
    found: dict[str, Any] = {}
    room = MAX_EXTENSIONS
    for key, value in body.items():
        size = _size(key, value) if "://" in key else None
        if size is not None and size <= room:
            found[key] = value
            room -= size
    return found


def can_be_kept(value: Any) -> bool:
    """Whether a database can store ``value`` as JSON."""
    size = _size("value://", value)
    return size is not None and size <= MAX_EXTENSIONS


def _size(key: str, value: Any) -> int | None:
    try:
        return extension_size(key, value)
    except InvalidScore:
        return None
