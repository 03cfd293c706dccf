"""One call of the AGS client: its token, and what it may do with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django_lti_ags.ags.asking import Asking
from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.pagination import ForeignPage, other_pages
from django_lti_ags.ags.tokens import Token, TokenRefused, obtain
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django_lti_ags.ags.tokens import Credentials, TokenStore
    from django_lti_ags.ags.transport import Transport

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


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a container."""

    items: list[T]
    others: Mapping[str, str]
    """The URLs of the pages ``next``, ``prev``, ``first`` and ``last``, as far as the platform names them; all on its origin."""


@dataclass(slots=True, kw_only=True)
class Call(Asking):
    """One call, which needs one of ``scopes``."""

    wire: Wire
    scopes: frozenset[str]

    def page(self, url: str, read: Callable[[Any], T]) -> Page[T]:
        """One page of a container, and where the others are; as it is kept, without secrets."""
        exchange = self.send(url).recorded()
        items = self._reading(exchange, lambda body: [read(item) for item in _listed(body)])
        try:
            return Page(items, other_pages(exchange.header("link"), url))
        except ForeignPage as problem:
            raise InvalidAnswer(self.exchanges, str(problem)) from None

    def pages(self, url: str, read: Callable[[Any], T]) -> Iterator[T]:
        """Every item of a container, page by page."""
        for page in self.each_page(url, lambda body: [read(item) for item in _listed(body)]):
            yield from page

    def send(self, url: str) -> Exchange:
        """Request ``url`` with a token; with a new one, once, if the platform may have refused that.

        What is returned carries the answer as it came; what is recorded and raised does not.
        """
        token = self._token()
        exchange = self.request(url, token.access_token)
        if exchange.status in self.wire.token_refused and exchange.failure is None:
            self.wire.store.delete(self.wire.token_key, token)
            exchange = self.request(url, self._token().access_token)
        if not exchange.ok:
            raise ExchangeFailed(self.exchanges)
        return exchange

    def _obtained(self) -> Token:
        try:
            return self.wire.obtain(self.keep, self.start_by)
        except TokenRefused:
            raise ExchangeFailed(self.exchanges) from None

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
            self.exchanges.append(Exchange(kind="token", method="POST", url=url, started_at=datetime.now(UTC)))
        failed = replace(self.exchanges[-1], failure=Failure.SCOPE_NOT_GRANTED, detail=f"the token carries {listed}")
        raise ExchangeFailed([*self.exchanges[:-1], failed])

    def _asked_for_token(self) -> bool:
        return bool(self.exchanges) and self.exchanges[-1].kind == "token"


def _listed(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise ValueError(f"a container must be a JSON array, not {type(body).__name__}")
    return body
