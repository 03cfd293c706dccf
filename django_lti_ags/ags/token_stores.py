"""Access tokens and where they are kept between calls."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from django_lti_ags.ags.forking import renewed_after_fork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; its text is kept out of every ``repr``."""

    access_token: str = field(repr=False)
    scopes: frozenset[str]
    expires_at: float
    """Unix time from which it is not used any more; lies before the platform's own end."""


class TokenStore(Protocol):
    """Where tokens are kept between calls."""

    def get(self, key: str) -> Token | None:
        """The token under ``key``; it may have expired."""

    def set(self, key: str, token: Token) -> None:
        """Keep ``token``."""

    def delete(self, key: str, token: Token) -> None:
        """Forget ``token``, unless another one has taken its place."""

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Held while a token for ``key`` is fetched."""


class MemoryTokenStore:
    """Tokens in this process. Thread-safe."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self.after_fork()
        renewed_after_fork(self)

    def after_fork(self) -> None:
        """Keep the tokens, which are the platform's for the tool, not for a process; but nobody here holds a lock."""
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Token | None:
        """The token under ``key``."""
        return self._tokens.get(key)

    def set(self, key: str, token: Token) -> None:
        """Keep ``token``."""
        self._tokens[key] = token

    def delete(self, key: str, token: Token) -> None:
        """Forget ``token``, unless another one has taken its place."""
        with self._lock:
            kept = self._tokens.get(key)
            if kept is not None and kept.access_token == token.access_token:
                del self._tokens[key]

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """One fetch at a time per key."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield
