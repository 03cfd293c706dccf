"""One request and its record, against servers that misbehave."""

import gzip
import ipaddress
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from django_lti_ags.ags.deadlines import Watchdog
from django_lti_ags.ags.exchange import Failure
from django_lti_ags.ags.transport import Transport
from tests.ags.conftest import answer

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


def test_nobody_there(script, transport):
    server = script()
    server.stop()
    exchange = transport().send("score", "POST", server.url, body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.CONNECT, False)


def test_a_name_that_does_not_resolve(transport):
    exchange = transport().send("score", "POST", "http://nobody.invalid/", body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.DNS, False)


def test_a_url_that_cannot_be_requested(transport):
    exchange = transport().send("score", "POST", "http://lms.example/a b", body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.BAD_URL, False)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_private_addresses_are_refused(transport, host):
    exchange = transport(allowed_private_hosts=[]).send("score", "POST", f"http://{host}:9/", body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.ADDRESS_REFUSED, False)


def test_a_name_that_turns_private_is_refused(script, transport):
    """DNS rebinding: the address is checked when it is used, not when somebody looked it up."""
    told = iter([["192.0.2.1", "169.254.169.254"], ["10.0.0.1"]])
    sender = transport(allowed_private_hosts=["192.0.2.0/24"], deadline_seconds=0.5, resolver=lambda host, port: next(told))
    assert sender.send("score", "POST", "http://lms.example:9/").failure is Failure.ADDRESS_REFUSED
    assert sender.send("score", "POST", "http://lms.example:9/").failure is Failure.ADDRESS_REFUSED


def test_no_address_at_all(transport):
    assert transport(resolver=lambda host, port: []).send("score", "POST", "http://lms.example/").failure is Failure.CONNECT


def test_a_connection_that_does_not_come_about_ends_with_the_deadline(transport):
    sender = transport(allowed_private_hosts=["192.0.2.0/24"], deadline_seconds=0.3, resolver=lambda host, port: ["192.0.2.1", "192.0.2.2"])
    exchange = sender.send("score", "POST", "http://lms.example/")
    assert (exchange.failure, exchange.sent) == (Failure.CONNECT, False)
    assert exchange.duration_ms < BOUND_MS


def test_a_kept_connection_that_the_server_closed_is_not_used(script, transport):
    closed = threading.Event()
    server = script(["read", answer()], ["read", answer(b'"second"')])
    sender = transport()
    assert sender.send("score", "POST", server.url, body=b"{}").ok
    connection = next(iter(sender._pool._idle.values()))[0]
    while not connection.is_stale() and not closed.wait(0.01):
        continue
    assert sender.send("score", "POST", server.url, body=b"{}").json() == "second"


@pytest.mark.parametrize(("method", "ok"), [("GET", True), ("POST", False)])
def test_only_a_read_is_repeated_on_a_dead_connection(script, transport, monkeypatch, method, ok):
    server = script(["read", answer()], ["read", answer(b'"second"')])
    sender = transport()
    assert sender.send("score", method, server.url).ok
    monkeypatch.setattr("django_lti_ags.ags.connections.Connection.is_stale", lambda self: False)
    exchange = sender.send("score", method, server.url)
    assert exchange.ok is ok
    assert ok or exchange.failure is Failure.NO_ANSWER


def test_secrets_are_taken_out_wherever_they_are_echoed(script, transport):
    echo = answer(b'{"saw": "t0ken"}', "400 Bad t0ken", ["X-Saw: t0ken"])
    exchange = transport().send("score", "POST", script(["read", echo]).url, body=b"t0ken", headers={"X-T": "t0ken"}, secrets=["t0ken"])
    assert "t0ken" not in repr(exchange)
    assert "[redacted]" in exchange.body


