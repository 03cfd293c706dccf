"""What a forked child must not share with its parent: sockets, locks that a thread held, threads that are gone.

A server that loads the application and then forks (gunicorn's preload, uWSGI, Celery's prefork) copies
idle connections into every child, where two processes take each other's answers for their own.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """What is told that it now lives in a child."""

    def after_fork(self) -> None:
        """Start anew, without waiting for anybody and without touching what the parent still uses."""


_live: weakref.WeakSet[Forked] = weakref.WeakSet()


def renewed_after_fork(thing: Forked) -> None:
    """Call ``thing.after_fork()`` in every child that is forked while ``thing`` lives."""
    _live.add(thing)


def _renew() -> None:
    for thing in list(_live):
        thing.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_renew)
