"""One request and its record, against servers that misbehave."""

import gzip
import threading

import pytest

from django_lti_ags.ags.deadlines import Watchdog
from django_lti_ags.ags.exchange import Failure
from django_lti_ags.ags.transport import Transport
from tests.ags.scripted import answer, dripped

BOUND_MS = 5000


def test_an_answer_is_recorded(script, transport):
    server = script(["read", answer(b'{"a":1}', "201 Created", ["X-One: 1", "X-One: 2", "Set-Cookie: s=secret"])])
    exchange = transport().send("score", "POST", server.url + "/x?y=1#z", headers={"Authorization": "Bearer t0ken"}, body=b"{}")
    assert (exchange.status, exchange.reason, exchange.ok, exchange.sent) == (201, "Created", True, True)
    assert exchange.json() == {"a": 1}
    assert exchange.headers["x-one"] == "1, 2"
    assert "set-cookie" not in exchange.headers
    assert exchange.request_headers["Authorization"] == "[redacted]"
    assert server.requests[0].startswith(b"POST /x?y=1 HTTP/1.1\r\n")


def test_cookies_are_not_sent_back_and_connections_are_kept(script, transport):
    server = script(["read", answer(headers=["Set-Cookie: s=1"]), "read", answer()])
    sender = transport()
    assert sender.send("score", "GET", server.url).ok
    assert sender.send("score", "GET", server.url).ok
    assert b"ookie" not in server.requests[1]


@pytest.mark.parametrize("drip", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ", answer(b"x" * 500)[:-500]])
def test_a_drip_byte_by_byte_ends_with_the_deadline(script, transport, drip):
    steps = ["read", drip]
    for _ in range(200):
        steps += [b"x", 0.05]
    exchange = transport(deadline_seconds=0.4).send("score", "POST", script(steps).url, body=b"{}")
    assert exchange.failure is Failure.NO_ANSWER
    assert exchange.sent
    assert 300 < exchange.duration_ms < BOUND_MS
    assert "0.4 s" in exchange.detail


def test_silence_ends_with_the_deadline(script, transport):
    exchange = transport(deadline_seconds=0.3).send("score", "POST", script(["read", 10]).url, body=b"{}")
    assert exchange.failure is Failure.NO_ANSWER
    assert exchange.duration_ms < BOUND_MS


def test_an_endless_body_is_cut_off(script, transport):
    endless = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"2000\r\n" + b"x" * 8192 + b"\r\n"] * 100]
    exchange = transport(max_body_bytes=50_000).send("results", "GET", script(["read", *endless, 10]).url)
    assert (exchange.failure, exchange.status) == (Failure.TOO_LARGE, 200)
    assert exchange.duration_ms < BOUND_MS


def test_a_gzip_bomb_stays_small(script, transport):
    bomb = gzip.compress(b"x" * 50_000_000)
    exchange = transport(max_body_bytes=100_000).send(
        "results", "GET", script(["read", answer(bomb, headers=["Content-Encoding: gzip"])]).url
    )
    assert exchange.failure is Failure.TOO_LARGE
    assert len(exchange.body) <= 100_000


def test_gzip_is_read(script, transport):
    body = gzip.compress(b'{"a": 1}')
    exchange = transport().send("results", "GET", script(["read", answer(body, headers=["Content-Encoding: gzip"])]).url)
    assert exchange.json() == {"a": 1}


def test_a_redirect_is_an_answer_and_not_followed(script, transport):
    server = script(["read", answer(b"", "302 Found", ["Location: /elsewhere"])])
    exchange = transport().send("score", "POST", server.url, body=b"{}")
    assert (exchange.status, exchange.ok) == (302, False)
    assert len(server.requests) == 1
    assert "302 Found" in exchange.summary()


