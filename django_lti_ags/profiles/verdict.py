"""What an answer means, and what a person can do about it.

A verdict is a disposition (what becomes of the row) with a reach (what else it says something
about). Its ``code`` is stable: tests, filters and webhooks may rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from django_lti_ags.profiles.advice import ADVICE


class Disposition(StrEnum):
    """What becomes of the row."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    AMBIGUOUS = "ambiguous"
    """It may or may not have been applied: the platform is asked before it is sent again."""
    WITHHELD = "withheld"
    """Nothing was requested: it must not be sent."""


class Reach(StrEnum):
    """How far the verdict holds."""

    SCORE = "score"
    LINE_ITEM = "line_item"
    CONTEXT = "context"
    SERVICE = "service"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The meaning of one send."""

    code: str
    disposition: Disposition
    reach: Reach = Reach.SCORE
    retry_after_seconds: float | None = None
    """What the platform asked for, in seconds; None: our own schedule."""
    strains_service: bool = False
    """Whether it speaks against the service's health, whatever becomes of the row."""
    slow_down: bool = False
    """Whether the platform wants less at once."""
    most_tries: int | None = None
    """After so many tries that counted, it is taken for a refusal; None: only age ends the tries."""
    detail: str = ""
    """What the platform said, capped and redacted."""

    @property
    def advice(self) -> str:
        """A sentence that says what a person can do."""
        return ADVICE[self.code]


def rejected(code: str, detail: str, reach: Reach = Reach.SCORE) -> Verdict:
    """It will not be taken: this score, or all that ``reach`` says."""
    return Verdict(code=code, disposition=Disposition.REJECTED, reach=reach, detail=detail)


def not_yet(code: str, detail: str) -> Verdict:
    """Refused, for a reason that time takes away."""
    return Verdict(code=code, disposition=Disposition.RETRY, detail=detail)


def ambiguous(code: str, detail: str, *, strains_service: bool = False, most_tries: int | None = None) -> Verdict:
    """Nobody knows whether it was applied."""
    return Verdict(code=code, disposition=Disposition.AMBIGUOUS, strains_service=strains_service, most_tries=most_tries, detail=detail)


def server_error(detail: str, most_tries: int) -> Verdict:
    """The platform failed on this one; whether it is the platform or this one, only time tells."""
    return Verdict(code="server_error", disposition=Disposition.RETRY, strains_service=True, most_tries=most_tries, detail=detail)


def service_fault(code: str, detail: str) -> Verdict:
    """The campus is in trouble, not the score."""
    return Verdict(code=code, disposition=Disposition.RETRY, reach=Reach.SERVICE, strains_service=True, detail=detail)


def throttled(detail: str, wait_seconds: float | None = None) -> Verdict:
    """The campus wants less, or a pause of ``wait_seconds``."""
    return replace(service_fault("throttled", detail), retry_after_seconds=wait_seconds, slow_down=True)


def registration_fault(code: str, detail: str) -> Verdict:
    """The tool's registration is refused, whatever is sent."""
    return rejected(code, detail, Reach.REGISTRATION)


def by_hand(reason: str) -> Verdict:
    """A person stopped a registration, and said why."""
    return registration_fault("paused_by_hand", reason)


LIKELY_DELIVERED: Final = "likely_delivered"
"""Nobody can find out by machine."""
CHANGED_ELSEWHERE: Final = "changed_elsewhere"
"""The platform shows what somebody else put there."""
SUBMISSION_REFUSED: Final = "submission_refused"
"""The score is delivered, but not every submission that was kept."""
NO_ATTEMPTS: Final = "no_attempts"
"""The platform counts no attempts: there are none to keep."""
