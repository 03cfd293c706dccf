"""Where a request's body ends (RFC 9112, 6): by its length, or in chunks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from io import BufferedIOBase

_LONGEST = 16 * 1024 * 1024
_LONGEST_LINE = 4096
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;.*)?\r?\n")


class Unreadable(Exception):
    """Nobody can tell where the body ends, or it ended before that."""


def read_body(headers: Message, stream: BufferedIOBase) -> bytes:
    """The whole body.

    Raises:
        Unreadable: it has no end that can be relied on; the connection is of no more use.
    """
    codings = [coding.strip().casefold() for coding in headers.get_all("Transfer-Encoding", [])]
    lengths = {length.strip() for length in headers.get_all("Content-Length", [])}
    if codings:
        if lengths or codings != ["chunked"]:
            raise Unreadable("Transfer-Encoding must be chunked, and stand without a Content-Length")
        return b"".join(_chunks(stream))
    if not lengths:
        return b""
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        raise Unreadable("Content-Length must be one whole number")
    return _exactly(stream, int(length))


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    room = _LONGEST
    while size := _chunk_size(stream):
        room -= size
        if room < 0:
            raise Unreadable("the body is too long")
        yield _exactly(stream, size)
        if stream.readline(_LONGEST_LINE).strip():
            raise Unreadable("a chunk is longer than it says")
    while stream.readline(_LONGEST_LINE).strip():
        """Trailers are of no use here."""


def _chunk_size(stream: BufferedIOBase) -> int:
    found = _CHUNK.fullmatch(stream.readline(_LONGEST_LINE))
    if found is None:
        raise Unreadable("a chunk does not say how long it is")
    return int(found[1], 16)


def _exactly(stream: BufferedIOBase, length: int) -> bytes:
    if length > _LONGEST:
        raise Unreadable("the body is too long")
    body = stream.read(length)
    if len(body) < length:
        raise Unreadable("the body ended early")
    return body
