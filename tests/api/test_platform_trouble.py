"""When the platform says no, or nothing: an honest status, its words without secrets, and scores that are recorded all the same."""

from __future__ import annotations

import json
import logging

import pytest

from django_lti_ags import launches
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import Context, DeliveryAttempt, LineItem, Score
from django_lti_ags.sync import clients
from tests.api.conftest import tool_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.urls")]


@pytest.mark.parametrize(
    ("kind", "fault", "status", "message"),
    [
        ("line_item", {"status": 500}, 502, "PLATFORM_FAILED"),
        ("line_item", {"status": 503, "headers": [("Retry-After", "7")]}, 503, "PLATFORM_BUSY"),
        ("line_item", {"status": 429}, 503, "PLATFORM_BUSY"),
        ("line_item", {"status": 504}, 504, "PLATFORM_FAILED"),
        ("line_item", {"status": 403}, 403, "REFUSED_BY_PLATFORM"),
        ("line_item", {"status": 422}, 400, "REFUSED_BY_PLATFORM"),
        ("line_item", {"status": 404}, 404, "UNKNOWN_LINE_ITEM"),
        ("line_item", {"status": 200, "body": "<html>"}, 502, "PLATFORM_ANSWER_UNUSABLE"),
        ("line_item", {"status": 302}, 502, "PLATFORM_FAILED"),
        ("token", {"status": 400}, 502, "NO_PLATFORM_TOKEN"),
        ("token", {"status": 503}, 503, "PLATFORM_BUSY"),
    ],
)
def test_what_the_platform_says_is_passed_on(tool, kind, fault, status, message):
    tool.campus.platform.faults.add("status", kind=kind, **{"body": "the column is frozen"} | fault)
    answer = tool.item("GET")
    assert (answer.status_code, answer.data["details"]["message"]) == (status, message)
    told = answer.data["details"]["platform"]
    assert told["status"] == fault["status"]
    assert ("frozen" in told.get("said", "")) == (kind == "line_item" and fault["status"] != 200)
    assert answer.get("Retry-After") == ({"PLATFORM_BUSY": "30"}.get(message) if "headers" not in fault else "7")
    assert DeliveryAttempt.objects.filter(kind=kind).exists()


def test_a_result_without_an_id_is_told_with_the_address_that_it_is_read_at(tool):
    bare = [{"userId": "u1", "resultScore": 8, "resultMaximum": 10}]
    tool.campus.platform.faults.add("status", kind="results", status=200, body=json.dumps(bare))
    (told,) = tool.item("GET", scores=True, query={"limit": "99999999999999999999"}).data["scores"]
    assert told["id"] == f"{tool.column}/results?user_id=u1"


def test_a_platform_that_is_away_loses_no_score(tool, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"SEND_DEADLINE_SECONDS": 0.3}
    tool.campus.platform.faults.add("slow", kind="line_item", seconds=2)
    answer = tool.item("GET")
    assert (answer.status_code, answer.data["details"]["message"]) == (504, "PLATFORM_SILENT")
    tool.campus.platform.stop()
    answer = tool.item("GET")
    assert (answer.status_code, answer.data["details"]["message"]) == (502, "PLATFORM_UNREACHABLE")
    assert tool.post_score(scoreMaximum=...).status_code == 502, "nobody knows the maximum"
    assert not Score.objects.exists()
    assert tool.post_score().status_code == 204
    assert Score.objects.get().state == "pending"


def test_what_was_not_granted_is_named(campus):
    tool = tool_at(campus)
    tool.launch.context.scopes = [vocabulary.SCOPE_LINE_ITEM_READONLY]
    tool.launch.context.save()
    for answer in (tool.call("POST", "lineitems", {"label": "x", "scoreMaximum": 1}), tool.item("GET", scores=True), tool.post_score()):
        assert (answer.status_code, answer.data["details"]["message"]) == (403, "NOT_GRANTED_BY_PLATFORM")
        assert answer.data["details"]["scope"].startswith(vocabulary.SCOPE_PREFIX)


def test_a_launch_without_grades_is_told_so_and_takes_nothing_away(tool):
    campus = tool.campus
    claims = campus.claims()
    del claims[vocabulary.AGS_ENDPOINT_CLAIM]
    without, ltik = launches.keep(claims)
    header = f"LTIK-AUTH-V2 {tool.text}:{ltik}"
    assert tool.call("GET", "idtoken", header=header).data["services"]["assignmentAndGrades"] == {"available": False}
    assert without.context == tool.launch.context
    assert tool.call("GET", "lineitems", header=header).status_code == 200, "an earlier launch of the course granted it"
    Context.objects.update(line_items_url="", scopes=[])
    answer = tool.call("GET", "lineitems", header=header)
    assert (answer.status_code, answer.data["details"]["message"]) == (403, "NO_LINE_ITEMS")


def test_no_secret_of_ours_is_told_or_logged(tool, caplog):
    """A platform that says back what it was sent: the token is in no answer, no record and no log."""
    caplog.set_level(logging.DEBUG)
    tool.item("GET")
    credentials = clients.credentials_of(tool.campus.registration)
    token = clients.shared().token_store.get(credentials.token_key(frozenset(tool.launch.context.scopes))).access_token
    body = f'[{{"id": "{tool.column}", "label": "{token}", "scoreMaximum": 10, "https://x.example/y": "{token}"}}]'
    tool.campus.platform.faults.add("status", kind="line_item", status=200, body=body, count=1)
    tool.campus.platform.faults.add("status", kind="results", status=400, body=f"no {token}", count=1)
    tool.campus.platform.faults.add("status", kind="line_item", status=200, body=body[1:-1], count=2)
    answers = [tool.call("GET", "lineitems"), tool.item("GET"), tool.item("GET", scores=True), tool.post_score(scoreMaximum=...)]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 204]
    told = "".join(str(answer.data) for answer in answers) + caplog.text
    told += str(list(DeliveryAttempt.objects.values())) + str(list(LineItem.objects.values()))
    for secret in (token, tool.text, tool.ltik, tool.service_key):
        assert secret not in told
