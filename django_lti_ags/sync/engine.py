"""The engine: claims what is due, lets threads talk to the platforms, and writes what became of it.

Threads do HTTP only; the caller's thread owns the database. No transaction is held across a
request. Each service (campus) has its own queue and its own share of the threads, so one that is
slow starves nobody.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags import conf
from django_lti_ags.profiles.verdict import Disposition
from django_lti_ags.sync import circuit
from django_lti_ags.sync.claiming import Claims
from django_lti_ags.sync.clients import Clients
from django_lti_ags.sync.clock import Clock, DatabaseClock
from django_lti_ags.sync.kinds import KINDS
from django_lti_ags.sync.lanes import Lanes
from django_lti_ags.sync.reach import concerns
from django_lti_ags.sync.sampling import Sampler
from django_lti_ags.sync.unfinished import Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.sync.deliveries import Delivery
    from django_lti_ags.sync.lanes import Lane
    from django_lti_ags.sync.outbox import Outcome

logger = logging.getLogger(__name__)

_BATCH: Final = 50
_BATCH_DRAINING: Final = 200
_ROOM_AGAIN_SECONDS: Final = 0.02
"""When to look again, if something was due, but its lane had enough to do."""
_UNWRITTEN: Final = 100
"""So many answers may wait to be written before threads pause: after a crash the platform is asked about them again."""
_FINISH_EVERY_SECONDS: Final = 0.1


@dataclass(slots=True)
class Report:
    """What one call of :meth:`Engine.deliver_due` did."""

    claimed: int = 0
    finished: int = 0
    codes: Counter[str] = field(default_factory=Counter)


class Engine:
    """Delivers what is due. Not thread-safe: one engine belongs to one thread, except :meth:`stop`.

    Args:
        clock: tells the time that leases go by; the database's by default.
        random: for jitter.
        clients: how platforms are spoken to.
        between: called in every round; it must be quick, and must not raise.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        clients: Clients | None = None,
        between: Callable[[], None] | None = None,
    ) -> None:
        self._settings = conf.load()
        self._clock = clock or DatabaseClock()
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._clients = clients or Clients()
        self._owns_clients = clients is None
        self._between = between or (lambda: None)
        self._deliveries = [kind(self._clients, self._clock, self._random) for kind in KINDS]
        self._lanes = Lanes(self._settings.threads)
        self._claims = Claims(self._deliveries, self._lanes, self._settings, self._clock)
        self._pool = ThreadPoolExecutor(self._lanes.threads, thread_name_prefix="lti_ags")
        self._answers: queue.SimpleQueue[tuple[Delivery[Any], Outcome, float]] = queue.SimpleQueue()
        self._unfinished = Unfinished(self._deliveries, self._lanes)
        self._answered = 0
        self._stopping = threading.Event()
        self._pause = threading.Event()  # never set: a wait that a stop does not cut short
        self._end_by: float | None = None

    def stop(self) -> None:
        """Claim nothing more, let what is in flight end, hand the rest back. Safe from a signal handler and other threads."""
        self._stopping.set()

    def close(self) -> None:
        """End the threads and close the connections to the platforms."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._owns_clients:
            self._clients.close()

    def deliver_due(self, limit: int | None = None, deadline_seconds: float | None = None) -> Report:
        """Deliver until nothing is due and nothing is in flight.

        Args:
            limit: claim at most so many rows.
            deadline_seconds: start nothing more after so long; what is in flight still ends, and what waits is handed back.

        Raises:
            django.db.OperationalError: the database went away. Nothing is lost: a later call goes on.
        """
        report = Report()
        next_claim = time.monotonic()
        ends = math.inf if deadline_seconds is None else next_claim + deadline_seconds
        self._end_by = None
        while True:
            self._between()
            self._finish(report)
            is_ending = self._stopping.is_set() or time.monotonic() >= ends
            more = not is_ending and (limit is None or report.claimed < limit)
            if more and time.monotonic() >= next_claim:
                wanted = _BATCH_DRAINING if report.claimed >= _BATCH else _BATCH
                got = self._claims.take(min(wanted, limit - report.claimed) if limit is not None else wanted)
                report.claimed += got
                if got == 0:
                    next_claim = time.monotonic() + (_ROOM_AGAIN_SECONDS if self._claims.passed_over else self._settings.poll_seconds)
                    if self._idle():
                        return report
            elif self._idle() and not more:
                return report
            if is_ending or self._stopping.is_set():
                self._hand_back()
                if self._is_overdue():
                    return report
            self._dispatch()
            self._wait_for_answers(next_claim if more else None)

    def _idle(self) -> bool:
        return not self._outstanding() and not self._unfinished and not self._lanes.waiting()

    def _outstanding(self) -> int:
        """Jobs that threads have taken and whose answers were not collected yet."""
        return self._lanes.taken - self._answered

    def _dispatch(self) -> None:
        """Hand waiting jobs to free threads, one lane after the other."""
        while (job := self._lanes.take()) is not None:
            self._pool.submit(self._exchange_on, *job)

    def _exchange_on(self, delivery: Delivery[Any], job: Any) -> None:
        """Send ``job``, and go on with the next one for as long as all is well."""
        following: tuple[Delivery[Any], Any] | None = (delivery, job)
        while following is not None:
            delivery, job = following
            lane = self._lanes.lane((delivery.sent_to, job.service_id))
            started = time.monotonic()
            outcome = _outcome_of(delivery, job)
            well = outcome.verdict.disposition is Disposition.DELIVERED
            self._answers.put((delivery, outcome, time.monotonic() - started))
            if not well:
                # What waits in this lane may be concerned: the engine looks first, and then gives the place away.
                return
            if self._stopping.is_set() or self._answers.qsize() >= _UNWRITTEN:
                self._lanes.release(lane)
                return
            following = self._lanes.take(instead_of=lane)

    def _wait_for_answers(self, next_claim: float | None) -> None:
        """Collect answers for as long as a batch may grow; with nothing in flight, until the next claim."""
        until = time.monotonic() + _FINISH_EVERY_SECONDS
        while self._outstanding() and self._unfinished.fresh < _BATCH_DRAINING:
            # A batch is complete with 50, or when the time is up; what has been answered by then goes with it.
            wait = 0.0 if self._unfinished.fresh >= _BATCH else until - time.monotonic()
            if wait <= 0 and self._answers.empty():
                return
            try:
                delivery, outcome, seconds = self._answers.get(timeout=max(0.0, wait))
            except queue.Empty:
                return
            self._collect(delivery, outcome, seconds)
        if not self._outstanding() and not self._unfinished and next_claim is not None:
            self._stopping.wait(max(0.0, min(next_claim, until) - time.monotonic()))

    def _collect(self, delivery: Delivery[Any], outcome: Outcome, seconds: float) -> None:
        lane = self._lanes.lane((delivery.sent_to, outcome.service_id))
        self._answered += 1
        lane.answered(seconds)
        lane.failures = circuit.in_a_row(lane.failures, outcome)
        self._unfinished.add(delivery, outcome)
        if outcome.verdict.disposition is not Disposition.DELIVERED:
            self._recall(lane, outcome)
            self._lanes.release(lane)
        self._dispatch()

    def _recall(self, lane: Lane, outcome: Outcome) -> None:
        """Hand back what waits for the same refusal, or into a pause: four hundred learners need not ask one by one.

        As many failures in a row as open a circuit are enough: the database knows of them in the next round only.
        """
        in_vain = outcome.verdict.strains_service and lane.failures >= self._settings.circuit_failures
        for delivery, job in self._lanes.recall(lane, lambda job: in_vain or concerns(outcome, job)):
            self._unfinished.add(delivery, delivery.hand_back(job))

    def _finish(self, report: Report) -> None:
        for outcome in self._unfinished.write():
            report.finished += 1
            report.codes[outcome.verdict.code] += 1
        if self._unfinished and not self._outstanding():
            # A recorder's transaction has them; it will not be long.
            self._pause.wait(_FINISH_EVERY_SECONDS / 2)

    def _is_overdue(self) -> bool:
        """Whether an end has waited long enough for what somebody else has locked; its leases then run out by themselves."""
        if self._end_by is None:
            self._end_by = time.monotonic() + 2 * self._settings.send_deadline_seconds
        return time.monotonic() > self._end_by

    def _hand_back(self) -> None:
        for delivery, job in self._lanes.recall_all():
            self._unfinished.add(delivery, delivery.hand_back(job))


def _outcome_of(delivery: Delivery[Any], job: Any) -> Outcome:
    try:
        return delivery.exchange(job)
    except BaseException:
        # Without an outcome the engine would wait for this job for ever.
        logger.exception("A send failed inside the worker")
        return delivery.hand_back(job)


def deliver_due(limit: int | None = None, deadline_seconds: float | None = None) -> Report:
    """One pass in this process: what ``lti_ags_deliver`` and task queues call."""
    engine = Engine(between=Sampler())
    try:
        return engine.deliver_due(limit, deadline_seconds)
    finally:
        engine.close()
