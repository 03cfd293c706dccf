"""A score with its state, and the exchanges about it, as our own addresses tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django_lti_ags import conf
from django_lti_ags.ags.types import wire_number, wire_time
from django_lti_ags.models import DeliveryAttempt, SyncState
from django_lti_ags.profiles.advice import ADVICE

if TYPE_CHECKING:
    from datetime import datetime

    from django_lti_ags.models import Score

_ATTEMPTS: Final = 50
_SAID_LENGTH: Final = 500


def score(row: Score) -> dict[str, Any]:
    """What the tool said, and how far it got."""
    return {
        "uid": str(row.uid),
        "lineItem": row.line_item.url or None,
        "userId": row.user_id,
        "scoreGiven": _number(row.score_given),
        "scoreMaximum": _number(row.score_maximum),
        "comment": row.comment,
        "activityProgress": row.activity_progress,
        "gradingProgress": row.grading_progress,
        "recordedAt": _time(row.recorded_at),
        "state": row.state,
        "code": row.code,
        "advice": ADVICE.get(row.code, ""),
        "detail": row.detail,
        "tries": row.tries,
        "nextTryAt": _time(row.due_at if row.state == SyncState.PENDING else None),
        "deliveredAt": _time(row.delivered_at),
        "canRetry": row.can_retry,
        "canCancel": row.can_cancel,
    }


def with_attempts(row: Score) -> dict[str, Any]:
    """The same with its newest exchanges; what the platform said is redacted and cut."""
    attempts = DeliveryAttempt.objects.using(conf.get("database")).filter(score=row).order_by("-pk")[:_ATTEMPTS]
    return score(row) | {"attempts": [_attempt(one) for one in attempts]}


def _attempt(one: DeliveryAttempt) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "startedAt": _time(one.started_at),
        "durationMs": one.duration_ms,
        "status": one.status,
        "failure": one.failure,
        "said": "" if one.kind == "token" else one.response_body[:_SAID_LENGTH],
        "code": one.code,
        "detail": one.detail,
    }


def _number(value: float | None) -> float | None:
    return None if value is None else wire_number(value)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)
