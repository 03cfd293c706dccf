"""One call of a client: its request or requests, each with a token, the pages of its listing, and the record of each.

Whose token it is, and what becomes of a refused one, the calls that stand on this say.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from django_lti_ags.ags.pagination import ForeignPage, next_url
from django_lti_ags.exceptions import InvalidAnswer, NotStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.transport import Transport

_MOST_PAGES: Final = 1000
"""Of a whole listing."""
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Asking(ABC):
    """One call. Its requests go out one after the other, none of them after ``start_by`` (a ``time.monotonic()``)."""

    transport: Transport
    observe: Callable[[Exchange], None] | None
    kind: str
    method: str
    headers: Mapping[str, str]
    start_by: float | None = None
    body: bytes | None = None
    of_record: bool = False
    """Whether answers are read as they are kept, without secrets: for what is shown to somebody."""
    exchanges: list[Exchange] = field(default_factory=list, init=False)

    wording: ClassVar[str] = "AGS 2.0"
    """Whose rules an answer must keep, for the error that it does not."""

    most_bytes: ClassVar[int] = 64 * 1_048_576
    """Of a whole listing, of which one page is held."""
    deadlines: ClassVar[int] = 10
    """So many exchanges' time a whole listing may be waited for; what its reader does between the pages does not count."""

    @abstractmethod
    def send(self, url: str) -> Exchange:
        """Request ``url`` with a token. What is returned carries the answer as it came; what is recorded and raised does not."""

    def one(self, url: str, read: Callable[[Any], T], *, of_record: bool = False) -> T:
        """Request ``url`` and read its answer; ``of_record``: as it is kept, without secrets."""
        exchange = self.send(url)
        return self._reading(exchange.recorded() if of_record or self.of_record else exchange, read)

    def each_page(self, url: str, read: Callable[[Any], T]) -> Iterator[T]:
        """Every page as ``read`` understands it; the next page's URL is taken as it is (AGS 2.0, 3.2.4).

        A listing as a whole has its limits too: in pages, in bytes and in time.
        """
        seen: set[str] = set()
        room, seconds = self.most_bytes, self.deadlines * self.transport.deadline_seconds
        waited = 0.0
        following: str | None = url
        while following is not None:
            if len(seen) >= _MOST_PAGES:
                raise InvalidAnswer(self.exchanges, f"there are more than {_MOST_PAGES} pages")
            if waited > seconds:
                raise InvalidAnswer(self.exchanges, f"the pages have no end within {seconds:g} s")
            seen.add(following)
            began = time.monotonic()
            exchange = self.send(following)
            waited += time.monotonic() - began
            room -= exchange.size
            if room < 0:
                raise InvalidAnswer(self.exchanges, f"the pages hold more than {self.most_bytes} bytes")
            yield self._reading(exchange, read)
            following = self._next(exchange, following)
            if following in seen:
                raise InvalidAnswer(self.exchanges, "the pages go in a circle")
            if following is not None:
                self._forget_body()

    def next_page(self, exchange: Exchange, url: str) -> str | None:
        """The URL of the page after this one.

        Raises:
            ForeignPage: it must not be requested.
        """
        return next_url(exchange.header("link"), url)

    def _next(self, exchange: Exchange, url: str) -> str | None:
        try:
            return self.next_page(exchange, url)
        except ForeignPage as problem:
            raise InvalidAnswer(self.exchanges, str(problem)) from None

    def _forget_body(self) -> None:
        """Of a thousand pages, the last one's body tells enough."""
        last = self.exchanges[-1]
        self.exchanges[-1] = replace(last, body=f"[{last.size} characters, not kept]")

    def request(self, url: str, access_token: str) -> Exchange:
        """One request with this token."""
        if self.start_by is not None and time.monotonic() > self.start_by:
            raise NotStarted("the time to start had passed; nothing was sent")
        exchange = self.transport.send(
            self.kind,
            self.method,
            url,
            headers={**self.headers, "Authorization": f"Bearer {access_token}"},
            body=self.body,
            secrets=[access_token],
        )
        self.keep(exchange)
        return exchange

    def keep(self, exchange: Exchange) -> None:
        """Record an exchange, and show it to whoever observes."""
        record = exchange.recorded()
        self.exchanges.append(record)
        if self.observe is not None:
            self.observe(record)

    def _reading(self, exchange: Exchange, read: Callable[[Any], T]) -> T:
        try:
            return read(exchange.json())
        except (ValueError, RecursionError) as problem:
            raise InvalidAnswer(self.exchanges, f"the answer is not what {self.wording} says: {problem}") from None
