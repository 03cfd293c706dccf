"""When to try again: exponential, with full jitter, so that nobody comes back in step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

BASE_SECONDS: Final = 2.0
MAX_SECONDS: Final = 3600.0
RETRY_AFTER_CAP_SECONDS: Final = 6 * 3600.0
_LARGEST_POWER: Final = 30


def delay_seconds(
    tries: int,
    random: Random,
    *,
    base: float = BASE_SECONDS,
    cap: float = MAX_SECONDS,
    retry_after: float | None = None,
) -> float:
    """Seconds until the next try, after ``tries`` that counted (from 1).

    A platform's ``Retry-After`` is honoured in full, up to a cap, and the jitter comes on top: all
    of a class's scores were told the same second.
    """
    ceiling = min(cap, base * 2.0 ** min(max(tries, 1) - 1, _LARGEST_POWER))
    jitter = random.uniform(0.0, ceiling)
    if retry_after is None:
        # Never at once: half of the ceiling is the least that gives a platform room.
        return ceiling / 2 + jitter / 2
    return min(retry_after, RETRY_AFTER_CAP_SECONDS) + min(jitter, base)
