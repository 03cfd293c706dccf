"""Live assessments and their results with their state, under names like Canvas' own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_lti_ags.ags.types import wire_time
from django_lti_ags.models import SyncState
from django_lti_ags.models.live import RESULT_STATES
from django_lti_ags.profiles.advice import ADVICE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django_lti_ags.models import LiveAssessment, LiveResult


def assessment(row: LiveAssessment, counts: Mapping[str, int]) -> dict[str, Any]:
    """What the tool declared, and how far its results got; ``counts``: how many are in which state."""
    return {
        "uid": str(row.uid),
        "context": str(row.context.uid),
        "course_id": row.course_id,
        "key": row.key,
        "title": row.title,
        "outcome": row.outcome_id or None,
        "canvas_id": row.canvas_id or None,
        "results": {state: counts.get(state, 0) for state in RESULT_STATES},
        "state": row.state,
        **_why(row),
        "tries": row.tries,
        "next_try_at": _time(row.due_at if row.state == SyncState.PENDING else None),
        "recorded_at": _time(row.recorded_at),
        "declared_at": _time(row.declared_at),
        "delivered_at": _time(row.delivered_at),
        "can_retry": row.can_retry,
        "can_cancel": row.can_cancel,
    }


def result(row: LiveResult) -> dict[str, Any]:
    """What was noted of a learner, and whether Canvas has it."""
    return {
        "uid": str(row.uid),
        "user_id": row.user_id,
        "passed": row.passed,
        "assessed_at": _time(row.assessed_at),
        "canvas_id": row.canvas_id or None,
        "state": row.state,
        "in_doubt": row.in_doubt,
        **_why(row),
        "recorded_at": _time(row.recorded_at),
        "delivered_at": _time(row.delivered_at),
    }


def _why(row: LiveAssessment | LiveResult) -> dict[str, str]:
    return {"code": row.code, "advice": str(ADVICE.get(row.code, "")), "detail": row.detail}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)
