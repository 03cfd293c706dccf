"""Sending again what was delivered: a new version of the same score, so that its timestamp rises.

Not a recording: ``recorded_at`` stays, and with it what the profile derives from it (a submission that
Canvas knows makes no second attempt), and so does what was delivered (a comment that is there already is
not added again). A comment that was pruned cannot be sent again, and what the platform holds is no other score for that.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Count, F, Q

from django_lti_ags import conf
from django_lti_ags.ags.vocabulary import SCOPE_RESULT_READONLY
from django_lti_ags.models import Event, LineItem, Score, SyncState
from django_lti_ags.sync import blocks
from django_lti_ags.sync.keeping import fingerprint_of
from django_lti_ags.sync.outbox_sql import database_now, insert_many, locked, portions, upsert_by_pk
from django_lti_ags.sync.recording import wake_on_commit
from django_lti_ags.sync.restating import requeue
from django_lti_ags.sync.settling import Held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

SENDABLE: Final = (SyncState.DELIVERED, SyncState.SUPERSEDED)
"""The states that this leads out of: the platform has, or had, the score, or somebody's edit in its place."""

SENT_AGAIN: Final = "score_sent_again"
"""The event's name."""
MOST_TIMES: Final = 3
"""So often a comparison sends one recording again. A platform that accepts it each time and never shows it (the learner left, the
column keeps nothing) would be told it for ever; a person may still send it again, and recording it anew begins anew."""
_SENDABLE: Final = Q(state__in=SENDABLE)
_WRITTEN: Final = ("state", "due_at", "version", "tries", "unsettled", "doubtful", "code", "detail", "aged_from", "delivered_fingerprint")


def send_again(
    scores: QuerySet[Score], *, ask_first: bool, versions: Mapping[int, int] | None = None, shown: Mapping[int, Held] | None = None
) -> int:
    """Make the delivered and the superseded ones of ``scores`` due with a new version; returns how many.

    Args:
        scores: at most some thousand; their columns are locked meanwhile.
        ask_first: the platform is asked before each is sent, and an edit of somebody else's stays; columns whose results
            the tool may not read are left alone. False: whatever is there is overwritten.
        versions: pk → the version that was decided on. What was recorded since is left alone.
        shown: pk → a score of ours that the platform shows, and that is therefore no edit.
    """
    alias = scores.db
    with transaction.atomic(using=alias):
        blocks.lock_columns(scores.filter(_SENDABLE))
        chosen = list(locked(scores.filter(_SENDABLE).order_by("line_item", "user_digest")))
        if versions is not None:
            chosen = [row for row in chosen if versions.get(row.pk) == row.version]
        if ask_first:
            readable = _readable({row.line_item_id for row in chosen}, alias)
            chosen = [row for row in chosen if row.line_item_id in readable]
        now = database_now(alias)
        for row in chosen:
            _renew(row, now, ask_first=ask_first, shown=(shown or {}).get(row.pk))
        if chosen:
            upsert_by_pk(Score.objects.using(alias), chosen, fields=_WRITTEN)
            insert_many(Event.objects.using(alias), [_event(row, now) for row in chosen])
            wake_on_commit(alias)
    return len(chosen)


def spent(scores: Sequence[int]) -> set[int]:
    """Those of ``scores`` that were sent again :data:`MOST_TIMES` since they were recorded, as far as events are kept."""
    events = Event.objects.using(conf.get("database")).filter(name=SENT_AGAIN, created_at__gte=F("score__recorded_at")).order_by()
    found: set[int] = set()
    for some in portions(scores):
        times = events.filter(score__in=some).values("score").annotate(times=Count("pk"))
        found |= set(times.filter(times__gte=MOST_TIMES).values_list("score", flat=True))
    return found


def _readable(line_items: set[int], alias: str) -> set[int]:
    scopes = LineItem.objects.using(alias).filter(pk__in=line_items).values_list("pk", "scopes")
    return {pk for pk, granted in scopes if SCOPE_RESULT_READONLY in granted}


def _renew(row: Score, now: datetime, *, ask_first: bool, shown: Held | None) -> None:
    if row.state == SyncState.DELIVERED and row.delivered_version == row.version:
        # What was delivered, less what was pruned since: with the old fingerprint it would look like another score of ours.
        row.delivered_fingerprint = fingerprint_of(row)
    row.version += 1
    row.unsettled = ask_first
    if shown is not None and asdict(shown) not in row.doubtful:
        row.doubtful = [*row.doubtful, asdict(shown)]
    row.aged_from = now
    requeue(row, now)


def _event(row: Score, now: datetime) -> Event:
    return Event(
        name=SENT_AGAIN,
        score=row,
        service_id=row.service_id,
        version=row.version,
        payload={"score": str(row.uid), "line_item": row.line_item_id, "user_id": row.user_id},
        created_at=now,
    )
