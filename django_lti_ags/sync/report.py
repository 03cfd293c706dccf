"""How delivery stands: the one source of every number that pages, commands and probes show.

Whatever the tables hold, a report stays cheap: one query finds out what there is to count at which service, each
count ends at a limit, and times are those of the newest deliveries. All of it goes through two indexes of the
scores, (service, due_at) and (service, state, delivered_at).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Subquery

from django_lti_ags import conf
from django_lti_ags.models import Event, Score, Service, SyncSample, SyncState
from django_lti_ags.sync.outbox_sql import database_now
from django_lti_ags.sync.resending import SENT_AGAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

COUNTED_TO: Final = 10_000
"""Counts end one above this, which then stands for "more"."""
DAY: Final = timedelta(hours=24)
SILENT_AFTER: Final = timedelta(minutes=10)
"""A worker writes a sample every five minutes; so long after the last one, none is running."""
_TIMED: Final = 500
"""The newest deliveries whose times count."""


class Condition(IntEnum):
    """What keeps a service from being sent to; the worse, the higher."""

    WELL = 0
    SLOWED = 1
    """The platform throttled: less is sent at once."""
    FAILING = 2
    """Its last answers were failures, too few to stop."""
    SHUT = 3
    """The circuit is open: only one probe at a time goes out."""
    PAUSED = 4
    """Nothing is sent for its registration until a person resumes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReport:
    """One service (campus). Counts are of scores."""

    service_id: int
    service: str
    """Its origin."""
    registration_id: int
    registration_uid: UUID
    registration: str
    waiting: int
    """Open: to be sent, or being sent."""
    due: int
    """Those of them that could be sent now."""
    sending: int
    blocked: int
    failed: int
    delivered: int
    """In the last 24 hours, and not recorded anew since."""
    oldest_due_seconds: float | None
    """How long the oldest due score has been due; None: none is."""
    p50_seconds: float | None
    """From recorded to delivered: the median of the newest deliveries of the last 24 hours."""
    p95_seconds: float | None
    condition: Condition
    paused_at: datetime | None
    paused_code: str
    paused_reason: str
    closed_until: datetime | None
    failing_since: datetime | None
    concurrency: float | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_failure_code: str

    @property
    def badness(self) -> tuple[int, int, float, int]:
        """Sorts services: what is stopped with something waiting, what rests, what is late."""
        stopped = self.condition if self.waiting else min(self.condition, Condition.SLOWED)
        return int(stopped), int(self.failed + self.blocked > 0), self.oldest_due_seconds or 0.0, self.waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """Every service that was asked for, the worst first, at one moment."""

    at: datetime
    """By the database's clock."""
    services: tuple[ServiceReport, ...]
    sampled_at: datetime | None
    """The newest sample of any service; None: no worker has ever run."""

    counted_to: int
    """Where counts end: one above it stands for "more"."""

    def total(self, name: str) -> int:
        """One of the counts, over all services."""
        return sum(min(getattr(service, name), self.counted_to) for service in self.services)

    def is_more(self, name: str) -> bool:
        """Whether :meth:`total` is less than there is."""
        return any(getattr(service, name) > self.counted_to for service in self.services)

    @property
    def oldest_due_seconds(self) -> float | None:
        """How long the oldest due score has been due, at services that a worker may send to: pauses are told apart."""
        return max((seconds for service in self.services if (seconds := _running(service)) is not None), default=None)

    @property
    def worker_is_silent(self) -> bool:
        """Whether scores are due and no worker has written a sample for a while."""
        if not any(service.due for service in self.services):
            return False
        return self.sampled_at is None or self.at - self.sampled_at > SILENT_AFTER


def _running(service: ServiceReport) -> float | None:
    return None if service.paused_at else service.oldest_due_seconds


def measure(services: QuerySet[Service] | None = None, *, now: datetime | None = None, counted_to: int = COUNTED_TO) -> SyncReport:
    """The numbers of ``services``, or of all.

    Args:
        services: which ones.
        now: the moment; the database's own time by default.
        counted_to: where counts end.
    """
    alias: str = conf.get("database")
    now = now or database_now(alias)
    chosen = Service.objects.using(alias).all() if services is None else services
    reports = [_report(row, now, counted_to) for row in _with_what_there_is(chosen, now)]
    newest: datetime | None = SyncSample.objects.using(alias).aggregate(newest=Max("taken_at"))["newest"]
    return SyncReport(
        at=now, services=tuple(sorted(reports, key=lambda one: one.badness, reverse=True)), sampled_at=newest, counted_to=counted_to
    )


