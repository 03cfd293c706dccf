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
from typing import Final, Protocol

from django_lti_ags.ags.forking import renewed_after_fork

_IDLE_SECONDS: Final = 5.0


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
    """Shuts the sockets of exchanges that outlast their deadline; one thread for all of them, while there are any."""

    def __init__(self) -> None:
        self.after_fork()
        renewed_after_fork(self)

    def after_fork(self) -> None:
        """Watch nothing: the thread is the parent's, and so are the sockets."""
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
            self._closed = False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lti_ags-deadlines", daemon=True)
                self._thread.start()
            elif self._due[0][2] is watch:
                self._changed.notify()
        return watch

    def close(self) -> None:
        """End the thread as soon as nothing is under way; what is keeps its deadline, and is not waited for."""
        with self._changed:
            self._closed = True
            self._due = [due for due in self._due if not due[2].ended]
            heapq.heapify(self._due)
            thread = None
            if not self._due:
                thread, self._thread = self._thread, None
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while (watch := self._overdue()) is not None:
            self._fire(watch)

    def _overdue(self) -> Watch | None:
        """The next watch whose time is up, waited for; None: this thread is not needed any more."""
        with self._changed:
            while self._thread is threading.current_thread():
                while self._due and self._due[0][2].ended:
                    heapq.heappop(self._due)
                if not self._due:
                    if self._closed or (not self._changed.wait(_IDLE_SECONDS) and not self._due):
                        self._thread = None  # still under the lock: the next watch starts another
                    continue
                wait = self._due[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
            return None

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
