"""Many at once: none is lost, who waits for a verdict holds nobody else up, and who hangs up loses nothing."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from django_lti_ags.models import Score
from tests.api.conftest import Worker, encoded
from tests.servers.processes import THREADS
from tests.servers.test_addresses import SCORE

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
CLIENTS = 20
WAIT = "scores?wait=30"


def until(condition) -> None:
    end, pause = time.monotonic() + 60, threading.Event()
    while not condition():
        assert time.monotonic() < end
        pause.wait(0.05)


def test_many_clients_at_once(wire, moodle, worker):
    path = f"lineitems/{encoded(moodle.column)}/{WAIT}"
    learners = [f"u{number}" for number in range(1, CLIENTS + 1)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda learner: wire.call("POST", path, SCORE | {"userId": learner}), learners))
    assert [answer.status for answer in answers] == [204] * CLIENTS
    assert {learner: moodle.campus.shown(learner) for learner in learners} == dict.fromkeys(learners, 8)
    assert Score.objects.filter(state="delivered").count() == CLIENTS


def test_who_waits_holds_nobody_up(server, wire, moodle):
    """Up to the server's threads; under ASGI each request has one of its own, and views that wait are not queued behind one another."""
    path, waiting = f"lineitems/{encoded(moodle.column)}/{WAIT}", THREADS.get(server.name, CLIENTS) - 1
    with ThreadPoolExecutor(waiting) as pool:
        posts = [pool.submit(wire.call, "POST", path, SCORE | {"userId": f"u{number}"}) for number in range(1, waiting + 1)]
        until(lambda: Score.objects.count() == waiting)
        assert wire.call("GET", "sync/status").status == 200
        assert not any(post.done() for post in posts), "they wait still: nobody delivers"
        with Worker():
            assert [post.result().status for post in posts] == [204] * waiting


def test_who_hangs_up_loses_nothing(wire, moodle):
    body = json.dumps(SCORE).encode()
    with wire.begin("POST", f"lineitems/{encoded(moodle.column)}/{WAIT}", body) as connection:
        connection.sendall(body)
        until(Score.objects.exists)
    assert wire.call("GET", "sync/status").status == 200
    with Worker():
        until(lambda: Score.objects.get().state == "delivered")
    assert moodle.campus.shown("u1") == 8