def test_a_proxy_from_the_environment_is_used(script, transport, monkeypatch):
    proxy = script(["read", answer(b'"by proxy"')])
    monkeypatch.setenv("http_proxy", f"http://user:pa%20ss@127.0.0.1:{proxy.port}")
    sender = transport(allowed_private_hosts=[])
    monkeypatch.delenv("http_proxy")  # read once
    assert sender.send("score", "GET", "http://lms.example/x").json() == "by proxy"
    assert proxy.requests[0].startswith(b"GET http://lms.example/x HTTP/1.1")
    assert b"Proxy-Authorization: Basic dXNlcjpwYSBzcw==" in proxy.requests[0]
    assert sender.send("score", "GET", "http://10.0.0.1/x").failure is Failure.ADDRESS_REFUSED


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return str(tmp_path / "cert.pem"), context


def test_a_trusted_certificate_is_needed(script, transport, certificate):
    bundle, context = certificate
    assert transport(ca_bundle=bundle).send("score", "GET", script(["read", answer(b'"tls"')], tls=context).url).json() == "tls"
    exchange = transport().send("score", "GET", script(["read", answer()], tls=context).url)
    assert (exchange.failure, exchange.sent) == (Failure.TLS, False)


def test_a_handshake_that_hangs_ends_with_the_deadline(script, transport):
    server = script([10])
    exchange = transport(deadline_seconds=0.3).send("score", "GET", f"https://127.0.0.1:{server.port}/")
    assert exchange.failure is not None
    assert exchange.sent is False
    assert exchange.duration_ms < BOUND_MS


def test_https_goes_through_a_proxys_tunnel(script, transport, certificate, monkeypatch):
    proxy = script(["read", answer(b"", "403 Forbidden")])
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
    exchange = transport().send("score", "GET", "https://lms.example/")
    assert (exchange.failure, exchange.sent) == (Failure.CONNECT, False)
    assert proxy.requests[0].startswith(b"CONNECT lms.example:443")


def test_idle_connections_are_bounded(script, transport):
    server = script(*[["read", answer()] for _ in range(4)])
    sender = transport(pool_size=1)
    first, second = (sender._pool.take(sender._environment.target(server.url)) for _ in range(2))
    for connection in (first, second):
        connection.prepare(10**9)
        connection.connect()
        sender._pool.give_back(connection)
    assert len(next(iter(sender._pool._idle.values()))) == 1
    assert second.sock is None


def test_closing_twice_is_fine_and_the_watchdog_comes_back(script, transport):
    server = script(["read", answer()], ["read", answer()])
    sender = transport()
    assert sender.send("score", "GET", server.url).ok
    sender.close()
    sender.close()
    assert sender.send("score", "GET", server.url).ok


def dripped(head, seconds=0.05, count=200):
    """``head``, then a byte at a time."""
    return ["read", head, *[step for _ in range(count) for step in (b"x", seconds)]]


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


def test_a_resolver_that_takes_too_long_ends_in_no_request(script, transport):
    server = script(["read", answer()])

    def slow(host, port):
        threading.Event().wait(0.3)
        return ["127.0.0.1"]

    exchange = transport(deadline_seconds=0.1, resolver=slow, allowed_private_hosts=["lms.example"]).send(
        "score", "POST", f"http://lms.example:{server.port}/", body=b"{}"
    )
    assert (exchange.failure, exchange.sent) == (Failure.CONNECT, False)
    assert server.requests == []


