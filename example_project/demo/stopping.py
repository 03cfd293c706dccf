"""When the demo is to stop: a signal came, or whoever started it is gone."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_LOOK_EVERY_SECONDS: Final = 0.3


def stop_on_signal() -> threading.Event:
    """An event that Ctrl-C and its like set."""
    stopping = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        # A second Ctrl-C changes nothing: everybody is being ended already.
        stopping.set()

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)
    return stopping


def stop_with_starter(stopping: threading.Event) -> None:
    """Set ``stopping`` as soon as the process that started this one is gone; a killed one sends no signal."""
    starter = int(os.environ.get("DEMO_STARTER", os.getppid()))
    if _is_stranger(starter):
        stopping.set()

    def watch() -> None:
        while os.getppid() == starter:
            if stopping.wait(_LOOK_EVERY_SECONDS):
                return
        stopping.set()

    threading.Thread(target=watch, name="starter", daemon=True).start()


def _is_stranger(parent: int) -> bool:
    """Whether ``parent`` only adopted this process, whose starter ended before it could be asked for.

    Who starts a process is in its session, unless the process leads one of its own; who adopts orphans (init, systemd) is not.
    That the parent is number 1 says nothing: in a container, the starter may be.
    """
    try:
        return os.getsid(0) not in (os.getpid(), os.getsid(parent))
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
