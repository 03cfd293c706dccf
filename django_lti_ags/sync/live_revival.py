"""What a person decides about live assessments: send again, or do not send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from django_lti_ags.models import DECIDABLE, Event, LiveAssessment, LiveResult, SyncState
from django_lti_ags.sync.announcing import live_event
from django_lti_ags.sync.outbox_sql import database_now, locked, portions
from django_lti_ags.sync.recording import wake_on_commit

if TYPE_CHECKING:
    from django.db.models import QuerySet


def retry(assessments: QuerySet[LiveAssessment]) -> int:
    """Make those that may be retried due now, with what was set aside. What is in doubt stays so: Canvas is asked first."""
    alias = assessments.db
    with transaction.atomic(using=alias):
        rows = _decidable(assessments)
        now = database_now(alias)
        for pks in portions([row.pk for row in rows]):
            aside = LiveResult.objects.using(alias).filter(assessment__in=pks, state=SyncState.FAILED)
            aside.update(state=SyncState.PENDING, code="", detail="")
            due = {"state": SyncState.PENDING, "due_at": now, "tries": 0, "code": "", "detail": "", "aged_from": now}
            LiveAssessment.objects.using(alias).filter(pk__in=pks).update(**due)
        wake_on_commit(alias)
    return len(rows)


def cancel(assessments: QuerySet[LiveAssessment], reason: str) -> int:
    """Settle those that nobody is sending as CANCELLED, with all of their results that Canvas is not known to have."""
    alias = assessments.db
    with transaction.atomic(using=alias):
        rows = _decidable(assessments)
        now = database_now(alias)
        settled = {"state": SyncState.CANCELLED, "code": "cancelled", "detail": reason}
        for pks in portions([row.pk for row in rows]):
            left = LiveResult.objects.using(alias).filter(assessment__in=pks, state__in=(SyncState.PENDING, SyncState.FAILED))
            left.update(**settled, in_doubt=False)
            LiveAssessment.objects.using(alias).filter(pk__in=pks).update(**settled, due_at=None, unsettled=False)
        for row in rows:
            row.code = "cancelled"
        Event.objects.using(alias).bulk_create(live_event("live_results_cancelled", row, now, reason=reason) for row in rows)
    return len(rows)


def _decidable(assessments: QuerySet[LiveAssessment]) -> list[LiveAssessment]:
    """Locked, in one order for everybody."""
    return list(locked(assessments.filter(state__in=DECIDABLE).order_by("pk")))
