"""A client that sends a path as it is given, and that can do what no library does: hang up, or wait to be told to go on."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What came."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.content)

    def is_error(self, status: int, message: str = "") -> bool:
        """Whether it is one in the API's envelope."""
        told = self.data
        assert (self.status, self.headers["content-type"]) == (status, "application/json"), self
        assert (told["status"], told["error"]) == (status, HTTPStatus(status).phrase), self
        assert told["details"]["description"], self
        return message in ("", told["details"]["message"])


@dataclass
class Wire:
    """Requests to one port; ``header`` is what the tool shows."""

    port: int
    header: str = ""
    prefix: str = "/lti/api/"
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, *, chunked: bool = False, **headers: str) -> Answer:
        """``path`` below ``prefix``, to the letter."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        sent = {"Authorization": self.header, "Content-Type": "application/json"} | self.headers | headers
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if chunked:
            sent["Transfer-Encoding"] = "chunked"
            data = iter([data[:10], data[10:]])
        try:
            connection.request(method, self.prefix + path, data, sent, encode_chunked=chunked)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def begin(self, method: str, path: str, body: bytes, **headers: str) -> socket.socket:
        """A request's head on a connection that stays open; ``body`` is only announced."""
        lines = [f"{method} {self.prefix}{path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Authorization: {self.header}"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        made = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        made.sendall("\r\n".join([*lines, "", ""]).encode())
        return made
