"""Fields of Canvas' JSON: strict about what a result is worth, tolerant of what is only shown."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django_lti_ags.ags.reading import require_object, shown, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


def identifier(body: Mapping[str, Any], name: str, what: str) -> str:
    """An id as text: Canvas writes some as numbers, and the same ones elsewhere as text.

    Raises:
        ValueError: it is absent, empty or something else.
    """
    value = text(body, name)
    if not value:
        raise ValueError(f"{what} has no {name}")
    return value


def words(body: Mapping[str, Any], name: str) -> str:
    """Text that is only shown; empty: there is none, or it is something else."""
    try:
        return shown(body, name) or ""
    except ValueError:
        return ""


def flag(body: Mapping[str, Any], name: str) -> bool | None:
    """True or false; None: it is absent or null.

    Raises:
        ValueError: it is something else.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {value!r:.80}")
    return value


def flag_or_none(body: Mapping[str, Any], name: str) -> bool | None:
    """True or false; None also if it is something else."""
    value = body.get(name)
    return value if isinstance(value, bool) else None


def moment(body: Mapping[str, Any], name: str) -> datetime | None:
    """A time with a zone; None: it is absent or null.

    Raises:
        ValueError: it is something else, or lies outside of every calendar.
    """
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None:
            found.astimezone(UTC)  # as it will be stored: the year 1 in some zones is none in UTC
            return found
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{name} must be a time with a zone, not {value!r:.80}")


def moment_or_none(body: Mapping[str, Any], name: str) -> datetime | None:
    """A time with a zone; None also if it is something else."""
    try:
        return moment(body, name)
    except ValueError:
        return None


def links(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ``links`` of an object; none, if it has none.

    Raises:
        ValueError: they are no object.
    """
    found = body.get("links")
    if found is None:
        return {}
    require_object(found, "links")
    return found  # type: ignore[no-any-return]


def listed(body: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    """A list of objects; empty: it is absent or null.

    Raises:
        ValueError: it is no list, or one of them cannot be read.
    """
    found = body.get(name)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise ValueError(f"{name} must be a JSON array, not {type(found).__name__}")
    return tuple(read(item) for item in found)


def readable(body: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    """Those of a list that can be read: what goes along with results must not make them unreadable."""
    found = body.get(name)
    kept: list[T] = []
    for item in found if isinstance(found, list) else ():
        with suppress(ValueError):
            kept.append(read(item))
    return tuple(kept)


def container(body: Any, name: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    """The list that an answer is for: it must be there.

    Raises:
        ValueError: the answer is no object, or has no such list.
    """
    require_object(body, "the answer")
    if body.get(name) is None:
        raise ValueError(f"the answer has no {name}")
    return listed(body, name, read)
