"""How a statement of the tool's becomes the row that is sent: one row per (line item, user), its version rising.

Everything happens in the caller's transaction: roll it back, and nothing was said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db import connections, transaction
from django.utils.module_loading import import_string

from django_lti_ags import conf
from django_lti_ags.exceptions import WrongDatabase
from django_lti_ags.models import LineItem, QueuedSubmission, Score
from django_lti_ags.sync import keeping
from django_lti_ags.sync.outbox_sql import UtcNow, insert_many, insert_or_lock, locked, share, upsert_by_pk
from django_lti_ags.sync.restating import WRITTEN, new, restate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from django.db.models import QuerySet

    from django_lti_ags.sync.statements import Statement

T = TypeVar("T")

_UNIQUE: Final = ("line_item", "user_digest")
_CHUNK: Final = 2000
_CHUNK_CHARACTERS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What a recording of many did, in rows."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: Summary) -> Summary:
        return Summary(self.created + other.created, self.changed + other.changed, self.unchanged + other.unchanged)


def record(line_item: LineItem, statement: Statement) -> Score:
    """Record one statement: three queries for a known learner, four for a new one at most; two more where submissions are kept.

    Raises:
        LineItem.DoesNotExist: it was deleted, and nothing can be kept for it.
    """
    alias = outbox_alias()
    with transaction.atomic(using=alias, savepoint=False):
        if not share(line_item, alias):
            raise _deleted(line_item)
        rows = Score.objects.using(alias).filter(line_item=line_item, user_digest=statement.user_digest)
        row = _with_clock(rows).first()
        fresh = None
        if row is None:
            fresh = new(line_item, statement)
            insert_or_lock(Score.objects.using(alias), [fresh], unique=_UNIQUE)
            row = _with_clock(rows).get()
        if fresh is not None and row.uid == fresh.uid:
            wake_on_commit(alias)
        elif _changes(alias, line_item, [(row, statement)]):
            row.save(using=alias, update_fields=WRITTEN)
            wake_on_commit(alias)
    row.line_item = line_item
    recorded: Score = row
    return recorded


def record_many(line_item: LineItem, statements: Iterable[Statement]) -> Summary:
    """Record statements on distinct learners, all or nothing; at most four queries per thousand, and SQLite's batches.

    Raises:
        LineItem.DoesNotExist: as :func:`record`.
    """
    alias = outbox_alias()
    summary = Summary()
    with transaction.atomic(using=alias, savepoint=False):
        # One order for everybody: two writers of one class wait for each other, and do not deadlock.
        ordered = sorted(((statement.user_digest, statement) for statement in statements), key=lambda pair: pair[0])
        # And one after the other: InnoDB's gap locks would let two who fill one new column deadlock.
        if not list(locked(LineItem.objects.using(alias).filter(pk=line_item.pk)).only("pk")):
            raise _deleted(line_item)
        for chunk in _chunks(ordered, _length):
            summary += _record_chunk(alias, line_item, dict(chunk))
        if summary.created or summary.changed:
            wake_on_commit(alias)
    return summary


def _deleted(line_item: LineItem) -> LineItem.DoesNotExist:
    return LineItem.DoesNotExist(f"The line item with the key {line_item.pk} was deleted: nothing can be recorded in it.")


def _record_chunk(alias: str, line_item: LineItem, statements: dict[str, Statement]) -> Summary:
    rows = Score.objects.using(alias).filter(line_item=line_item)
    known = _by_digest(rows, statements)
    changed = _write_changes(alias, line_item, known, statements)
    fresh = {key: new(line_item, statement) for key, statement in statements.items() if key not in known}
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
    changed = _changes(alias, line_item, [(row, statements[key]) for key, row in rows.items()])
    if changed:
        upsert_by_pk(Score.objects.using(alias), changed, fields=WRITTEN)
    return len(changed)


def _changes(alias: str, line_item: LineItem, said: Sequence[tuple[Score, Statement]]) -> list[Score]:
    """The rows that their statements change, changed; what they overtake and is kept goes into the queue."""
    asked = [(row, statement.wire_values()) for row, statement in said if keeping.may_know(row, keeps=statement.keeps)]
    earlier = keeping.known(asked, alias)
    queued: list[QueuedSubmission] = []
    changed = [row for row, statement in said if restate(row, line_item, statement, earlier, queued)]
    for some in _chunks(queued, lambda one: len(json.dumps(one.payload))):
        insert_many(QueuedSubmission.objects.using(alias), some)
    return changed


def _by_digest(rows: QuerySet[Score], keys: Iterable[str]) -> dict[str, Score]:
    chosen = rows.filter(user_digest__in=list(keys)).order_by("user_digest")
    return {row.user_digest: row for row in _with_clock(chosen)}


def _with_clock(rows: QuerySet[Score]) -> QuerySet[Any]:
    timed: QuerySet[Any] = locked(rows).annotate(database_now=UtcNow())
    return timed


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


def _chunks(items: Sequence[T], size_of: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """Not too many at once, and not too long: MariaDB refuses a statement of 16 MB."""
    chunk: list[T] = []
    size = 0
    for item in items:
        length = size_of(item)
        if chunk and (len(chunk) == _CHUNK or size + length > _CHUNK_CHARACTERS):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += length
    if chunk:
        yield chunk


def _length(item: tuple[str, Statement]) -> int:
    return len(item[1].comment) + len(json.dumps(dict(item[1].extensions)))
