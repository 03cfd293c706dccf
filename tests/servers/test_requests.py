"""The documented answers, through each server: a launch, columns and scores, and requests that are odd, too long or broken off."""

from __future__ import annotations

import contextlib
import json
import socket
from urllib.parse import parse_qs, urlsplit

import pytest

from django_lti_ags.api.bodies import MOST_BYTES
from django_lti_ags.models import Score
from example_project.demo.surfer import Surfer
from tests.api.conftest import encoded
from tests.servers.processes import WITHOUT_CHUNKS
from tests.servers.test_addresses import SCORE

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def item(moodle) -> str:
    """The column's address."""
    assert moodle.column.endswith("?type_id=3")
    return f"lineitems/{encoded(moodle.column)}"


def test_a_launch_is_handed_over(server, wire, moodle):
    campus, site = moodle.campus, f"http://127.0.0.1:{server.port}/"
    campus.tool.login_url, campus.tool.target_link_uri = f"{site}lti/login/", f"{site}lti/launch/"
    campus.tool.redirect_uris = [f"{site}lti/launch/"]
    campus.registration.tool_url = f"{site}tool/"
    campus.registration.save()
    surfer = Surfer()
    page = surfer.get(campus.platform.launches.initiation_url(campus.course.users["u2"], campus.course, campus.link))
    (ltik,) = parse_qs(urlsplit(surfer.submit(page, page.forms[0]).text).query)["ltik"]
    wire.header = f"LTIK-AUTH-V2 {moodle.text}:{ltik}"
    told = wire.call("GET", "idtoken").data
    assert (told["user"]["id"], told["services"]["assignmentAndGrades"]["lineItemId"]) == ("u2", moodle.column)
    wire.header = f"SERVICE-AUTH-V1 {moodle.text}:{told['services']['serviceKey']}"
    assert wire.call("GET", f"lineitems/{encoded(moodle.column)}").data["id"] == moodle.column


def test_columns_and_scores(wire, moodle, worker):
    wire.header, named = f"Bearer {moodle.text}", f"registration={moodle.campus.registration.uid}"
    made = wire.call("POST", f"lineitems?{named}", {"label": "Essay – 1", "scoreMaximum": 20, "tag": "essay"})
    assert (made.status, made.data["label"]) == (201, "Essay – 1")
    item = f"lineitems/{encoded(made.data['id'])}"
    listed = wire.call("GET", f"lineitems?{named}&tag=essay").data["lineItems"]
    assert [one["id"] for one in listed] == [made.data["id"]]
    assert wire.call("PUT", f"{item}?{named}", made.data | {"label": "Long essay"}).data["label"] == "Long essay"
    assert wire.call("GET", f"{item}?{named}").data["label"] == "Long essay"
    head = wire.call("HEAD", f"{item}?{named}")
    assert (head.status, head.content) == (200, b"")
    assert wire.call("POST", f"{item}/scores?{named}&wait=30", SCORE | {"comment": "Schön!"}).status == 204
    (shown,) = wire.call("GET", f"{item}/scores?{named}").data["scores"]
    assert (shown["userId"], shown["resultScore"], shown["comment"]) == ("u1", 16, "Schön!")
    assert wire.call("POST", f"{item}/scores?{named}&wait=30", SCORE | {"userId": "stranger"}).is_error(422)
    deleted = wire.call("DELETE", f"{item}?{named}")
    assert (deleted.status, deleted.content) == (204, b"")
    assert wire.call("GET", f"{item}?{named}").is_error(404, "UNKNOWN_LINE_ITEM")


def test_a_method_that_is_not_possible_says_which_are(wire, item):
    for method, path, allowed in (
        ("POST", item, "GET, HEAD, PUT, DELETE"),
        ("PATCH", item, "GET, HEAD, PUT, DELETE"),
        ("PUT", f"{item}/scores", "GET, HEAD, POST"),
        ("OPTIONS", f"{item}/scores", "GET, HEAD, POST"),
    ):
        answer = wire.call(method, path, {})
        assert answer.is_error(405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == allowed
    wire.header = "Bearer nothing"
    assert wire.call("GET", item).is_error(401)
    assert wire.call("HEAD", item).status == 401


def test_a_body_that_is_too_long(wire, item):
    for length in (MOST_BYTES + 1, 3 * MOST_BYTES):
        assert wire.call("POST", f"{item}/scores", b'"' + b"x" * (length - 2) + b'"').is_error(413, "BODY_TOO_LARGE")
    fits = json.dumps(SCORE).encode()
    assert wire.call("POST", f"{item}/scores", fits + b" " * (MOST_BYTES - len(fits))).status == 204


def test_a_body_in_chunks(server, wire, item):
    answer = wire.call("POST", f"{item}/scores", SCORE, chunked=True)
    if server.name in WITHOUT_CHUNKS:
        assert answer.is_error(411, "LENGTH_REQUIRED")
        assert not Score.objects.exists()
        return
    assert answer.status == 204
    assert Score.objects.get().score_given == 8
    assert wire.call("POST", f"{item}/scores", b"", chunked=True).is_error(400, "INVALID_SCORE")
    assert wire.call("POST", f"{item}/scores", b"x" * (MOST_BYTES + 1), chunked=True).is_error(413, "BODY_TOO_LARGE")


def test_a_client_that_asks_whether_to_go_on(wire, item):
    """As curl does: a server that never says so gets the body after a second."""
    body = json.dumps(SCORE).encode()
    with wire.begin("POST", f"{item}/scores", body, Expect="100-continue") as connection:
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError):
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.settimeout(60)
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 204")
    assert Score.objects.get().score_given == 8


def test_a_body_that_breaks_off(wire, item):
    body = json.dumps(SCORE).encode()
    with wire.begin("POST", f"{item}/scores", body) as connection:
        connection.sendall(body[:20])
        connection.shutdown(socket.SHUT_WR)
        came = b""
        with contextlib.suppress(ConnectionResetError):
            came = connection.recv(10_000)
    assert came == b"" or came.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400")), "no 5xx, and mostly nobody is there to hear it"
    assert not Score.objects.exists()
    assert wire.call("GET", item).status == 200
