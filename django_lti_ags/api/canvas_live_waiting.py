"""``?wait=`` of live assessments and their results: how it went, if that is known in time. As with scores: ``waiting.py``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count

from django_lti_ags.api.errors import ApiError
from django_lti_ags.models import OPEN, LiveAssessment, LiveResult, SyncState
from django_lti_ags.models.live import RESULT_STATES
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.profiles.canvas_rest import USER_NOT_IN_COURSE
from django_lti_ags.sync.outbox_sql import portions
from django_lti_ags.sync.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

_FEW: Final = 1000
"""So many results are looked at again and again; of more, only their assessment."""


def of_assessment(row: LiveAssessment, seconds: float) -> int:
    """200: Canvas has it as it was declared. 202: it will be told.

    Raises:
        ApiError: 422 or 409: it was refused, or rests.
    """

    def settled() -> bool:
        row.refresh_from_db()
        return row.declared_at is not None or row.state not in OPEN

    wait_until(settled, seconds)
    if row.declared_at is None and row.state not in OPEN:
        raise _rests(row, 422 if row.state == SyncState.FAILED else 409, row.code, {})
    return 202 if row.declared_at is None else 200


def of_results(row: LiveAssessment, uids: Sequence[UUID], seconds: float) -> tuple[int, dict[str, int]]:
    """200: Canvas has them all. 202: it will be told of some. And how many are in which state; those that were forgotten are in none.

    Raises:
        ApiError: 422: Canvas refuses some of them. 409: they rest, or were taken back.
    """

    def settled() -> bool:
        row.refresh_from_db()
        return row.state not in OPEN or (len(uids) <= _FEW and not _counts(row, uids)[SyncState.PENDING])

    wait_until(settled, seconds)
    found = _counts(row, uids)
    counts = {str(state): found[state] for state in RESULT_STATES}
    if found[SyncState.FAILED]:
        raise _rests(row, 422, USER_NOT_IN_COURSE, {"results": counts})
    if found[SyncState.CANCELLED] or (found[SyncState.PENDING] and row.state not in OPEN):
        raise _rests(row, 409, row.code or "cancelled", {"results": counts})
    return (202 if found[SyncState.PENDING] else 200), counts


def _rests(row: LiveAssessment, status: int, code: str, more: dict[str, Any]) -> ApiError:
    advice = str(ADVICE.get(code, "")) or "It was not delivered."
    return ApiError(status, code.upper() or "NOT_DELIVERED", advice, more={"state": row.state, "detail": row.detail} | more)


def _counts(row: LiveAssessment, uids: Sequence[UUID]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for some in portions(uids):
        rows = LiveResult.objects.filter(assessment=row.pk, uid__in=some).order_by()
        counts.update(dict(rows.values_list("state").annotate(Count("pk"))))
    return counts