def oldest_due_seconds(now: datetime | None = None) -> float | None:
    """How long the oldest due score of any registration that is not paused has been due: one query, for probes."""
    alias: str = conf.get("database")
    now = now or database_now(alias)
    running = Service.objects.using(alias).filter(registration__paused_at=None)
    found = [since for since in running.values_list(_oldest_due(now), flat=True) if since is not None]
    return (now - min(found)).total_seconds() if found else None


def times(scores: QuerySet[Score]) -> list[float]:
    """Seconds from recorded to delivered of the newest of ``scores``, sorted.

    Without what was sent again (``sync/resending.py``): its recording is that of an earlier delivery.
    """
    rows = scores.filter(state=SyncState.DELIVERED).order_by("-delivered_at")
    newest = list(rows.values_list("pk", "delivered_version", "recorded_at", "delivered_at")[:_TIMED])
    again = Event.objects.using(scores.db).filter(name=SENT_AGAIN, score__in=[pk for pk, *_ in newest]).order_by()
    sent_again = set(again.values_list("score", "version"))
    waited = [delivered - recorded for pk, version, recorded, delivered in newest if delivered and (pk, version) not in sent_again]
    return sorted(max(0.0, span.total_seconds()) for span in waited)


def percentile(seconds: Sequence[float], share: float) -> float | None:
    """The smallest of ``seconds`` (sorted) that at least ``share`` of them do not exceed; None without any."""
    return seconds[max(0, -(-len(seconds) * int(share * 100) // 100) - 1)] if seconds else None


def _with_what_there_is(services: QuerySet[Service], now: datetime) -> Iterable[Any]:
    """Each service with what is worth counting there; most are quiet, and cost nothing more."""
    own = Score.objects.using(services.db).filter(service=OuterRef("pk"))
    return services.select_related("registration").annotate(
        has_open=Exists(own.filter(due_at__isnull=False)),
        has_sending=Exists(own.filter(state=SyncState.SENDING)),
        has_blocked=Exists(own.filter(state=SyncState.BLOCKED)),
        has_failed=Exists(own.filter(state=SyncState.FAILED)),
        has_delivered=Exists(own.filter(state=SyncState.DELIVERED, delivered_at__gte=now - DAY)),
        oldest_due_at=_oldest_due(now),
    )


def _oldest_due(now: datetime) -> Subquery:
    own = Score.objects.using(conf.get("database")).filter(service=OuterRef("pk"), due_at__lte=now)
    return Subquery(own.order_by("due_at").values("due_at")[:1])


def _report(row: Any, now: datetime, counted_to: int) -> ServiceReport:
    own = Score.objects.using(row._state.db).filter(service=row.pk)
    delivered = own.filter(state=SyncState.DELIVERED, delivered_at__gte=now - DAY)
    seconds = times(delivered) if row.has_delivered else []

    def count(scores: QuerySet[Score]) -> int:
        return scores.order_by().values("pk")[: counted_to + 1].count()

    return ServiceReport(
        service_id=row.pk,
        service=row.origin,
        registration_id=row.registration_id,
        registration_uid=row.registration.uid,
        registration=str(row.registration),
        waiting=count(own.filter(due_at__isnull=False)) if row.has_open else 0,
        due=count(own.filter(due_at__lte=now)) if row.oldest_due_at else 0,
        sending=count(own.filter(state=SyncState.SENDING)) if row.has_sending else 0,
        blocked=count(own.filter(state=SyncState.BLOCKED)) if row.has_blocked else 0,
        failed=count(own.filter(state=SyncState.FAILED)) if row.has_failed else 0,
        delivered=count(delivered) if row.has_delivered else 0,
        oldest_due_seconds=(now - row.oldest_due_at).total_seconds() if row.oldest_due_at else None,
        p50_seconds=percentile(seconds, 0.5),
        p95_seconds=percentile(seconds, 0.95),
        condition=_condition(row),
        paused_at=row.registration.paused_at,
        paused_code=row.registration.paused_code,
        paused_reason=row.registration.paused_reason,
        closed_until=row.closed_until,
        failing_since=row.failing_since,
        concurrency=row.concurrency,
        last_success_at=row.last_success_at,
        last_failure_at=row.last_failure_at,
        last_failure_code=row.last_failure_code,
    )


def _condition(service: Service) -> Condition:
    if service.registration.is_paused:
        return Condition.PAUSED
    if service.closed_until is not None:
        return Condition.SHUT
    if service.failing_since is not None:
        return Condition.FAILING
    return Condition.WELL if service.concurrency is None else Condition.SLOWED
