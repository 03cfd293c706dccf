"""All-in delivery on PostgreSQL, beside the bare HTTP client, pylti1.3 and Little's law.

A round records a class's scores in a column of its own and has the engine deliver them: claim, POST, fenced finish with its attempt
and event. Right before and after, the peers send the same number of scores (pylti1.3: fewer, it takes longer) to the same
platform with as many threads. Ratios are medians over the rounds' pairs. Recording happens in the tool's web process, not in the
worker; its cost is therefore in a line of its own, where every score was recorded and delivered within the time.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from django.db.models import Max
from django.test import override_settings

from benchmarks import campus, platform
from benchmarks.peers import BareClient, PyLti1p3
from benchmarks.ratios import Ratio, conclude
from benchmarks.workers import Workers
from django_lti_ags import scores
from django_lti_ags.models import DeliveryAttempt, SyncState
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine

if TYPE_CHECKING:
    from django_lti_ags.models import LineItem, Registration

_SLOW_MS = 100


class Contest:
    """One latency, one number in flight."""

    def __init__(self, origin: str, latency_ms: int, in_flight: int) -> None:
        self._origin, self._latency_ms, self._in_flight = origin, latency_ms, in_flight
        self._many = 60 * in_flight if latency_ms else 2000
        self._registration = campus.register(origin, latency_ms)
        self._engine = Engine()
        self._bare = BareClient(in_flight)
        self._pylti1p3 = PyLti1p3(in_flight, self._registration.issuer)
        what = f"{latency_ms} ms, {in_flight} in flight: delivery"
        slow = bool(latency_ms)
        self._to_bare = Ratio(f"{what} ÷ bare client", None if slow else 0.6)
        self._to_bare_recorded = Ratio(f"{what} with its recording ÷ bare client")
        self._to_pylti1p3 = Ratio(f"{what} ÷ pylti1.3", None if slow else 30)
        self._to_limit = Ratio(f"{what} ÷ (concurrency ÷ latency)", 0.95)
        self._bare_to_limit = Ratio(f"{latency_ms} ms, {in_flight} in flight: bare client ÷ (concurrency ÷ latency)")
        self.ratios = [self._to_bare, self._to_bare_recorded, self._to_pylti1p3]
        self.ratios += [self._to_limit, self._bare_to_limit] if slow else []

    def round(self, *, counts: bool = True) -> None:
        """Everybody once; the first round warms up and does not count."""
        items = campus.statements(self._many)
        column = campus.new_column(self._registration)
        bare = self._bare.rate(column.url, items)
        delivery, recorded = self._deliver(column)
        pylti1p3 = self._pylti1p3.rate(column.url, items[: self._in_flight * 3])
        if not counts:
            return
        self._to_bare.add(delivery, bare)
        self._to_bare_recorded.add(recorded, bare)
        self._to_pylti1p3.add(delivery, pylti1p3)
        if self._latency_ms:
            limit = self._in_flight * 1000 / self._latency_ms
            self._to_limit.add(delivery, limit)
            self._bare_to_limit.add(bare, limit)

    def close(self) -> None:
        """End the engine's threads."""
        self._engine.close()

    def _deliver(self, column: LineItem) -> tuple[float, float]:
        """Scores per second, without and with their recording."""
        before = platform.scores_posted(self._origin)
        started = time.perf_counter()
        scores.record_many(column, campus.statements(self._many))
        recorded = time.perf_counter()
        self._engine.deliver_due(limit=self._many)
        ended = time.perf_counter()
        _check(column, self._many, platform.scores_posted(self._origin) - before)
        return self._many / (ended - recorded), self._many / (ended - started)


def _check(column: LineItem, many: int, posted: int) -> None:
    """A fast delivery that lost or doubled something would not be one."""
    delivered = column.scores.filter(state=SyncState.DELIVERED).count()
    attempts = DeliveryAttempt.objects.filter(score__line_item=column, kind=DeliveryAttempt.Kind.SCORE, status=200).count()
    if not delivered == posted == attempts == many:
        raise AssertionError(f"{many} recorded, {delivered} delivered, {posted} posted, {attempts} attempts")


def contest(origin: str, latency_ms: int, in_flight: int, rounds: int) -> list[Ratio]:
    """The ratios of one latency and one number in flight."""
    with override_settings(LTI_AGS=campus.settings_for(THREADS_PER_SERVICE=in_flight)):
        held = Contest(origin, latency_ms, in_flight)
        try:
            for number in range(rounds + 1):
                held.round(counts=number > 0)
        finally:
            held.close()
    return held.ratios


def shared_work(origin: str, latency_ms: int, in_flight: int, rounds: int) -> Ratio:
    """Two worker processes beside one, each with ``in_flight`` threads."""
    ratio = Ratio(f"{latency_ms} ms, {in_flight} in flight each: two workers ÷ one")
    registration = campus.register(origin, latency_ms)
    many = 60 * in_flight if latency_ms else 3000
    with Workers(1, in_flight) as one, Workers(2, in_flight) as two:
        for number in range(rounds + 1):
            rates = [_worked_rate(workers, registration, origin, many) for workers in (one, two)]
            if number:
                ratio.add(rates[1], rates[0])
    return ratio


def _worked_rate(workers: Workers, registration: Registration, origin: str, many: int) -> float:
    """Scores per second, by the database's clock: from the recording to the last finish."""
    column, before = campus.new_column(registration), platform.scores_posted(origin)
    scores.record_many(column, campus.statements(many))
    started = DatabaseClock().now()
    shares = workers.deliver()
    _check(column, many, platform.scores_posted(origin) - before)
    if not all(shares):
        raise AssertionError(f"The work was not shared: {shares}")
    last = column.scores.aggregate(last=Max("delivered_at"))["last"]
    return many / (last - started).total_seconds()


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="pairs per ratio (default: 5)")
    rounds = parser.parse_args().rounds
    ratios: list[Ratio] = []
    with campus.databases("default"), platform.running() as origin:
        for latency_ms in (0, _SLOW_MS):
            for in_flight in (8, 32):
                ratios += contest(origin, latency_ms, in_flight, rounds)
            ratios.append(shared_work(origin, latency_ms, 8, rounds))
    return conclude(ratios)


if __name__ == "__main__":
    sys.exit(main())
