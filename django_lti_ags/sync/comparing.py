"""A column's scores beside its results: every learner gets an agreement, some hundred at a time.

Only results are written here. The platform's numbers are those of a reading that began at ``began``: what
was delivered since says nothing about them, and is not compared.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.db import transaction

from django_lti_ags import conf, signals
from django_lti_ags.models import DIVERGING, Agreement, Event, Result, Score, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.agreeing import UNDER_WAY, Told, judge
from django_lti_ags.sync.announcing import after_commit
from django_lti_ags.sync.earlier import told_earlier
from django_lti_ags.sync.outbox_sql import database_now, insert_many, insert_or_lock, locked, upsert_by_pk
from django_lti_ags.sync.result_rows import UNIQUE
from django_lti_ags.sync.settling import Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from django_lti_ags.models import LineItem
    from django_lti_ags.profiles.base import Profile

_BATCH: Final = 500
_WRITTEN: Final = ("result_score", "read_at", "agreement", "compared_at", "compared_version", "divergence", "diverged_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a column is compared by."""

    line_item: LineItem
    profile: Profile
    began: datetime
    """When its reading began, by the database's clock."""
    column_keeps: bool = True


@dataclass(slots=True)
class Compared:
    """Some learners, compared."""

    counts: Counter[Agreement] = field(default_factory=Counter)
    versions: dict[Agreement, dict[int, int]] = field(default_factory=dict)
    """Of each agreement, the scores and the versions that were compared."""
    shown: dict[int, Held] = field(default_factory=dict)
    """Of those that differ: which score of ours the platform shows."""


def compare(terms: Terms) -> Iterator[Compared]:
    """Compare a whole column; each batch is committed before it is given out."""
    for above, last in _spans(terms.line_item):
        yield _compare_span(terms, above, last)


def _spans(line_item: LineItem) -> Iterator[tuple[str, str]]:
    """Ranges of learners, (above, last], with at most so many scores and so many results in each."""
    alias: str = conf.get("database")
    above = ""
    while True:
        sides = [
            list(
                model._default_manager.using(alias)
                .filter(line_item=line_item, user_digest__gt=above)
                .order_by("user_digest")
                .values_list("user_digest", flat=True)[:_BATCH]
            )
            for model in (Score, Result)
        ]
        ends = [side[-1] for side in sides if side]
        if not ends:
            return
        full = [side[-1] for side in sides if len(side) == _BATCH]
        last = min(full) if full else max(ends)
        yield above, last
        above = last


def _compare_span(terms: Terms, above: str, last: str) -> Compared:
    alias: str = conf.get("database")
    span = {"line_item": terms.line_item, "user_digest__gt": above, "user_digest__lte": last}
    found = Compared()
    with transaction.atomic(using=alias):
        scores = {row.user_digest: row for row in Score.objects.using(alias).filter(**span)}
        now = database_now(alias)
        _add_rows(terms, scores, span, now, alias)
        results = list(locked(Result.objects.using(alias).filter(**span).order_by("user_digest")))
        for row in results:
            if row.read_at < terms.began:
                row.result_score, row.read_at = None, now
        judged = _judged(terms, scores, results, found)
        told = [row for row in results if _note(row, scores.get(row.user_digest), judged[row.user_digest], now)]
        if results:
            upsert_by_pk(Result.objects.using(alias), results, fields=_WRITTEN)
        _tell(terms, told, scores, now, alias)
    shown = {row.user_digest for row in results}
    found.counts.update(UNDER_WAY[SyncState(score.state)] for key, score in scores.items() if key not in shown)
    return found


def _add_rows(terms: Terms, scores: dict[str, Score], span: dict[str, object], now: datetime, alias: str) -> None:
    """A row for each learner of whom the platform should show something, and never has."""
    known = set(Result.objects.using(alias).filter(**span).values_list("user_digest", flat=True))
    due = [scores[key] for key in sorted(scores) if key not in known and scores[key].state not in UNDER_WAY]
    fresh = [Result(line_item=terms.line_item, user_id=row.user_id, user_digest=digest(row.user_id), read_at=now) for row in due]
    if fresh:
        insert_or_lock(Result.objects.using(alias), fresh, unique=UNIQUE)


def _judged(terms: Terms, scores: dict[str, Score], results: Sequence[Result], found: Compared) -> dict[str, Agreement | None]:
    judged = {row.user_digest: _judge(terms, scores.get(row.user_digest), row) for row in results}
    strange = [row for row in results if judged[row.user_digest] == Agreement.CHANGED_BY_TEACHER]
    earlier = told_earlier([scores[row.user_digest].pk for row in strange])
    for row in strange:
        score = scores[row.user_digest]
        judged[row.user_digest] = _judge(terms, score, row, earlier.get(score.pk, ()))
    for row in results:
        agreement = judged[row.user_digest]
        if agreement is None:
            continue
        found.counts[agreement] += 1
        if row.user_digest in scores:
            score = scores[row.user_digest]
            found.versions.setdefault(agreement, {})[score.pk] = score.version
            if agreement == Agreement.DIFFERS:
                found.shown[score.pk] = Held(score_given=row.result_score, score_maximum=row.result_maximum, fingerprint="shown")
    return judged


def _judge(terms: Terms, score: Score | None, row: Result, earlier: Sequence[Held] = ()) -> Agreement | None:
    if score is None:
        return judge(None, row, terms.profile)
    if score.state not in UNDER_WAY and score.delivered_at is not None and score.delivered_at >= terms.began:
        return Agreement.NOT_COMPARED
    return judge(Told.by(score).knowing(earlier), row, terms.profile, column_keeps=terms.column_keeps)


def _note(row: Result, score: Score | None, agreement: Agreement | None, now: datetime) -> bool:
    """Write the agreement on its row; whether it is a divergence that has not been told yet."""
    row.agreement = agreement or ""
    row.compared_at = now
    row.compared_version = score.version if score is not None else None
    if agreement == Agreement.NOT_COMPARED or agreement in UNDER_WAY.values():
        return False  # what diverged before may do so still
    if agreement not in DIVERGING or score is None:
        row.divergence, row.diverged_at = "", None
        return False
    values = (agreement, row.result_score, row.result_maximum, score.score_given, score.score_maximum)
    divergence = digest(*(str(value) for value in values))
    if divergence == row.divergence:
        return False
    row.divergence, row.diverged_at = divergence, now
    return True


def _tell(terms: Terms, rows: Sequence[Result], scores: dict[str, Score], now: datetime, alias: str) -> None:
    events = []
    for row in rows:
        score = scores[row.user_digest]
        shown = {"result_score": row.result_score, "result_maximum": row.result_maximum}
        events.append(
            Event(
                name="result_diverged",
                score=score,
                service_id=score.service_id,
                version=score.version,
                code=row.agreement,
                payload={"result": str(row.uid), "line_item": terms.line_item.pk, "user_id": row.user_id} | shown,
                created_at=now,
            )
        )
        after_commit(alias, signals.result_diverged, result=row, code=row.agreement)
    insert_many(Event.objects.using(alias), events)
