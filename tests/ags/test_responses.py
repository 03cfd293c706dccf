"""Answers whose framing or compression lies."""

import gzip
import tracemalloc
import zlib

import pytest

from django_lti_ags.ags.exchange import Failure
from tests.ags.scripted import answer

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def send(script, transport, *steps, method="POST", **options):
    return transport(**options).send("results", method, script(["read", *steps]).url)


@pytest.mark.parametrize("size", [b"-1", b"+2", b"0x2", b"2_0", b" ", b"", b"1" * 17, b"\xd9\xa3", b"2 2", b"1" * 70_000])
def test_a_chunks_size_is_a_hexadecimal_number(script, transport, size):
    body = [b"x" * 100_000] * 30
    tracemalloc.start()
    try:
        exchange = send(script, transport, CHUNKED + size + b"\r\n", *body, max_body_bytes=10_000, deadline_seconds=5)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (exchange.failure, exchange.status) == (Failure.NO_ANSWER, 200)
    assert "IncompleteRead" in exchange.detail
    assert most < 2_000_000


@pytest.mark.parametrize("size", [b"4", b"04", b"4;name=value", b"4 ", b"0000000000000004"])
def test_chunks_are_read(script, transport, size):
    exchange = send(script, transport, CHUNKED + size + b"\r\n[1,2\r\n1\r\n]\r\n0\r\n\r\n")
    assert exchange.json() == [1, 2]


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "GZIP"])
@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_what_follows_a_compressed_body_is_not_read(script, transport, encoding, compress):
    """A member's end is not the body's: what came after it was copied again with every chunk, past the limit."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\n\r\n".encode()
    whole = compress(b"{}")
    tracemalloc.start()
    try:
        exchange = send(script, transport, head + whole, *[b"x" * 100_000] * 50, max_body_bytes=200_000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert exchange.failure is Failure.TOO_LARGE
    assert most < 3_000_000
    exchange = send(script, transport, answer(whole + b"junk", headers=[f"Content-Encoding: {encoding}"]))
    assert exchange.failure is Failure.NO_ANSWER
    assert "follows" in exchange.detail


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_half_a_compressed_body_is_none(script, transport, encoding):
    whole = (gzip.compress if encoding == "gzip" else zlib.compress)(b"[" + b"1, " * 1000 + b"1]")
    for part in (1, 2, len(whole) // 2, len(whole) - 1):
        exchange = send(script, transport, answer(whole[:part], headers=[f"Content-Encoding: {encoding}"]))
        assert (exchange.ok, exchange.failure) == (False, Failure.NO_ANSWER)
        assert exchange.body == ""
    assert send(script, transport, answer(b"not compressed", headers=[f"Content-Encoding: {encoding}"])).failure is Failure.NO_ANSWER


def test_deflate_is_read_with_and_without_its_header(script, transport):
    bare = zlib.compressobj(wbits=-15)
    for body in (zlib.compress(b"[1]"), bare.compress(b"[1]") + bare.flush()):
        assert send(script, transport, answer(body, headers=["Content-Encoding: deflate"])).json() == [1]


def test_an_empty_body_needs_no_compression(script, transport):
    exchange = send(script, transport, answer(b"", "204 No Content", headers=["Content-Encoding: gzip"]))
    assert exchange.ok


def test_what_came_of_a_body_is_shown(script, transport):
    exchange = send(script, transport, b"HTTP/1.1 400 Bad\r\nContent-Length: 500\r\n\r\nyour score is no g")
    assert (exchange.failure, exchange.body) == (Failure.NO_ANSWER, "your score is no g")


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/x.y 200 OK\r\n\r\n", b"HTTP/1.1 9999 OK\r\n\r\n", b"\r\n"])
def test_an_answer_that_is_not_http_is_told(script, transport, said):
    exchange = send(script, transport, said)
    assert (exchange.failure, exchange.sent) == (Failure.NO_ANSWER, True)
    assert "AttributeError" not in exchange.detail
    assert "BadStatusLine" in exchange.detail or "UnknownProtocol" in exchange.detail


def test_a_read_is_repeated_when_a_kept_connection_talks_nonsense(script, transport):
    server = script(["read", answer(), "read", b"nonsense\r\n\r\n"], ["read", answer(b'"new"')])
    sender = transport()
    assert sender.send("results", "GET", server.url).ok
    assert sender.send("results", "GET", server.url).json() == "new"
