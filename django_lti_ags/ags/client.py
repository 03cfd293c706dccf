"""The AGS 2.0 client: line items, scores, results. Framework-free; usable in a plain script.

::

    client = Client(Credentials(token_url, client_id, private_key_pem, key_id), scopes=granted_scopes)
    client.post_score(line_item_url, Score(user_id=sub, score_given=8, score_maximum=10, timestamp=datetime.now(UTC)))
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.pagination import ForeignPage, next_url
from django_lti_ags.ags.tokens import Credentials, MemoryTokenStore, Token, TokenRefused, TokenStore, obtain
from django_lti_ags.ags.transport import Transport
from django_lti_ags.ags.types import LineItem, Result, Score, compact_json
from django_lti_ags.ags.urls import origin, results_url, scores_url, with_query
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, MissingScope, NotStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_UNAUTHORISED: Final = 401
_MOST_PAGES: Final = 1000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScoreReceipt:
    """A platform's acceptance of a score: any 2xx, with or without a body (AGS 2.0, 3.4.2)."""

    exchange: Exchange
    result_url: str | None = None
    """Where the learner's Result is, if the platform says so (Canvas)."""


class Client:
    """Calls one platform's AGS for one registration. Thread-safe; cheap to make if transport and store are shared.

    Args:
        credentials: how the tool proves itself.
        scopes: what the launch's AGS claim granted; nothing else is asked for, since some platforms refuse the whole request then.
        transport: shared between clients; by default one of its own.
        token_store: shared between clients; by default in memory.
        observe: is given each exchange, token requests too, when it ends.
        clock: Unix time.

    Every call raises:
        MissingScope: the scope it needs is not among ``scopes``; nothing was sent.
        ExchangeFailed: there was no usable answer.
        NotStarted: ``start_by`` (a ``time.monotonic()``) had passed before the request went out.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        scopes: Iterable[str],
        transport: Transport | None = None,
        token_store: TokenStore | None = None,
        observe: Callable[[Exchange], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials
        self._scopes = frozenset(scope for scope in scopes if scope.startswith(vocabulary.SCOPE_PREFIX))
        self._transport = transport or Transport()
        self._store = token_store or MemoryTokenStore()
        self._observe = observe
        self._clock = clock

    def list_line_items(
        self,
        container_url: str,
        *,
        resource_link_id: str | None = None,
        resource_id: str | None = None,
        tag: str | None = None,
        limit: int | None = None,
        start_by: float | None = None,
    ) -> list[LineItem]:
        """All line items that match every filter, over all pages (AGS 2.0, 3.2.4). ``limit`` is the size of a page."""
        filters = {"resource_link_id": resource_link_id, "resource_id": resource_id, "tag": tag, "limit": limit}
        call = self._call("line_item", "GET", self._line_item_reading(), start_by, accept=vocabulary.MEDIA_LINE_ITEM_CONTAINER)
        return list(call.pages(with_query(container_url, _given(filters)), LineItem.from_json))

    def get_line_item(self, url: str, *, start_by: float | None = None) -> LineItem:
        """One line item (AGS 2.0, 3.2.5)."""
        call = self._call("line_item", "GET", self._line_item_reading(), start_by, accept=vocabulary.MEDIA_LINE_ITEM)
        return call.one(url, LineItem.from_json)

    def create_line_item(self, container_url: str, line_item: LineItem, *, start_by: float | None = None) -> LineItem:
        """Make a column; the answer is what the platform made of it, with its ``id``."""
        return self._write_line_item("POST", container_url, line_item, start_by)

    def replace_line_item(self, url: str, line_item: LineItem, *, start_by: float | None = None) -> LineItem:
        """Replace a whole column: what is left out is erased, so get it first and change that. The answer is what was applied."""
        return self._write_line_item("PUT", url, line_item, start_by)

    def _write_line_item(self, method: str, url: str, line_item: LineItem, start_by: float | None) -> LineItem:
        call = self._call(
            "line_item",
            method,
            (vocabulary.SCOPE_LINE_ITEM,),
            start_by,
            accept=vocabulary.MEDIA_LINE_ITEM,
            content=vocabulary.MEDIA_LINE_ITEM,
        )
        call.body = compact_json(line_item.to_json())
        return call.one(url, LineItem.from_json)

    def delete_line_item(self, url: str, *, start_by: float | None = None) -> None:
        """Delete a column that the tool made. Never a link's own: some platforms delete the teacher's column with it."""
        self._call("line_item", "DELETE", (vocabulary.SCOPE_LINE_ITEM,), start_by).send(url)

    def post_score(self, line_item_url: str, score: Score, *, start_by: float | None = None) -> ScoreReceipt:
        """Say what a learner's score is (AGS 2.0, 3.4)."""
        call = self._call("score", "POST", (vocabulary.SCOPE_SCORE,), start_by, content=vocabulary.MEDIA_SCORE)
        call.body = compact_json(score.to_json())
        exchange = call.send(scores_url(line_item_url))
        return ScoreReceipt(exchange, _result_url(exchange))

    def list_results(
        self, line_item_url: str, *, user_id: str | None = None, limit: int | None = None, start_by: float | None = None
    ) -> list[Result]:
        """All results of a line item, over all pages (AGS 2.0, 3.3). ``user_id`` is checked again here: some platforms ignore it."""
        call = self._call("results", "GET", (vocabulary.SCOPE_RESULT_READONLY,), start_by, accept=vocabulary.MEDIA_RESULT_CONTAINER)
        url = with_query(results_url(line_item_url), _given({"user_id": user_id, "limit": limit}))
        return [result for result in call.pages(url, Result.from_json) if user_id is None or result.user_id == user_id]

    def get_result(self, result_url: str, *, start_by: float | None = None) -> Result | None:
        """One result by its URL; None: the platform shows an empty list for it."""
        call = self._call("results", "GET", (vocabulary.SCOPE_RESULT_READONLY,), start_by, accept=vocabulary.MEDIA_RESULT_CONTAINER)

        def read(body: Any) -> Result | None:
            if isinstance(body, list):
                return Result.from_json(body[0]) if body else None
            return Result.from_json(body)

        return call.one(result_url, read)

    def _line_item_reading(self) -> tuple[str, ...]:
        return (vocabulary.SCOPE_LINE_ITEM, vocabulary.SCOPE_LINE_ITEM_READONLY)

    def _call(
        self, kind: str, method: str, scopes: tuple[str, ...], start_by: float | None, *, accept: str = "", content: str = ""
    ) -> _Call:
        usable = [scope for scope in scopes if scope in self._scopes]
        if not usable:
            raise MissingScope(scopes[0], sorted(self._scopes))
        headers = {"Accept": accept} if accept else {}
        if content:
            headers["Content-Type"] = content
        return _Call(self, kind, method, frozenset(usable), start_by, headers)

    def token(self, observe: Callable[[Exchange], None]) -> Token:
        """A token for all of the client's scopes."""
        return obtain(self._credentials, self._scopes, store=self._store, transport=self._transport, observe=observe, clock=self._clock)


