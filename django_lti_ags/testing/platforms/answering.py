"""How a platform answers, and what it keeps of a request in its ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django_lti_ags.testing.platforms.faults import Effect, Fault
from django_lti_ags.testing.platforms.http import Handler, Refused, Request, Response, Route
from django_lti_ags.testing.platforms.tokens import fingerprint

_SECRETS = frozenset({"client_assertion", "client_secret", "refresh_token"})


def answered(route: Route, request: Request, parts: dict[str, str]) -> tuple[Response, str]:
    """The answer, and what broke."""
    try:
        return route.handler(request, **parts), ""
    except Refused as refused:
        return refused.response, ""
    except Exception as problem:  # noqa: BLE001 - as a real server: whatever breaks is a 500, and is told in the ledger
        name = type(problem).__name__
        return Response.error(500, name), f"{name}: {problem}"


def unreadable(request: Request) -> Response:
    """To a body without an end."""
    return Response.json({"error": request.unreadable}, status=400, headers=[("Connection", "close")])


def not_allowed(methods: Iterable[str]) -> Handler:
    """To a method that a path is not for."""
    return lambda request: Response.json({"error": "no such method here"}, status=405, headers=[("Allow", ", ".join(methods))])


def not_found(request: Request) -> Response:
    """To a path that is not there."""
    return Response.error(404, "nothing is here")


def instead(fault: Fault) -> Response | None:
    """What a fault answers; nothing, if it gives no answer."""
    if fault.effect is not Effect.STATUS:
        return None
    return Response(status=fault.status, body=fault.body.encode(), content_type=fault.content_type, headers=fault.headers)


def shown_headers(request: Request) -> dict[str, str]:
    """What the ledger keeps of the headers: no cookies, and of a token its fingerprint."""
    return {name: fingerprint(value) if name == "authorization" else value for name, value in request.headers.items() if name != "cookie"}


def shown_body(request: Request, kind: str) -> Any:
    """What the ledger keeps of the body: no assertions, and no other secrets."""
    if kind in ("token", "launch"):
        return {name: value for name, value in request.form.items() if name not in _SECRETS}
    try:
        return json.loads(request.body) if request.body else None
    except (ValueError, RecursionError):
        return request.body.decode("utf-8", "replace")
