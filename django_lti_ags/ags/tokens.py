"""Access tokens: client credentials with a JWT assertion (1EdTech Security Framework 1.1, 4.1; RFC 7523).

One token per (token URL, client_id, audience, scopes), fetched by one thread at a time, renewed
before it ends, and dropped when a platform refuses it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.forking import renewed_after_fork
from django_lti_ags.ags.redaction import REDACTED, redacted
from django_lti_ags.ags.vocabulary import CLIENT_ASSERTION_TYPE, GRANT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from django_lti_ags.ags.transport import Transport

_ASSERTION_SECONDS: Final = 300
_BACK_DATED_SECONDS: Final = 5
"""Moodle refuses an ``iat`` that is even three seconds ahead of its clock."""
_DEFAULT_LIFE_SECONDS: Final = 300.0
"""For a platform that does not say how long its token lives."""
_LONGEST_LIFE_SECONDS: Final = 24 * 3600.0
_RENEWED_EARLY_SECONDS: Final = 60.0
_RENEWED_EARLY_SHARE: Final = 0.1
_LONGEST_TOKEN: Final = 8192
"""Servers take no longer header; and what is longer than any token in use need not be looked for in every answer."""
_TOKEN: Final = re.compile(f"[!-~]{{1,{_LONGEST_TOKEN}}}")
_SECRET_FIELDS: Final = frozenset({"access_token", "refresh_token", "id_token"})


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


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a tool proves itself at a platform's token endpoint. The key is kept out of every ``repr``.

    Args:
        token_url: the platform's token endpoint.
        client_id: the tool's, at this platform.
        private_key: an RSA key; PEM text is parsed once (it takes 30 ms).
        key_id: the ``kid`` under which the tool's JWKS publishes it.
        audience: the assertion's ``aud``; None: the token URL. Brightspace wants another.

    Raises:
        ValueError: the key is not an RSA private key.
    """

    token_url: str
    client_id: str
    private_key: RSAPrivateKey | str = field(repr=False)
    key_id: str
    audience: str | None = None

    def __post_init__(self) -> None:
        key: Any = self.private_key
        if isinstance(key, str):
            try:
                key = load_pem_private_key(key.encode(), password=None)
            except (ValueError, TypeError):
                # `from None`: the cause's frames hold the key.
                raise ValueError("private_key is not an unencrypted PEM private key") from None
            object.__setattr__(self, "private_key", key)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("private_key must be an RSA key: LTI 1.3 signs with RS256")

    def token_key(self, scopes: Iterable[str]) -> str:
        """What a token is kept under. Never the issuer: the tenants of one cloud share it."""
        parts = [self.token_url, self.client_id, self.audience or self.token_url, *sorted(scopes)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def assertion(self, now: float) -> str:
        """A signed JWT for one token request; every time a number, every ``jti`` new."""
        issued_at = int(now) - _BACK_DATED_SECONDS
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience or self.token_url,
            "iat": issued_at,
            "exp": issued_at + _ASSERTION_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(claims, self.private_key, algorithm="RS256", headers={"kid": self.key_id})


class TokenRefused(Exception):
    """No token came; ``exchange`` says why."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        super().__init__(exchange.summary())


def obtain(
    credentials: Credentials,
    scopes: frozenset[str],
    *,
    store: TokenStore,
    transport: Transport,
    observe: Callable[[Exchange], None],
    clock: Callable[[], float] = time.time,
) -> Token:
    """A token for ``scopes``: the stored one, or a new one, fetched by one thread while the others wait for it.

    Raises:
        TokenRefused: the platform gave none.
    """
    key = credentials.token_key(scopes)
    token = store.get(key)
    if token is not None and token.expires_at > clock():
        return token
    with store.lock(key):
        token = store.get(key)
        if token is not None and token.expires_at > clock():
            return token
        token, exchange = _fetch(credentials, scopes, transport, clock)
        observe(exchange)
        if token is None:
            raise TokenRefused(exchange)
        store.set(key, token)
    return token


def _fetch(
    credentials: Credentials, scopes: frozenset[str], transport: Transport, clock: Callable[[], float]
) -> tuple[Token | None, Exchange]:
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
        secrets=[assertion],
    )
    if exchange.failure is not None:
        # Half an answer may hold half a token.
        return None, replace(exchange.recorded(), body=_not_kept(exchange))
    if not exchange.ok:
        return None, exchange.recorded()
    return _read(exchange, scopes, asked_at)


def _read(exchange: Exchange, asked: frozenset[str], asked_at: float) -> tuple[Token | None, Exchange]:
    """The token in a 2xx answer, whatever media type it claims (Moodle says text/html)."""
    try:
        body = exchange.json()
    except (ValueError, RecursionError):
        return None, _unusable(exchange, "the answer is not JSON")
    if not isinstance(body, dict):
        return None, _unusable(exchange, "the answer is not a JSON object")
    text = body.get("access_token")
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        return None, _unusable(exchange, "the answer holds no access_token that a header can carry")
    life = _life_seconds(body.get("expires_in"))
    early = min(_RENEWED_EARLY_SECONDS, life * _RENEWED_EARLY_SHARE)
    scope = body.get("scope")
    granted = frozenset(scope.split()) if isinstance(scope, str) and scope.strip() else asked
    return Token(text, granted, asked_at + life - early), _shown(exchange, body, text)


def _shown(exchange: Exchange, body: dict[str, Any], token: str) -> Exchange:
    """``exchange`` without any token. Its body is written anew: a token can be spelt in more ways than can be searched for."""
    kept = json.dumps({name: REDACTED if name in _SECRET_FIELDS else value for name, value in body.items()})
    return replace(
        exchange.recorded(),
        body=redacted(kept, [token]),
        reason=redacted(exchange.reason, [token]),
        headers={redacted(name, [token]): redacted(value, [token]) for name, value in exchange.headers.items()},
    )


def _unusable(exchange: Exchange, problem: str) -> Exchange:
    # What came may still hold a secret in some shape nobody can read: it is not kept.
    return replace(exchange.recorded(), body=_not_kept(exchange), failure=Failure.BAD_TOKEN_ANSWER, detail=problem)


def _not_kept(exchange: Exchange) -> str:
    return f"[{len(exchange.body)} characters, not kept]"


def _life_seconds(value: Any) -> float:
    try:
        life = float(value)
    except (TypeError, ValueError, OverflowError):
        return _DEFAULT_LIFE_SECONDS
    if not life > 0:  # also NaN
        return _DEFAULT_LIFE_SECONDS
    return min(life, _LONGEST_LIFE_SECONDS)
