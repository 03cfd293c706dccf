"""The watchdog over sockets."""

import contextlib
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from django_lti_ags.ags.deadlines import Watchdog

SECONDS = 10


@pytest.fixture
def watchdog():
    made = Watchdog()
    yield made
    made.close()


@pytest.fixture
def pair():
    """A connection whose socket waits for its peer."""
    with contextlib.ExitStack() as opened:

        def make():
            ours, theirs = socket.socketpair()
            opened.enter_context(theirs)
            opened.enter_context(ours).settimeout(SECONDS)
            return SimpleNamespace(sock=ours), theirs

        yield make


class Told:
    """A connection without a socket that tells when the watchdog looks for one."""

    def __init__(self, order, name):
        self.order = order
        self.name = name
        self.looked = threading.Event()

    @property
    def sock(self):
        self.order.append(self.name)
        self.looked.set()


def test_a_reader_is_woken_at_its_deadline(watchdog, pair):
    connection, _ = pair()
    started = time.monotonic()
    watch = watchdog.watch(connection, started + 0.1)
    assert connection.sock.recv(1) == b""
    assert 0.09 < time.monotonic() - started < SECONDS / 2
    assert watch.fired


def test_what_has_ended_is_left_alone(watchdog, pair):
    connection, peer = pair()
    watch = watchdog.watch(connection, time.monotonic() + 0.05)
    watch.end()
    later = Told([], "later")
    watchdog.watch(later, time.monotonic() + 0.15)
    assert later.looked.wait(SECONDS)
    peer.sendall(b"x")
    assert connection.sock.recv(1) == b"x"
    assert not watch.fired


def test_what_ends_at_the_last_moment_is_left_alone(watchdog, pair):
    connection, peer = pair()
    watch = watchdog.watch(connection, time.monotonic() + SECONDS)
    watch.end()
    watchdog._fire(watch)
    peer.sendall(b"x")
    assert connection.sock.recv(1) == b"x"
    assert not watch.fired


def test_the_soonest_goes_first_whatever_came_first(watchdog):
    order = []
    now = time.monotonic()
    late, soon, same = Told(order, "late"), Told(order, "soon"), Told(order, "same")
    watchdog.watch(late, now + 0.3)
    watchdog.watch(soon, now + 0.1)
    watchdog.watch(same, now + 0.1)
    assert late.looked.wait(SECONDS)
    assert list(dict.fromkeys(order)) == ["soon", "same", "late"]


def test_a_closed_socket_does_not_end_the_watchdog(watchdog, pair):
    closed, _ = pair()
    closed.sock.close()
    nothing = SimpleNamespace(sock=None)
    now = time.monotonic()
    fired = [watchdog.watch(closed, now), watchdog.watch(nothing, now)]
    connection, _ = pair()
    watchdog.watch(connection, now + 0.05)
    assert connection.sock.recv(1) == b""
    assert all(watch.fired for watch in fired)


def test_one_thread_for_all(watchdog, pair):
    connections = [pair()[0] for _ in range(5)]
    watches = [watchdog.watch(connection, time.monotonic() + SECONDS) for connection in connections]
    assert sum(thread is watchdog._thread for thread in threading.enumerate()) == 1
    assert watchdog._thread.daemon
    for watch in watches:
        watch.end()


def test_it_can_be_closed_twice_unused_and_used_again(watchdog, pair):
    watchdog.close()
    connection, _ = pair()
    watchdog.watch(connection, time.monotonic() + SECONDS).end()
    first = watchdog._thread
    watchdog.close()
    watchdog.close()
    assert not first.is_alive()
    again, _ = pair()
    watchdog.watch(again, time.monotonic() + 0.05)
    assert again.sock.recv(1) == b""
    assert watchdog._thread is not first


def test_what_is_under_way_when_it_is_closed_keeps_its_deadline(watchdog, pair):
    connection, _ = pair()
    started = time.monotonic()
    watch = watchdog.watch(connection, started + 0.2)
    thread = watchdog._thread
    watchdog.close()
    assert time.monotonic() - started < 0.2  # nothing is waited for
    assert connection.sock.recv(1) == b""
    assert watch.fired
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_its_thread_ends_when_nothing_is_watched_for_a_while(watchdog, pair, monkeypatch):
    monkeypatch.setattr("django_lti_ags.ags.deadlines._IDLE_SECONDS", 0.05)
    connection, _ = pair()
    watchdog.watch(connection, time.monotonic() + 0.01)
    thread = watchdog._thread
    thread.join(SECONDS)
    assert not thread.is_alive()
    again, _ = pair()
    assert watchdog.watch(again, time.monotonic() + 0.01) is not None
    assert again.sock.recv(1) == b""


def test_watching_while_it_is_closed(watchdog, pair):
    """Whoever comes first, each watch keeps its deadline, and nobody waits for another's."""
    connections = [pair()[0] for _ in range(40)]
    start = threading.Barrier(2)

    def close():
        start.wait(SECONDS)
        for _ in range(200):
            watchdog.close()

    closing = threading.Thread(target=close)
    closing.start()
    start.wait(SECONDS)
    watches = [watchdog.watch(connection, time.monotonic() + 0.02) for connection in connections]
    assert [connection.sock.recv(1) for connection in connections] == [b""] * len(connections)
    closing.join(SECONDS)
    assert not closing.is_alive()
    assert all(watch.fired for watch in watches)


def test_many_threads_watch_at_once(watchdog, pair):
    connections = [pair()[0] for _ in range(20)]
    start = threading.Barrier(len(connections))
    woken = []

    def read(connection, seconds):
        start.wait(SECONDS)
        watch = watchdog.watch(connection, time.monotonic() + seconds)
        woken.append((connection.sock.recv(1), watch.fired))

    threads = [threading.Thread(target=read, args=(connection, 0.01 * (index % 7))) for index, connection in enumerate(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert woken == [(b"", True)] * len(connections)
