"""Scores with their state and the exchanges about them, columns and registrations, as our own addresses tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django_lti_ags import conf
from django_lti_ags.ags.types import wire_number, wire_time
from django_lti_ags.models import DeliveryAttempt, SyncState
from django_lti_ags.profiles.advice import ADVICE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django_lti_ags.models import LineItem, Registration, Score

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


def column(row: LineItem, counts: Mapping[str, int], delivered_at: datetime | None) -> dict[str, Any]:
    """A gradebook column, how many of its scores are in which state, when one was last delivered, and what keeps all of them."""
    return {
        "uid": str(row.uid),
        "lineItem": row.url or None,
        "context": str(row.context.uid),
        "label": row.label,
        "scoreMaximum": _number(row.score_maximum),
        "resourceLinkId": row.resource_link_id,
        "resourceId": row.resource_id,
        "tag": row.tag,
        "scores": {state: counts.get(state, 0) for state in SyncState.values},
        "lastDeliveredAt": _time(delivered_at),
        "comparedAt": _time(row.compared_at),
        "block": _block(row),
    }


def registration(row: Registration) -> dict[str, Any]:
    """A registered platform; no secret, and no key."""
    told = {"issuer": row.issuer, "clientId": row.client_id, "profile": row.profile}
    return pause(row) | told | {"reason": row.paused_reason if row.is_paused else "", "pausedAt": _time(row.paused_at)}


def pause(row: Registration) -> dict[str, Any]:
    """Which registration it is, and whether nothing is sent for it."""
    return {
        "uid": str(row.uid),
        "name": str(row),
        "paused": row.is_paused,
        "code": row.paused_code,
        "advice": ADVICE.get(row.paused_code, "") if row.is_paused else "",
    }


def _block(row: LineItem) -> dict[str, Any] | None:
    code = row.standing_block
    if not code:
        return None
    since = row.blocked_at if row.block_code else row.context.blocked_at if row.context.block_code else row.created_at
    return {"code": code, "advice": ADVICE.get(code, ""), "since": _time(since)}


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