class _Call:
    """One call: its token, its request or requests, and the record of each."""

    def __init__(
        self, client: Client, kind: str, method: str, scopes: frozenset[str], start_by: float | None, headers: dict[str, str]
    ) -> None:
        self._client = client
        self._kind = kind
        self._method = method
        self._scopes = scopes
        self._start_by = start_by
        self._headers = headers
        self.body: bytes | None = None
        self._exchanges: list[Exchange] = []

    def one(self, url: str, read: Callable[[Any], T]) -> T:
        """Request ``url`` and read its answer."""
        exchange = self.send(url)
        return self._reading(exchange, read)

    def pages(self, url: str, read: Callable[[Any], T]) -> Iterator[T]:
        """Every item of a container, page by page; the next page's URL is taken as it is (AGS 2.0, 3.2.4)."""
        seen = {url}
        following: str | None = url
        while following is not None:
            exchange = self.send(following)
            yield from self._reading(exchange, lambda body: [read(item) for item in _listed(body)])
            try:
                following = next_url(exchange.headers.get("link"), following)
            except ForeignPage as problem:
                raise InvalidAnswer(self._exchanges, str(problem)) from None
            if following in seen:
                raise InvalidAnswer(self._exchanges, "the pages go in a circle")
            if len(seen) >= _MOST_PAGES:
                raise InvalidAnswer(self._exchanges, f"there are more than {_MOST_PAGES} pages")
            seen.add(following or "")

    def send(self, url: str) -> Exchange:
        """Request ``url`` with a token; after a 401 with a new one, once."""
        token = self._token()
        exchange = self._request(url, token)
        if exchange.status == _UNAUTHORISED and exchange.failure is None:
            self._client._store.delete(self._key(), token)  # noqa: SLF001 - one class in two halves
            exchange = self._request(url, self._token())
        if not exchange.ok:
            raise ExchangeFailed(self._exchanges)
        return exchange

    def _key(self) -> str:
        return self._client._credentials.token_key(self._client._scopes)  # noqa: SLF001

    def _obtained(self) -> Token:
        try:
            return self._client.token(self._observe)
        except TokenRefused:
            raise ExchangeFailed(self._exchanges) from None

    def _token(self) -> Token:
        token = self._obtained()
        if not self._scopes & token.scopes:
            return self._without_scope(token)
        return token

    def _without_scope(self, token: Token) -> Token:
        """A token that does not carry the scope is not used: the platform granted less than its launch said."""
        self._client._store.delete(self._key(), token)  # noqa: SLF001
        listed = ", ".join(sorted(token.scopes)) or "none"
        if not self._asked_for_token():
            # The stored token is from another call: fetch one, so that the record shows what was granted.
            fresh = self._obtained()
            if self._scopes & fresh.scopes:
                return fresh
        if not self._asked_for_token():
            # Another thread was faster, and stored one like it again.
            url = self._client._credentials.token_url  # noqa: SLF001
            self._exchanges.append(Exchange(kind="token", method="POST", url=url, started_at=datetime.now(UTC)))
        failed = replace(self._exchanges[-1], failure=Failure.SCOPE_NOT_GRANTED, detail=f"the token carries {listed}")
        raise ExchangeFailed([*self._exchanges[:-1], failed])

    def _asked_for_token(self) -> bool:
        return bool(self._exchanges) and self._exchanges[-1].kind == "token"

    def _request(self, url: str, token: Token) -> Exchange:
        if self._start_by is not None and time.monotonic() > self._start_by:
            raise NotStarted("the time to start had passed; nothing was sent")
        exchange = self._client._transport.send(  # noqa: SLF001
            self._kind,
            self._method,
            url,
            headers={**self._headers, "Authorization": f"Bearer {token.access_token}"},
            body=self.body,
            secrets=[token.access_token],
        )
        self._observe(exchange)
        return exchange

    def _observe(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)
        if self._client._observe is not None:  # noqa: SLF001
            self._client._observe(exchange)  # noqa: SLF001

    def _reading(self, exchange: Exchange, read: Callable[[Any], T]) -> T:
        try:
            return read(exchange.json())
        except (ValueError, RecursionError) as problem:
            raise InvalidAnswer(self._exchanges, f"the answer is not what AGS 2.0 says: {problem}") from None


def _listed(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise ValueError(f"a container must be a JSON array, not {type(body).__name__}")
    return body


def _given(filters: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in filters.items() if value is not None]


def _result_url(exchange: Exchange) -> str | None:
    """Canvas' ``resultUrl``, if it is there and on the platform's own origin."""
    try:
        url = exchange.json().get("resultUrl")
        return url if isinstance(url, str) and origin(url) == origin(exchange.url) else None
    except (ValueError, AttributeError, RecursionError):
        return None
