"""One call of the REST client: its token, its errors, and the two ways in which Canvas names the next page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from django_lti_ags.ags.asking import Asking
from django_lti_ags.ags.pagination import page_url
from django_lti_ags.canvas.linked import Linked
from django_lti_ags.canvas.refusals import may_be_stale, refusal
from django_lti_ags.exceptions import CanvasThrottled

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.canvas.throttling import Patience
    from django_lti_ags.canvas.tokens import TokenSource

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class RestCall(Asking):
    """One call, which needs ``scope`` if the developer key enforces scopes."""

    base_url: str
    tokens: TokenSource
    scope: str
    patience: Patience

    wording: ClassVar[str] = "Canvas' API documentation"
    most_bytes: ClassVar[int] = 1024 * 1_048_576
    """Rollups of ten thousand learners in a hundred outcomes are 160 MB."""
    deadlines: ClassVar[int] = 180
    """An hour: Canvas takes seconds for a page of rollups."""

    def send(self, url: str) -> Exchange:
        """Request ``url``; with another token, once, if Canvas no longer takes this one and there is another; and again when there was
        too much of it, while the call's patience lasts.

        A refused token and a rate limit change nothing at Canvas, so this also holds for what is recorded.

        Raises:
            CanvasRefused: Canvas said no.
            ExchangeFailed: there was no usable answer.
            NotStarted: ``start_by`` passed.
        """
        while True:
            try:
                return self._sent(url)
            except CanvasThrottled as problem:
                if not self.patience.wait(problem.exchange, self.start_by):
                    raise

    def _sent(self, url: str) -> Exchange:
        token = self._token()
        exchange = self.request(url, token)
        if may_be_stale(exchange) and self.tokens.refused(token):
            exchange = self.request(url, self._token())
        if not exchange.ok:
            raise refusal(self.exchanges, self.scope)
        return exchange

    def _token(self) -> str:
        return self.tokens.obtain(self.base_url, self.transport, self.keep, start_by=self.start_by)

    def next_page(self, exchange: Exchange, url: str) -> str | None:
        """By the ``Link`` header, or else by ``meta.pagination.next`` of the body."""
        linked = super(RestCall, self).next_page(exchange, url)
        if linked is not None:
            return linked
        named = _pagination(exchange.json()).get("next")
        return page_url(named, url) if isinstance(named, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a listing, with what was included in it."""

    items: tuple[T, ...]
    linked: Linked
    count: int | None = None
    """How many the whole listing has, by ``meta.pagination.count``; of rollups it counts learners. None: Canvas does not say."""


class Listing(Generic[T]):
    """A listing, read lazily: a page is requested when the one before is used up, and only one is held.

    Iterating over it gives its items; :meth:`pages` gives them page by page, with what was included. Each
    iteration asks anew. Errors come while iterating.
    """

    def __init__(self, call: Callable[[], RestCall], url: str, read: Callable[[object], tuple[T, ...]]) -> None:
        self._call = call
        self._url = url
        self._read = read

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[T]]:
        """Page by page."""
        return self._call().each_page(self._url, self._page)

    def _page(self, body: object) -> Page[T]:
        items = self._read(body)
        count = _pagination(body).get("count")
        return Page(
            items=items,
            linked=Linked.from_json(body.get("linked") if isinstance(body, dict) else None),
            count=count if isinstance(count, int) and not isinstance(count, bool) else None,
        )


def _pagination(body: object) -> dict[str, object]:
    meta = body.get("meta") if isinstance(body, dict) else None
    found = meta.get("pagination") if isinstance(meta, dict) else None
    return found if isinstance(found, dict) else {}
