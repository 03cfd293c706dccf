"""Idle connections, kept for the next request."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from django_lti_ags.ags.forking import renewed_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.ags.connections import Connection
    from django_lti_ags.ags.environment import Target

_MOST_IDLE: Final = 64
"""Over all targets: a process has a limited number of files open."""


class Pool:
    """Idle connections per target: bounded, the newest first, the old dropped; none is taken over by a forked child."""

    def __init__(self, size: int, make: Callable[[Target], Connection]) -> None:
        self._size = size
        self._make = make
        self._idle: dict[Target, list[Connection]] = {}
        self._lock = threading.Lock()
        self._closed = 0
        renewed_after_fork(self)

    def after_fork(self) -> None:
        """Let go of the parent's sockets: closed, not shut, since shutting would end them for the parent too."""
        self._lock = threading.Lock()
        self.close()

    def take(self, target: Target, *, fresh: bool = False) -> Connection:
        """A live idle connection, or a new one that is not connected yet."""
        while not fresh:
            with self._lock:
                idle = self._idle.get(target)
                connection = idle.pop() if idle else None
            if connection is None:
                break
            if not connection.is_stale():
                connection.reused = True
                return connection
            connection.close()
        connection = self._make(target)
        connection.made_before = self._closed
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep ``connection`` for the next request, if there is room, and drop what nobody has used for long."""
        connection.idle_since = time.monotonic()
        with self._lock:
            dropped = self._swept()
            idle = self._idle.setdefault(connection.target, [])
            if len(idle) < self._size and connection.made_before == self._closed:
                idle.append(connection)
            else:
                dropped.append(connection)
            if not idle:
                del self._idle[connection.target]
        for old in dropped:
            old.close()

    def _swept(self) -> list[Connection]:
        """Take out what was idle for too long, and the oldest if there are too many."""
        kept = [one for idle in self._idle.values() for one in idle if not one.is_old()]
        kept.sort(key=lambda one: one.idle_since)
        surplus = {id(one) for one in kept[: max(0, len(kept) + 1 - max(_MOST_IDLE, self._size))]}
        dropped = []
        for target, idle in list(self._idle.items()):
            dropped += [one for one in idle if one.is_old() or id(one) in surplus]
            idle[:] = [one for one in idle if not (one.is_old() or id(one) in surplus)]
            if not idle:
                del self._idle[target]
        return dropped

    def close(self) -> None:
        """Close every idle connection, now, and what is in use when it is given back."""
        with self._lock:
            self._closed += 1
            connections = [connection for idle in self._idle.values() for connection in idle]
            self._idle.clear()
        for connection in connections:
            connection.close()
