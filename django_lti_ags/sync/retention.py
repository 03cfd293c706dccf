"""How long what delivery no longer needs is kept: attempts, results, events, samples; comments and submissions.

A Score is never deleted, nor a submission that was queued with it: they are emptied of comment, extensions and work, and only
once they are settled. A live result goes when Canvas has it. What tells why something is not at its platform yet stays, however
old it is. Delivery itself reads nothing of what goes here.

Every table is walked by its key in small windows, each a transaction of its own that passes over rows which
somebody else holds. So it holds up no worker, may be stopped at any time, and goes on when it is run again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from django.db import transaction
from django.db.models import Exists, F, Max, Min, Model, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import Regex

from django_lti_ags import conf
from django_lti_ags.models import (
    OPEN,
    RESTING,
    SETTLED,
    ApiLaunch,
    DeliveryAttempt,
    Event,
    IdempotentRequest,
    LiveResult,
    QueuedSubmission,
    Result,
    Score,
    SubmittedFile,
    SyncSample,
    SyncState,
    WebhookDelivery,
)
from django_lti_ags.sync.outbox_sql import database_now, locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_WINDOW: Final = 1000
_COUNTED: Final = 10_000
"""A window of a dry run, which locks nothing."""
_NOT_THERE_YET: Final = (*OPEN, *RESTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """For how many seconds each kind is kept."""

    attempts: float
    results: float
    events: float
    samples: float
    comments: float

    @classmethod
    def configured(cls, **instead: float | None) -> Self:
        """As ``LTI_AGS["KEEP_…_SECONDS"]`` says, but for what is given ``instead``."""
        given = {name: span for name, span in instead.items() if span is not None}
        return cls(**{name: conf.get(f"keep_{name}_seconds") for name in cls.__slots__} | given)

    def seconds(self) -> dict[str, float]:
        """By kind."""
        return asdict(self)


_EVERY: Final = Q()


def _let_row_go(rows: QuerySet[Any]) -> None:
    rows.delete()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One thing that goes with age."""

    name: str
    keep: str
    """Which span of :class:`Keep` it goes by; blank: it says itself when it ends."""
    model: type[Model]
    since: str
    """The field that its age counts from."""
    in_order: bool = False
    """Whether keys rise with that field: then the first window without an old row is the last one."""
    needed: Callable[[str], Q | Exists] | None = None
    """What stays, however old, on the database of that alias."""
    chosen: Q = _EVERY
    """What of the row itself makes it a case."""
    act: Callable[[QuerySet[Any]], None] = _let_row_go
    """Done to the rows, which are locked."""


def _unsettled(path: str) -> Q:
    return Q(**{f"{path}unsettled": True}) | Q(**{f"{path}state__in": _NOT_THERE_YET})


def _any_text(*names: str) -> Q:
    found = Q()
    for name in names:
        found |= ~Q(**{name: ""})
    return found


def _blank(*names: str) -> Callable[[QuerySet[Any]], None]:
    def act(rows: QuerySet[Any]) -> None:
        rows.update(**dict.fromkeys(names, ""))

    return act


def _empty(rows: QuerySet[Score]) -> None:
    """Take comments and extensions out; the fingerprint of what was delivered stays, so that it is still known when it is said again."""
    for row in rows.only("doubtful"):
        if row.doubtful:
            rows.filter(pk=row.pk).update(doubtful=[one | {"comment": ""} for one in row.doubtful])
    rows.update(comment="", delivered_comment="", extensions={}, submission={})


def _empty_queued(rows: QuerySet[QueuedSubmission]) -> None:
    """It is still known that it was handed in, and when."""
    rows.update(payload={}, detail="")


def _explaining(alias: str) -> Q:
    """Attempts at the version that is not there yet: they say why."""
    of_score = _unsettled("score__") & Q(version__gte=F("score__wire_version"))
    of_line_item = _unsettled("line_item__") & Q(version__gte=F("line_item__wire_version"))
    return of_score | of_line_item | (_unsettled("live_assessment__") & Q(version__gte=F("live_assessment__wire_version")))


def _being_told_apart(alias: str) -> Q:
    """Results of assessments that still send, or ask: what is in doubt is told apart from them."""
    return _unsettled("assessment__")


def _still_told(alias: str) -> Q:
    """Messages that are to be sent yet."""
    return Q(state__in=OPEN, endpoint__disabled_at=None)


def _waited_for(alias: str) -> Exists:
    scores = Score.objects.using(alias).filter(_unsettled(""))
    return Exists(scores.filter(line_item=OuterRef("line_item"), user_digest=OuterRef("user_digest")))


