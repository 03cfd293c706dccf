"""The AGS 2.0 client: line items, scores, results. Framework-free; usable in a plain script.

::

    with Client(Credentials(token_url, client_id, private_key_pem, key_id), scopes=granted_scopes) as client:
        client.post_score(line_item_url, Score(user_id=sub, score_given=8, score_maximum=10, timestamp=datetime.now(UTC)))
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.calls import Call, Page, Wire
from django_lti_ags.ags.exchange import Exchange
from django_lti_ags.ags.tokens import Credentials, MemoryTokenStore, TokenStore
from django_lti_ags.ags.transport import Transport, UsesTransport
from django_lti_ags.ags.types import LineItem, Result, Score, compact_json
from django_lti_ags.ags.urls import origin, results_url, scores_url, with_query
from django_lti_ags.exceptions import MissingScope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScoreReceipt:
    """A platform's acceptance of a score: any 2xx, with or without a body (AGS 2.0, 3.4.2)."""

    exchange: Exchange
    result_url: str | None = None
    """Where the learner's Result is, if the platform says so (Canvas)."""
    extensions: Mapping[str, Any] = field(default_factory=dict)
    """What else the platform says, each under a full URL."""


class Client(UsesTransport):
    """Calls one platform's AGS for one registration. Thread-safe; cheap to make if transport and store are shared.

    Args:
        credentials: how the tool proves itself.
        scopes: what the launch's AGS claim granted; nothing else is asked for, since some platforms refuse the whole request then.
        transport: shared between clients; by default one of its own, which ``close()`` or a ``with`` block closes.
        token_store: shared between clients; by default in memory.
        observe: is given each exchange, token requests too, when it ends.
        clock: Unix time.
        token_refused: the statuses that may mean that the token is no longer good (Open edX says so with 403).
        of_record: read single answers as they are kept, without secrets: for what is shown to somebody.

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
        token_refused: Iterable[int] = (401,),
        of_record: bool = False,
    ) -> None:
        super().__init__(transport)
        self._granted = frozenset(scopes)
        self._of_record = of_record
        asked = frozenset(scope for scope in self._granted if scope.startswith(vocabulary.SCOPE_PREFIX))
        self._wire = Wire(
            credentials,
            asked,
            self._transport,
            token_store or MemoryTokenStore(),
            observe,
            clock,
            frozenset(token_refused),
            credentials.token_key(asked),
        )

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

    def line_items_page(self, url: str, *, start_by: float | None = None) -> Page[LineItem]:
        """One page of a container: its own URL, with filters or without, or that of a page which another page named."""
        call = self._call("line_item", "GET", self._line_item_reading(), start_by, accept=vocabulary.MEDIA_LINE_ITEM_CONTAINER)
        return call.page(url, LineItem.from_json)

    def get_line_item(self, url: str, *, include: Iterable[str] = (), start_by: float | None = None) -> LineItem:
        """One line item (AGS 2.0, 3.2.5). ``include``: what else Canvas is to tell, in its extensions: ``launch_url``."""
        call = self._call("line_item", "GET", self._line_item_reading(), start_by, accept=vocabulary.MEDIA_LINE_ITEM)
        return call.one(with_query(url, [("include[]", name) for name in include]), LineItem.from_json)

    def create_line_item(self, container_url: str, line_item: LineItem, *, start_by: float | None = None) -> LineItem:
        """Make a column; the answer is what the platform made of it, with its ``id``."""
        return self._write_line_item("POST", container_url, line_item, start_by)

    def replace_line_item(self, url: str, line_item: LineItem, *, start_by: float | None = None) -> LineItem:
        """Replace a whole column: what is left out is erased, so get it first and change that. The answer is what was applied."""
        return self._write_line_item("PUT", url, line_item, start_by)

    def change_line_item(self, url: str, changes: Mapping[str, Any], *, start_by: float | None = None) -> LineItem:
        """Change the given fields of a column, by their names on the wire; Canvas only, whose PUT leaves the others alone.

        Anywhere else a PUT erases what it does not name: there, get the column and replace it.
        """
        return self._put("PUT", url, dict(changes), start_by)

    def _write_line_item(self, method: str, url: str, line_item: LineItem, start_by: float | None) -> LineItem:
        return self._put(method, url, line_item.to_json(), start_by)

    def _put(self, method: str, url: str, body: dict[str, Any], start_by: float | None) -> LineItem:
        call = self._call(
            "line_item",
            method,
            (vocabulary.SCOPE_LINE_ITEM,),
            start_by,
            accept=vocabulary.MEDIA_LINE_ITEM,
            content=vocabulary.MEDIA_LINE_ITEM,
        )
        call.body = compact_json(body)
        return call.one(url, LineItem.from_json)

    def delete_line_item(self, url: str, *, start_by: float | None = None) -> None:
        """Delete a column that the tool made. Never a link's own: some platforms delete the teacher's column with it."""
        self._call("line_item", "DELETE", (vocabulary.SCOPE_LINE_ITEM,), start_by).send(url)

    def post_score(self, line_item_url: str, score: Score, *, start_by: float | None = None) -> ScoreReceipt:
        """Say what a learner's score is (AGS 2.0, 3.4)."""
        call = self._call("score", "POST", (vocabulary.SCOPE_SCORE,), start_by, content=vocabulary.MEDIA_SCORE)
        call.body = compact_json(score.to_json())
        url = scores_url(line_item_url)
        exchange = call.send(url)
        record = exchange.recorded()
        # What is kept of it may be shown: it is read from the record, which holds no secret.
        extensions = {name: value for name, value in _told(record).items() if name.startswith(("https://", "http://"))}
        return ScoreReceipt(record, _result_url(_told(exchange), url), extensions)

    def list_results(
        self, line_item_url: str, *, user_id: str | None = None, limit: int | None = None, start_by: float | None = None
    ) -> list[Result]:
        """All results of a line item, over all pages (AGS 2.0, 3.3). ``user_id`` is checked again here: some platforms ignore it."""
        return list(self.each_result(line_item_url, user_id=user_id, limit=limit, start_by=start_by))

    def each_result(
        self, line_item_url: str, *, user_id: str | None = None, limit: int | None = None, start_by: float | None = None
    ) -> Iterator[Result]:
        """As :meth:`list_results`, one by one: a page is requested when the one before is used up, and only one is held."""
        call = self._call("results", "GET", (vocabulary.SCOPE_RESULT_READONLY,), start_by, accept=vocabulary.MEDIA_RESULT_CONTAINER)
        url = with_query(results_url(line_item_url), _given({"user_id": user_id, "limit": limit}))
        return (result for result in call.pages(url, Result.from_json) if user_id is None or result.user_id == user_id)

    def results_page(self, url: str, *, start_by: float | None = None) -> Page[Result]:
        """One page of results, likewise."""
        call = self._call("results", "GET", (vocabulary.SCOPE_RESULT_READONLY,), start_by, accept=vocabulary.MEDIA_RESULT_CONTAINER)
        return call.page(url, Result.from_json)

    def get_result(self, result_url: str, *, start_by: float | None = None) -> Result | None:
        """One result by its URL; None: the platform shows an empty list for it."""
        call = self._call("results", "GET", (vocabulary.SCOPE_RESULT_READONLY,), start_by, accept=vocabulary.MEDIA_RESULT_CONTAINER)

        def read(body: Any) -> Result | None:
            if isinstance(body, list):
                return Result.from_json(body[0]) if body else None
            return Result.from_json(body)

        return call.one(result_url, read)

    def get_extension(self, kind: str, url: str, scope: str, read: Callable[[Any], T], *, start_by: float | None = None) -> T:
        """What a platform tells beyond AGS, under a ``scope`` of its own, with a token for that alone: no other call depends on it.

        It is read from the record of the exchange, which holds no secret, so that it may be kept and shown.
        """
        if scope not in self._granted:
            raise MissingScope(scope, sorted(self._granted))
        scopes = frozenset({scope})
        wire = replace(self._wire, scopes=scopes, token_key=self._wire.credentials.token_key(scopes))
        return self._asking(kind, "GET", {"Accept": "application/json"}, wire, scopes, start_by).one(url, read, of_record=True)

    def _line_item_reading(self) -> tuple[str, ...]:
        return (vocabulary.SCOPE_LINE_ITEM, vocabulary.SCOPE_LINE_ITEM_READONLY)

    def _call(
        self, kind: str, method: str, scopes: tuple[str, ...], start_by: float | None, *, accept: str = "", content: str = ""
    ) -> Call:
        usable = frozenset(scope for scope in scopes if scope in self._wire.scopes)
        if not usable:
            raise MissingScope(scopes[0], sorted(self._wire.scopes))
        headers = {"Accept": accept} if accept else {}
        if content:
            headers["Content-Type"] = content
        return self._asking(kind, method, headers, self._wire, usable, start_by)

    def _asking(self, kind: str, method: str, headers: dict[str, str], wire: Wire, scopes: frozenset[str], start_by: float | None) -> Call:
        return Call(
            transport=wire.transport,
            observe=wire.observe,
            kind=kind,
            method=method,
            headers=headers,
            start_by=start_by,
            of_record=self._of_record,
            wire=wire,
            scopes=scopes,
        )


def _given(filters: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in filters.items() if value is not None]


def _told(exchange: Exchange) -> dict[str, Any]:
    """The answer to a score, which may be anything."""
    try:
        body = exchange.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _result_url(told: dict[str, Any], asked: str) -> str | None:
    """Canvas' ``resultUrl``, if it is there and on the origin that was asked."""
    url = told.get("resultUrl")
    try:
        return url if isinstance(url, str) and origin(url) == origin(asked) else None
    except ValueError:
        return None
