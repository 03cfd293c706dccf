"""How many idle connections are kept, and for how long."""

import threading
from types import SimpleNamespace

import pytest

from django_lti_ags.ags import pool as pools
from django_lti_ags.ags.environment import Target
from django_lti_ags.ags.pool import Pool
from tests.ags.scripted import answer


class Idle(SimpleNamespace):
    """A connection that says itself whether it is old."""

    def __init__(self, target):
        super().__init__(target=target, idle_since=0.0, reused=False, made_before=0, old=False, closed=False)

    def is_old(self):
        return self.old

    def is_stale(self):
        return self.old

    def close(self):
        self.closed = True


def target(number):
    return Target("https", f"campus-{number}.example", 443)


@pytest.fixture
def pool():
    return Pool(2, Idle)


def test_what_is_idle_for_long_is_dropped_whoever_is_asked_next(pool):
    old = [pool.take(target(number)) for number in range(30)]
    for connection in old:
        pool.give_back(connection)
        connection.old = True
    new = pool.take(target(99))
    pool.give_back(new)
    assert all(connection.closed for connection in old)
    assert pool._idle == {target(99): [new]}


def test_there_is_a_total(pool):
    many = [pool.take(target(number)) for number in range(pools._MOST_IDLE + 10)]
    for number, connection in enumerate(many):
        pool.give_back(connection)
        connection.idle_since = number
    kept = [connection for connection in many if not connection.closed]
    assert kept == many[-pools._MOST_IDLE :]
    assert sum(len(idle) for idle in pool._idle.values()) == pools._MOST_IDLE


def test_a_target_without_connections_takes_no_room(pool):
    pool.give_back(pool.take(target(1)))
    assert pool.take(target(1)).reused
    pool.give_back(pool.take(target(2)))
    assert list(pool._idle) == [target(2)]


def test_what_was_in_use_when_the_pool_was_closed_is_not_kept(pool):
    used = pool.take(target(1))
    pool.close()
    pool.give_back(used)
    assert used.closed
    assert pool._idle == {}
    again = pool.take(target(1))
    pool.give_back(again)
    assert not again.closed


def test_connections_to_many_places_end(script, transport, monkeypatch):
    servers = [script(["read", answer(), "read"]) for _ in range(5)]
    last = script(["read", answer(), "read"])
    sender = transport()
    for server in servers:
        assert sender.send("results", "GET", server.url).ok
    opened = [connection for idle in sender._pool._idle.values() for connection in idle]
    assert len(opened) == 5
    monkeypatch.setattr("django_lti_ags.ags.connections._IDLE_SECONDS", -1)
    assert sender.send("results", "GET", last.url).ok
    assert all(connection.sock is None for connection in opened)


def test_many_threads_take_and_give_back(pool):
    start = threading.Barrier(8)

    def use():
        start.wait(10)
        for number in range(300):
            pool.give_back(pool.take(target(number % 5)))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(0 < len(idle) <= 2 for idle in pool._idle.values())
