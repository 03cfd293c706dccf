"""Telling of what happened: an event in the same transaction, a signal after its commit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from django_lti_ags import signals
from django_lti_ags.models import Event, LiveAssessment, Score, SyncState
from django_lti_ags.sync import webhook_queueing
from django_lti_ags.sync.outbox_sql import insert_many

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import Model

logger = logging.getLogger(__name__)

_SIGNALS: Final = {
    SyncState.DELIVERED: signals.score_delivered,
    SyncState.FAILED: signals.score_failed,
    SyncState.BLOCKED: signals.score_blocked,
    SyncState.SUPERSEDED: signals.score_superseded,
}
_LIVE_SIGNALS: Final = {
    SyncState.DELIVERED: signals.live_results_delivered,
    SyncState.FAILED: signals.live_results_failed,
    SyncState.BLOCKED: signals.live_results_blocked,
}


def tell(rows: Sequence[Score], now: datetime, alias: str) -> None:
    """One event for each score that came to rest, in this transaction; its signal after the commit."""
    told = [row for row in rows if row.state in _SIGNALS]
    events = [
        Event(
            name=f"score_{row.state}",
            score_id=row.pk,
            service_id=row.service_id,
            version=row.version,
            code=row.code,
            payload={"score": str(row.uid), "line_item": row.line_item_id, "user_id": row.user_id},
            created_at=now,
        )
        for row in told
    ]
    insert_many(Event.objects.using(alias), events)
    webhook_queueing.queue(zip(events, told, strict=True), now, alias)
    for row in told:
        after_commit(alias, _SIGNALS[SyncState(row.state)], score=row, code=row.code)


def tell_live(rows: Sequence[LiveAssessment], now: datetime, alias: str) -> None:
    """The same for live assessments that came to rest."""
    told = [row for row in rows if row.state in _LIVE_SIGNALS]
    insert_many(Event.objects.using(alias), [live_event(f"live_results_{row.state}", row, now) for row in told])
    for row in told:
        after_commit(alias, _LIVE_SIGNALS[SyncState(row.state)], sender=LiveAssessment, assessment=row, code=row.code)


def live_event(name: str, row: LiveAssessment, now: datetime, **payload: str) -> Event:
    """What happened to a live assessment, without its learners."""
    return Event(
        name=name,
        live_assessment_id=row.pk,
        service_id=row.service_id,
        version=row.version,
        code=row.code,
        payload={"live_assessment": str(row.uid), **payload},
        created_at=now,
    )


def after_commit(alias: str, signal: Any, *, sender: type[Model] = Score, **arguments: Any) -> None:
    """Send ``signal`` once the transaction is committed; a receiver that fails harms nobody."""
    if not signal.has_listeners(sender):
        return

    def send() -> None:
        for receiver, answer in signal.send_robust(sender=sender, **arguments):
            if isinstance(answer, Exception):
                logger.error("The signal receiver %r failed", receiver, exc_info=answer)

    transaction.on_commit(send, using=alias)
