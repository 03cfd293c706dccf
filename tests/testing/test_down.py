"""A platform that is away: nothing of a request is received, and the same port serves again when it is back."""

import contextlib
import socket
import threading
from contextlib import closing

import pytest
import requests

from django_lti_ags.testing.platforms import Route, SimulatedPlatform
from django_lti_ags.testing.platforms.http import Response

GET = b"GET /jwks HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(platform):
    return closing(socket.create_connection(("127.0.0.1", platform.port), timeout=10))


def drain(connection):
    """Read on to the end."""
    while connection.recv(65536):
        """What was on its way already."""


def jwks(platform):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(platform.jwks_url, timeout=10).status_code


def test_down_is_refused_and_back_on_the_same_port(platform):
    port = platform.port
    for _ in range(3):
        platform.faults.add("down")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=10)
        platform.faults.clear()
        assert jwks(platform) == 200
    assert platform.port == port
    assert [entry.status for entry in platform.ledger.entries] == [200] * 3


def test_going_down_ends_the_connections_that_are_open(platform):
    with connect(platform) as connection:
        connection.sendall(GET)
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        with connect(platform) as silent:
            platform.faults.add("down")
            with contextlib.suppress(ConnectionResetError):  # if it waits to be accepted still
                assert silent.recv(1) == b""
        drain(connection)
    assert len(platform.ledger.entries) == 1


def test_down_twice_is_back_only_when_both_are_over(platform):
    platform.faults.add("down")
    platform.faults.add("down")
    platform.faults.add("status", count=1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", platform.port), timeout=10)
    platform.faults.clear()
    assert jwks(platform) == 200


def test_a_platform_may_be_down_from_the_start_and_to_the_end():
    before = set(threading.enumerate())
    platform = SimulatedPlatform()
    platform.faults.add("down")
    with platform, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", platform.port), timeout=10)
    platform.faults.clear()  # after the end: it stays away
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", platform.port), timeout=10)
    assert set(threading.enumerate()) <= before


def test_nobody_else_takes_the_port_meanwhile(platform):
    platform.faults.add("down")
    with closing(socket.socket()) as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", platform.port))


def test_the_port_may_be_free_a_moment_late(platform, monkeypatch):
    """A connection of somebody else's may have it for an instant between two sockets of ours."""
    server, refusals = platform._server._server, [OSError("in use")] * 2
    bind = type(server).server_bind

    def reluctant(self):
        if refusals:
            raise refusals.pop()
        bind(self)

    monkeypatch.setattr(type(server), "server_bind", reluctant)
    platform.faults.add("down")
    platform.faults.clear()
    assert (jwks(platform), refusals) == (200, [])


def test_a_port_that_never_gets_free_is_told(platform, monkeypatch):
    def refuse(self):
        raise OSError("in use")

    monkeypatch.setattr("django_lti_ags.testing.platforms.server._REBIND_SECONDS", 0)
    monkeypatch.setattr(type(platform._server._server), "server_bind", refuse)
    with pytest.raises(OSError, match="in use"):
        platform.faults.add("down")


@pytest.mark.parametrize("values", [{"count": 1}, {"effect": "reset"}, {"effect": "reset", "count": 1}])
def test_a_connection_that_is_reset_was_not_read(platform, values):
    platform.faults.add(**({"effect": "down"} | values))
    with connect(platform) as connection:
        connection.sendall(GET)
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
    assert platform.ledger.entries == []
    assert platform.refused_connections == 1
    platform.faults.clear()
    assert jwks(platform) == 200


def test_a_kept_connection_is_reset_too(platform):
    with connect(platform) as connection:
        connection.sendall(GET)
        answer = b""
        while b"RS256" not in answer:
            answer += connection.recv(65536)
        platform.faults.add("reset", count=1)
        connection.sendall(GET)
        with pytest.raises(ConnectionResetError):
            drain(connection)
    assert (len(platform.ledger.entries), platform.refused_connections) == (1, 1)


def test_resets_can_be_counted(platform):
    platform.faults.add("reset", count=3)
    for _ in range(3):
        with pytest.raises(requests.ConnectionError):
            jwks(platform)
    assert jwks(platform) == 200
    assert platform.refused_connections == 3


def test_down_for_a_kind_is_known_only_after_reading(plain):
    plain.platform.faults.add("down", kind="token", count=1)
    with pytest.raises(requests.ConnectionError):
        plain.ask()
    [entry] = plain.platform.ledger.of("token", fault="down")
    assert (entry.status, entry.applied, entry.body) == (None, False, None)
    assert plain.platform.refused_connections == 1
    assert plain.ask().status_code == 200


def test_a_request_under_way_when_it_goes_down_gets_no_answer(platform):
    entered, leave = threading.Event(), threading.Event()

    def wait(request):
        entered.set()
        leave.wait(10)
        return Response()

    platform.add_routes([Route("GET", "/wait", wait)])
    with connect(platform) as connection:
        connection.sendall(GET.replace(b"/jwks", b"/wait"))
        entered.wait(10)
        platform.faults.add("down")
        assert connection.recv(1) == b""
        leave.set()
    platform.ledger.wait_for(lambda ledger: bool(ledger.of("page")))


def test_a_handler_may_put_a_fault_in_force_while_the_platform_stops(platform):
    entered = threading.Event()

    def late(request):
        entered.set()
        platform._server._stopping.wait(10)
        platform.faults.add("down")
        return Response()

    platform.add_routes([Route("GET", "/late", late)])
    with connect(platform) as connection:
        connection.sendall(GET.replace(b"/jwks", b"/late"))
        entered.wait(10)
        stopping = threading.Thread(target=platform.stop, daemon=True)
        stopping.start()
        stopping.join(5)
        assert not stopping.is_alive()


def test_a_platform_that_never_started_stops_at_once():
    platform = SimulatedPlatform()
    stopping = threading.Thread(target=platform.stop, daemon=True)
    stopping.start()
    stopping.join(5)
    assert not stopping.is_alive()
    platform.stop()  # and again


def test_a_port_that_is_taken(platform):
    with pytest.raises(OSError, match="in use"):
        SimulatedPlatform(port=platform.port)