def test_a_name_that_turns_private_between_two_requests_gets_one(script, transport):
    """DNS rebinding, with a server that really answers the first time."""
    server = script(["read", answer(headers=["Connection: close"])])
    told = iter([["127.0.0.1"], ["127.0.0.2"]])
    sender = transport(allowed_private_hosts=["127.0.0.1/32"], resolver=lambda host, port: next(told))
    url = f"http://lms.example:{server.port}/"
    assert sender.send("score", "POST", url).ok
    exchange = sender.send("score", "POST", url)
    assert (exchange.failure, exchange.sent) == (Failure.ADDRESS_REFUSED, False)
    assert len(server.requests) == 1
    assert b"Host: lms.example" in server.requests[0]


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "fd00:ec2::254", "::ffff:127.0.0.1", "100.64.0.1", "0.0.0.0", "fe80::1%lo"]
)
def test_where_a_name_leads_is_refused_unless_it_is_listed(transport, address):
    sender = transport(allowed_private_hosts=[], resolver=lambda host, port: [address])
    exchange = sender.send("score", "POST", "http://lms.example:9/")
    assert (exchange.failure, exchange.sent) == (Failure.ADDRESS_REFUSED, False)
    assert address in exchange.detail


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1"])
def test_other_ways_to_write_this_machine_are_refused(transport, host):
    assert transport(allowed_private_hosts=[]).send("score", "POST", f"http://{host}:9/").failure is Failure.ADDRESS_REFUSED


@pytest.mark.parametrize("listed", ["127.0.0.1", "lms.example", "*.example", "127.0.0.0/8"])
def test_a_listed_private_address_is_used(script, transport, listed):
    server = script(["read", answer()])
    host = "127.0.0.1" if listed == "127.0.0.1" else "lms.example"
    sender = transport(allowed_private_hosts=[listed], resolver=lambda host, port: ["127.0.0.1"])
    assert sender.send("score", "POST", f"http://{host}:{server.port}/").ok


@pytest.mark.parametrize(("method", "asked"), [("GET", 2), ("POST", 1), ("PUT", 1), ("DELETE", 1)])
def test_a_kept_connection_that_dies_under_a_request(script, transport, method, asked):
    """The server reads the second request and hangs up: only what reads may be sent again, on a new connection."""
    server = script(["read", answer(), "read"], ["read", answer(b'"new"')])
    sender = transport()
    assert sender.send("score", "GET", server.url).ok
    exchange = sender.send("score", method, server.url + "/second")
    assert (exchange.ok, exchange.sent) == (method == "GET", True)
    assert exchange.failure is (None if method == "GET" else Failure.NO_ANSWER)
    assert sum(b"/second" in request for request in server.requests) == asked


def test_a_read_is_repeated_only_once(script, transport):
    server = script(["read", answer(), "read"], ["read"], ["read", answer()])
    sender = transport()
    assert sender.send("results", "GET", server.url).ok
    assert sender.send("results", "GET", server.url + "/second").failure is Failure.NO_ANSWER
    assert sum(b"/second" in request for request in server.requests) == 2


def test_an_idle_connection_is_not_trusted_for_long(script, transport, monkeypatch):
    server = script(["read", answer(), 10])
    sender = transport()
    assert sender.send("results", "GET", server.url).ok
    [connection] = next(iter(sender._pool._idle.values()))
    assert not connection.is_stale()
    monkeypatch.setattr("django_lti_ags.ags.connections._IDLE_SECONDS", -1)
    assert connection.is_stale()
    monkeypatch.setattr("django_lti_ags.ags.connections._IDLE_SECONDS", 30)
    connection.sock.close()
    assert connection.is_stale()


def test_a_certificate_of_another_host_is_not_trusted(script, transport, certificate):
    bundle, context = certificate
    server = script(["read", answer()], tls=context)
    sender = transport(ca_bundle=bundle, allowed_private_hosts=["lms.example"], resolver=lambda host, port: ["127.0.0.1"])
    exchange = sender.send("score", "POST", f"https://lms.example:{server.port}/", body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.TLS, False)
    assert server.requests == []


def test_the_environments_authorities_are_trusted(script, transport, certificate, monkeypatch):
    bundle, context = certificate
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    assert transport().send("score", "GET", script(["read", answer()], tls=context).url).ok


def test_plain_text_instead_of_tls(script, transport):
    exchange = transport().send("score", "GET", script([b"HTTP/1.1 400 plain\r\n\r\n", "read"]).url.replace("http:", "https:"))
    assert (exchange.failure, exchange.sent) == (Failure.TLS, False)


