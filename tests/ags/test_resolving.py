"""Names are looked up within the deadline."""

import socket
import threading
import time

import pytest

from django_lti_ags.ags import resolving
from django_lti_ags.ags.exchange import Failure
from django_lti_ags.ags.resolving import Resolver
from tests.ags.scripted import answer

SECONDS = 10


@pytest.fixture
def stuck():
    """A resolver that answers when it is told to."""
    release = threading.Event()
    asked = []

    def resolve(host, port):
        asked.append(host)
        release.wait(SECONDS)
        return ["127.0.0.1"]

    resolve.release, resolve.asked = release, asked
    yield resolve
    release.set()


def test_a_resolver_that_hangs_does_not_outlast_the_deadline(transport, stuck):
    begun = time.monotonic()
    exchange = transport(deadline_seconds=0.2, resolver=stuck).send("score", "POST", "http://lms.example/", body=b"{}")
    assert (exchange.failure, exchange.sent) == (Failure.CONNECT, False)
    assert time.monotonic() - begun < SECONDS / 2


def test_a_proxys_name_is_looked_up_within_the_deadline_too(transport, stuck, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    exchange = transport(deadline_seconds=0.2, resolver=stuck).send("score", "POST", "http://lms.example/", body=b"{}")
    assert exchange.failure is Failure.CONNECT
    assert stuck.asked == ["proxy.example"]


def test_one_look_up_per_name_at_a_time(stuck):
    resolver = Resolver(stuck)
    found = []
    threads = [threading.Thread(target=lambda: found.append(resolver.addresses("lms.example", 1, SECONDS))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        with pytest.raises(TimeoutError, match="did not resolve"):
            resolver.addresses("lms.example", 1, 0.01)
    stuck.release.set()
    for thread in threads:
        thread.join()
    assert found == [["127.0.0.1"]] * 5
    assert stuck.asked == ["lms.example"]
    assert resolver.addresses("lms.example", 1, SECONDS) == ["127.0.0.1"]
    assert len(stuck.asked) == 2


def test_hanging_look_ups_are_bounded(stuck, monkeypatch):
    monkeypatch.setattr(resolving, "_MOST_LOOKUPS", 2)
    resolver = Resolver(stuck)
    for name in ("one", "two"):
        with pytest.raises(TimeoutError):
            resolver.addresses(name, 1, 0.01)
    with pytest.raises(OSError, match="2 names"):
        resolver.addresses("three", 1, SECONDS)


@pytest.mark.parametrize(
    ("problem", "failure"),
    [
        (socket.gaierror(-2, "no such name"), Failure.DNS),
        (UnicodeError("label too long"), Failure.CONNECT),
        (ValueError("odd"), Failure.CONNECT),
    ],
)
def test_what_goes_wrong_is_told(transport, problem, failure):
    def resolve(host, port):
        raise problem

    exchange = transport(resolver=resolve).send("score", "POST", "http://lms.example/", body=b"{}")
    assert (exchange.failure, exchange.sent) == (failure, False)
    assert str(problem.args[-1]) in exchange.detail


def test_a_name_that_resolves_is_used(script, transport):
    server = script(["read", answer()])
    sender = transport(resolver=lambda host, port: ["127.0.0.1"], allowed_private_hosts=["lms.example"])
    assert sender.send("score", "POST", f"http://lms.example:{server.port}/", body=b"{}").ok
