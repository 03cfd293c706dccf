"""How a statement of the tool's becomes the row that is sent: one row per (line item, user), its version rising.

Everything happens in the caller's transaction: roll it back, and nothing was said.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db import connections, transaction
from django.utils.module_loading import import_string

from django_lti_ags import conf
from django_lti_ags.exceptions import WrongDatabase
from django_lti_ags.models import LineItem, Score, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.outbox_sql import UtcNow, insert_or_lock, locked, share, upsert_by_pk
from django_lti_ags.sync.settling import Held

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from django_lti_ags.models import LineItem

WIRE_FIELDS: Final = (
    "score_given",
    "score_maximum",
    "activity_progress",
    "grading_progress",
    "comment",
    "started_at",
    "submitted_at",
    "scoring_user_id",
    "extensions",
)
_WRITTEN: Final = (
    *WIRE_FIELDS,
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
_UNIQUE: Final = ("line_item", "user_digest")
_CHUNK: Final = 2000
_CHUNK_CHARACTERS: Final = 1_000_000
_MOST_DOUBTS: Final = 20
_HELD: Final = (SyncState.PENDING, SyncState.SENDING, SyncState.DELIVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the tool says of one learner in one column: every field of the wire but the timestamp."""

    user_id: str
    score_given: float | None
    score_maximum: float | None
    activity_progress: str
    grading_progress: str
    comment: str
    started_at: datetime | None
    submitted_at: datetime | None
    scoring_user_id: str
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def user_digest(self) -> str:
        """What the learner's row is found by."""
        return digest(self.user_id)

    def wire_values(self) -> dict[str, Any]:
        """The fields as a row keeps them; extensions as JSON gives them back."""
        values = {name: getattr(self, name) for name in WIRE_FIELDS}
        values["extensions"] = json.loads(json.dumps(dict(self.extensions)))
        return values


@dataclass(frozen=True, slots=True)
class Summary:
    """What a recording of many did, in rows."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: Summary) -> Summary:
        return Summary(self.created + other.created, self.changed + other.changed, self.unchanged + other.unchanged)


def record(line_item: LineItem, statement: Statement) -> Score:
    """Record one statement: two queries for a known learner, four for a new one at most."""
    alias = outbox_alias()
    with transaction.atomic(using=alias, savepoint=False):
        rows = Score.objects.using(alias).filter(line_item=line_item, user_digest=statement.user_digest)
        row = _with_clock(rows).first()
        fresh = None
        if row is None:
            fresh = _new(line_item, statement)
            share(line_item, alias)
            insert_or_lock(Score.objects.using(alias), [fresh], unique=_UNIQUE)
            row = _with_clock(rows).get()
        if fresh is not None and row.uid == fresh.uid:
            wake_on_commit(alias)
        elif _restate(row, line_item, statement):
            row.save(using=alias, update_fields=_WRITTEN)
            wake_on_commit(alias)
    row.line_item = line_item
    recorded: Score = row
    return recorded


def record_many(line_item: LineItem, statements: Iterable[Statement]) -> Summary:
    """Record statements on distinct learners, all or nothing; at most four queries per thousand, and SQLite's batches."""
    alias = outbox_alias()
    summary = Summary()
    with transaction.atomic(using=alias, savepoint=False):
        # One order for everybody: two writers of one class wait for each other, and do not deadlock.
        ordered = sorted(((statement.user_digest, statement) for statement in statements), key=lambda pair: pair[0])
        # And one after the other: InnoDB's gap locks would let two who fill one new column deadlock.
        list(locked(LineItem.objects.using(alias).filter(pk=line_item.pk)).only("pk"))
        for chunk in _chunks(ordered):
            summary += _record_chunk(alias, line_item, dict(chunk))
        if summary.created or summary.changed:
            wake_on_commit(alias)
    return summary


def _record_chunk(alias: str, line_item: LineItem, statements: dict[str, Statement]) -> Summary:
    rows = Score.objects.using(alias).filter(line_item=line_item)
    known = _by_digest(rows, statements)
    changed = _write_changes(alias, line_item, known, statements)
    fresh = {key: _new(line_item, statement) for key, statement in statements.items() if key not in known}
    if not fresh:
        return Summary(changed=changed, unchanged=len(known) - changed)
    insert_or_lock(Score.objects.using(alias), list(fresh.values()), unique=_UNIQUE)
    # Who was inserted by somebody else in between keeps their uid, and is ours to change now.
    raced = {key: row for key, row in _by_digest(rows, fresh).items() if row.uid != fresh[key].uid}
    overtaken = _write_changes(alias, line_item, raced, statements)
    return Summary(
        created=len(fresh) - len(raced),
        changed=changed + overtaken,
        unchanged=len(known) - changed + len(raced) - overtaken,
    )


