"""Fetching a tool's key set: past any proxy of the environment, and never for long."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

DEADLINE_SECONDS = 10.0
_LONGEST = 1024 * 1024


class NoKeySet(Exception):
    """There is none, or it takes too long, or it is too big."""


def fetch(url: str) -> list[dict[str, Any]]:
    """The keys that are published there.

    Raises:
        NoKeySet: none that can be read.
    """
    try:
        keys = json.loads(_get(url))["keys"]
    except (OSError, HTTPException, ValueError, TypeError, KeyError, RecursionError) as problem:
        raise NoKeySet(f"{type(problem).__name__}: {problem}") from None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise NoKeySet("keys is no list of keys")
    return keys


def _get(url: str) -> bytes:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no URL of a key set")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=DEADLINE_SECONDS)
    with contextlib.closing(connection), _cut_off(connection):
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        with connection.getresponse() as answer:
            if answer.status != 200:
                raise ValueError(f"status {answer.status}")
            body = answer.read(_LONGEST + 1)
    if len(body) > _LONGEST:
        raise ValueError("too long")
    return body


@contextlib.contextmanager
def _cut_off(connection: HTTPConnection) -> Iterator[None]:
    """End the connection at the deadline: a timeout alone counts anew with every byte."""

    def cut() -> None:
        with contextlib.suppress(OSError, AttributeError):  # closed meanwhile, or not connected yet
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(DEADLINE_SECONDS, cut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
