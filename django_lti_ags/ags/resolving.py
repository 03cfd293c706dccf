"""Names turned into addresses within a deadline, which the system's resolver does not have.

It cannot be interrupted, so it runs in a thread of its own; whoever waits for it gives up in time. One
look-up per name runs at a time, however many wait, so a dead resolver costs a thread per name.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Final

from django_lti_ags.ags.forking import renewed_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_LOOKUPS: Final = 64


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses, as text."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class _Lookup:
    """One look-up under way: its addresses, or what went wrong."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.addresses: list[str] = []
        self.problem: Exception | None = None


class Resolver:
    """Looks names up with ``resolve``, each in a thread of its own. Thread-safe."""

    def __init__(self, resolve: Callable[[str, int], list[str]]) -> None:
        self._resolve = resolve
        self.after_fork()
        renewed_after_fork(self)

    def after_fork(self) -> None:
        """Forget the parent's look-ups: their threads are not here."""
        self._lock = threading.Lock()
        self._running: dict[tuple[str, int], _Lookup] = {}

    def addresses(self, host: str, port: int, seconds: float) -> list[str]:
        """The addresses of ``host``.

        Raises:
            TimeoutError: there was no answer within ``seconds``.
            OSError: the name does not resolve, or too many look-ups hang.
        """
        lookup = self._lookup(host, port)
        if not lookup.done.wait(seconds):
            raise TimeoutError(f"{host} did not resolve within the deadline")
        if lookup.problem is not None:
            # Several threads may raise it: each a copy, or their tracebacks would grow together.
            raise type(lookup.problem)(*lookup.problem.args)
        return lookup.addresses

    def _lookup(self, host: str, port: int) -> _Lookup:
        with self._lock:
            lookup = self._running.get((host, port))
            if lookup is None:
                if len(self._running) >= _MOST_LOOKUPS:
                    raise OSError(f"{_MOST_LOOKUPS} names are being looked up without an answer")
                lookup = self._running[host, port] = _Lookup()
                threading.Thread(target=self._run, args=(lookup, host, port), name="lti_ags-resolver", daemon=True).start()
        return lookup

    def _run(self, lookup: _Lookup, host: str, port: int) -> None:
        try:
            lookup.addresses = self._resolve(host, port)
        except Exception as problem:  # noqa: BLE001 - it is raised again where the look-up is waited for
            lookup.problem = problem if isinstance(problem, OSError) else OSError(f"{host} cannot be looked up: {problem}")
        with self._lock:
            self._running.pop((host, port), None)
        lookup.done.set()
