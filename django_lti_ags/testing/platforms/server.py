"""Sockets: a threaded HTTP/1.1 server that can be told to fail, and that stops without leaving a thread."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from django_lti_ags.testing.platforms.faults import Effect, Fault
from django_lti_ags.testing.platforms.framing import Unreadable, read_body
from django_lti_ags.testing.platforms.http import Request, Response


class Application(Protocol):
    """What answers requests."""

    def handle(self, request: Request) -> tuple[Response | None, Fault | None]:
        """The answer (None: close the connection without one), and the fault that befalls its way back."""


class Server:
    """Serves an application on a socket of its own until it is stopped."""

    def __init__(self, application: Application, host: str, port: int) -> None:
        self._stopping = threading.Event()
        self._server = _Threading((host, port), _Handler, application, self._stopping)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="platform", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, close every connection, and end every thread."""
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()


class _Threading(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close() joins them
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], application: Application, stopping: threading.Event
    ) -> None:
        self.application = application
        self.stopping = stopping
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wake every thread that waits for its client's next request."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write per answer
    server: _Threading

    def __getattr__(self, name: str) -> Any:
        """Whatever the method: the application says which it serves, and keeps a record of those that it does not."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        headers = {name.casefold(): value for name, value in self.headers.items()}
        request = Request(method=self.command, path=path, query_string=query, headers=headers)
        try:
            request.body = read_body(self.headers, self.rfile)
        except Unreadable as problem:
            request.unreadable = str(problem)
            self.close_connection = True
        return request

    def _serve(self) -> None:
        request = self._request()
        response, fault = self.server.application.handle(request)
        if fault is not None and fault.effect is Effect.SLOW:
            self.server.stopping.wait(fault.seconds)
        if response is None:
            self.close_connection = True
            return
        self._send(response, fault)

    def _send(self, response: Response, fault: Fault | None) -> None:
        self.send_response(response.status, response.reason or None)
        if response.body or response.status not in (204, 304):
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers:
            self.send_header(name, value)
        if fault is not None and fault.effect is Effect.DRIP:
            self._drip(response.body, fault.seconds)
            return
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def _drip(self, body: bytes, seconds: float) -> None:
        """Headers and body, a byte at a time."""
        whole = b"".join(self._headers_buffer) + b"\r\n" + body
        self._headers_buffer: list[bytes] = []
        self.close_connection = True
        for position in range(len(whole)):
            self.wfile.write(whole[position : position + 1])
            self.wfile.flush()
            if self.server.stopping.wait(seconds):
                return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """The ledger tells it all."""
