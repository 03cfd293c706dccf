"""A server that plays scripted bytes, for what no well-behaved server does."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading


def answer(body=b"{}", status="200 OK", headers=()):
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def dripped(head, seconds=0.05, count=200):
    """``head``, then a byte at a time."""
    return ["read", head, *[step for _ in range(count) for step in (b"x", seconds)]]


class Script:
    """Plays one list of steps per connection: bytes are sent, numbers are pauses, "read" waits for a request, a context starts TLS."""

    def __init__(self, *connections, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._connections = list(connections)
        self._tls = tls
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        for steps in self._connections:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
                opened.enter_context(connection)
                self._play(connection, steps if self._tls is None else [self._tls, *steps], opened)

    def _play(self, connection: socket.socket, steps, opened: contextlib.ExitStack) -> None:
        self._open.append(connection)
        for step in steps:
            if isinstance(step, ssl.SSLContext):
                connection = opened.enter_context(step.wrap_socket(connection, server_side=True))
                self._open.append(connection)
            elif step == "read":
                self.requests.append(_read(connection))
            elif isinstance(step, bytes):
                connection.sendall(step)
            else:
                self._stop.wait(step)

    def stop(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it; close() would not
        self._thread.join()


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < length and (piece := connection.recv(65536)):
        body += piece
    return head + b"\r\n\r\n" + body