def test_an_https_answer_comes_through_a_proxys_tunnel(script, transport, certificate, monkeypatch):
    bundle, context = certificate
    proxy = script(["read", b"HTTP/1.1 200 Tunnel\r\n\r\n", context, "read", answer(b'"tunnelled"')])
    monkeypatch.setenv("https_proxy", f"http://user:pass@127.0.0.1:{proxy.port}")
    exchange = transport(ca_bundle=bundle).send("score", "GET", "https://127.0.0.1:9/x", headers={"Authorization": "Bearer t0ken"})
    assert exchange.json() == "tunnelled"
    assert b"Proxy-Authorization" in proxy.requests[0]
    assert b"t0ken" not in proxy.requests[0]
    assert b"Proxy-Authorization" not in proxy.requests[1]


def test_a_proxy_that_drips_ends_with_the_deadline(script, transport, monkeypatch):
    proxy = script(dripped(b"HTTP/1.1 200 Tunnel\r\nX: "))
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
    exchange = transport(deadline_seconds=0.4).send("score", "GET", "https://lms.example/")
    assert (exchange.failure, exchange.sent) == (Failure.CONNECT, False)
    assert exchange.duration_ms < BOUND_MS


def test_some_hosts_are_reached_past_the_proxy(script, transport, monkeypatch):
    proxy, server = script(["read", answer(b'"proxy"')]), script(["read", answer(b'"direct"')])
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert transport().send("score", "GET", server.url).json() == "direct"
    assert proxy.requests == []


def test_nothing_is_left_running(script, transport):
    server = script(["read", answer(), 10])
    sender = transport()
    assert sender.send("score", "GET", server.url).ok
    sender.close()
    assert sender._pool._idle == {}
    assert not sender._watchdog._thread.is_alive()
    Transport().close()


def test_a_connection_that_came_about_too_late_is_not_used(script, transport, monkeypatch):
    server = script(["read"])
    monkeypatch.setattr("django_lti_ags.ags.connections.Connection._remaining", lambda self: 5.0)

    def slow(host, port):
        threading.Event().wait(0.4)
        return ["127.0.0.1"]

    sender = transport(deadline_seconds=0.1, resolver=slow, allowed_private_hosts=["lms.example"])
    exchange = sender.send("score", "POST", f"http://lms.example:{server.port}/", body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.CONNECT, False)
    assert b"POST" not in b"".join(server.requests)


class Watched:
    """What a watchdog watches."""

    def __init__(self, sock=None) -> None:
        self.sock = sock


@pytest.fixture
def watchdog():
    made = Watchdog()
    yield made
    made.close()


def test_the_watchdog_shuts_the_earliest_first(watchdog):
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(5)
        late = watchdog.watch(Watched(), time.monotonic() + 60)
        early = watchdog.watch(Watched(far), time.monotonic() + 0.1)
        assert near.recv(1) == b""  # the other end is shut
        assert (early.fired, late.fired) == (True, False)


def test_the_watchdog_leaves_alone_what_has_ended_or_is_closed(watchdog):
    near, far = socket.socketpair()
    with near, far:
        closed = socket.socket()
        closed.close()
        ended = watchdog.watch(Watched(far), time.monotonic() + 0.1)
        ended.end()
        watchdog._fire(ended)
        due = watchdog.watch(Watched(closed), time.monotonic() + 0.1)
        nothing = watchdog.watch(Watched(), time.monotonic() + 0.15)
        until = time.monotonic() + 5
        while not nothing.fired and time.monotonic() < until:
            threading.Event().wait(0.02)
        assert (ended.fired, due.fired, nothing.fired) == (False, True, True)
        far.sendall(b"x")
        assert near.recv(1) == b"x"


def test_unused_watchdogs_close():
    Watchdog().close()
