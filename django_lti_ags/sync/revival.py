"""What a person decides about scores: send again, or do not send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from django_lti_ags.models import DECIDABLE, Event, LineItem, Score, SyncState
from django_lti_ags.sync import blocks
from django_lti_ags.sync.outbox_sql import database_now, locked, portions
from django_lti_ags.sync.recording import wake_on_commit

if TYPE_CHECKING:
    from django.db.models import QuerySet

_DECIDABLE = Q(state__in=DECIDABLE)


def retry(scores: QuerySet[Score]) -> int:
    """Make those that may be retried due now, and lift the blocks above them."""
    alias = scores.db
    with transaction.atomic(using=alias):
        chosen = list(scores.filter(_DECIDABLE).order_by("line_item", "user_digest").values_list("pk", "line_item"))
        # Also above what failed, or waits: it would only come to rest under a block that still stands.
        blocks.lift(LineItem.objects.using(alias).filter(pk__in={line_item for _, line_item in chosen}))
        rows = Score.objects.using(alias).filter(_DECIDABLE)
        count = sum(blocks.requeue_all(rows.filter(pk__in=pks)) for pks in portions([pk for pk, _ in chosen]))
        wake_on_commit(alias)
    return count


def cancel(scores: QuerySet[Score], reason: str) -> int:
    """Settle those that nobody is sending as CANCELLED, with an event each."""
    alias = scores.db
    with transaction.atomic(using=alias):
        now = database_now(alias)
        blocks.lock_columns(scores.filter(_DECIDABLE))
        rows = list(locked(scores.filter(_DECIDABLE).order_by("line_item", "user_digest")))
        settled = {"state": SyncState.CANCELLED, "due_at": None, "code": "cancelled", "detail": reason}
        mine = Score.objects.using(alias)
        count = sum(mine.filter(pk__in=pks).update(**settled) for pks in portions([row.pk for row in rows]))
        Event.objects.using(alias).bulk_create(
            Event(
                name="score_cancelled",
                score=row,
                service_id=row.service_id,
                version=row.version,
                code="cancelled",
                payload={"score": str(row.uid), "reason": reason},
                created_at=now,
            )
            for row in rows
        )
    return count
