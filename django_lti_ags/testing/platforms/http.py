"""Requests, responses and routes: as much of HTTP as a simulated platform needs."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote


@dataclass(slots=True, kw_only=True)
class Request:
    """What came in. Header names are in lower case."""

    method: str
    path: str
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    unreadable: str = ""
    """Why the body could not be read, if it could not."""

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; the first of a name counts."""
        return {name: values[0] for name, values in parse_qs(self.query_string, keep_blank_values=True).items()}

    @property
    def form(self) -> dict[str, str]:
        """The form's fields, or the query's on a GET."""
        if self.method == "GET":
            return self.query
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that were sent."""
        jar: SimpleCookie = SimpleCookie(self.headers.get("cookie", ""))
        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().casefold()

    def accepts(self, media_type: str) -> bool:
        """Whether the client named exactly this type, and did not rule it out; without an Accept it takes anything."""
        for part in self.headers.get("accept", media_type).split(","):
            name, *parameters = (piece.strip().casefold() for piece in part.split(";"))
            if name == media_type and _quality(parameters) > 0:
                return True
        return False


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


@dataclass(slots=True, kw_only=True)
class Response:
    """What goes out."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Sequence[tuple[str, str]] = ()
    reason: str = ""

    @classmethod
    def json(
        cls, value: Any, *, status: int = 200, content_type: str = "application/json", headers: Sequence[tuple[str, str]] = ()
    ) -> Response:
        """A JSON document."""
        return cls(status=status, body=json.dumps(value).encode(), content_type=content_type, headers=headers)

    @classmethod
    def html(cls, text: str, *, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Response:
        """A page."""
        return cls(status=status, body=text.encode(), content_type="text/html; charset=utf-8", headers=headers)

    @classmethod
    def redirect(cls, url: str, *, headers: Sequence[tuple[str, str]] = ()) -> Response:
        """Go there with a GET."""
        return cls(status=303, headers=[("Location", url), *headers])

    @classmethod
    def error(cls, status: int, message: str) -> Response:
        """A refusal with its reason."""
        return cls.json({"error": message}, status=status)


class Refused(Exception):
    """Ends a handler with a refusal."""

    def __init__(self, status: int, message: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.response = Response.json({"error": message}, status=status, headers=headers)
        super().__init__(message)

    @classmethod
    def by(cls, response: Response) -> Refused:
        """A refusal with an answer of its own."""
        refused = cls(response.status, "")
        refused.response = response
        return refused


Handler = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a path pattern whose named groups become keyword arguments, and who answers."""

    method: str
    pattern: str
    handler: Handler
    kind: str = "page"
    """``token``, ``score``, ``results``, ``line_item``, ``launch``, ``jwks`` or ``page``: what a fault can be aimed at.
    Canvas also has ``progress``, and its REST API ``outcome_results``, ``outcome_rollups``, ``outcome_order``, ``live_assessments`` and
    ``live_results``."""
    ordered: bool = False
    """Whether such requests are answered, and written into the ledger, one after the other."""

    def match(self, path: str) -> dict[str, str] | None:
        """The path's named parts, if this route serves it."""
        found = re.fullmatch(self.pattern, path)
        return {name: unquote(part) for name, part in found.groupdict().items()} if found else None


def auto_submitted_form(action: str, fields: Mapping[str, str], *, title: str) -> str:
    """A page whose form submits itself, and has a button for browsers that run no script."""
    inputs = "".join(f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">' for name, value in fields.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head><body>'
        f'<form id="launch" method="post" action="{html.escape(action)}">{inputs}<button>Continue</button></form>'
        "<script>document.getElementById('launch').submit()</script></body></html>"
    )
