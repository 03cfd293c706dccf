"""``keep="every"``, while it is delivered: earlier submissions go before the score itself, and wait for nobody's decision.

The score's row is the only lease. While a submission waits, :attr:`Score.queue_head` says which version of the score a
claim puts on the wire; when that is delivered, or refused for good, the next one is due at once, and the score itself last.
What was refused is set aside: the score comes to rest as ``submission_refused`` once it is delivered itself, and a person decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from django_lti_ags.canvas.submission import leaving_the_grade
from django_lti_ags.models import Event, QueuedSubmission, Score, SyncState
from django_lti_ags.profiles.base import HandedIn
from django_lti_ags.profiles.verdict import CHANGED_ELSEWHERE, LIKELY_DELIVERED, NO_ATTEMPTS, SUBMISSION_REFUSED, Disposition
from django_lti_ags.sync.keeping import unpacked
from django_lti_ags.sync.outbox_sql import locked, portions
from django_lti_ags.sync.restating import doubt, requeue
from django_lti_ags.sync.settling import Held

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from django_lti_ags.sync.outbox import Outcome

_WAITING: Final = Q(state=SyncState.PENDING)
_UNDECIDED: Final = Q(state__in=(SyncState.PENDING, SyncState.FAILED))
_NOT_REFUSED: Final = (LIKELY_DELIVERED, CHANGED_ELSEWHERE)
"""What was judged before it was known that the submission is an earlier one: it is sent once more, and then surely handed in."""


def heads(rows: Iterable[Score], alias: str) -> dict[int, QueuedSubmission]:
    """pk of a claimed score → the earlier submission that goes on the wire for it; nothing for a score that goes itself."""
    wanted = {row.pk: row.wire_version for row in rows if row.queue_head is not None}
    if not wanted:
        return {}
    found = QueuedSubmission.objects.using(alias).filter(_WAITING, score__in=list(wanted), sequence__in=set(wanted.values()))
    return {one.score_id: one for one in found if wanted[one.score_id] == one.sequence}


def is_late(row: Score, one: QueuedSubmission) -> bool:
    """Whether something newer is at the platform already: then it is handed in, and no grade is changed by it."""
    return one.sequence < (row.delivered_version or 0)


def said_by(row: Score, one: QueuedSubmission) -> tuple[dict[str, Any], HandedIn]:
    """The wire fields of an earlier submission, and what it hands in.

    One that comes late bears the numbers that the platform holds: its Result keeps what was sent last.
    """
    said = {"user_id": row.user_id, **unpacked(one.payload)}
    if is_late(row, one):
        said["extensions"] = leaving_the_grade(said["extensions"])
        said |= {"score_given": row.delivered_given, "score_maximum": row.delivered_maximum}
    handed = HandedIn(at=one.submission_at, work=one.payload["submission"], is_new=True, recorded_at=one.recorded_at)
    return said, handed


def go_on(row: Score, outcome: Outcome, now: datetime, alias: str) -> None:
    """What the end of a send of the queue's head makes of the score, which is locked: the next one is due, or the score rests."""
    if row.state == SyncState.PENDING or _rests_with_its_column(row, outcome):
        return
    if row.code in _NOT_REFUSED and not outcome.facts.get("handed_in"):
        row.state, row.due_at, row.unsettled = SyncState.PENDING, now, True
        return
    if row.code == NO_ATTEMPTS:
        _doubt_head(row, alias)
        waiting = QueuedSubmission.objects.using(alias).filter(_WAITING, score=row)
        waiting.update(state=SyncState.SUPERSEDED, code=NO_ATTEMPTS, settled_at=now)
        row.queue_head = None
    else:
        _settle_head(row, outcome, now, alias)
        row.queue_head = _first_waiting([row.pk], alias).get(row.pk)
    row.unsettled = False
    if row.queue_head is None and row.delivered_version == row.version:
        rest(row)
    else:
        requeue(row, now)


def _rests_with_its_column(row: Score, outcome: Outcome) -> bool:
    withheld_here = outcome.verdict.disposition is Disposition.WITHHELD and not outcome.facts.get("block")
    return row.state == SyncState.BLOCKED and not withheld_here


def _first_waiting(pks: Sequence[int], alias: str) -> dict[int, int]:
    """pk of a score, which is locked → the version that goes first.

    A locking read: what was recorded since the transaction began counts.
    """
    waiting = locked(QueuedSubmission.objects.using(alias).filter(_WAITING, score__in=pks).order_by("score", "-sequence"))
    return {one.score_id: one.sequence for one in waiting.only("score", "sequence")}


def _settle_head(row: Score, outcome: Outcome, now: datetime, alias: str) -> None:
    arrived = row.state in (SyncState.DELIVERED, SyncState.SUPERSEDED)
    if not arrived:
        _doubt_head(row, alias)
        row.set_aside += 1
    head = QueuedSubmission.objects.using(alias).filter(score=row, sequence=outcome.version)
    state = SyncState.DELIVERED if arrived else SyncState.FAILED
    head.update(state=state, code=row.code, detail="" if arrived else row.detail, settled_at=now)
    if not arrived:
        told = {"score": str(row.uid), "line_item": row.line_item_id, "user_id": row.user_id}
        Event.objects.using(alias).create(
            name=SUBMISSION_REFUSED,
            score=row,
            service_id=row.service_id,
            version=outcome.version,
            code=row.code,
            payload=told,
            created_at=now,
        )


def _doubt_head(row: Score, alias: str) -> None:
    """Whoever sends the next asks what the platform holds: it may be this one."""
    if row.unsettled and row.queue_head is not None:
        head = QueuedSubmission.objects.using(alias).get(score=row, sequence=row.queue_head)
        doubt(row, Held.of(unpacked(head.payload)))


def rest(row: Score) -> None:
    """The newest is delivered; whether that is all."""
    row.due_at = None
    row.state, row.code, row.detail = SyncState.DELIVERED, "delivered", ""
    if row.set_aside:
        row.state, row.code = SyncState.FAILED, SUBMISSION_REFUSED


def revive(scores: Mapping[int, Score], alias: str) -> None:
    """Put what was set aside of ``scores``, which are locked and waiting, back into their queues."""
    for pks in portions(sorted(scores)):
        QueuedSubmission.objects.using(alias).filter(score__in=pks, state=SyncState.FAILED).update(
            state=SyncState.PENDING, code="", detail="", settled_at=None
        )
        for pk, first in _first_waiting(pks, alias).items():
            scores[pk].queue_head, scores[pk].set_aside = first, 0


def let_go(rows: Sequence[Score], reason: str, now: datetime, alias: str) -> None:
    """Take back what is undecided in the queues of ``rows``, which are locked."""
    for row in rows:
        _doubt_head(row, alias)
        row.unsettled = row.unsettled and row.queue_head is None
        row.queue_head, row.set_aside = None, 0
    for pks in portions([row.pk for row in rows]):
        undecided = QueuedSubmission.objects.using(alias).filter(_UNDECIDED, score__in=pks)
        undecided.update(state=SyncState.CANCELLED, code="cancelled", detail=reason, settled_at=now)
