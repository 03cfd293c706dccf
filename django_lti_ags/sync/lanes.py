"""What an engine holds for one service: the jobs that wait, how many are in flight, how long answers take."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from django_lti_ags.sync.deliveries import Delivery, Job

_LEASE_SHARE: Final = 0.25
"""No more is claimed than the threads can start within this share of the lease."""
_QUEUE_FACTOR: Final = 25
_SHORTEST_TURN_SECONDS: Final = 0.02


@dataclass(slots=True)
class Lane:
    """One service's share of an engine."""

    waiting: deque[tuple[Delivery[Any], Job]] = field(default_factory=deque)
    in_flight: int = 0
    threads: int = 1
    latency_seconds: float = 1.0

    def room(self, lease_seconds: float) -> int:
        """How many more may be claimed: what the lane's threads can start in time."""
        turns = lease_seconds * _LEASE_SHARE / max(self.latency_seconds, _SHORTEST_TURN_SECONDS)
        return int(self.threads * max(1.0, min(turns, _QUEUE_FACTOR))) - self.in_flight - len(self.waiting)

    def answered(self, seconds: float) -> None:
        """One of those in flight has come back."""
        self.in_flight -= 1
        self.latency_seconds = 0.8 * self.latency_seconds + 0.2 * seconds
