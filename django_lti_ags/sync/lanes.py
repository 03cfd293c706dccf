"""One lane per service, or other destination: what waits for it, what is in flight to it, and which job is sent next.

Thread-safe, so that a thread that is done takes the next job itself: the thread that owns the
database may be in the middle of a claim or a finish, and nobody should wait for that.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django_lti_ags.sync.deliveries import Delivery
    from django_lti_ags.sync.jobs import Job

_LEASE_SHARE: Final = 0.25
"""No more is claimed than the threads can start within this share of the lease."""
_QUEUE_FACTOR: Final = 25
_SHORTEST_TURN_SECONDS: Final = 0.02
_MOST_UNWRITTEN: Final = 200
"""More is not claimed for a destination while somebody has locked what it is to be written to."""


Key = tuple[str, int]
"""A kind of destination (``service``), and which of them."""


@dataclass(slots=True)
class Crowd:
    """All lanes of one kind of destination."""

    most: int
    """So many threads are theirs, and nobody else's: no kind is in the way of another, even with one thread each."""
    in_flight: int = 0


@dataclass(slots=True)
class Lane:
    """What the engine holds for one destination."""

    crowd: Crowd
    waiting: deque[tuple[Delivery[Any], Job]] = field(default_factory=deque)
    in_flight: int = 0
    threads: int = 1
    latency_seconds: float = 1.0
    unwritten: int = 0
    """So many have ended, and the database does not know it yet."""
    failures: int = 0
    """So many in a row strained it, as far as this worker has heard."""

    def answered(self, seconds: float) -> None:
        """An answer took ``seconds``."""
        self.latency_seconds = 0.8 * self.latency_seconds + 0.2 * seconds

    def room(self, lease_seconds: float) -> int:
        """How many more may be claimed: what the lane's threads can start in time; none while most of that waits already."""
        turns = lease_seconds * _LEASE_SHARE / max(self.latency_seconds, _SHORTEST_TURN_SECONDS)
        most = self.threads if self.failures else int(self.threads * max(1.0, min(turns, _QUEUE_FACTOR)))
        free = most - self.in_flight - len(self.waiting)
        # Few large claims rather than many small ones.
        return free if len(self.waiting) <= most // 2 and self.unwritten < _MOST_UNWRITTEN else 0


class Lanes:
    """All lanes of one engine; each kind of destination has threads of its own, a share of ``threads``."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._crowds: dict[str, Crowd] = {}
        self._lanes: dict[Key, Lane] = {}
        self._turns: deque[Lane] = deque()
        self._lock = threading.Lock()
        self.taken = 0
        """How many jobs were given to threads so far."""

    def allow(self, kind: str, share: float) -> None:
        """Give all destinations of a kind together ``share`` as many threads, but one at least."""
        self._crowds[kind] = Crowd(max(1, int(self._threads * share)))

    @property
    def threads(self) -> int:
        """How many jobs of all kinds may be in flight."""
        return sum(crowd.most for crowd in self._crowds.values())

    def lane(self, key: Key) -> Lane:
        """The lane of a destination, whose kind was allowed."""
        with self._lock:
            if key not in self._lanes:
                self._lanes[key] = Lane(self._crowds[key[0]])
                self._turns.append(self._lanes[key])
            return self._lanes[key]

    def add(self, lane: Lane, jobs: Iterable[tuple[Delivery[Any], Job]]) -> None:
        """Let ``jobs`` wait in ``lane``."""
        with self._lock:
            lane.waiting.extend(jobs)

    def waiting(self) -> bool:
        """Whether any job waits."""
        with self._lock:
            return any(lane.waiting for lane in self._lanes.values())

    def take(self, *, instead_of: Lane | None = None) -> tuple[Delivery[Any], Job] | None:
        """The next job, one lane after the other; None: nothing waits that may be sent now.

        ``instead_of``: the lane whose job the calling thread has just ended.
        """
        with self._lock:
            if instead_of is not None:
                self._release(instead_of)
            for _ in range(len(self._turns)):
                lane = self._turns[0]
                self._turns.rotate(-1)
                if lane.waiting and lane.in_flight < lane.threads and lane.crowd.in_flight < lane.crowd.most:
                    lane.in_flight += 1
                    lane.crowd.in_flight += 1
                    self.taken += 1
                    return lane.waiting.popleft()
            return None

    def release(self, lane: Lane) -> None:
        """A job of ``lane`` has ended, and its thread takes no other."""
        with self._lock:
            self._release(lane)

    def _release(self, lane: Lane) -> None:
        lane.in_flight -= 1
        lane.crowd.in_flight -= 1

    def recall(self, lane: Lane, concerned: Callable[[Job], bool]) -> list[tuple[Delivery[Any], Job]]:
        """Take back the waiting jobs of ``lane`` that are ``concerned``."""
        with self._lock:
            jobs, lane.waiting = lane.waiting, deque()
            recalled = []
            for delivery, job in jobs:
                if concerned(job):
                    recalled.append((delivery, job))
                else:
                    lane.waiting.append((delivery, job))
            return recalled

    def recall_all(self) -> list[tuple[Delivery[Any], Job]]:
        """Take back every waiting job."""
        with self._lock:
            jobs = [job for lane in self._lanes.values() for job in lane.waiting]
            for lane in self._lanes.values():
                lane.waiting.clear()
            return jobs
