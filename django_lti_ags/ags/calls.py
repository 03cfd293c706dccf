"""One call of the client: its token, its request or requests, and the record of each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.pagination import ForeignPage, next_url
from django_lti_ags.ags.tokens import Token, TokenRefused, obtain
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, NotStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django_lti_ags.ags.tokens import Credentials, TokenStore
    from django_lti_ags.ags.transport import Transport

_MOST_PAGES: Final = 1000
_MOST_BYTES: Final = 64 * 1_048_576
"""Of a whole listing."""
_DEADLINES: Final = 10
"""So many exchanges' time has a whole listing."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wire:
    """What every call of one client shares."""

    credentials: Credentials
    scopes: frozenset[str]
    transport: Transport
    store: TokenStore
    observe: Callable[[Exchange], None] | None
    clock: Callable[[], float]
    token_refused: frozenset[int]
    """The statuses after which a new token is fetched, once."""

    token_key: str
    """What the client's token is kept under."""

    def obtain(self, observe: Callable[[Exchange], None], start_by: float | None) -> Token:
        """A token for all of the client's scopes."""
        return obtain(
            self.credentials,
            self.scopes,
            store=self.store,
            transport=self.transport,
            observe=observe,
            clock=self.clock,
            start_by=start_by,
            key=self.token_key,
        )


@dataclass(slots=True)
class Call:
    """One call, which needs one of ``scopes``."""

    wire: Wire
    kind: str
    method: str
    scopes: frozenset[str]
    start_by: float | None
    headers: Mapping[str, str]
    body: bytes | None = None
    _exchanges: list[Exchange] = field(default_factory=list, init=False)

    def one(self, url: str, read: Callable[[Any], T]) -> T:
        """Request ``url`` and read its answer."""
        exchange = self.send(url)
        return self._reading(exchange, read)

    def pages(self, url: str, read: Callable[[Any], T]) -> Iterator[T]:
        """Every item of a container, page by page; the next page's URL is taken as it is (AGS 2.0, 3.2.4).

        A listing as a whole has its limits too: in pages, in bytes and in time.
        """
        seen: set[str] = set()
        room, seconds = _MOST_BYTES, _DEADLINES * self.wire.transport.deadline_seconds
        end = time.monotonic() + seconds
        following: str | None = url
        while following is not None:
            if len(seen) >= _MOST_PAGES:
                raise InvalidAnswer(self._exchanges, f"there are more than {_MOST_PAGES} pages")
            if seen and time.monotonic() > end:
                raise InvalidAnswer(self._exchanges, f"the pages have no end within {seconds:g} s")
            seen.add(following)
            exchange = self.send(following)
            room -= exchange.size
            if room < 0:
                raise InvalidAnswer(self._exchanges, f"the pages hold more than {_MOST_BYTES} bytes")
            yield from self._reading(exchange, lambda body: [read(item) for item in _listed(body)])
            following = self._next(exchange, following)
            if following in seen:
                raise InvalidAnswer(self._exchanges, "the pages go in a circle")
            if following is not None:
                self._forget_body()

    def _next(self, exchange: Exchange, url: str) -> str | None:
        try:
            return next_url(exchange.header("link"), url)
        except ForeignPage as problem:
            raise InvalidAnswer(self._exchanges, str(problem)) from None

    def _forget_body(self) -> None:
        """Of a thousand pages, the last one's body tells enough."""
        last = self._exchanges[-1]
        self._exchanges[-1] = replace(last, body=f"[{last.size} characters, not kept]")

    def send(self, url: str) -> Exchange:
        """Request ``url`` with a token; with a new one, once, if the platform may have refused that.

        What is returned carries the answer as it came; what is recorded and raised does not.
        """
        token = self._token()
        exchange = self._request(url, token)
        if exchange.status in self.wire.token_refused and exchange.failure is None:
            self.wire.store.delete(self.wire.token_key, token)
            exchange = self._request(url, self._token())
        if not exchange.ok:
            raise ExchangeFailed(self._exchanges)
        return exchange

    def _obtained(self) -> Token:
        try:
            return self.wire.obtain(self._observe, self.start_by)
        except TokenRefused:
            raise ExchangeFailed(self._exchanges) from None

    def _token(self) -> Token:
        token = self._obtained()
        if not self.scopes & token.scopes:
            return self._without_scope(token)
        return token

    def _without_scope(self, token: Token) -> Token:
        """A token that does not carry the scope is not used: the platform granted less than its launch said."""
        self.wire.store.delete(self.wire.token_key, token)
        listed = ", ".join(sorted(token.scopes)) or "none"
        if not self._asked_for_token():
            # The stored token is from another call: fetch one, so that the record shows what was granted.
            fresh = self._obtained()
            if self.scopes & fresh.scopes:
                return fresh
        if not self._asked_for_token():
            # Another thread was faster, and stored one like it again.
            url = self.wire.credentials.token_url
            self._exchanges.append(Exchange(kind="token", method="POST", url=url, started_at=datetime.now(UTC)))
        failed = replace(self._exchanges[-1], failure=Failure.SCOPE_NOT_GRANTED, detail=f"the token carries {listed}")
        raise ExchangeFailed([*self._exchanges[:-1], failed])

    def _asked_for_token(self) -> bool:
        return bool(self._exchanges) and self._exchanges[-1].kind == "token"

    def _request(self, url: str, token: Token) -> Exchange:
        if self.start_by is not None and time.monotonic() > self.start_by:
            raise NotStarted("the time to start had passed; nothing was sent")
        exchange = self.wire.transport.send(
            self.kind,
            self.method,
            url,
            headers={**self.headers, "Authorization": f"Bearer {token.access_token}"},
            body=self.body,
            secrets=[token.access_token],
        )
        self._observe(exchange)
        return exchange

    def _observe(self, exchange: Exchange) -> None:
        record = exchange.recorded()
        self._exchanges.append(record)
        if self.wire.observe is not None:
            self.wire.observe(record)

    def _reading(self, exchange: Exchange, read: Callable[[Any], T]) -> T:
        try:
            return read(exchange.json())
        except (ValueError, RecursionError) as problem:
            raise InvalidAnswer(self._exchanges, f"the answer is not what AGS 2.0 says: {problem}") from None


def _listed(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise ValueError(f"a container must be a JSON array, not {type(body).__name__}")
    return body
