"""What tools send that nobody thought of: each gets an answer, and stands in the ledger."""

import json
import socket
from contextlib import closing

import pytest

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms import Route

SCORE = {
    "userId": "u1",
    "scoreGiven": 8,
    "scoreMaximum": 10,
    "activityProgress": "Completed",
    "gradingProgress": "FullyGraded",
    "timestamp": "2026-01-01T00:00:00.0Z",
}
POST = b"POST /token HTTP/1.1\r\nHost: x\r\n"


def exchange(platform, *parts, half_closed=False):
    """The whole answer to raw bytes, until the platform closes the connection."""
    with closing(socket.create_connection(("127.0.0.1", platform.port), timeout=10)) as connection:
        for part in parts:
            connection.sendall(part)
        if half_closed:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while more := connection.recv(65536):
            received += more
        return received


def send_score(plain, text):
    return plain.call("POST", plain.item + "/scores", data=text, media=vocabulary.MEDIA_SCORE)


@pytest.mark.parametrize("name", ["scoreGiven", "scoreMaximum"])
def test_a_number_beyond_every_float_is_refused(plain, name):
    answer = send_score(plain, json.dumps(SCORE | {name: 10**400}))
    assert answer.status_code == 400
    assert name in answer.json()["error"]
    assert [entry.status for entry in plain.platform.ledger.of("score")] == [400]


def test_a_columns_maximum_beyond_every_float_is_refused(plain):
    body = {"label": "E", "scoreMaximum": 10**400}
    assert plain.call("POST", plain.container, body, media=vocabulary.MEDIA_LINE_ITEM).status_code == 400


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000])
def test_json_that_is_nested_without_end_is_refused(plain, text):
    answer = send_score(plain, text)
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["error"]
    [entry] = plain.platform.ledger.of("score")
    assert (entry.status, entry.body) == (400, text)


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: abc",
        b"Content-Length: -1",
        b"Content-Length: 1_0",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Content-Length: 99999999999",
    ],
)
def test_a_length_that_cannot_be_read(platform, header):
    assert exchange(platform, POST + header + b"\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    [entry] = platform.ledger.of("token")
    assert (entry.status, entry.applied, entry.body) == (400, False, {})


def test_a_body_that_ends_early_is_not_taken_for_whole(platform):
    assert b" 400 " in exchange(platform, POST + b"Content-Length: 10\r\n\r\n", b"abc", half_closed=True)
    assert [entry.status for entry in platform.ledger.of("token")] == [400]


def test_a_handler_that_breaks_is_answered_and_named(plain, capfd):
    def broken(request):
        raise ZeroDivisionError("a secret of the platform's author")

    plain.platform.add_routes([Route("POST", "/broken", broken)])
    answer = plain.session.post(plain.platform.base_url + "/broken", timeout=10)
    assert (answer.status_code, answer.json()) == (500, {"error": "ZeroDivisionError"})
    [entry] = plain.platform.ledger.of("page")
    assert (entry.status, entry.applied, entry.error) == (500, False, "ZeroDivisionError: a secret of the platform's author")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "HEAD", "BREW"])
def test_a_method_that_is_not_served(plain, method):
    answer = plain.session.request(method, plain.item, timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "DELETE, GET, PUT")
    assert (answer.content == b"") is (method == "HEAD")
    [entry] = plain.platform.ledger.of("line_item", method=method)
    assert (entry.status, entry.applied) == (405, False)
    assert plain.session.get(plain.platform.jwks_url, timeout=10).status_code == 200  # over the same connection


def chunked(plain, *chunks):
    head = f"POST {plain.item.removeprefix(plain.platform.base_url)}/scores HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {plain.token()}\r\nContent-Type: {vocabulary.MEDIA_SCORE}\r\nTransfer-Encoding: chunked\r\n\r\n"
    return exchange(plain.platform, head.encode(), *chunks, half_closed=True)


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"0\r\nX-Trailer: a\r\n\r\n", b"00;last=1\r\n\r\n"])
def test_a_body_in_chunks(plain, end):
    body = json.dumps(SCORE).encode()
    parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:30], body[30:])]
    assert chunked(plain, *parts, end).startswith(b"HTTP/1.1 200 ")
    [entry] = plain.platform.ledger.scores("u1")
    assert entry.body == SCORE


@pytest.mark.parametrize("chunk", [b"x\r\n", b"-1\r\n", b"2\r\n{}}\r\n", b"5\r\n{}", b"", b"fffffffffff\r\n"])
def test_chunks_that_lie(plain, chunk):
    assert chunked(plain, chunk).startswith(b"HTTP/1.1 400 ")
    [entry] = plain.platform.ledger.of("score")
    assert (entry.status, entry.applied, entry.body) == (400, False, None)
