"""The other side of every measurement: a platform that is never the limit.

It runs in a process of its own, knows two requests (a token, a score), checks neither, keeps
connections alive, and answers within some 30 µs: one event loop on raw bytes, no HTTP framework.
The simulated platforms of ``django_lti_ags.testing`` check everything and would themselves be what
is measured. The path's first segment is the latency in milliseconds: ``/100/line_items/1/scores``.

``python -m benchmarks.platform`` prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = json.dumps({"access_token": "t" * 64, "token_type": "Bearer", "expires_in": 3600}).encode()


class Conversation(asyncio.Protocol):
    """One connection; requests come one after the other, as HTTP/1.1 clients send them."""

    scores = 0
    """Posted on all connections."""

    def __init__(self) -> None:
        self._received = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank or len(body) < _content_length(head):
            return
        self._received = b""
        path = head.split(b" ", 2)[1].decode()
        latency = path.split("/")[1]
        answer = self._answer(path)
        if latency.isdigit() and int(latency):
            self._loop.call_later(int(latency) / 1000, self._transport.write, answer)
        else:
            self._transport.write(answer)

    def _answer(self, path: str) -> bytes:
        if path.endswith("/scores"):
            Conversation.scores += 1
            return _response(b"{}")
        return _response(_TOKEN if path.endswith("/token") else str(Conversation.scores).encode())


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Conversation, "127.0.0.1", 0, backlog=128)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def running() -> Iterator[str]:
    """The platform's origin, for as long as the block lasts."""
    command = [sys.executable, "-m", "benchmarks.platform"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


def scores_posted(origin: str) -> int:
    """How many scores the platform has had."""
    with urllib.request.urlopen(f"{origin}/0/count") as answer:
        return int(answer.read())


if __name__ == "__main__":
    asyncio.run(_serve())
