"""What a statement makes of the learner's row: a new row, a new version, or nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.models import Score, SyncState
from django_lti_ags.profiles.verdict import SUBMISSION_REFUSED
from django_lti_ags.sync import handing, keeping
from django_lti_ags.sync.outbox_sql import UtcNow
from django_lti_ags.sync.settling import Held
from django_lti_ags.sync.statements import WIRE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django_lti_ags.models import Leased, LineItem, QueuedSubmission
    from django_lti_ags.sync.keeping import Earlier
    from django_lti_ags.sync.statements import Statement

WRITTEN: Final = (
    *WIRE_FIELDS,
    "submission_at",
    "submission",
    "delivered_submission_at",
    "keeps_submission",
    "queue_head",
    "set_aside",
    "state",
    "due_at",
    "version",
    "tries",
    "unsettled",
    "doubtful",
    "code",
    "detail",
    "recorded_at",
    "aged_from",
    "service",
)
"""What :func:`restate` may change."""
_MOST_DOUBTS: Final = 20
_HELD: Final = (SyncState.PENDING, SyncState.SENDING, SyncState.DELIVERED)


def new(line_item: LineItem, statement: Statement) -> Score:
    """The row of a learner of whom nothing was said before."""
    values = statement.wire_values()
    row = Score(
        line_item=line_item,
        service_id=line_item.service_id,
        user_id=statement.user_id,
        user_digest=statement.user_digest,
        **values,
    )
    handing.take(row, values, UtcNow(), keeps=statement.keeps)
    for name in ("due_at", "recorded_at", "aged_from"):
        setattr(row, name, UtcNow())
    return row


def restate(row: Any, line_item: LineItem, statement: Statement, earlier: Earlier, queued: list[QueuedSubmission]) -> bool:
    """Put ``statement`` on its locked row; False: it says what was said already, and that is on its way or there.

    A submission that it overtakes, and that is kept, is added to ``queued``. One of ``earlier`` is not handed in again.
    """
    values = statement.wire_values()
    said_before = earlier.get(row.pk, {}).get(values["submitted_at"])
    if said_before is not None and said_before == Held.of(values).fingerprint:
        return False
    same = _says(row, values)
    if same and (row.state in _HELD or row.code == SUBMISSION_REFUSED):
        return _keep_from_now_on(row, statement)
    now = row.database_now
    if not same or row.state in (SyncState.SUPERSEDED, SyncState.CANCELLED):
        _raise_version(row, None if same or said_before else keeping.overtaken(row, values, now), queued)
    if not same and said_before is None:
        handing.take(row, values, now, keeps=statement.keeps)
    for name, value in values.items():
        setattr(row, name, value)
    row.service_id = line_item.service_id
    row.recorded_at = row.aged_from = now
    if row.state != SyncState.SENDING:
        requeue(row, now)
    return True


def _keep_from_now_on(row: Score, statement: Statement) -> bool:
    """Nothing is said but that the submission is to be kept; whether that is new."""
    if row.keeps_submission or not (statement.keeps and handing.in_of(row).is_new):
        return False
    row.keeps_submission = True
    return True


def _raise_version(row: Score, overtaken: QueuedSubmission | None, queued: list[QueuedSubmission]) -> None:
    """What was superseded or cancelled counts as said anew, too: it needs a timestamp of its own."""
    queued += [] if overtaken is None else [overtaken]
    if row.queue_head is None:
        _doubt(row)
        row.unsettled = False
    row.version += 1


def _says(row: Score, values: Mapping[str, Any]) -> bool:
    """Whether ``row`` says it all already; extensions compared as JSON, where ``true`` is not ``1`` as it is in Python."""
    same = all(getattr(row, name) == value for name, value in values.items())
    if same:
        return json.dumps(row.extensions, sort_keys=True) == json.dumps(values["extensions"], sort_keys=True)
    # Its comment may have been pruned since: what the platform took is still known by its fingerprint.
    delivered = row.state == SyncState.DELIVERED and row.delivered_version == row.version
    return delivered and row.delivered_fingerprint == Held.of(values).fingerprint


def _doubt(row: Score) -> None:
    """Remember what the platform may hold: a version that is overtaken before anybody knows whether it arrived."""
    if row.unsettled or (row.state == SyncState.SENDING and row.wire_version == row.version):
        doubt(row, Held.of({name: getattr(row, name) for name in WIRE_FIELDS}))


def doubt(row: Score, overtaken: Held) -> None:
    """Remember that the platform may hold ``overtaken``."""
    one = asdict(overtaken)
    row.doubtful = [*(other for other in row.doubtful if other != one), one][-_MOST_DOUBTS:]


def requeue(row: Leased, now: datetime) -> None:
    """Make ``row`` claimable from ``now``, as if it had never been tried."""
    row.state = SyncState.PENDING
    row.due_at = now
    row.tries = 0
    row.code = row.detail = ""
