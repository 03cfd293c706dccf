"""Answers as they are read: whole or not at all, and never more than the limit."""

from __future__ import annotations

import http.client
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK: Final = 16_384
_INTERIM: Final = 101
"""http.client passes over 100 itself; 101 is final."""
_FINAL: Final = 200


class TooLarge(Exception):
    """The body is over the limit."""


@dataclass(slots=True)
class Progress:
    """How far an exchange came."""

    sent: bool = False
    status: int | None = None
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _HeaderLines:
    """Remembers the last line that was read: an empty one is the end of the file."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.last = b""

    def readline(self, limit: int) -> bytes:
        self.last = self._file.readline(limit)
        return self.last


class Response(http.client.HTTPResponse):
    """An answer whose headers must have an end, which http.client does not ask for, and which is not an interim one (1xx)."""

    fp: Any

    def begin(self) -> None:
        """Read the status line and the headers.

        Raises:
            http.client.IncompleteRead: the file ended before the headers did.
        """
        file = self.fp
        self.fp = lines = _HeaderLines(file)
        try:
            super().begin()
        finally:
            self.fp = file
        if not lines.last:
            raise http.client.IncompleteRead(b"")

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if not _INTERIM < found[1] < _FINAL:
                return found
            http.client.parse_headers(self.fp)


def read(response: http.client.HTTPResponse, progress: Progress, max_bytes: int) -> None:
    """Read ``response`` into ``progress``, which keeps what came if reading fails.

    Raises:
        TooLarge: it has more than ``max_bytes``.
        http.client.HTTPException, OSError: it has no end.
    """
    progress.status, progress.reason = response.status, response.reason or ""
    progress.headers = _joined(response.getheaders())
    decode = _decoder(progress.headers.get("content-encoding", ""))
    parts: list[bytes] = []
    room = max_bytes
    while chunk := response.read(_CHUNK):
        piece = decode(chunk, room + 1)
        room -= len(piece)
        if room < 0:
            raise TooLarge(f"the body is longer than {max_bytes} bytes")
        parts.append(piece)
        progress.body = b"".join(parts) if len(parts) == 1 else progress.body
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    progress.body = b"".join(parts)


def _decoder(encoding: str) -> Callable[[bytes, int], bytes]:
    """Decompress with a limit: a few kilobytes can hold gigabytes."""
    if encoding.strip().casefold() not in ("gzip", "x-gzip", "deflate"):
        return lambda chunk, limit: chunk
    inflate: Any = zlib.decompressobj(zlib.MAX_WBITS | 32)
    decompress: Callable[[bytes, int], bytes] = inflate.decompress
    return decompress


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        key = name.casefold()
        if key != "set-cookie":
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
