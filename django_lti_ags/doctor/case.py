"""The registration that is examined, and what the checks learn of it on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from django_lti_ags.ags.tokens import MemoryTokenStore, Token, TokenRefused, obtain
from django_lti_ags.ags.vocabulary import SCOPE_PREFIX, SCOPE_SCORE
from django_lti_ags.models import Context, LineItem, Service
from django_lti_ags.sync.clients import Clients, make_transport
from django_lti_ags.sync.profiles import profile_of

if TYPE_CHECKING:
    from django_lti_ags.ags.client import Client
    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.tokens import Credentials
    from django_lti_ags.models import Registration

_MOST_PLACES: Final = 5


class Case:
    """One examination: connections and tokens of its own, so that nothing kept from before is taken for health."""

    credentials: Credentials | None = None
    """Set once its key was found usable."""
    granted: frozenset[str] | None = None
    """What its token carries, once there is one; or, if all scopes together were refused, what is granted singly."""

    def __init__(self, registration: Registration, tool_url: str) -> None:
        self.registration = registration
        self.tool_url = tool_url.rstrip("/")
        self.profile = profile_of(registration)
        self.exchanges: list[Exchange] = []
        """What was asked of the platform so far, and answered."""
        self.transport = make_transport()
        self._store = MemoryTokenStore()
        self.clients = Clients(transport=self.transport, token_store=self._store)
        self.line_items = _newest_line_items(registration)
        self.scopes = self._scopes()
        """What a worker asks for."""
        self.usable = self.scopes
        """What the following checks ask for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.clients.close()

    def get(self, kind: str, url: str) -> Exchange:
        """A request without a token."""
        return self.transport.send(kind, "GET", url, headers={"Accept": "application/json"})

    def client(self, credentials: Credentials) -> Client:
        """A client that asks with what was granted."""
        return self.clients.client(credentials, self.usable, self.exchanges.append, self.profile)

    def obtain(self, credentials: Credentials, scopes: frozenset[str]) -> Token | Exchange:
        """A token for ``scopes``, or the exchange that says why there is none."""
        try:
            return obtain(credentials, scopes, store=self._store, transport=self.transport, observe=self.exchanges.append)
        except TokenRefused as refused:
            return refused.exchange

    def _scopes(self) -> frozenset[str]:
        """What a worker asks for: what the newest launch granted; without one, the score scope alone."""
        granted = next((line_item.scopes for line_item in self.line_items if line_item.scopes), None)
        if granted is not None:
            return _of_ags(granted)
        rows = Context.objects.filter(deployment__registration=self.registration).exclude(seen_at=None)
        context = rows.order_by("-seen_at", "-pk").first()
        return _of_ags(context.scopes if context is not None else []) or frozenset({SCOPE_SCORE})


def _of_ags(scopes: list[str]) -> frozenset[str]:
    return frozenset(scope for scope in scopes if scope.startswith(SCOPE_PREFIX))


def _newest_line_items(registration: Registration) -> list[LineItem]:
    """The newest column of each campus, of those that delivered last first."""
    services = Service.objects.filter(registration=registration).order_by("-last_success_at", "-pk")[:_MOST_PLACES]
    rows = LineItem.objects.select_related("service", "context").exclude(url="").order_by("-pk")
    newest = (rows.filter(service=service).first() for service in services)
    return [line_item for line_item in newest if line_item is not None]
