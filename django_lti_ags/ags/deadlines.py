"""One deadline over a whole exchange.

A socket's own timeout is per read: an answer that drips a byte every few seconds never meets it. So
a watchdog shuts the socket when the time is up, whatever the thread is waiting for.
"""

from __future__ import annotations

import heapq
import itertools
import socket
import threading
import time
from typing import Protocol


class HasSocket(Protocol):
    """What is watched; its socket may change while it is (TLS)."""

    sock: socket.socket | None


class Watch:
    """One watched exchange."""

    __slots__ = ("connection", "ended", "fired", "sock")

    def __init__(self, connection: HasSocket) -> None:
        self.connection = connection
        self.sock: socket.socket | None = None
        """What is read from when the connection has let go of its socket: http.client does, if the answer ends with it."""
        self.fired = False
        self.ended = False

    def end(self) -> None:
        """The exchange is over."""
        self.ended = True


class Watchdog:
    """Shuts the sockets of exchanges that outlast their deadline; one thread for all of them, started when needed."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Watch]] = []
        self._counter = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def watch(self, connection: HasSocket, deadline: float) -> Watch:
        """Shut ``connection`` at ``deadline`` (monotonic), unless the watch is ended before."""
        watch = Watch(connection)
        with self._changed:
            heapq.heappush(self._due, (deadline, next(self._counter), watch))
            if self._thread is None or not self._thread.is_alive():
                self._closed = False
                self._thread = threading.Thread(target=self._run, name="lti_ags-deadlines", daemon=True)
                self._thread.start()
            elif self._due[0][2] is watch:
                self._changed.notify()
        return watch

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._due and self._due[0][2].ended:
                    heapq.heappop(self._due)
                if self._closed:
                    return
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                watch = heapq.heappop(self._due)[2]
            self._fire(watch)

    @staticmethod
    def _fire(watch: Watch) -> None:
        if watch.ended:
            return
        watch.fired = True
        sock = watch.connection.sock or watch.sock
        if sock is None:
            return
        try:
            # The plain socket's: SSLSocket.shutdown takes the TLS state from under the reading thread.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            return  # closed in the meantime: what the watch was for
