"""Everything a simulated platform received: what tests and demonstrations are judged by.

Changes to the gradebook stand in the order in which they were applied.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request and what became of it. A token is kept as a fingerprint only."""

    sequence: int
    received_at: float
    kind: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    """Parsed, if it was JSON; text otherwise."""
    status: int | None
    """None: the connection was closed without an answer."""
    applied: bool = False
    """Whether it changed what the platform holds."""
    client_id: str = ""
    fault: str = ""
    error: str = ""
    """The exception of the platform's own that became a 500."""


@dataclass(slots=True)
class Ledger:
    """The entries so far. Thread-safe."""

    entries: list[Entry] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def append(self, **values: Any) -> None:
        """Add an entry."""
        with self._changed:
            self.entries.append(Entry(sequence=len(self.entries) + 1, **values))
            self._changed.notify_all()

    def of(self, kind: str, **equal: Any) -> list[Entry]:
        """The entries of a kind whose fields are as given, oldest first."""
        with self._changed:
            chosen = [entry for entry in self.entries if entry.kind == kind]
        return [entry for entry in chosen if all(getattr(entry, name) == value for name, value in equal.items())]

    def scores(self, user_id: str | None = None, *, applied: bool = True) -> list[Entry]:
        """The scores that were applied (or all that came), of one learner or of all, oldest first."""
        chosen = self.of("score", applied=True) if applied else self.of("score")
        return [entry for entry in chosen if user_id is None or (isinstance(entry.body, dict) and entry.body.get("userId") == user_id)]

    def wait_for(self, condition: Callable[[Ledger], bool], timeout: float = 10.0) -> None:
        """Return when ``condition`` holds.

        Raises:
            TimeoutError: it did not within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._changed:
                seen = len(self.entries)
            if condition(self):
                return
            with self._changed:
                wait = deadline - time.monotonic()
                if wait <= 0:
                    raise TimeoutError(f"the ledger never showed it; it holds {len(self.entries)} entries")
                if len(self.entries) == seen:
                    self._changed.wait(min(wait, 0.1))
