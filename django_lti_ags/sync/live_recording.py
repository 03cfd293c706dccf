"""How live assessments and their results become rows, in the caller's transaction: roll it back, and nothing was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import uuid5

from django.db import transaction

from django_lti_ags.models import RESTING, LiveAssessment, LiveResult, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.outbox_sql import database_now, locked, portions
from django_lti_ags.sync.recording import outbox_alias, wake_on_commit
from django_lti_ags.sync.restating import requeue
from django_lti_ags.sync.services import found_or_made, service_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django_lti_ags.canvas import LiveAssessment as WireAssessment
    from django_lti_ags.canvas import LiveAssessmentResult as WireResult
    from django_lti_ags.models import Context

_CHUNK: Final = 2000
_WRITTEN: Final = (
    "title",
    "outcome_id",
    "declared_at",
    "state",
    "due_at",
    "tries",
    "version",
    "aged_from",
    "recorded_at",
    "code",
    "detail",
)


def declare(context: Context, course_id: str, wanted: WireAssessment) -> LiveAssessment:
    """The assessment of a course and a key, brought up to date; it is due where Canvas does not have it so."""
    alias = outbox_alias()
    with transaction.atomic(using=alias, savepoint=False):
        now = database_now(alias)
        fresh = LiveAssessment(
            context=context,
            service=service_at(context.deployment.registration_id, context.line_items_url, alias),
            course_id=course_id,
            key=wanted.key,
            key_digest=digest(course_id, wanted.key),
            title=wanted.title,
            outcome_id=str(wanted.outcome or ""),
            due_at=now,
            aged_from=now,
            recorded_at=now,
        )
        found_or_made(fresh, ("context", "key_digest"), alias)
        row: LiveAssessment = locked(LiveAssessment.objects.using(alias).filter(context=context, key_digest=fresh.key_digest)).get()
        if row.uid == fresh.uid:
            wake_on_commit(alias)
            return row
        changed = (row.title, row.outcome_id) != (fresh.title, fresh.outcome_id)
        row.title, row.outcome_id = fresh.title, fresh.outcome_id
        if changed:
            row.declared_at = None
        if changed or row.state in RESTING:
            # Declared again: it is tried again.
            _restate(row, now, alias)
    return row


def record(assessment: LiveAssessment, results: Sequence[WireResult], once: str = "") -> list[LiveResult]:
    """Keep ``results`` for Canvas. The assessment stays locked until the caller's transaction ends.

    Args:
        assessment: whose they are.
        results: each is counted.
        once: what the caller calls these results; said again under the same name, they are there already. Blank: they are new.

    Raises:
        LiveAssessment.DoesNotExist: it was deleted, and nothing can be kept for it.
        NotTheSame: under that name others were recorded.
    """
    alias = outbox_alias()
    with transaction.atomic(using=alias, savepoint=False):
        row: LiveAssessment = locked(LiveAssessment.objects.using(alias).filter(pk=assessment.pk)).get()
        now = database_now(alias)
        rows = [_new(row, result, now) for result in results]
        there = _recorded(row, rows, once, alias) if once else {}
        if not there:
            LiveResult.objects.using(alias).bulk_create(rows, batch_size=_CHUNK)
            _restate(row, now, alias)
    # Outside of the block: what is refused breaks no transaction of the caller's.
    if there and there != {row.uid: _said(row) for row in rows}:
        raise NotTheSame
    return [] if there else rows


class NotTheSame(Exception):
    """Results under a name that others have."""


def named_uids(assessment: LiveAssessment, once: str, count: int) -> list[UUID]:
    """The uids of results that are recorded under the name ``once``."""
    return [uuid5(assessment.uid, f"{position}:{once}") for position in range(count)]


def _recorded(assessment: LiveAssessment, rows: Sequence[LiveResult], once: str, alias: str) -> dict[UUID, tuple[str, bool, datetime]]:
    """What was recorded before under the name ``once``, from which the uids of ``rows`` follow; ``assessment`` is locked."""
    for row, uid in zip(rows, named_uids(assessment, once, len(rows)), strict=True):
        row.uid = uid
    there: dict[UUID, tuple[str, bool, datetime]] = {}
    for uids in portions([row.uid for row in rows]):
        there |= {row.uid: _said(row) for row in LiveResult.objects.using(alias).filter(uid__in=uids)}
    return there


def _said(row: LiveResult) -> tuple[str, bool, datetime]:
    return row.user_id, row.passed, row.assessed_at


def _new(assessment: LiveAssessment, result: WireResult, now: datetime) -> LiveResult:
    user_id = str(result.user)
    return LiveResult(
        assessment=assessment,
        user_id=user_id,
        user_digest=digest(user_id),
        passed=result.passed,
        # As Canvas tells it again, so that it is recognised there.
        assessed_at=result.assessed_at.replace(microsecond=0),
        recorded_at=now,
    )


def _restate(row: LiveAssessment, now: datetime, alias: str) -> None:
    """There is more to say than before: the locked ``row`` is due, unless it is on its way or waits for a later try already."""
    row.version += 1
    row.recorded_at = now
    if row.state not in (SyncState.SENDING, SyncState.PENDING):
        requeue(row, now)
        row.aged_from = now
    row.save(using=alias, update_fields=_WRITTEN)
    wake_on_commit(alias)