@pytest.mark.parametrize(
    "told",
    [
        [],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"],
        [b"nonsense\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
        [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"],
    ],
)
def test_half_an_answer_is_none(script, transport, told):
    exchange = transport().send("score", "POST", script(["read", *told]).url, body=b"{}")
    assert exchange.failure is Failure.NO_ANSWER
    assert exchange.sent
    assert not exchange.ok


def test_a_url_that_cannot_be_requested(transport):
    exchange = transport().send("score", "POST", "http://lms.example/a b", body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.BAD_URL, False)


def test_secrets_are_taken_out_wherever_they_are_echoed(script, transport):
    echo = answer(b'{"saw": "t0ken"}', "400 Bad t0ken", ["X-Saw: t0ken"])
    exchange = transport().send("score", "POST", script(["read", echo]).url, body=b"t0ken", headers={"X-T": "t0ken"}, secrets=["t0ken"])
    assert "t0ken" not in repr(exchange)
    assert "[redacted]" in exchange.body


def test_closing_twice_is_fine_and_the_watchdog_comes_back(script, transport):
    server = script(["read", answer()], ["read", answer()])
    sender = transport()
    assert sender.send("score", "GET", server.url).ok
    sender.close()
    sender.close()
    assert sender.send("score", "GET", server.url).ok


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 100 Continue\r\nX: "])
def test_an_answer_that_the_deadline_cut_off_is_no_success(script, transport, head):
    """What the deadline cuts off looks like an end of file: neither headers nor a body without a length are whole then."""
    exchange = transport(deadline_seconds=0.3).send("score", "POST", script(dripped(head)).url, body=b"{}")
    assert (exchange.ok, exchange.failure, exchange.sent) == (False, Failure.NO_ANSWER, True)
    assert 200 < exchange.duration_ms < BOUND_MS
    assert "0.3 s" in exchange.detail


@pytest.mark.parametrize("told", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nDate: now", b"HTTP/1.1 200 OK\r\nDate: now\r\n"])
def test_headers_without_an_end_are_no_success(script, transport, told):
    exchange = transport().send("score", "POST", script(["read", told]).url, body=b"{}")
    assert (exchange.ok, exchange.failure, exchange.sent) == (False, Failure.NO_ANSWER, True)


def test_a_body_without_a_length_ends_with_its_connection(script, transport):
    exchange = transport().send("results", "GET", script(["read", b"HTTP/1.1 200 OK\r\n\r\n[1]"]).url)
    assert exchange.ok
    assert exchange.json() == [1]


@pytest.mark.parametrize(
    "early", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 102 x\r\n\r\n"]
)
def test_an_interim_answer_is_not_the_answer(script, transport, early):
    exchange = transport().send("score", "POST", script(["read", early + early + answer(b'"last"')]).url, body=b"{}")
    assert (exchange.status, exchange.json()) == (200, "last")
    assert "link" not in exchange.headers


def test_what_follows_an_answer_is_not_the_next_one(script, transport):
    forged = answer(b'"forged"')
    server = script(["read", answer(b'"first"') + forged, "read", answer(b'"second"')], ["read", answer(b'"second"')])
    sender = transport()
    assert sender.send("results", "GET", server.url).json() == "first"
    assert sender.send("results", "GET", server.url).json() == "second"


def test_a_redirect_elsewhere_gets_no_request(script, transport):
    elsewhere = script(["read", answer()])
    server = script(["read", answer(b"", "307 Temporary Redirect", [f"Location: {elsewhere.url}/"])])
    assert transport().send("score", "POST", server.url, headers={"Authorization": "Bearer t"}, body=b"{}").status == 307
    assert elsewhere.requests == []


def test_an_answer_cut_in_the_middle_of_a_secret_does_not_show_its_beginning(script, transport):
    secret = "s3cr3t-t0ken-0123456789"
    cut = b"HTTP/1.1 400 Bad\r\nContent-Length: 500\r\n\r\nyou sent " + secret[:-4].encode()
    exchange = transport().send("score", "POST", script(["read", cut]).url, secrets=[secret])
    assert exchange.failure is Failure.NO_ANSWER
    assert exchange.body.startswith("you sent ")
    assert "s3cr3t" not in repr(exchange)


def test_a_long_answer_is_not_cut_in_the_middle_of_a_secret(script, transport):
    secret = "s3cr3t-t0ken-0123456789"
    for offset in (16_384, 65_536):
        body = b"x" * (offset - 10) + secret.encode() + b"y" * 100_000
        server = script(["read", answer(body)], ["read", answer(gzip.compress(body), headers=["Content-Encoding: gzip"])])
        sender = transport(max_body_bytes=offset + 1000)
        for _ in range(2):
            exchange = sender.send("score", "GET", server.url, secrets=[secret])
            assert exchange.failure is Failure.TOO_LARGE
            assert "s3cr3t" not in repr(exchange)


def test_secrets_are_taken_out_in_every_way_to_write_them(script, transport):
    secret = "ab/cd+ef=="
    ways = [b"ab/cd+ef==", b"ab\\/cd+ef==", b"ab%2Fcd%2Bef%3D%3D", b"ab%2fcd%2bef%3d%3d", b"ab/cd%2Bef%3D%3D"]
    for way in ways:
        exchange = transport().send(
            "score", "GET", script(["read", answer(b"<" + way + b">", headers=[b"X: ".decode() + way.decode()])]).url, secrets=[secret]
        )
        assert exchange.body == "<[redacted]>"
        assert exchange.headers["x"] == "[redacted]"


def test_a_secret_in_a_headers_name_or_a_broken_status_line_is_taken_out(script, transport):
    named = script(["read", answer(headers=["X-t0ken: 1"])])
    assert "t0ken" not in repr(transport().send("score", "GET", named.url, secrets=["t0ken"]))
    broken = script(["read", b"t0ken says no\r\n\r\n"])
    exchange = transport().send("score", "GET", broken.url, secrets=["t0ken"])
    assert exchange.failure is Failure.NO_ANSWER
    assert "t0ken" not in repr(exchange)


@pytest.mark.parametrize(
    "more", [b"Content-Length: 500\r\nConnection: close\r\n", b"Connection: close\r\n", b"Transfer-Encoding: chunked\r\n"]
)
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_dripped_body_ends_with_the_deadline_however_it_is_framed(script, transport, certificate, more, encrypted):
    bundle, context = certificate
    server = script(dripped(b"HTTP/1.1 200 OK\r\n" + more + b"\r\n"), tls=context if encrypted else None)
    exchange = transport(deadline_seconds=0.4, ca_bundle=bundle).send("results", "GET", server.url)
    assert (exchange.failure, exchange.ok) == (Failure.NO_ANSWER, False)
    assert exchange.duration_ms < BOUND_MS


def test_nothing_is_left_running(script, transport):
    server = script(["read", answer(), 10])
    sender = transport()
    assert sender.send("score", "GET", server.url).ok
    thread = sender._watchdog._thread
    sender.close()
    assert sender._pool._idle == {}
    assert not thread.is_alive()
    Transport().close()


def test_closing_takes_no_deadline_from_what_is_under_way(script, transport):
    server = script(dripped(answer(b"x" * 500)[:-500]))
    sender = transport(deadline_seconds=0.5)
    found = []
    sending = threading.Thread(target=lambda: found.append(sender.send("score", "POST", server.url, body=b"{}")))
    sending.start()
    while not server.requests:
        sending.join(0.01)
    sender.close()
    sending.join()
    assert found[0].failure is Failure.NO_ANSWER
    assert found[0].duration_ms < BOUND_MS
    assert sender._pool._idle == {}


def test_unused_watchdogs_close():
    Watchdog().close()