def _write_changes(alias: str, line_item: LineItem, rows: Mapping[str, Score], statements: Mapping[str, Statement]) -> int:
    changed = [row for key, row in rows.items() if _restate(row, line_item, statements[key])]
    if changed:
        upsert_by_pk(Score.objects.using(alias), changed, fields=_WRITTEN)
    return len(changed)


def _by_digest(rows: QuerySet[Score], keys: Iterable[str]) -> dict[str, Score]:
    chosen = rows.filter(user_digest__in=list(keys)).order_by("user_digest")
    return {row.user_digest: row for row in _with_clock(chosen)}


def _with_clock(rows: QuerySet[Score]) -> QuerySet[Any]:
    timed: QuerySet[Any] = locked(rows).annotate(database_now=UtcNow())
    return timed


def _new(line_item: LineItem, statement: Statement) -> Score:
    row = Score(
        line_item=line_item,
        service_id=line_item.service_id,
        user_id=statement.user_id,
        user_digest=statement.user_digest,
        **statement.wire_values(),
    )
    for name in ("due_at", "recorded_at", "aged_from"):
        setattr(row, name, UtcNow())
    return row


def _restate(row: Any, line_item: LineItem, statement: Statement) -> bool:
    """Put ``statement`` on its locked row; False: it says what the row says already, and the row is on its way or there."""
    values = statement.wire_values()
    same = _says(row, values)
    if same and row.state in _HELD:
        return False
    now = row.database_now
    if not same or row.state in (SyncState.SUPERSEDED, SyncState.CANCELLED):
        # What was superseded or cancelled counts as said anew: it needs a timestamp of its own.
        _doubt(row)
        row.version += 1
        row.unsettled = False
    for name, value in values.items():
        setattr(row, name, value)
    row.service_id = line_item.service_id
    row.recorded_at = row.aged_from = now
    if row.state != SyncState.SENDING:
        requeue(row, now)
    return True


def _says(row: Score, values: Mapping[str, Any]) -> bool:
    """Whether ``row`` says it all already; extensions compared as JSON, where ``true`` is not ``1`` as it is in Python."""
    same = all(getattr(row, name) == value for name, value in values.items())
    return same and json.dumps(row.extensions, sort_keys=True) == json.dumps(values["extensions"], sort_keys=True)


def _doubt(row: Score) -> None:
    """Remember what the platform may hold: a version that is overtaken before anybody knows whether it arrived."""
    if row.unsettled or (row.state == SyncState.SENDING and row.wire_version == row.version):
        overtaken = asdict(Held.of({name: getattr(row, name) for name in WIRE_FIELDS}))
        row.doubtful = [*(one for one in row.doubtful if one != overtaken), overtaken][-_MOST_DOUBTS:]


def requeue(row: Score, now: datetime) -> None:
    """Make ``row`` claimable from ``now``, as if it had never been tried."""
    row.state = SyncState.PENDING
    row.due_at = now
    row.tries = 0
    row.code = row.detail = ""


def outbox_alias() -> str:
    """The outbox's database alias.

    Raises:
        WrongDatabase: the caller's transaction is on another one, so a rollback would not take the score with it.
    """
    alias: str = conf.get("database")
    if not connections[alias].in_atomic_block:
        foreign = [connection.alias for connection in connections.all(initialized_only=True) if connection.in_atomic_block]
        if foreign:
            raise WrongDatabase(
                f"The transaction is on {foreign[0]!r}, the scores are on {alias!r}: a rollback would not take them with it. "
                f"Open `transaction.atomic(using={alias!r})`, or set LTI_AGS['DATABASE']."
            )
    return alias


def wake_on_commit(alias: str) -> None:
    """Call ``LTI_AGS["WAKE"]`` once the caller's transaction is committed; it may be lost, the next poll finds the row."""
    path: str = conf.get("wake")
    if path:
        transaction.on_commit(import_string(path), using=alias, robust=True)


def _chunks(items: Sequence[tuple[str, Statement]]) -> Iterator[Sequence[tuple[str, Statement]]]:
    """Not too many at once, and not too long: MariaDB refuses a statement of 16 MB."""
    chunk: list[tuple[str, Statement]] = []
    size = 0
    for item in items:
        length = len(item[1].comment) + len(json.dumps(dict(item[1].extensions)))
        if chunk and (len(chunk) == _CHUNK or size + length > _CHUNK_CHARACTERS):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += length
    if chunk:
        yield chunk
