"""Where connections go, and how long they are kept: addresses, proxies, TLS, the pool."""

import threading

import pytest

from django_lti_ags.ags.exchange import Failure
from tests.ags.scripted import answer, dripped

BOUND_MS = 5000


def test_nobody_there(script, transport):
    server = script()
    server.stop()
    exchange = transport().send("score", "POST", server.url, body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.CONNECT, False)


def test_a_name_that_does_not_resolve(transport):
    exchange = transport().send("score", "POST", "http://nobody.invalid/", body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.DNS, False)


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


def test_a_proxy_from_the_environment_is_used(script, transport, monkeypatch):
    proxy = script(["read", answer(b'"by proxy"')])
    monkeypatch.setenv("http_proxy", f"http://user:pa%20ss@127.0.0.1:{proxy.port}")
    sender = transport(allowed_private_hosts=[])
    monkeypatch.delenv("http_proxy")  # read once
    assert sender.send("score", "GET", "http://lms.example/x").json() == "by proxy"
    assert proxy.requests[0].startswith(b"GET http://lms.example/x HTTP/1.1")
    assert b"Proxy-Authorization: Basic dXNlcjpwYSBzcw==" in proxy.requests[0]
    assert sender.send("score", "GET", "http://10.0.0.1/x").failure is Failure.ADDRESS_REFUSED


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
    exchange = transport(ca_bundle=bundle).send("score", "GET", "https://by-proxy.example:9/x", headers={"Authorization": "Bearer t0ken"})
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


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example"])
def test_a_host_that_no_resolver_takes_is_a_bad_url(transport, host):
    exchange = transport().send("score", "POST", f"http://{host}/", body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.BAD_URL, False)
