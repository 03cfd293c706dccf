"""Samples over time: one per service and slot of five minutes, written by whichever worker comes first.

Nobody is asked whose turn it is: every worker looks when a slot has begun, and of two that write at
once the unique constraint keeps one. Sampling is an onlooker: if it fails, delivery goes on.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Max

from django_lti_ags import conf
from django_lti_ags.models import Event, Score, SyncSample
from django_lti_ags.models.samples import SAMPLE_SECONDS
from django_lti_ags.sync import report
from django_lti_ags.sync.clock import Clock, DatabaseClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

_SLOT: Final = timedelta(seconds=SAMPLE_SECONDS)
_SETTLING: Final = timedelta(seconds=10)
"""A slot's sample is taken so long after it has begun: what was being finished at its beginning is committed by then."""
_COUNTED_TO: Final = 100_000
_LATELY: Final = timedelta(hours=24)
"""What was delivered longer ago is part of the totals, and of no chart's newest step."""
_AGAIN_SECONDS: Final = 60.0
"""When to look again after a sampling that failed."""


class Sampler:
    """Called again and again by a worker; does something once per slot, and never raises.

    Args:
        clock: tells the time that slots go by; the database's by default.
        monotonic: tells when to look at the clock again.
    """

    def __init__(self, *, clock: Clock | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock or DatabaseClock()
        self._monotonic = monotonic
        self._look_at = monotonic()

    def __call__(self) -> None:
        """Write this slot's samples, unless it is too early, or somebody has."""
        if self._monotonic() < self._look_at:
            return
        wait = _AGAIN_SECONDS
        try:
            now = self._clock.now()
            sample(now)
            wait = (slot_of(now) + _SLOT + _SETTLING - now).total_seconds()
        except Exception:
            logger.exception("Sampling failed; the next try is in %.0f s", wait)
        self._look_at = self._monotonic() + wait


def slot_of(now: datetime) -> datetime:
    """The beginning of the newest slot whose sample can be taken at ``now``."""
    settled = (now - _SETTLING).timestamp()
    return datetime.fromtimestamp(settled - settled % SAMPLE_SECONDS, tz=now.tzinfo)


def sample(now: datetime) -> bool:
    """Write a sample of every service for the slot of ``now``; False: somebody has already."""
    alias: str = conf.get("database")
    slot = slot_of(now)
    samples = SyncSample.objects.using(alias)
    if samples.filter(taken_at=slot).exists():
        return False
    before = samples.filter(taken_at__lt=slot).aggregate(newest=Max("taken_at"))["newest"]
    since = max(before or slot - _SLOT, slot - _LATELY)
    told = outcomes(since, slot)
    kept = _kept_until(before, since) if before else {}
    measured = report.measure(now=now, counted_to=_COUNTED_TO).services
    rows = [_sample(one, slot, since, told.get(one.service_id, {}), kept.get(one.service_id, {})) for one in measured]
    samples.bulk_create(rows, ignore_conflicts=True)
    return True


def outcomes(since: datetime, until: datetime | None = None) -> dict[int, dict[str, int]]:
    """How many scores came to rest at each service, by the event's name."""
    events = Event.objects.using(conf.get("database")).filter(created_at__gte=since, service__isnull=False)
    if until is not None:
        events = events.filter(created_at__lt=until)
    found: dict[int, dict[str, int]] = {}
    for service_id, name, count in events.order_by().values_list("service", "name").annotate(Count("pk")):
        found.setdefault(service_id, {})[name] = count
    return found


def totals() -> dict[int, dict[str, int]]:
    """The outcomes at each service ever since sampling began: the newest sample's, and what came after it."""
    newest = SyncSample.objects.using(conf.get("database")).aggregate(newest=Max("taken_at"))["newest"]
    return {} if newest is None else _kept_until(newest, None)


def _kept_until(taken_at: datetime, until: datetime | None) -> dict[int, dict[str, int]]:
    """The totals of the sample of ``taken_at``, and what came after it, however long that was."""
    samples = SyncSample.objects.using(conf.get("database")).filter(taken_at=taken_at)
    kept: dict[int, Mapping[str, int]] = dict(samples.values_list("service", "totals"))
    fresh = outcomes(taken_at, until)
    return {pk: _sum(kept.get(pk, {}), fresh.get(pk, {})) for pk in kept.keys() | fresh.keys()}


def _sample(one: report.ServiceReport, slot: datetime, since: datetime, told: Mapping[str, int], kept: Mapping[str, int]) -> SyncSample:
    own = Score.objects.using(conf.get("database")).filter(service=one.service_id, delivered_at__gte=since, delivered_at__lt=slot)
    delivered = told.get("score_delivered", 0)
    seconds = report.times(own) if delivered else []
    return SyncSample(
        service_id=one.service_id,
        taken_at=slot,
        waiting=one.waiting,
        due=one.due,
        blocked=one.blocked,
        failed=one.failed,
        oldest_due_seconds=one.oldest_due_seconds or 0.0,
        delivered=delivered,
        p50_seconds=report.percentile(seconds, 0.5),
        p95_seconds=report.percentile(seconds, 0.95),
        totals=_sum(kept, told),
    )


def _sum(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(first) + Counter(second))
