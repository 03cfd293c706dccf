"""What a check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

_SEEN_LENGTH = 600


class Status(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"
    """Grades are delivered; something is missing, or may become a failure."""
    FAIL = "fail"
    """Grades are not delivered."""
    SKIPPED = "skipped"
    """It could not be looked at, or need not."""


class Side(StrEnum):
    """Who can change it."""

    TOOL = "tool"
    """Whoever runs this tool."""
    PLATFORM = "platform"
    """The platform's administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found."""

    check: str
    status: Status
    seen: str
    """What there was to see; without secrets."""
    todo: str = ""
    """What to change."""
    side: Side | None = None
    """Where."""

    def as_dict(self) -> dict[str, str | None]:
        """For programs."""
        return asdict(self)


def ok(check: str, seen: str) -> Finding:
    """All is well."""
    return Finding(check=check, status=Status.OK, seen=_shown(seen))


def skipped(check: str, why: str) -> Finding:
    """It was not looked at."""
    return Finding(check=check, status=Status.SKIPPED, seen=why)


def warn(check: str, seen: str, todo: str, side: Side) -> Finding:
    """It works, but."""
    return Finding(check=check, status=Status.WARN, seen=_shown(seen), todo=todo, side=side)


def fail(check: str, seen: str, todo: str, side: Side) -> Finding:
    """It keeps grades from being delivered."""
    return Finding(check=check, status=Status.FAIL, seen=_shown(seen), todo=todo, side=side)


def _shown(seen: str) -> str:
    """Capped, and without what a hostile answer could do to a terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in seen[:_SEEN_LENGTH])
