"""How a connection comes about: by which proxy, to which of a host's addresses."""

import socket

import pytest

from django_lti_ags.ags.connections import Environment
from django_lti_ags.ags.exchange import Failure
from tests.ags.conftest import answer


@pytest.fixture
def proxied(monkeypatch):
    """A port that nobody listens on, named as the proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    return monkeypatch


def test_the_environment_is_read_once(proxied):
    proxied.setenv("no_proxy", "lms.example")
    environment = Environment()
    proxied.delenv("http_proxy")
    proxied.setenv("no_proxy", "other.example")
    assert environment.target("http://lms.example/").proxy == ""
    assert environment.target("http://other.example/").proxy.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "169.254.169.254"])
def test_no_private_address_is_asked_of_a_proxy_however_it_is_written(proxied, transport, host):
    exchange = transport(allowed_private_hosts=[]).send("score", "POST", f"http://{host}/")
    assert (exchange.failure, exchange.sent) == (Failure.ADDRESS_REFUSED, False)


@pytest.mark.parametrize("host", ["lms.example", "93.184.216.34"])
def test_the_rest_is_asked_of_the_proxy(proxied, transport, host):
    assert transport(allowed_private_hosts=[]).send("score", "POST", f"http://{host}/").failure is Failure.CONNECT


def test_a_silent_address_leaves_time_for_the_next(script, transport, monkeypatch):
    """The first of a host's addresses may be dead: a broken IPv6 must not take the whole deadline."""
    server, real, given = script(["read", answer()]), socket.create_connection, []

    def connect(address, timeout):
        given.append(timeout)
        if address[0] == "192.0.2.1":
            raise TimeoutError
        return real(address, timeout)

    monkeypatch.setattr(socket, "create_connection", connect)
    addresses = ["192.0.2.1", "192.0.2.1", "127.0.0.1"]
    sender = transport(deadline_seconds=60, allowed_private_hosts=["lms.example"], resolver=lambda host, port: addresses)
    assert sender.send("score", "POST", f"http://lms.example:{server.port}/", body=b"{}").ok
    assert [round(seconds, -1) for seconds in given] == [20, 30, 60]
