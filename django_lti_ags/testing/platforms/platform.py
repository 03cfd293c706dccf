"""A simulated LTI platform: launches, tokens, line items, scores, results — strict, and over real sockets.

::

    with SimulatedPlatform() as platform:
        tool = platform.register_tool(client_id="quiz", jwks_url="http://127.0.0.1:8000/lti/jwks.json")
        course = platform.add_course("math", "Mathematics", users=[User(id="u1", login="ada", name="Ada")])
        link = platform.add_link(course, "Quiz", tool, score_maximum=10)
        ...
        assert platform.ledger.scores("u1")[-1].body["scoreGiven"] == 8
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from django_lti_ags.testing.platforms.answering import (
    answered,
    instead,
    not_allowed,
    not_found,
    shown_body,
    shown_headers,
    unreadable,
)
from django_lti_ags.testing.platforms.dialects import speaking
from django_lti_ags.testing.platforms.faults import Effect, Fault, Faults
from django_lti_ags.testing.platforms.gradebook import Gradebook
from django_lti_ags.testing.platforms.http import Request, Response, Route
from django_lti_ags.testing.platforms.launches import LaunchDesk
from django_lti_ags.testing.platforms.ledger import Ledger
from django_lti_ags.testing.platforms.server import Server
from django_lti_ags.testing.platforms.state import Course, LineItem, ResourceLink, State, User
from django_lti_ags.testing.platforms.tokens import ALL_SCOPES, TokenDesk, Tool

_CHANGING = ("POST", "PUT", "DELETE")


class SimulatedPlatform:
    """A platform on a port of its own. Give ``routes`` to add pages.

    Args:
        host: where it listens.
        port: 0 takes a free one.
        token_lifetime_seconds: how long its access tokens live.
        cut_scopes: grant what may be granted of the scopes asked for, instead of refusing them all.
        line_item_query: a query that every line item URL carries, as Moodle's do.
        audience: the ``aud`` that assertions must have; by default the token URL.
        public_url: what it calls itself, if that is not ``http://host:port``.
        dialect: ``canvas``, ``moodle`` or ``openedx`` answers scores as that platform does; "" is the strict standard.
    """

    gradebook_class: type[Gradebook] = Gradebook

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        routes: Sequence[Route] = (),
        token_lifetime_seconds: float = 3600.0,
        cut_scopes: bool = False,
        line_item_query: str = "",
        audience: str = "",
        public_url: str = "",
        dialect: str = "",
    ) -> None:
        gradebook_class = speaking(dialect, self.gradebook_class)
        self.state = State()
        self.tools: dict[str, Tool] = {}
        self.ledger = Ledger()
        self._server = Server(self, host, port)
        self.faults = Faults(changed=self._server.follow)
        self.refused_connections = 0
        """How many connections were reset by a fault. What comes while nobody listens cannot be counted."""
        self._public_url = public_url
        self._host = host
        self.desk = TokenDesk(self.tools, audience or self.token_url, token_lifetime_seconds, cut_scopes)
        self.gradebook = gradebook_class(self.state, self.desk, lambda: self.base_url, line_item_query)
        self.launches = LaunchDesk(self.state, self.tools, self.gradebook, lambda: self.base_url)
        self._routes = [
            Route("POST", "/token", self.desk.answer, "token"),
            *self.gradebook.routes(),
            *self.launches.routes(),
            *routes,
        ]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    @property
    def base_url(self) -> str:
        """Where it is, without a trailing slash; its issuer too."""
        return self._public_url or f"http://{self._host}:{self.port}"

    issuer = base_url

    @property
    def token_url(self) -> str:
        """Its token endpoint."""
        return f"{self.base_url}/token"

    @property
    def jwks_url(self) -> str:
        """Its public key set."""
        return f"{self.base_url}/jwks"

    @property
    def auth_url(self) -> str:
        """Its OIDC authorisation endpoint."""
        return f"{self.base_url}/oidc/auth"

    def start(self) -> Self:
        """Listen."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening; no thread is left."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def add_routes(self, routes: Iterable[Route]) -> None:
        """More pages."""
        self._routes.extend(routes)

    def register_tool(
        self,
        *,
        client_id: str,
        deployment_id: str = "1",
        jwks_url: str = "",
        public_jwks: dict[str, Any] | None = None,
        login_url: str = "",
        redirect_uris: Collection[str] = (),
        target_link_uri: str = "",
        scopes: Collection[str] = ALL_SCOPES,
    ) -> Tool:
        """Register a tool, by the URL of its key set or by the key set itself."""
        tool = Tool(
            client_id=client_id,
            deployment_id=deployment_id,
            jwks_url=jwks_url,
            public_jwks=public_jwks,
            login_url=login_url,
            redirect_uris=redirect_uris,
            target_link_uri=target_link_uri or next(iter(redirect_uris), ""),
            scopes=scopes,
        )
        self.tools[client_id] = tool
        return tool

    def add_course(self, course_id: str, title: str = "", users: Iterable[User] = ()) -> Course:
        """A course with its people."""
        course = self.state.add_course(course_id, title or course_id)
        course.enrol(*users)
        return course

    def add_link(self, course: Course, title: str, tool: Tool, *, score_maximum: float | None = 100.0) -> ResourceLink:
        """An activity; with a column of its own, unless ``score_maximum`` is None."""
        return self.state.add_link(course, title, tool.client_id, score_maximum)

    def line_item_url(self, course: Course, item: LineItem) -> str:
        """A column's id."""
        return self.gradebook.line_item_url(course, item)

    def set_result(self, item: LineItem, user_id: str, given: float) -> None:
        """A teacher's edit in the gradebook."""
        self.gradebook.set_result(item, user_id, given)

    def is_away(self) -> bool:
        """Whether nobody listens."""
        return self.faults.outage

    def turns_away(self) -> bool:
        """Whether a fault befalls the request that begins to come in."""
        struck = self.faults.take_blind() is not None
        if struck:
            self._count_refused()
        return struck

    def _count_refused(self) -> None:
        with self.state.lock:
            self.refused_connections += 1

    def handle(self, request: Request) -> tuple[Response | None, Fault | None]:
        """Answer a request, with the fault that is in force for it, and write it into the ledger."""
        route, parts = self._find(request)
        # Applied and written down in one go: the ledger's order is the order of what happened.
        with self.state.lock if route.ordered else contextlib.nullcontext():
            return self._befall(route, request, parts)

    def _find(self, request: Request) -> tuple[Route, dict[str, str]]:
        matching = [(route, parts) for route in self._routes if (parts := route.match(request.path)) is not None]
        found = next((pair for pair in matching if pair[0].method == request.method), None)
        if found and not request.unreadable:
            return found
        kind = matching[0][0].kind if matching else "page"
        if request.unreadable:
            return Route(request.method, "", unreadable, kind), {}
        methods = sorted({route.method for route, _ in matching})
        return Route(request.method, "", not_allowed(methods) if methods else not_found, kind), {}

    def _befall(self, route: Route, request: Request, parts: dict[str, str]) -> tuple[Response | None, Fault | None]:
        fault = self.faults.take(route.kind)
        client_id = self.desk.client_of(request)
        response: Response | None
        error, applied = "", False
        if fault is not None and (fault.cuts_off or fault.effect in (Effect.DROP_BEFORE, Effect.STATUS)):
            response = instead(fault)
            if fault.cuts_off:
                self._count_refused()
        else:
            response, error = answered(route, request, parts)
            applied = request.method in _CHANGING and response.status < 300
            if fault is not None and fault.effect is Effect.DROP_AFTER:
                response = None
        self.ledger.append(
            received_at=time.time(),
            kind=route.kind,
            method=request.method,
            path=request.path,
            query=request.query_string,
            headers=shown_headers(request),
            body=None if fault is not None and fault.cuts_off else shown_body(request, route.kind),
            status=None if response is None else response.status,
            applied=applied,
            client_id=client_id,
            fault=fault.name if fault is not None else "",
            error=error,
        )
        return response, fault
