"""What can go wrong with a platform, on demand."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Effect(StrEnum):
    """What a fault does to a request."""

    DOWN = "down"
    """The connection is closed before anything is read of it."""
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


class Faults:
    """The faults in force. Thread-safe."""

    def __init__(self, random: Random | None = None) -> None:
        self._random = random or Random()  # noqa: S311 - simulation
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, effect: Effect | str, **values: object) -> Fault:
        """Put a fault in force; see :class:`Fault` for ``values``."""
        fault = Fault(effect=Effect(effect), **values)  # type: ignore[arg-type]
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._faults.clear()

    def take(self, kind: str) -> Fault | None:
        """The fault that befalls this request, if any."""
        with self._lock:
            for fault in self._faults:
                if fault.kind not in ("", kind) or self._random.random() >= fault.probability:
                    continue
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self._faults.remove(fault)
                return fault
        return None
