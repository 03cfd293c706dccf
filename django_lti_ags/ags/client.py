"""The AGS 2.0 client: line items, scores, results. Framework-free; usable in a plain script.

::

    with Client(Credentials(token_url, client_id, private_key_pem, key_id), scopes=granted_scopes) as client:
        client.post_score(line_item_url, Score(user_id=sub, score_given=8, score_maximum=10, timestamp=datetime.now(UTC)))
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.calls import Call, Wire
from django_lti_ags.ags.exchange import Exchange
from django_lti_ags.ags.tokens import Credentials, MemoryTokenStore, TokenStore
from django_lti_ags.ags.transport import Transport
from django_lti_ags.ags.types import LineItem, Result, Score, compact_json
from django_lti_ags.ags.urls import origin, results_url, scores_url, with_query
from django_lti_ags.exceptions import MissingScope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


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
        transport: shared between clients; by default one of its own, which ``close()`` or a ``with`` block closes.
        token_store: shared between clients; by default in memory.
        observe: is given each exchange, token requests too, when it ends.
        clock: Unix time.
        token_refused: the statuses that may mean that the token is no longer good (Open edX says so with 403).

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
    ) -> None:
        used = transport or Transport()
        self._own_transport = used if transport is None else None
        asked = frozenset(scope for scope in scopes if scope.startswith(vocabulary.SCOPE_PREFIX))
        self._wire = Wire(
            credentials,
            asked,
            used,
            token_store or MemoryTokenStore(),
            observe,
            clock,
            frozenset(token_refused),
            credentials.token_key(asked),
        )

    def close(self) -> None:
        """Close the connections, if the transport is the client's own; a shared one is closed by whoever made it."""
        if self._own_transport is not None:
            self._own_transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

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
        url = scores_url(line_item_url)
        exchange = call.send(url)
        return ScoreReceipt(exchange.recorded(), _result_url(exchange, url))

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
    ) -> Call:
        usable = frozenset(scope for scope in scopes if scope in self._wire.scopes)
        if not usable:
            raise MissingScope(scopes[0], sorted(self._wire.scopes))
        headers = {"Accept": accept} if accept else {}
        if content:
            headers["Content-Type"] = content
        return Call(self._wire, kind, method, usable, start_by, headers)


def _given(filters: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in filters.items() if value is not None]


def _result_url(exchange: Exchange, asked: str) -> str | None:
    """Canvas' ``resultUrl``, if it is there and on the origin that was asked."""
    try:
        url = exchange.json().get("resultUrl")
        return url if isinstance(url, str) and origin(url) == origin(asked) else None
    except (ValueError, AttributeError, RecursionError):
        return None
