"""What a person decides about live assessments: send again, or do not send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from django_lti_ags.models import DECIDABLE, RESTING, Event, LiveAssessment, LiveResult, Service, SyncState
from django_lti_ags.sync.announcing import live_event
from django_lti_ags.sync.outbox_sql import database_now, locked, portions
from django_lti_ags.sync.recording import wake_on_commit

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from django_lti_ags.models import Registration


_WANTING: Final = (
    "canvas_credential_missing",
    "canvas_credential_unusable",
    "canvas_token_refused",
    "canvas_scope_missing",
    "canvas_not_authorised",
    "canvas_address_refused",
)
"""Codes of what another credential may put right."""


def revive_with_credential(registration: Registration, alias: str) -> int:
    """Make those due now that rest for want of a credential; what was set aside for another reason stays so. Returns how many."""
    services = list(Service.objects.using(alias).filter(registration=registration.pk).values_list("pk", flat=True))
    with transaction.atomic(using=alias):
        resting = LiveAssessment.objects.using(alias).filter(service__in=services, state__in=RESTING, code__in=_WANTING)
        pks = [row.pk for row in locked(resting.order_by("pk").only("pk"))]
        _make_due(pks, alias)
    return len(pks)


def retry(assessments: QuerySet[LiveAssessment]) -> int:
    """Make those that may be retried due now, with what was set aside. What is in doubt stays so: Canvas is asked first."""
    alias = assessments.db
    with transaction.atomic(using=alias):
        all_pks = [row.pk for row in _decidable(assessments)]
        for pks in portions(all_pks):
            aside = LiveResult.objects.using(alias).filter(assessment__in=pks, state=SyncState.FAILED)
            aside.update(state=SyncState.PENDING, code="", detail="")
        _make_due(all_pks, alias)
    return len(all_pks)


def _make_due(locked_pks: list[int], alias: str) -> None:
    now = database_now(alias)
    due: dict[str, Any] = {"state": SyncState.PENDING, "due_at": now, "tries": 0, "code": "", "detail": "", "aged_from": now}
    for pks in portions(locked_pks):
        LiveAssessment.objects.using(alias).filter(pk__in=pks).update(**due)
    wake_on_commit(alias)


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
