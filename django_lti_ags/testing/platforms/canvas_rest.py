"""The REST API of a simulated Canvas: who may ask, for which course, and page by page.

::

    with SimulatedPlatform(dialect="canvas") as platform:
        canvas = CanvasRest(platform)
        book = canvas.add_course(7, "Algebra")
        token = canvas.issue_token()
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode

from django_lti_ags.testing.platforms.canvas_errors import messages
from django_lti_ags.testing.platforms.canvas_live import LiveBook, LiveDesk
from django_lti_ags.testing.platforms.canvas_outcomes import OutcomeBook
from django_lti_ags.testing.platforms.canvas_results import ResultsDesk
from django_lti_ags.testing.platforms.http import Refused, Request, Response, Route
from django_lti_ags.testing.platforms.state import State

_PER_PAGE = 10
_MOST_PER_PAGE = 100
_HIGH_WATER = 600.0
_COST = 0.5


class _Platform(Protocol):
    state: State

    @property
    def base_url(self) -> str: ...

    def add_routes(self, routes: Sequence[Route]) -> None: ...


@dataclass(slots=True, kw_only=True)
class AccessToken:
    """A token, and what it is good for."""

    user_id: int
    expires_at: float
    scopes: frozenset[str] | None = None
    """None: its developer key enforces none."""
    teaches: bool = True


@dataclass(slots=True, kw_only=True)
class DeveloperKey:
    """A key with which a user was authorised."""

    secret: str
    refresh_token: str
    scopes: frozenset[str] | None = None
    lifetime_seconds: float = 3600.0


class CanvasRest:
    """Outcome results and live assessments on a platform. Adds its routes to it."""

    def __init__(self, platform: _Platform) -> None:
        self._platform = platform
        self._state = platform.state
        self._tokens: dict[str, AccessToken] = {}
        self._keys: dict[str, DeveloperKey] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.outcomes: dict[str, OutcomeBook] = {}
        self.live: dict[str, LiveBook] = {}
        self.page_links = True
        """Whether pages are named in the ``Link`` header."""
        results, live = ResultsDesk(self), LiveDesk(self)
        platform.add_routes(
            [
                Route("POST", "/login/oauth2/token", self.grant, "token"),
                *results.routes(),
                *live.routes(),
            ]
        )

    def add_course(self, course_id: int, name: str) -> OutcomeBook:
        """A course, and its outcomes."""
        with self._state.lock:
            book = self.outcomes[str(course_id)] = OutcomeBook(name)
            self.live[str(course_id)] = LiveBook(book)
            return book

    def issue_token(
        self, *, user_id: int = 1, scopes: Collection[str] | None = None, lifetime_seconds: float = 3600.0, teaches: bool = True
    ) -> str:
        """A user's token; ``scopes``: what its developer key enforces."""
        text = f"{next(self._numbers)}~{secrets.token_urlsafe(40)}"
        with self._lock:
            self._tokens[text] = AccessToken(
                user_id=user_id,
                expires_at=time.time() + lifetime_seconds,
                scopes=None if scopes is None else frozenset(scopes),
                teaches=teaches,
            )
        return text

    def register_key(self, client_id: str, *, scopes: Collection[str] | None = None, lifetime_seconds: float = 3600.0) -> tuple[str, str]:
        """A developer key that a user has authorised: its secret, and the refresh token."""
        key = DeveloperKey(
            secret=secrets.token_urlsafe(30),
            refresh_token=f"1~{secrets.token_urlsafe(40)}",
            scopes=None if scopes is None else frozenset(scopes),
            lifetime_seconds=lifetime_seconds,
        )
        self._keys[client_id] = key
        return key.secret, key.refresh_token

    def revoke_tokens(self) -> None:
        """No token that was issued is good any more."""
        with self._lock:
            self._tokens.clear()

    def grant(self, request: Request) -> Response:
        """A token for a refresh token (RFC 6749, 6)."""
        form = request.form
        key = self._keys.get(form.get("client_id", ""))
        if form.get("grant_type") != "refresh_token":
            return _oauth_error(400, "unsupported_grant_type", "The grant_type you requested is not currently supported")
        if key is None or form.get("client_secret") != key.secret:
            return _oauth_error(401, "invalid_client", "invalid client")
        if form.get("refresh_token") != key.refresh_token:
            return _oauth_error(400, "invalid_grant", "refresh_token not found")
        token = self.issue_token(scopes=key.scopes, lifetime_seconds=key.lifetime_seconds)
        return Response.json({"access_token": token, "token_type": "Bearer", "expires_in": key.lifetime_seconds, "user": {"id": 1}})

    def check(self, request: Request, scope: str) -> AccessToken:
        """Whose token it is.

        Raises:
            Refused: it is not good for ``scope``.
        """
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or not text:
            body = {"status": "unauthenticated", "errors": [{"message": "user authorization required"}]}
            raise Refused.by(Response.json(body, status=401, headers=_CHALLENGE))
        with self._lock:
            token = self._tokens.get(text)
        if token is None:
            raise messages(401, "Invalid access token.", headers=_CHALLENGE)
        if token.expires_at <= time.time():
            raise messages(401, "Expired access token.", headers=_CHALLENGE)
        if token.scopes is not None and scope not in token.scopes:
            raise messages(401, "Insufficient scopes on access token.")
        return token

    def book(self, request: Request, scope: str, course_id: str) -> OutcomeBook:
        """A course, for someone who teaches it.

        Raises:
            Refused: there is none, or the token's user may not see it.
        """
        token = self.check(request, scope)
        book = self.outcomes.get(course_id)
        if book is None:
            raise messages(404, "The specified resource does not exist.")
        if not token.teaches:
            body = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}
            raise Refused.by(Response.json(body, status=403))
        return book

    def page(self, request: Request, found: Sequence[Any]) -> tuple[list[Any], list[tuple[str, str]], dict[str, Any]]:
        """One page of ``found``, its headers, and its ``meta.pagination``."""
        number, size = _number(request, "page", 1), min(_number(request, "per_page", _PER_PAGE), _MOST_PER_PAGE)
        last = max(1, -(-len(found) // size))
        numbers = {"current": number, "next": number + 1, "prev": number - 1, "first": 1, "last": last}
        urls = {name: self._page_url(request, value, size) for name, value in numbers.items() if 1 <= value <= max(last, number)}
        if number >= last:
            urls.pop("next", None)
        header = ",".join(f'<{url}>; rel="{name}"' for name, url in urls.items())
        headers = [("X-Request-Cost", str(_COST)), ("X-Rate-Limit-Remaining", str(_HIGH_WATER - _COST))]
        meta = {
            "per_page": size,
            **urls,
            "page": number,
            "template": self._page_url(request, "{page}", size),
            "count": len(found),
            "page_count": last,
        }
        return list(found[(number - 1) * size : number * size]), headers + [("Link", header)] * self.page_links, {"pagination": meta}

    def _page_url(self, request: Request, number: int | str, size: int) -> str:
        pairs = [(name, value) for name, value in parse_qsl(request.query_string) if name not in ("page", "per_page")]
        return f"{self._platform.base_url}{request.path}?{urlencode([*pairs, ('page', number), ('per_page', size)], safe='{}[]')}"


_CHALLENGE = [("WWW-Authenticate", 'Bearer realm="canvas-lms"')]


def _oauth_error(status: int, error: str, description: str) -> Response:
    return Response.json({"error": error, "error_description": description}, status=status)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return max(1, int(text)) if text.isdecimal() else default
