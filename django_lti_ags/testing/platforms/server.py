"""Sockets: a threaded HTTP/1.1 server that can be told to fail, and that stops without leaving a thread."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from django_lti_ags.testing.platforms.faults import Effect, Fault
from django_lti_ags.testing.platforms.framing import Unreadable, read_body
from django_lti_ags.testing.platforms.http import Request, Response


class Application(Protocol):
    """What answers requests."""

    def handle(self, request: Request) -> tuple[Response | None, Fault | None]:
        """The answer (None: close the connection without one), and the fault that befalls its way back."""

    def is_away(self) -> bool:
        """Whether nobody listens."""

    def turns_away(self) -> bool:
        """Whether the request that begins to come in is not even read. Asked once for each."""


_REBIND_SECONDS = 5.0
_NO_LINGER = struct.pack("ii", 1, 0)


class Server:
    """Serves an application on a port of its own until it is stopped. While the application is away, the port refuses."""

    def __init__(self, application: Application, host: str, port: int) -> None:
        self._application = application
        self._stopping = threading.Event()
        self._server = _Threading((host, port), _Handler, application, self._stopping)
        self._lock = threading.Lock()
        self._started = False
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Listen, unless the application is away."""
        self._started = True
        self.follow()

    def follow(self) -> None:
        """Listen, or cease to, as the application says. When this returns it is done."""
        with self._lock:
            if not self._started or self._stopping.is_set():
                return
            if not self._application.is_away():
                self._listen()
            elif self._thread is not None:
                self._cease()
                self._server.rebind()

    def stop(self) -> None:
        """Stop listening, close every connection, and end every thread."""
        with self._lock:
            self._stopping.set()
            self._cease()
        self._server.server_close()  # joins the handlers, one of which may be waiting for the lock

    def _listen(self) -> None:
        if self._thread is None:
            self._server.listen()
            self._thread = threading.Thread(target=self._server.serve, name="platform", daemon=True)
            self._thread.start()

    def _cease(self) -> None:
        if self._thread is not None:
            self._server.wake()
            self._thread.join()
            self._thread = None
        self._server.socket.close()  # first, so that the connections that were not accepted yet end as well
        self._server.close_connections()


class _Threading(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close() joins them
    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], application: Application, stopping: threading.Event
    ) -> None:
        self.application = application
        self.stopping = stopping
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._woken, self._waker = socket.socketpair()
        super().__init__(address, handler)

    def server_activate(self) -> None:
        """The port is ours from now on; who listens, and when, is the server's affair."""

    def listen(self) -> None:
        self.socket.listen(self.request_queue_size)

    def serve(self) -> None:
        """Take connections until :meth:`wake`. ``serve_forever`` would look only now and then whether it is to end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                if any(key.fileobj is self._woken for key, _ in selector.select()):
                    self._woken.recv(1)
                    return
                self.handle_request()

    def wake(self) -> None:
        """End :meth:`serve`."""
        self._waker.send(b".")

    def server_close(self) -> None:
        """End the handlers too."""
        super().server_close()
        self._woken.close()
        self._waker.close()

    def rebind(self) -> None:
        """Hold the port with a socket that does not listen: connections are refused, and nobody else can take it."""
        deadline = time.monotonic() + _REBIND_SECONDS
        self.socket = socket.socket(self.address_family, self.socket_type)
        while True:
            try:
                self.server_bind()
            except OSError:  # somebody's outgoing connection has the port for a moment
                if time.monotonic() > deadline:
                    raise
                if self.stopping.wait(0.01):
                    return
            else:
                return

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

    def handle_one_request(self) -> None:
        if self.rfile.peek(1) and self.server.application.turns_away():  # type: ignore[attr-defined] # a BufferedReader
            self._reset()
            return
        super().handle_one_request()

    def _reset(self) -> None:
        """End the connection at once: the client sees a reset, not an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.connection.close()

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
        if fault is not None and fault.cuts_off:
            self._reset()
            return
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
            if self.server.stopping.wait(seconds):
                return
            self.wfile.write(whole[position : position + 1])
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """The ledger tells it all."""
