"""Access tokens: client credentials with a JWT assertion (1EdTech Security Framework 1.1, 4.1; RFC 7523).

One token per (token URL, client_id, audience, scopes), fetched by one thread at a time, renewed
before it ends, and dropped when a platform refuses it. Who waited for a fetch that failed shares its
failure: a dead endpoint is asked once, not once per waiting thread.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django_lti_ags.ags.credentials import Credentials
from django_lti_ags.ags.forking import renewed_after_fork
from django_lti_ags.ags.redaction import REDACTED
from django_lti_ags.ags.token_answers import read
from django_lti_ags.ags.token_stores import MemoryTokenStore, Token, TokenStore
from django_lti_ags.ags.vocabulary import CLIENT_ASSERTION_TYPE, GRANT_TYPE
from django_lti_ags.exceptions import NotStarted

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.transport import Transport

    _Told = tuple[Token | None, Exchange]

__all__ = ["Credentials", "MemoryTokenStore", "Token", "TokenRefused", "TokenStore", "obtain", "stored_or_fetched"]


class TokenRefused(Exception):
    """No token came; ``exchange`` says why."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        super().__init__(exchange.summary())


class _Fetch:
    """One fetch under way: its token, or the exchange that gave none; neither, if it did not come to asking."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.token: Token | None = None
        self.exchange: Exchange | None = None


class _Fetches:
    """The fetches under way, one per store and key."""

    def __init__(self) -> None:
        self.after_fork()
        renewed_after_fork(self)

    def after_fork(self) -> None:
        """None is under way here."""
        self._lock = threading.Lock()
        self._running: dict[tuple[int, str], _Fetch] = {}

    def joined(self, store: TokenStore, key: str) -> tuple[_Fetch, bool]:
        """The fetch for ``key``, and whether it is the caller's to do."""
        with self._lock:
            running = self._running.get((id(store), key))
            if running is not None:
                return running, False
            mine = self._running[id(store), key] = _Fetch()
            return mine, True

    def ended(self, store: TokenStore, key: str) -> None:
        """The caller's fetch is done."""
        with self._lock:
            self._running.pop((id(store), key)).done.set()


_fetches = _Fetches()


def obtain(
    credentials: Credentials,
    scopes: frozenset[str],
    *,
    store: TokenStore,
    transport: Transport,
    observe: Callable[[Exchange], None],
    clock: Callable[[], float] = time.time,
    start_by: float | None = None,
    key: str = "",
) -> Token:
    """A token for ``scopes``: the stored one, or a new one, fetched by one thread while the others wait for it.

    Args:
        credentials: whose token it is.
        scopes: what it is asked for.
        store: where it is kept.
        transport: asks for it.
        observe: is given the exchange, if one failed also where it was only waited for.
        clock: Unix time.
        start_by: the ``time.monotonic()`` until which waiting makes sense.
        key: what the token is kept under, if the caller has it already: it takes a hash.

    Raises:
        TokenRefused: the platform gave none.
        NotStarted: ``start_by`` passed.
    """
    key = key or credentials.token_key(scopes)
    ask = partial(_ask, credentials, scopes, transport, clock)
    return stored_or_fetched(store, key, ask, observe=observe, clock=clock, start_by=start_by)


def stored_or_fetched(
    store: TokenStore,
    key: str,
    ask: Callable[[], tuple[Token | None, Exchange]],
    *,
    observe: Callable[[Exchange], None],
    clock: Callable[[], float] = time.time,
    start_by: float | None = None,
) -> Token:
    """The token under ``key``; or what ``ask`` brings, called by one thread while the others wait for it.

    Args:
        store: where the token is kept.
        key: what it is kept under.
        ask: the token, and the record of the exchange; None: there is none, and the record says why.
        observe: is given the exchange, if one failed also where it was only waited for.
        clock: Unix time.
        start_by: the ``time.monotonic()`` until which waiting makes sense.

    Raises:
        TokenRefused: ``ask`` brought none.
        NotStarted: ``start_by`` passed.
    """
    while True:
        token = _stored(store, key, clock)
        if token is not None:
            return token
        fetch, mine = _fetches.joined(store, key)
        if mine:
            try:
                with store.lock(key):
                    _lead(fetch, store, key, clock, start_by, ask)
            finally:
                _fetches.ended(store, key)
        else:
            _wait(fetch, start_by)
        if fetch.exchange is not None and (mine or fetch.token is None):
            observe(fetch.exchange)
        if fetch.token is not None:
            return fetch.token
        if fetch.exchange is not None:
            raise TokenRefused(fetch.exchange)


def _lead(fetch: _Fetch, store: TokenStore, key: str, clock: Callable[[], float], start_by: float | None, ask: Callable[[], _Told]) -> None:
    fetch.token = _stored(store, key, clock)  # another process may have been faster
    if fetch.token is not None:
        return
    _check_in_time(start_by)
    fetch.token, fetch.exchange = ask()
    if fetch.token is not None:
        store.set(key, fetch.token)


def _wait(fetch: _Fetch, start_by: float | None) -> None:
    if not fetch.done.wait(None if start_by is None else max(0.0, start_by - time.monotonic())):
        raise NotStarted("the time to start passed while another thread waited for the token; nothing was sent")


def _stored(store: TokenStore, key: str, clock: Callable[[], float]) -> Token | None:
    token = store.get(key)
    return token if token is not None and token.expires_at > clock() else None


def _check_in_time(start_by: float | None) -> None:
    if start_by is not None and time.monotonic() > start_by:
        raise NotStarted("the time to start had passed; nothing was sent")


def _ask(credentials: Credentials, scopes: frozenset[str], transport: Transport, clock: Callable[[], float]) -> _Told:
    asked_at = clock()
    assertion = credentials.assertion(asked_at)
    form = {
        "grant_type": GRANT_TYPE,
        "client_assertion_type": CLIENT_ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": " ".join(sorted(scopes)),
    }
    exchange = transport.send(
        "token",
        "POST",
        credentials.token_url,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        body=urlencode(form).encode(),
        shown_body=urlencode({**form, "client_assertion": REDACTED}, safe="[]"),
        # Its claims and its signature by themselves too: together they are the assertion.
        secrets=[assertion, *assertion.split(".")[1:]],
    )
    return read(exchange, scopes, asked_at)
