"""The seam between the engine and what it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.sync.outbox import Outcome


class Job(Protocol):
    """One claimed row, ready to be sent by a thread that never touches the database."""

    @property
    def service_id(self) -> int:
        """The service it goes to."""


class Delivery(Protocol):
    """How one kind of leased row is sent: prepare → exchange → verdict → finish.

    The engine calls ``prepare``, ``finish`` and ``hand_back`` in the one thread that owns the
    database, and ``exchange`` in any other.
    """

    def rows(self) -> QuerySet[Any]:
        """All rows of its kind."""

    def prepare(self, rows: Sequence[Any], profile: Profile, *, start_by: float, probe: bool) -> Sequence[Job]:
        """Claimed rows as jobs. ``start_by``: the monotonic time after which a send would outlive its lease."""

    def exchange(self, job: Any) -> Outcome:
        """Talk to the platform, and judge its answer. No database; raises nothing."""

    def hand_back(self, job: Any) -> Outcome:
        """The outcome of a job that was not started."""

    def concerns(self, outcome: Outcome, job: Any) -> bool:
        """Whether ``outcome`` says of another waiting job too that it need not be sent now."""

    def finish(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Write what became of the rows, fenced; returns those whose rows somebody else has locked just now."""
