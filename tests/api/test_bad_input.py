"""Whatever is wrong: a 4xx in the envelope that names field and rule, and nothing changes."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from django_lti_ags.api.bodies import MOST_BYTES
from django_lti_ags.models import LineItem, Score
from tests.api.conftest import encoded

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.urls")]

CANVAS = "https://canvas.instructure.com/lti/submission"
SCORES = [
    ({"userId": ...}, "userId", "is needed"),
    ({"userId": None}, "userId", "is needed"),
    ({"userId": 7}, "userId", "must be a string"),
    ({"userId": " "}, "userId", "must not be blank"),
    ({"userId": "x" * 256}, "userId", "at most 255"),
    ({"userId": "a\x00"}, "userId", "NUL"),
    ({"userId": "\ud800"}, "userId", "surrogate"),
    ({"activityProgress": ...}, "activityProgress", "is needed"),
    ({"activityProgress": "Done"}, "activityProgress", "must be one of Initialized"),
    ({"gradingProgress": ["FullyGraded"]}, "gradingProgress", "must be one of"),
    ({"scoreGiven": -1}, "scoreGiven", "must not be negative"),
    ({"scoreGiven": "8"}, "scoreGiven", "must be a number"),
    ({"scoreGiven": True}, "scoreGiven", "must be a number"),
    ({"scoreMaximum": 0}, "scoreMaximum", "must be above zero"),
    ({"comment": "x" * 70_000}, "comment", "at most"),
    ({"comment": 7}, "comment", "must be a string"),
    ({"submission": "yesterday"}, "submission", "startedAt"),
    ({"submission": {"submittedAt": "2026-03-01T12:00"}}, "submission.submittedAt", "a zone"),
    ({"submission": {"startedAt": "2026-03-02T12:00Z", "submittedAt": "2026-03-01T12:00Z"}}, "submittedAt", "before startedAt"),
    ({"score": 8}, "score", "is not a field"),
    ({"\ud800": 8}, "\ud800", "is not a field"),
    ({CANVAS: "x"}, CANVAS, "must be an object"),
    ({CANVAS: {"new": True}}, CANVAS, "must be an object"),
    ({CANVAS: {"submission_type": "paper"}}, CANVAS + ".submission_type", "must be one of none"),
    ({CANVAS: {"submitted_at": "today"}}, CANVAS + ".submitted_at", "a zone"),
    ({CANVAS: {"content_items": "x"}}, CANVAS + ".content_items", "must be a list"),
    ({CANVAS: {"content_items": [{"url": "https://x.example/a"}]}}, CANVAS + ".content_items", '"type": "file"'),
    ({CANVAS: {"content_items": [{"type": "file", "url": "x"}]}}, CANVAS + ".content_items.url", "http(s) URL"),
    ({"https://x.example/deep": json.loads("[" * 25 + "]" * 25)}, "extensions", "nested"),
]


def test_a_score_that_is_none(tool):
    for changed, field, rule in SCORES:
        answer = tool.post_score(**changed)
        check(answer, 400)
        assert [error["field"] for error in answer.data["details"]["errors"]] == [field], changed
        assert rule in answer.data["details"]["errors"][0]["rule"]
        assert b"Decimal" not in answer.content, "no words of Python's"
    assert not Score.objects.exists()


LINE_ITEMS = [
    ({"label": ""}, "label", "must not be blank"),
    ({"label": None}, "label", "is needed"),
    ({"label": 7}, "label", "must be a string"),
    ({"scoreMaximum": 0}, "scoreMaximum", "above zero"),
    ({"scoreMaximum": "20"}, "scoreMaximum", "must be a number"),
    ({"tag": ["a"]}, "tag", "must be a string"),
    ({"startDateTime": "2026-03-01"}, "startDateTime", "a zone"),
    ({"gradesReleased": "yes"}, "gradesReleased", "true or false"),
    ({"submissionReview": "yes"}, "submissionReview", "must be an object"),
    ({"id": "https://x.example/1"}, "id", "must be left out"),
    ({"points": 3}, "points", "is not a field"),
    (
        {"https://canvas.instructure.com/lti/submission_type": {"type": "paper"}},
        "https://canvas.instructure.com/lti/submission_type",
        "one of",
    ),
]


def test_a_line_item_that_is_none(tool):
    for changed, field, rule in LINE_ITEMS:
        answer = tool.call("POST", "lineitems", {"label": "Essay", "scoreMaximum": 20} | changed)
        check(answer, 400)
        (error,) = answer.data["details"]["errors"]
        assert error["field"] == field, changed
        assert rule in error["rule"]
    assert LineItem.objects.count() == 1
    assert tool.campus.platform.ledger.of("line_item") == []


def test_what_never_changes_is_not_changed(tool):
    for changed, field in (({"id": tool.column + "0"}, "id"), ({"resourceLinkId": "another"}, "resourceLinkId")):
        answer = tool.item("PUT", body={"label": "Essay", "scoreMaximum": 20} | changed)
        check(answer, 400)
        assert answer.data["details"]["errors"] == [{"field": field, "rule": "must not change (AGS 2.0, 3.2.6)"}]


QUERIES = [
    ("lineitems", "limit=0", "limit"),
    ("lineitems", "limit=-1", "limit"),
    ("lineitems", "limit=ten", "limit"),
    ("lineitems", "limit=", "limit"),
    ("lineitems", "limit=1.5", "limit"),
    ("lineitems", "limit=%C2%B2", "limit"),
    ("lineitems", "limit=000", "limit"),
    ("lineitems", "limit=1&limit=2", "limit"),
    ("lineitems", "tag=%00", "tag"),
    ("lineitems", "url=", "url"),
    ("lineitems", "url=x", "url"),
    ("lineitems", "url=https://evil.example/", "url"),
    ("scores", "limit=0", "limit"),
    ("scores", "url=https://evil.example/", "url"),
    ("scores", "userId=%00", "userId"),
    ("idtoken", "raw=yes", "raw"),
    ("sync/scores", "state=lost", "state"),
    ("sync/scores", "cursor=x", "cursor"),
    ("sync/scores", "cursor=5d2e07f0-21a3-4f3c-a9a5-0a1a4e0ad3b5", "cursor"),
    ("sync/scores", "limit=0", "limit"),
    ("sync/lineitems", "cursor=x", "cursor"),
    ("sync/lineitems", "lineItem=%00", "lineItem"),
    ("sync/registrations", "cursor=5d2e07f0-21a3-4f3c-a9a5-0a1a4e0ad3b5", "cursor"),
    ("sync/registrations", "limit=x", "limit"),
]


def test_a_parameter_that_is_none(tool):
    for route, query, field in QUERIES:
        path = f"lineitems/{encoded(tool.column)}/scores" if route == "scores" else route
        answer = tool.call("GET", f"{path}?{query}")
        check(answer, 400)
        assert answer.data["details"]["errors"][0]["field"] == field, query
    assert tool.campus.platform.ledger.of("line_item") + tool.campus.platform.ledger.of("results") == []


def test_waiting_has_its_bounds(tool):
    for wait in ("", "soon", "-1", "31", "nan", "inf"):
        answer = tool.post_score(query={"wait": wait})
        check(answer, 400)
        assert answer.data["details"]["errors"][0]["field"] == "wait"
    assert not Score.objects.exists()


ADDRESSES = [
    ("lineitems/x", "", 400),
    ("lineitems/%FF", "", 400),
    ("lineitems/https%3A%2F%2Fx.example%2F%25zz", "", 400),
    ("lineitems/https%3A%2F%2Fx.example%2Fa%0Ab", "", 400),
    ("lineitems/https%3A%2F%2Fx.example%2Fa%20b", "", 400),
    ("lineitems/https%3A%2F%2Fuser%40x.example%2F", "", 400),
    ("lineitems/ftp%3A%2F%2Fx.example%2F", "", 400),
    ("lineitems/https%3A%2F%2Fx.example%2F" + "x" * 9000, "", 400),
    ("lineitems/https%3A%2F%2Fx.example%2F1", "https%3A%2F%2Fx.example%2F%zz", 400),
    ("lineitems/https%3A%2F%2Fx.example%2F1", "https%3A%2F%2Fx.example%2F%FF", 400),
    ("lineitems/https%3A%2F%2Fx.example%2F1", "", 404),
    ("lineitems/{container}", "", 404),
    ("lineitems/{container}%2F..%2F..%2Fother", "", 404),
    ("lineitems/{container}%2F%2F1", "", 404),
    ("lineitems/{container}%2F1%252F..", "", 404),
    ("lineitems/{column}%23x", "", 404),
    ("nothing", "", 404),
    ("", "", 404),
]


def test_an_address_that_is_none(tool):
    for wanted, raw, status in ADDRESSES:
        path = wanted.replace("{container}", encoded(tool.container)).replace("{column}", encoded(tool.column))
        check(tool.call("GET", path, **({"RAW_URI": f"/lti/api/lineitems/{raw}"} if raw else {})), status)
    assert tool.campus.platform.ledger.of("line_item") == []


REQUESTS = [
    ("POST", "idtoken", {}, {}, 405),
    ("PATCH", "idtoken", {}, {}, 405),
    ("OPTIONS", "lineitems", None, {}, 405),
    ("PUT", "lineitems", {}, {}, 405),
    ("POST", "{item}", {}, {}, 405),
    ("PUT", "{item}/scores", {}, {}, 405),
    ("DELETE", "{item}/scores", None, {}, 405),
    ("GET", "idtoken", None, {"HTTP_ACCEPT": "text/html"}, 406),
    ("POST", "{item}/scores", b"a=b", {"content_type": "application/x-www-form-urlencoded"}, 415),
    ("POST", "{item}/scores", b"{}", {"content_type": "text/plain"}, 415),
    ("POST", "{item}/scores", b'{"comment":"' + b"x" * MOST_BYTES + b'"}', {}, 413),
    ("POST", "{item}/scores", b"", {}, 400),
    ("POST", "{item}/scores", b"{", {}, 400),
    ("POST", "{item}/scores", b"[]", {}, 400),
    ("POST", "{item}/scores", b"\xff", {}, 400),
    ("POST", "{item}/scores", b'{"scoreGiven": NaN}', {}, 400),
    ("POST", "{item}/scores", b"[" * 100_000, {}, 400),
    ("POST", "lineitems", b'{"scoreMaximum": ' + b"9" * 5000 + b"}", {}, 400),
    ("GET", "sync/scores?" + "limit=1&" * 1001, None, {}, 400),
]


def test_a_request_that_is_none(tool):
    for method, path, body, extra, status in REQUESTS:
        check(tool.call(method, path.replace("{item}", f"lineitems/{encoded(tool.column)}"), body, **extra), status)
    assert not Score.objects.exists()


def check(answer, status):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    assert answer.data["status"] == status
    assert answer.data["error"] == HTTPStatus(status).phrase
    assert answer.data["details"]["message"].isupper()
    assert answer.data["details"]["description"].endswith(".")


def test_parameters_that_mean_nothing_here_are_passed_over(tool):
    """``format`` means another renderer to Django REST framework, or whatever a project's ``REST_FRAMEWORK`` calls it."""
    for query in ({"format": "api"}, {"page": "2"}):
        assert tool.call("GET", "lineitems", query=query).status_code == 200
        assert tool.post_score(query=query).status_code == 204
