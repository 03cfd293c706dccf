"""Access tokens shared between processes: Django's cache, encrypted, behind a copy in memory."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import caches

from django_lti_ags import conf, encryption
from django_lti_ags.ags.tokens import MemoryTokenStore, Token
from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.sync.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "lti_ags:token:"
_LOCK_PREFIX: Final = "lti_ags:token-lock:"


logger = logging.getLogger(__name__)


class _Cache:
    """The shared cache; where it fails, it is as if it were empty, and nothing is delivered the later for it."""

    def __init__(self) -> None:
        self._failing = False
        self._lock = threading.Lock()

    def get(self, name: str) -> Any:
        """What is kept under ``name``; None: nothing."""
        return self._call("get", name)

    def set(self, name: str, value: str, seconds: int) -> None:
        """Keep ``value``."""
        self._call("set", name, value, seconds)

    def delete(self, name: str) -> None:
        """Forget it."""
        self._call("delete", name)

    def add(self, name: str, seconds: int) -> bool:
        """Whether nobody else had ``name``; also if nobody can tell."""
        return self._call("add", name, True, seconds) is not False

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            answer = getattr(caches[conf.get("cache")], method)(*arguments)
        except Exception:
            # Each backend has exceptions of its own.
            with self._lock:
                told, self._failing = self._failing, True
            if not told:
                logger.exception("The cache %r fails; until it is back, each process fetches access tokens of its own", conf.get("cache"))
            return None
        self._failing = False
        return answer


class CacheTokenStore:
    """A :class:`~django_lti_ags.ags.tokens.TokenStore` for any number of threads and processes.

    One fetch at a time per key: within the process by a lock, across processes by ``cache.add``.
    The cache is a convenience: without it each process fetches tokens of its own.
    """

    def __init__(self) -> None:
        self._memory = MemoryTokenStore()
        self._cache = _Cache()

    def get(self, key: str) -> Token | None:
        """The token under ``key``, if one is known here or to another process."""
        token = self._memory.get(key)
        if token is not None and token.expires_at > time.time():
            return token
        token = _load(self._cache.get(_PREFIX + key))
        if token is not None:
            self._memory.set(key, token)
        return token

    def set(self, key: str, token: Token) -> None:
        """Keep ``token`` until it expires."""
        self._memory.set(key, token)
        lifetime = int(token.expires_at - time.time())
        if lifetime > 0:
            plain = json.dumps({"token": token.access_token, "scopes": sorted(token.scopes), "expires_at": token.expires_at})
            self._cache.set(_PREFIX + key, encryption.encrypt(plain), lifetime)

    def delete(self, key: str, token: Token) -> None:
        """Forget ``token``, unless a newer one stands there already."""
        self._memory.delete(key, token)
        shared = _load(self._cache.get(_PREFIX + key))
        if shared is not None and shared.access_token == token.access_token:
            self._cache.delete(_PREFIX + key)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Held by whoever fetches. A holder that died is outlived after one request's deadline."""
        longest = float(conf.get("send_deadline_seconds")) + 5
        name = _LOCK_PREFIX + key
        with self._memory.lock(key):
            mine = False

            def mine_or_there() -> bool:
                nonlocal mine
                mine = self._cache.add(name, int(longest))
                return mine or self.get(key) is not None

            wait_until(mine_or_there, longest)
            try:
                yield
            finally:
                if mine:
                    self._cache.delete(name)


def _load(stored: object) -> Token | None:
    if not isinstance(stored, str):
        return None
    try:
        values = json.loads(encryption.decrypt(stored))
    except EncryptionError:
        return None  # written under a key that is no longer ours: fetch a new token
    token = Token(access_token=values["token"], scopes=frozenset(values["scopes"]), expires_at=values["expires_at"])
    return token if token.expires_at > time.time() else None
