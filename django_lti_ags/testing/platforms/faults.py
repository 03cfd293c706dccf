"""What can go wrong with a platform, on demand.

``DOWN`` without a kind, a count or a probability is the whole platform being away: its port refuses
connections, and open ones end, until the fault is cleared. Nobody can count what is refused; to
count, use ``RESET``.

``RESET``, and ``DOWN`` with a count or a probability, strike as soon as a request begins to come in,
before a byte of it is looked at, and before any other fault. With a ``kind`` the request must be read
to know it, so it stands in the ledger, without its body; nothing is applied. Each counts as a refused
connection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Effect(StrEnum):
    """What a fault does to a request."""

    DOWN = "down"
    """Nobody is there."""
    RESET = "reset"
    """The connection is made, and reset before anything is read."""
    SLOW = "slow"
    """The answer takes ``seconds``."""
    STATUS = "status"
    """``status``, ``body`` and ``headers`` instead of doing anything."""
    DROP_BEFORE = "drop_before"
    """No answer, and nothing was applied."""
    DROP_AFTER = "drop_after"
    """No answer, but it was applied."""
    DRIP = "drip"
    """The answer comes a byte at a time, ``seconds`` apart."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """An effect on the requests of a ``kind`` ("" is all of them), ``count`` times (None: until it is removed)."""

    effect: Effect
    kind: str = ""
    count: int | None = None
    probability: float = 1.0
    seconds: float = 0.0
    status: int = 500
    body: str = '{"error": "a fault"}'
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        return f"{self.effect}:{self.status}" if self.effect is Effect.STATUS else str(self.effect)

    @property
    def cuts_off(self) -> bool:
        """Whether it ends the connection as if nobody had read from it."""
        return self.effect in (Effect.DOWN, Effect.RESET)

    @property
    def is_outage(self) -> bool:
        """Whether nobody listens while it is in force."""
        return self.effect is Effect.DOWN and not self.kind and self.count is None and self.probability >= 1

    @property
    def is_blind(self) -> bool:
        """Whether it strikes before the request is read."""
        return self.cuts_off and not self.kind


class Faults:
    """The faults in force. Thread-safe. ``changed`` is called after each change."""

    def __init__(self, random: Random | None = None, changed: Callable[[], None] = lambda: None) -> None:
        self._random = random or Random()  # noqa: S311 - simulation
        self._changed = changed
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, effect: Effect | str, **values: object) -> Fault:
        """Put a fault in force; see :class:`Fault` for ``values``."""
        fault = Fault(effect=Effect(effect), **values)  # type: ignore[arg-type]
        with self._lock:
            self._faults.append(fault)
        self._changed()
        return fault

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._faults.clear()
        self._changed()

    @property
    def outage(self) -> bool:
        """Whether the whole platform is away."""
        with self._lock:
            return any(fault.is_outage for fault in self._faults)

    def take_blind(self) -> Fault | None:
        """The fault that befalls a request nobody has read yet, if any."""
        return self._take(lambda fault: fault.is_blind)

    def take(self, kind: str) -> Fault | None:
        """The fault that befalls this request, if any."""
        return self._take(lambda fault: fault.kind in ("", kind) and not fault.is_blind)

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.count == 0 or not fits(fault) or self._random.random() >= fault.probability:
                    continue
                if fault.count is not None:
                    fault.count -= 1
                return fault
        return None
