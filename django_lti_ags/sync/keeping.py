"""``keep="every"``, while it is recorded: a submission that a newer one overtakes is put into the queue, as it stands.

Everything happens on a score's row that is locked, so a score's queue has one writer at a time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.models import QueuedSubmission, SyncState
from django_lti_ags.profiles.verdict import LIKELY_DELIVERED, SUBMISSION_REFUSED
from django_lti_ags.sync import handing
from django_lti_ags.sync.outbox_sql import locked
from django_lti_ags.sync.settling import Held
from django_lti_ags.sync.statements import TIMES, WIRE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django_lti_ags.models import Score

Earlier = dict[int, dict[datetime, str]]
"""pk of a score → the earlier submissions in its queue: when handed in → the fingerprint of what brought it."""

_NEEDED: Final = (SyncState.PENDING, SyncState.FAILED)
"""The states in which the payload may go on the wire yet."""


def known(pairs: Iterable[tuple[Score, Mapping[str, Any]]], alias: str) -> Earlier:
    """The earlier submissions of the scores of which one may be said again; no query where none is kept.

    What a person took back is not known any more: said again, it is said anew.
    """
    asked = {row.pk: said["submitted_at"] for row, said in pairs if said["submitted_at"] is not None and handing.is_new(row, said)}
    found: Earlier = {}
    if asked:
        rows = QueuedSubmission.objects.using(alias).filter(score__in=list(asked), submission_at__in=set(asked.values()))
        # A locking read: what was queued since the caller's transaction began is known, too.
        for one in locked(rows.exclude(state=SyncState.CANCELLED).order_by("pk")).only("score", "submission_at", "fingerprint"):
            found.setdefault(one.score_id, {})[one.submission_at] = one.fingerprint
    return found


def may_know(row: Score, *, keeps: bool) -> bool:
    """Whether the queue of ``row`` is worth a look."""
    return keeps or row.keeps_submission or row.queue_head is not None or row.set_aside > 0


def overtaken(row: Score, said: Mapping[str, Any], now: datetime) -> QueuedSubmission | None:
    """The submission of ``row``, if it is to be kept and ``said`` takes its place; ``row`` still says what was said before."""
    owed = handing.is_owed(row)
    takes_its_place = handing.is_new(row, said) or (handing.hands_in_nothing(said) and owed)
    if not (row.keeps_submission and row.submission_at is not None and takes_its_place):
        return None
    queued = _queued(row, row.submission_at, _state_of(row, owed=owed), now)
    if queued.state == SyncState.PENDING and row.queue_head is None:
        row.queue_head = row.version
        # The next send hands it in again if it has to: that adds no attempt.
        row.unsettled = row.unsettled or row.code == LIKELY_DELIVERED
    elif queued.state == SyncState.FAILED:
        row.set_aside += 1
    # From now on it is the queue's to bring.
    row.delivered_submission_at, row.keeps_submission = row.submission_at, False
    return queued


def _queued(row: Score, at: datetime, state: SyncState, now: datetime) -> QueuedSubmission:
    refused = state == SyncState.FAILED
    return QueuedSubmission(
        score=row,
        sequence=row.version,
        submission_at=at,
        recorded_at=row.recorded_at,
        fingerprint=fingerprint_of(row),
        payload=_packed(row) if state in _NEEDED else {},
        state=state,
        code=row.code if refused else "",
        detail=row.detail if refused else "",
        settled_at=None if state == SyncState.PENDING else now,
    )


def _state_of(row: Score, *, owed: bool) -> SyncState:
    if not owed or row.state in (SyncState.DELIVERED, SyncState.SUPERSEDED) or row.code == SUBMISSION_REFUSED:
        return SyncState.DELIVERED
    if row.state in (SyncState.FAILED, SyncState.CANCELLED):
        return SyncState(row.state)
    return SyncState.PENDING


def fingerprint_of(row: Score) -> str:
    """Of what the tool said of ``row``."""
    return Held.of({name: getattr(row, name) for name in WIRE_FIELDS}).fingerprint


def _packed(row: Score) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in WIRE_FIELDS}
    times = {name: None if values[name] is None else values[name].astimezone(UTC).isoformat() for name in TIMES}
    return {**values, **times, "submission": row.submission}


def unpacked(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The wire fields that were packed."""
    times = {name: None if payload[name] is None else datetime.fromisoformat(payload[name]) for name in TIMES}
    return {**{name: payload[name] for name in WIRE_FIELDS}, **times}
