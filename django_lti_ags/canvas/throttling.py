"""Canvas' rate limit as its answers tell it: a bucket of 600 per client, of which each request takes some."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from django_lti_ags.ags.times import retry_after_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.ags.exchange import Exchange

_RATE_LIMIT: Final = "Rate Limit Exceeded"
_LOW: Final = 150.0
_FIRST_PAUSE_SECONDS: Final = 1.0
"""Then twice as long each time: the bucket empties by ten a second, and a request takes fifty while it is in flight."""


def is_rate_limit(exchange: Exchange) -> bool:
    """Whether it is the 403 in plain text, without ``Retry-After``, that means too many requests; a 403 in JSON is a refusal."""
    if exchange.failure is not None or exchange.status != 403 or _RATE_LIMIT not in exchange.body:
        return False
    try:
        return exchange.json() is None
    except (ValueError, RecursionError):
        return True


def remaining(exchange: Exchange) -> float | None:
    """How much is left in the bucket, of 600; None: the answer does not say."""
    try:
        return float(exchange.headers["x-rate-limit-remaining"])
    except (KeyError, ValueError):
        return None


def is_low(exchange: Exchange) -> bool:
    """Whether so little is left that less should be asked at once."""
    left = remaining(exchange)
    return left is not None and left < _LOW


class Patience:
    """How long one call may wait, all in all, when Canvas has had enough. 0: not at all, for durable work, which comes back later."""

    def __init__(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._left = seconds
        self._sleep = sleep
        self._pause = _FIRST_PAUSE_SECONDS

    def wait(self, exchange: Exchange, start_by: float | None) -> bool:
        """Wait as long as ``exchange`` asks, or else a little; False: there is not so much time, and nothing was waited."""
        asked = retry_after_seconds(exchange)
        pause = self._pause if asked is None else asked
        if pause > self._left or (start_by is not None and time.monotonic() + pause > start_by):
            return False
        self._sleep(pause)
        self._left -= pause
        self._pause *= 2
        return True
