"""What a person decides about scores: send again, or do not send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q

from django_lti_ags.models import DECIDABLE, Event, LineItem, Score, SyncState
from django_lti_ags.sync import blocks, queueing
from django_lti_ags.sync.outbox_sql import database_now, insert_many, locked, portions, upsert_by_pk
from django_lti_ags.sync.recording import wake_on_commit

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

SUBMISSIONS_CANCELLED: Final = "submissions_cancelled"
"""The event's name: earlier submissions are taken back, and the newest score stands."""
_DECIDABLE = Q(state__in=DECIDABLE)
_QUEUE: Final = ("queue_head", "set_aside", "doubtful", "unsettled")


def retry(scores: QuerySet[Score]) -> int:
    """Make those that may be retried due now, and lift the blocks above them."""
    alias = scores.db
    with transaction.atomic(using=alias):
        chosen = list(scores.filter(_DECIDABLE).order_by("line_item", "user_digest").values_list("pk", "line_item"))
        # Also above what failed, or waits: it would only come to rest under a block that still stands.
        blocks.lift(LineItem.objects.using(alias).filter(pk__in={line_item for _, line_item in chosen}))
        rows = Score.objects.using(alias).filter(_DECIDABLE)
        pks_of_all = [pk for pk, _ in chosen]
        count = sum(blocks.requeue_all(rows.filter(pk__in=pks)) for pks in portions(pks_of_all))
        for pks in portions(pks_of_all):
            _revive_queues(Score.objects.using(alias).filter(pk__in=pks))
        wake_on_commit(alias)
    return count


def _revive_queues(scores: QuerySet[Score]) -> None:
    """What was set aside goes first again, unless the platform may hold the next one already: their order would be lost."""
    waiting = scores.filter(state=SyncState.PENDING, set_aside__gt=0, unsettled=False).order_by("line_item", "user_digest")
    rows = {row.pk: row for row in locked(waiting)}
    if rows:
        queueing.revive(rows, scores.db)
        upsert_by_pk(Score.objects.using(scores.db), list(rows.values()), fields=_QUEUE)


def cancel(scores: QuerySet[Score], reason: str) -> int:
    """Settle those that nobody is sending as CANCELLED, with an event each; with what is undecided in their queues.

    Where the newest is delivered and only earlier submissions are not, these are taken back, and the score is DELIVERED.
    """
    alias = scores.db
    with transaction.atomic(using=alias):
        now = database_now(alias)
        blocks.lock_columns(scores.filter(_DECIDABLE))
        rows = list(locked(scores.filter(_DECIDABLE).order_by("line_item", "user_digest")))
        queues = [row for row in rows if row.queue_head is not None or row.set_aside]
        standing = {row.pk for row in queues if row.delivered_version == row.version}
        if queues:
            queueing.let_go(queues, reason, now, alias)
        for row in rows:
            row.state, row.due_at, row.code, row.detail = SyncState.CANCELLED, None, "cancelled", reason
            if row.pk in standing:
                queueing.rest(row)
        if rows:
            upsert_by_pk(Score.objects.using(alias), rows, fields=("state", "due_at", "code", "detail", *_QUEUE))
        insert_many(Event.objects.using(alias), [_event(row, reason, now, earlier_only=row.pk in standing) for row in rows])
    return len(rows)


def _event(row: Score, reason: str, now: datetime, *, earlier_only: bool) -> Event:
    return Event(
        name=SUBMISSIONS_CANCELLED if earlier_only else "score_cancelled",
        score=row,
        service_id=row.service_id,
        version=row.version,
        code="cancelled",
        payload={"score": str(row.uid), "reason": reason},
        created_at=now,
    )
