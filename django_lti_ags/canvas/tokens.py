"""Whose access token Canvas' REST API is asked with: a user's own, or one that an OAuth 2 developer key brings.

The LTI token of the Score service is good for AGS only; Canvas takes a user's here.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

from django_lti_ags.ags.redaction import REDACTED
from django_lti_ags.ags.token_answers import read
from django_lti_ags.ags.token_stores import MemoryTokenStore, Token
from django_lti_ags.ags.tokens import TokenRefused, stored_or_fetched
from django_lti_ags.canvas.refusals import token_refusal
from django_lti_ags.exceptions import InvalidCanvasArgument

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.token_stores import TokenStore
    from django_lti_ags.ags.transport import Transport

_TOKEN: Final = re.compile("[!-~]{1,8192}")
_PATH: Final = "/login/oauth2/token"


class TokenSource(Protocol):
    """Where a client has its tokens from. Shared between threads."""

    def obtain(self, base_url: str, transport: Transport, observe: Callable[[Exchange], None], *, start_by: float | None = None) -> str:
        """A token that should be good now; requests that it takes go to ``base_url`` and are observed.

        Raises:
            ExchangeFailed: Canvas gave none.
            NotStarted: ``start_by`` (a ``time.monotonic()``) passed before one was asked for.
        """

    def refused(self, access_token: str) -> bool:
        """Forget a token that Canvas no longer takes; whether :meth:`obtain` may bring another."""


class UserToken:
    """A token that a user made in Canvas (Account → Settings → New Access Token), good until it ends or is deleted.

    Raises:
        InvalidCanvasArgument: no header can carry it.
    """

    def __init__(self, access_token: str) -> None:
        self._access_token = _sendable("access_token", access_token)

    def __repr__(self) -> str:
        return "UserToken(…)"

    def obtain(self, base_url: str, transport: Transport, observe: Callable[[Exchange], None], *, start_by: float | None = None) -> str:
        """The token itself."""
        return self._access_token

    def refused(self, access_token: str) -> bool:
        """There is no other."""
        return False


class DeveloperKeyToken:
    """Tokens of a user who authorised an API developer key: fetched by its refresh token, renewed before they end, one fetch at a time.

    Args:
        client_id: the developer key's id.
        client_secret: the developer key's key.
        refresh_token: what the user's authorisation brought; Canvas does not change it.
        store: where tokens are kept between calls; by default in memory.
        clock: Unix time.

    Raises:
        InvalidCanvasArgument: one of them is empty, or no header can carry it.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        *,
        store: TokenStore | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client_id = _sendable("client_id", client_id)
        self._client_secret = _sendable("client_secret", client_secret)
        self._refresh_token = _sendable("refresh_token", refresh_token)
        self._store = store or MemoryTokenStore()
        self._clock = clock
        self._first: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"DeveloperKeyToken({self._client_id!r}, …)"

    def obtain(self, base_url: str, transport: Transport, observe: Callable[[Exchange], None], *, start_by: float | None = None) -> str:
        """The token in use, or a new one. The first Canvas that is asked is the only one: secrets go to no other.

        Raises:
            InvalidCanvasArgument: it is another Canvas.
            CanvasTokenRefused: Canvas says that the key or the authorisation is no longer good.
            ExchangeFailed: there was no usable answer.
            NotStarted: ``start_by`` passed.
        """
        return self.token(base_url, transport, observe, start_by=start_by).access_token

    def token(self, base_url: str, transport: Transport, observe: Callable[[Exchange], None], *, start_by: float | None = None) -> Token:
        """As :meth:`obtain`, with the scopes that Canvas names with it; most name none."""
        first = self._first.setdefault("base_url", base_url)  # at once, whatever other threads do
        if base_url != first:
            raise InvalidCanvasArgument("base_url", base_url, f"is not where this key is used: {first}; each Canvas needs its own")
        ask = partial(self._fetch, base_url, transport)
        try:
            return stored_or_fetched(self._store, self._key(), ask, observe=observe, clock=self._clock, start_by=start_by)
        except TokenRefused as problem:
            raise token_refusal([problem.exchange]) from None

    def refused(self, access_token: str) -> bool:
        """Forget it, if it is still the one in use; there may be another."""
        self._store.delete(self._key(), Token(access_token, frozenset(), 0.0))
        return True

    def _key(self) -> str:
        """What the token is kept under; it tells nothing of the secrets, and changes with them."""
        parts = [self._first.get("base_url", ""), self._client_id, self._client_secret, self._refresh_token]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _fetch(self, base_url: str, transport: Transport) -> tuple[Token | None, Exchange]:
        asked_at = self._clock()
        form = {"grant_type": "refresh_token", "client_id": self._client_id}
        secret = {"client_secret": self._client_secret, "refresh_token": self._refresh_token}
        exchange = transport.send(
            "token",
            "POST",
            base_url + _PATH,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body=urlencode({**form, **secret}).encode(),
            shown_body=urlencode({**form, **dict.fromkeys(secret, REDACTED)}, safe="[]"),
            secrets=list(secret.values()),
        )
        return read(exchange, frozenset(), asked_at)


def _sendable(field: str, value: object) -> str:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        # Not the value itself: it is a secret, and errors are logged.
        raise InvalidCanvasArgument(field, type(value), "must be text without blanks, as Canvas shows it")
    return value
