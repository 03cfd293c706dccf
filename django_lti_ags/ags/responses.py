"""Answers as they are read: whole or not at all, and never more than the limit."""

from __future__ import annotations

import http.client
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHUNK: Final = 16_384
_INTERIM: Final = 101
"""http.client passes over 100 itself; 101 is final."""
_FINAL: Final = 200
_CHUNK_SIZE: Final = re.compile(b"[0-9A-Fa-f]{1,16}")
_LONGEST_LINE: Final = 65_536
_DECOMPRESSED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP: Final = b"\x1f\x8b"
_ZLIB_CHECK: Final = 31
"""A zlib header's two bytes are a multiple of it (RFC 1950, 2.2)."""


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

    def close(self) -> None:
        self._file.close()


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
            if self.fp is lines:  # http.client lets go of it when it is no HTTP
                self.fp = file
        if not lines.last:
            raise http.client.IncompleteRead(b"")

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if not _INTERIM < found[1] < _FINAL:
                return found
            http.client.parse_headers(self.fp)

    def _read_next_chunk_size(self) -> int:
        """The next chunk's size. http.client's own takes whatever ``int`` does: after a ``-1`` it reads to the end, past any limit."""
        line = self.fp.readline(_LONGEST_LINE + 1)
        size = line.partition(b";")[0].strip()
        if len(line) > _LONGEST_LINE or not _CHUNK_SIZE.fullmatch(size):
            self._close_conn()  # type: ignore[attr-defined]
            raise http.client.IncompleteRead(b"")
        return int(size, 16)


def read(response: http.client.HTTPResponse, progress: Progress, max_bytes: int) -> None:
    """Read ``response`` into ``progress``, which keeps what came if reading fails.

    Raises:
        TooLarge: it has more than ``max_bytes``, as they came or after decompression.
        http.client.HTTPException, OSError: it has no end.
    """
    progress.status, progress.reason = response.status, response.reason or ""
    progress.headers = _joined(response.getheaders())
    encoding = progress.headers.get("content-encoding", "").strip().casefold()
    came = bytearray()
    try:
        for chunk in _chunks(response):
            came += chunk
            if len(came) > max_bytes:
                raise TooLarge(f"the body is longer than {max_bytes} bytes")
    finally:
        if encoding not in _DECOMPRESSED:
            progress.body = bytes(came[:max_bytes])
    if encoding in _DECOMPRESSED and came:
        progress.body = _decompressed(bytes(came), encoding, max_bytes)


def _chunks(response: http.client.HTTPResponse) -> Iterable[bytes]:
    while chunk := response.read(_CHUNK):
        yield chunk
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)


def _decompressed(came: bytes, encoding: str, max_bytes: int) -> bytes:
    """Decompress with a limit: a few kilobytes can hold gigabytes."""
    # "deflate" means zlib's format (RFC 9110, 8.4.1.2), but some servers send it bare.
    headed = came.startswith(_GZIP) or (came[0] & 0x0F == zlib.DEFLATED and int.from_bytes(came[:2]) % _ZLIB_CHECK == 0)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS if encoding == "deflate" and not headed else zlib.MAX_WBITS | 32)
    try:
        body = inflate.decompress(came, max_bytes + 1)
    except zlib.error as problem:
        raise http.client.HTTPException(f"the body is not {encoding}: {problem}") from None
    if len(body) > max_bytes:
        raise TooLarge(f"the body is longer than {max_bytes} bytes")
    if not inflate.eof or inflate.unused_data:
        raise http.client.HTTPException(f"the {encoding} body has no end" if not inflate.eof else f"something follows the {encoding} body")
    return body


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        key = name.casefold()
        if key != "set-cookie":
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