_BODIES: Final = ("request_body", "response_body")
_DOUBTED: Final = Q(Regex(Cast("doubtful", TextField()), '"comment": *"[^"]'))
_TEXTS: Final = _any_text("comment", "delivered_comment") | ~Q(extensions={}) | ~Q(submission={}) | _DOUBTED
_ATTEMPTS: Final[dict[str, Any]] = {"model": DeliveryAttempt, "since": "started_at", "in_order": True, "needed": _explaining}
_RESULTS: Final[dict[str, Any]] = {"model": Result, "since": "read_at"}
_KINDS: Final = (
    _Kind(name="attempts", keep="attempts", **_ATTEMPTS),
    _Kind(name="attempt_bodies", keep="comments", chosen=_any_text(*_BODIES), act=_blank(*_BODIES), **_ATTEMPTS),
    _Kind(name="results", keep="results", needed=_waited_for, **_RESULTS),
    _Kind(name="result_comments", keep="comments", chosen=_any_text("comment"), act=_blank("comment"), **_RESULTS),
    _Kind(
        name="live_results",
        keep="results",
        model=LiveResult,
        since="recorded_at",
        in_order=True,
        needed=_being_told_apart,
        chosen=Q(state__in=(SyncState.DELIVERED, SyncState.CANCELLED)),
    ),
    _Kind(name="events", keep="events", model=Event, since="created_at", in_order=True),
    _Kind(name="launches", keep="", model=ApiLaunch, since="expires_at", in_order=True),
    _Kind(name="requests", keep="", model=IdempotentRequest, since="expires_at", in_order=True),
    _Kind(name="webhooks", keep="events", model=WebhookDelivery, since="created_at", in_order=True, needed=_still_told),
    _Kind(name="samples", keep="samples", model=SyncSample, since="taken_at", in_order=True),
    _Kind(
        name="comments",
        keep="comments",
        model=Score,
        since="recorded_at",
        chosen=Q(state__in=SETTLED, unsettled=False) & _TEXTS,
        act=_empty,
    ),
    _Kind(name="files", keep="comments", model=SubmittedFile, since="created_at", in_order=True, chosen=~Q(state__in=OPEN)),
    _Kind(
        name="submissions",
        keep="comments",
        model=QueuedSubmission,
        since="recorded_at",
        chosen=Q(state__in=SETTLED) & (~Q(payload={}) | ~Q(detail="")),
        act=_empty_queued,
    ),
)


def prune(keep: Keep, *, dry_run: bool = False, told: Callable[[str, int], None] = lambda kind, count: None) -> dict[str, int]:
    """Let go of what is older than ``keep`` says; returns how many rows of each kind went, or would.

    Args:
        keep: the spans.
        dry_run: count only.
        told: is called after each window, with what is being looked at and how many of it were found.
    """
    alias: str = conf.get("database")
    now = database_now(alias)
    counts: dict[str, int] = {}
    for kind in _KINDS:
        counts[kind.name] = 0
        for found in _windows(kind, now - timedelta(seconds=getattr(keep, kind.keep, 0.0)), alias, dry_run=dry_run):
            counts[kind.name] += found
            told(kind.name, counts[kind.name])
    return counts


def _windows(kind: _Kind, before: datetime, alias: str, *, dry_run: bool) -> Iterator[int]:
    rows = kind.model._default_manager.using(alias).order_by("pk")
    many, last = _COUNTED if dry_run else _WINDOW, 0
    while (window := _bounds(kind, rows.filter(pk__gt=last)[:many])).last is not None:
        last = window.last
        if window.oldest < before:
            # By their range, not by their keys: databases are slow with long lists, and PostgreSQL looks up every pair of two.
            old = rows.filter(kind.chosen, pk__gte=window.first, pk__lte=last, **{f"{kind.since}__lt": before})
            yield _count(kind, old) if dry_run else _let_go(kind, old)
        elif kind.in_order:
            return


class _Bounds(NamedTuple):
    first: int
    last: int | None
    """None: there are no rows any more."""
    oldest: datetime


def _bounds(kind: _Kind, window: QuerySet[Any]) -> _Bounds:
    return _Bounds(**window.aggregate(first=Min("pk"), last=Max("pk"), oldest=Min(kind.since)))


def _count(kind: _Kind, old: QuerySet[Any]) -> int:
    return old.count() - (old.filter(kind.needed(old.db)).count() if kind.needed is not None else 0)


def _let_go(kind: _Kind, old: QuerySet[Any]) -> int:
    every = kind.model._default_manager.using(old.db)
    with transaction.atomic(using=old.db):
        mine = {row.pk for row in locked(old.only("pk"), skip=True)}
        if mine and kind.needed is not None:
            # Not as an exclusion in SQL: what belongs to no score compares with NULL there, and would stay for ever.
            mine -= set(old.filter(kind.needed(old.db)).values_list("pk", flat=True))
        if mine:
            kind.act(every.filter(pk__in=mine))
    return len(mine)
