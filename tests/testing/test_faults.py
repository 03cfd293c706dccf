"""Every fault, seen from the wire."""

import http.client
import random
import socket
import threading
import time
from contextlib import closing

import pytest
import requests

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms import Effect, SimulatedPlatform
from django_lti_ags.testing.platforms.faults import Faults

UNANSWERED = [("down", False), ("drop_before", False), ("drop_after", True)]


def post(plain, token, second=0):
    body = {
        "userId": "u1",
        "scoreGiven": 8,
        "scoreMaximum": 10,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": f"2026-01-01T00:00:{second:02}.0Z",
    }
    return plain.call("POST", plain.item + "/scores", body, token=token, media=vocabulary.MEDIA_SCORE)


def get_jwks(platform):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(platform.base_url + "/jwks", timeout=10)


@pytest.mark.parametrize(("effect", "applied"), UNANSWERED)
def test_without_an_answer(plain, effect, applied):
    token = plain.token()
    plain.platform.faults.add(effect, kind="score", count=1)
    with pytest.raises(requests.ConnectionError):
        post(plain, token)
    assert ("u1" in plain.link.line_item.scores) is applied
    [entry] = plain.platform.ledger.of("score", fault=effect)
    assert (entry.status, entry.applied) == (None, applied)


@pytest.mark.parametrize("effect", ["drop_before", "drop_after"])
def test_not_a_byte_comes_back(platform, effect):
    platform.faults.add(effect)
    with closing(socket.create_connection(("127.0.0.1", platform._server.port), timeout=10)) as connection:
        connection.sendall(b"GET /jwks HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100) == b""


def test_a_refusal_whose_answer_is_lost_was_not_applied(plain):
    token = plain.token()
    assert post(plain, token).status_code == 200
    plain.platform.faults.add(Effect.DROP_AFTER, kind="score")
    with pytest.raises(requests.ConnectionError):
        post(plain, token)
    assert [entry.applied for entry in plain.platform.ledger.of("score")] == [True, False]


def test_a_status_instead_of_doing_anything(plain):
    token = plain.token()
    headers = [("Retry-After", "7"), ("X-Two", "a"), ("X-Two", "b")]
    fault = plain.platform.faults.add(
        "status", kind="score", count=1, status=503, body="<h1>busy</h1>", content_type="text/html", headers=headers
    )
    assert fault.name == "status:503"
    answer = post(plain, token)
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (503, "<h1>busy</h1>", "text/html")
    assert (answer.headers["Retry-After"], answer.headers["X-Two"]) == ("7", "a, b")
    assert plain.link.line_item.scores == {}
    assert plain.platform.ledger.of("score", fault="status:503", applied=False, status=503)


def test_a_status_is_500_and_json_by_default(platform):
    platform.faults.add("status")
    answer = get_jwks(platform)
    assert (answer.status_code, answer.json()) == (500, {"error": "a fault"})


def test_a_status_below_300_applies_nothing(plain):
    token = plain.token()
    plain.platform.faults.add("status", kind="score", status=204, body="")
    answer = post(plain, token)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Length" not in answer.headers
    assert plain.platform.ledger.scores() == []


def test_slow(plain):
    token = plain.token()
    plain.platform.faults.add("slow", kind="score", count=1, seconds=0.3)
    started = time.monotonic()
    assert post(plain, token).status_code == 200
    assert time.monotonic() - started >= 0.3
    assert plain.platform.ledger.of("score", fault="slow", applied=True)


def test_slower_than_the_tool_waits(plain):
    """The tool gave up; the platform serves on."""
    token = plain.token()
    plain.platform.faults.add("slow", count=1, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        plain.session.get(plain.container, headers={"Authorization": f"Bearer {token}", "Accept": None}, timeout=0.2)
    assert post(plain, token).status_code == 200


def test_drip_comes_byte_by_byte_and_whole(platform):
    whole = get_jwks(platform)
    platform.faults.add("drip", seconds=0.0002)
    dripped = get_jwks(platform)
    assert (dripped.status_code, dripped.json()) == (200, whole.json())
    assert dripped.headers["Content-Length"] == whole.headers["Content-Length"]


def test_drip_takes_its_time_over_each_byte(platform):
    platform.faults.add("drip", seconds=0.02)
    with closing(socket.create_connection(("127.0.0.1", platform._server.port), timeout=10)) as connection:
        connection.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        started = time.monotonic()
        received = b"".join(connection.recv(1) for _ in range(8))
        assert received == b"HTTP/1.1"
        assert time.monotonic() - started >= 0.1


def test_who_hangs_up_on_a_drip_disturbs_nobody(platform, capfd):
    platform.faults.add("drip", count=1, seconds=0.001)
    with closing(socket.create_connection(("127.0.0.1", platform._server.port), timeout=10)) as connection:
        connection.sendall(b"GET /jwks HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1)
    assert get_jwks(platform).status_code == 200
    assert capfd.readouterr().err == ""


def test_a_fault_ends_after_its_count(platform):
    platform.faults.add("status", count=2)
    assert [get_jwks(platform).status_code for _ in range(4)] == [500, 500, 200, 200]


@pytest.mark.parametrize("effect", ["status", "down", "reset"])
def test_a_count_of_none_at_all(platform, effect):
    platform.faults.add(effect, count=0)
    assert get_jwks(platform).status_code == 200


def test_a_fault_without_a_count_ends_when_it_is_cleared(platform):
    platform.faults.add("status")
    platform.faults.add("status", status=503)
    assert [get_jwks(platform).status_code for _ in range(3)] == [500] * 3
    platform.faults.clear()
    assert get_jwks(platform).status_code == 200


def test_a_fault_befalls_its_kind_only(plain):
    plain.platform.faults.add("status", kind="token", status=502)
    assert get_jwks(plain.platform).status_code == 200
    assert plain.ask().status_code == 502
    assert [entry.fault for entry in plain.platform.ledger.entries] == ["", "status:502"]


def test_the_first_fault_that_fits_is_taken_then_the_next(platform):
    platform.faults.add("status", kind="score", status=501)
    platform.faults.add("status", count=1, status=502)
    platform.faults.add("status", count=1, status=503)
    assert [get_jwks(platform).status_code for _ in range(3)] == [502, 503, 200]


def test_probability():
    never, always, sometimes = Faults(), Faults(), Faults(random.Random(7))
    never.add("slow", probability=0)
    always.add("slow", probability=1)
    sometimes.add("slow", probability=0.3, count=50)
    assert not any(never.take("score") for _ in range(100))
    assert all(always.take("score") for _ in range(100))
    struck = [sometimes.take("score") is not None for _ in range(1000)]
    assert sum(struck) == 50  # the count is of those that were struck
    assert 100 < len(struck) - struck[::-1].index(True) < 250


def test_an_unknown_effect_is_refused(platform):
    with pytest.raises(ValueError, match="explode"):
        platform.faults.add("explode")
    with pytest.raises(TypeError):
        platform.faults.add("down", often=True)


@pytest.mark.parametrize(("effect", "seconds"), [("slow", 60), ("drip", 60), (None, 0)])
def test_stopping_waits_for_nobody_and_leaves_no_thread(effect, seconds):
    before = set(threading.enumerate())
    platform = SimulatedPlatform().start()
    port = platform._server.port
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as idle:
        idle.request("GET", "/jwks")
        assert idle.getresponse().read()  # and the connection is kept alive
        with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as pending:
            if effect:
                platform.faults.add(effect, seconds=seconds)
            pending.sendall(b"GET /jwks HTTP/1.1\r\nHost: x\r\n\r\n")
            platform.ledger.wait_for(lambda ledger: len(ledger.entries) == 2)
            assert set(threading.enumerate()) > before
            started = time.monotonic()
            platform.stop()
            assert time.monotonic() - started < 10
            assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


def test_the_platform_stops_though_the_test_failed():
    def fail():
        with SimulatedPlatform() as platform:
            assert get_jwks(platform).status_code == 404

    before = set(threading.enumerate())
    with pytest.raises(AssertionError):
        fail()
    assert set(threading.enumerate()) <= before
