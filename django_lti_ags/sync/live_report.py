"""How live assessments stand, by service: a person's and a probe's second question, after the scores'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Min

from django_lti_ags import conf
from django_lti_ags.models import OPEN, RESTING, LiveAssessment

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStanding:
    """The live assessments of one service that Canvas does not have whole."""

    waiting: int = 0
    """Open: to be sent, or being sent."""
    resting: int = 0
    """Failed or blocked: a person has to look."""


def oldest_due_seconds(now: datetime) -> float | None:
    """How long the oldest due assessment of any registration that is not paused has been due, for probes; one query."""
    rows = LiveAssessment.objects.using(conf.get("database")).filter(due_at__lte=now, service__registration__paused_at=None)
    oldest = rows.aggregate(oldest=Min("due_at"))["oldest"]
    return (now - oldest).total_seconds() if oldest else None


def standing(services: Collection[int]) -> dict[int, LiveStanding]:
    """By service, where there is anything to tell; one query, which the index of states and services answers."""
    rows = LiveAssessment.objects.using(conf.get("database")).filter(state__in=(*OPEN, *RESTING), service__in=services)
    found: dict[int, dict[str, int]] = {}
    for service, state, count in rows.order_by().values_list("service", "state").annotate(Count("pk")):
        counts = found.setdefault(service, {"waiting": 0, "resting": 0})
        counts["waiting" if state in OPEN else "resting"] += count
    return {service: LiveStanding(**counts) for service, counts in found.items()}
