"""Waiting for another process: a cache cannot call back, so it is asked again and again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY_SECONDS: Final = 0.05


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether ``condition`` came to hold within ``seconds``."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        left = end - time.monotonic()
        if left <= 0:
            return False
        pause.wait(min(_EVERY_SECONDS, left))
    return True
