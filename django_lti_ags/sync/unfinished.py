"""What became of jobs, until the database knows it: who has their rows just now holds up nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django_lti_ags.sync.deliveries import Delivery
    from django_lti_ags.sync.lanes import Lanes
    from django_lti_ags.sync.outbox import Outcome


class Unfinished:
    """Outcomes that wait to be written. What somebody else has locked waits longer, and fills its own lane only.

    Attributes:
        fresh: how many were not tried yet.
    """

    def __init__(self, deliveries: Sequence[Delivery[Any]], lanes: Lanes) -> None:
        self._lanes = lanes
        self._waiting: dict[Delivery[Any], list[Outcome]] = {delivery: [] for delivery in deliveries}
        self.fresh = 0

    def __bool__(self) -> bool:
        return any(self._waiting.values())

    def add(self, delivery: Delivery[Any], outcome: Outcome) -> None:
        """One more, to be written in the next round."""
        self._waiting[delivery].append(outcome)
        self._lanes.lane((delivery.sent_to, outcome.service_id)).unwritten += 1
        self.fresh += 1

    def write(self) -> Iterator[Outcome]:
        """Write them; yields those that are written now. After an error all of its kind wait as before."""
        self.fresh = 0
        for delivery, outcomes in self._waiting.items():
            if not outcomes:
                continue
            busy = delivery.finish(outcomes)
            remaining = {id(outcome) for outcome in busy}
            self._waiting[delivery] = busy
            for outcome in outcomes:
                if id(outcome) not in remaining:
                    self._lanes.lane((delivery.sent_to, outcome.service_id)).unwritten -= 1
                    yield outcome
