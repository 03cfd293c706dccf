"""How much is sent at once: halved when a platform has had enough, raised slowly while all goes well.

Additive increase, multiplicative decrease, as TCP does it: however many workers share a platform,
together they settle where it is content. The value stands on the service, so all workers learn
from each other. Pure.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from django_lti_ags.models.destinations import Destination

_HALVED_EVERY: Final = timedelta(seconds=5)
"""What is in flight when a platform has had enough tells so too: one answer to all of that."""
_SUCCESSES_PER_STEP: Final = 20.0
"""So many rounds of successes raise it by one."""


def allowed(service: Destination, most: int) -> int:
    """Requests at once, for a profile that allows ``most``."""
    return most if service.concurrency is None else max(1, min(most, int(service.concurrency)))


def slow_down(service: Destination, most: int, now: datetime) -> None:
    """Halve, unless that was just done."""
    if service.slowed_at is not None and now - service.slowed_at < _HALVED_EVERY:
        return
    service.concurrency = max(1.0, allowed(service, most) / 2)
    service.slowed_at = now


def speed_up(service: Destination, most: int, successes: int) -> None:
    """Raise by what ``successes`` are worth; at the profile's limit nothing is remembered."""
    if service.concurrency is None or not successes:
        return
    service.concurrency += successes / (_SUCCESSES_PER_STEP * service.concurrency)
    if service.concurrency >= most:
        service.concurrency = None
