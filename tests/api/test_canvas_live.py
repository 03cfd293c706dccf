"""Live assessments, for tools in any language: recorded durably, and never counted twice unasked."""

from __future__ import annotations

import uuid

import pytest

from django_lti_ags import api_keys, canvas_credentials
from django_lti_ags.api import canvas_live_waiting
from django_lti_ags.models import LiveAssessment, LiveResult
from django_lti_ags.sync.engine import deliver_due
from django_lti_ags.sync.forgetting import Forgetting
from tests.api.conftest import PREFIX, Worker, tool_at
from tests.api.test_bad_input import check
from tests.sync.live import held

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.urls")]

LIVE = "canvas/live_assessments"
READING = {"key": "reading", "title": "Reading aloud", "outcome": 1}


@pytest.fixture
def tool(school):
    school.store_token()
    school.campus.registration.profile = "canvas"
    school.campus.registration.save()
    return tool_at(school.campus, **{PREFIX + "custom": {"canvas_course_id": "7"}})


def passed(user=1, second=0, **more):
    return {"user_id": user, "passed": True, "assessed_at": f"2026-03-01T12:00:{second:02}Z"} | more


def at(row, end=""):
    return f"{LIVE}/{row['uid']}{end}"


@pytest.mark.django_db(transaction=True)
def test_who_passed_reaches_canvas_and_what_became_of_it_is_told(tool, school):
    answer = tool.call("POST", LIVE, READING)
    row = answer.data
    assert (answer.status_code, row["state"], row["course_id"], row["outcome"], row["canvas_id"]) == (202, "pending", "7", "1", None)
    assert tool.call("POST", LIVE, READING).data["uid"] == row["uid"], "it is the same"
    answer = tool.call("POST", at(row, "/results"), {"results": [passed(1), passed("2", 1), passed(99, 2)]})
    assert (answer.status_code, answer.data) == (202, {"created": 3, "unchanged": 0})
    assert tool.call("GET", at(row)).data["results"] == {"pending": 3, "delivered": 0, "failed": 0, "cancelled": 0}
    deliver_due()
    told = tool.call("GET", at(row)).data
    assert (told["state"], told["code"], told["advice"] > "", told["canvas_id"]) == ("failed", "live_user_not_in_course", True, "1")
    assert held(school) == {(1, 0, True): 1, (2, 1, True): 1}
    (aside,) = tool.call("GET", at(row, "/results"), query={"state": "failed"}).data["results"]
    assert (aside["user_id"], aside["code"], aside["canvas_id"]) == ("99", "live_user_not_in_course", None)
    first = tool.call("GET", at(row, "/results"), query={"limit": 2}).data
    rest = tool.call("GET", at(row, "/results"), query={"limit": 2, "cursor": first["next"]}).data
    assert [one["user_id"] for one in first["results"] + rest["results"]] == ["99", "2", "1"]
    assert [one["state"] for one in tool.call("GET", at(row, "/results"), query={"user_id": "2"}).data["results"]] == ["delivered"]
    assert tool.call("POST", at(row, "/retry")).data["results"]["pending"] == 1
    school.book.add_student(99, "Late")
    deliver_due()
    assert tool.call("GET", LIVE).data["assessments"] == [tool.call("GET", at(row)).data]
    answer = tool.call("POST", at(row, "/retry"))
    assert (answer.status_code, answer.data["details"]["message"]) == (409, "CANNOT_RETRY")


@pytest.mark.django_db(transaction=True)
def test_waiting_tells_how_it_went(tool, school):
    answer = tool.call("POST", LIVE, READING, query={"wait": "0"})
    assert (answer.status_code, answer.data["state"]) == (202, "pending")
    row = answer.data
    answer = tool.call("POST", f"{at(row, '/results')}?wait=0", {"results": [passed(1)]})
    assert (answer.status_code, answer.data["results"]["pending"]) == (202, 1)
    with Worker():
        answer = tool.call("POST", f"{LIVE}?wait=20", READING)
        assert (answer.status_code, answer.data["canvas_id"]) == (200, "1")
        answer = tool.call("POST", f"{at(row, '/results')}?wait=20", {"results": [passed(2), passed(1, 5)]})
        assert (answer.status_code, answer.data["results"]["delivered"]) == (200, 2)
        more = {"HTTP_IDEMPOTENCY_KEY": "a-1"}
        answer = tool.call("POST", f"{at(row, '/results')}?wait=20", {"results": [passed(2, 7), passed(99, 7)]}, **more)
        told = answer.data["details"]
        assert (answer.status_code, told["message"], told["state"]) == (422, "LIVE_USER_NOT_IN_COURSE", "failed")
        assert (told["results"]["delivered"], told["results"]["failed"]) == (1, 1)
        answer = tool.call("POST", f"{at(row, '/results')}?wait=20", {"results": [passed(2, 9)]})
        assert answer.status_code == 200, "what was set aside before is another matter"
    assert LiveResult.objects.count() == 6
    assert tool.call("POST", f"{at(row, '/results')}?wait=0", {"results": [passed(2, 7), passed(99, 7)]}, **more).status_code == 422
    canvas_credentials.forget(school.registration)
    with Worker():
        answer = tool.call("POST", f"{at(row, '/results')}?wait=20", {"results": [passed(2, 11)]})
    assert (answer.status_code, answer.data["details"]["message"]) == (409, "CANVAS_CREDENTIAL_MISSING")
    assert LiveResult.objects.count() == 7
    for path in (LIVE, at(row, "/results")):
        answer = tool.call("POST", f"{path}?wait=31", READING if path == LIVE else {"results": [passed(2, 13)]})
        check(answer, 400)
        assert answer.data["details"]["errors"][0]["field"] == "wait"


def test_what_waits_is_taken_back(tool):
    row = tool.call("POST", LIVE, READING).data
    tool.call("POST", at(row, "/results"), {"results": [passed(1), passed(2)]})
    assert row["can_cancel"] is True
    for body in ({}, {"reason": " "}, {"reason": 7}, {"reason": "x", "why": "y"}):
        check(tool.call("POST", at(row, "/cancel"), body), 400)
    told = tool.call("POST", at(row, "/cancel"), {"reason": "The wrong class."}).data
    assert (told["state"], told["detail"], told["can_cancel"]) == ("cancelled", "The wrong class.", False)
    assert (told["results"]["cancelled"], told["results"]["pending"]) == (2, 0)
    answer = tool.call("POST", at(row, "/cancel"), {"reason": "again"})
    assert (answer.status_code, answer.data["details"]["message"]) == (409, "CANNOT_CANCEL")
    check(tool.call("POST", f"{LIVE}/{uuid.uuid4()}/cancel", {"reason": "x"}), 404)


def test_a_repeat_under_the_same_name_is_not_counted_again(tool):
    row = tool.call("POST", LIVE, READING).data

    def post(*results, name="a-1"):
        return tool.call("POST", at(row, "/results"), {"results": results}, HTTP_IDEMPOTENCY_KEY=name)

    assert post(passed(1), passed(1)).data == {"created": 2, "unchanged": 0}
    assert post(passed("1"), passed(1, assessed_at="2026-03-01T13:00:00.5+01:00")).data == {"created": 2, "unchanged": 0}, "said otherwise"
    for results in ([passed(2), passed(1)], [passed(1), passed(1, passed=False)], [passed(1)] * 3, [passed(1)]):
        answer = post(*results)
        assert (answer.status_code, answer.data["details"]["message"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert post(passed(1), name="a-2").data["created"] == 1
    assert tool.call("POST", at(row, "/results"), {"results": [passed(1)]}).data["created"] == 1, "without a name each is new"
    for name in ("x" * 256, "", " "):
        answer = post(passed(1), name=name)
        check(answer, 400)
        assert answer.data["details"]["errors"][0]["field"] == "Idempotency-Key"
    assert LiveResult.objects.count() == 4


def test_a_late_repeat_brings_no_forgotten_learner_back(tool, school):
    """Nor is Canvas told again what it has: its results are kept for a while, the key outlasts them."""
    row = tool.call("POST", LIVE, READING).data

    def post():
        return tool.call("POST", at(row, "/results"), {"results": [passed(1), passed(2)]}, HTTP_IDEMPOTENCY_KEY="a-1")

    first = post()
    Forgetting([school.registration], "1", dry_run=False).run()
    again = post()
    assert (again.status_code, again.data) == (first.status_code, first.data)
    LiveResult.objects.all().delete()
    assert post().data == first.data
    assert not LiveResult.objects.exists()


def test_another_api_keys_results_are_others(tool):
    row = tool.call("POST", LIVE, READING).data
    key, text = api_keys.issue("Another tool", [tool.campus.registration])
    for header in (tool.header, f"LTIK-AUTH-V2 {text}:{tool.ltik}"):
        body = {"results": [passed(1)]}
        answer = tool.call("POST", at(row, "/results"), body, header=header, HTTP_IDEMPOTENCY_KEY="1")
        assert answer.data == {"created": 1, "unchanged": 0}, key
    assert LiveResult.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_assessment_that_is_deleted_while_somebody_waits(tool, monkeypatch):
    row = tool.call("POST", LIVE, READING).data
    monkeypatch.setattr(canvas_live_waiting, "wait_until", lambda settled, seconds: LiveAssessment.objects.all().delete() and settled())
    check(tool.call("POST", f"{at(row, '/results')}?wait=5", {"results": [passed(1)]}), 404)
    check(tool.call("POST", f"{LIVE}?wait=5", READING), 404)


def test_what_is_wrong_with_them(tool, school):
    row = tool.call("POST", LIVE, READING).data
    for body, field in (
        ({"key": None}, "key"),
        ({"title": " "}, "title"),
        ({"key": "x" * 256}, "key"),
        ({"outcome": "reading"}, "outcome"),
        ({"course_id": 8}, "course_id"),
    ):
        answer = tool.call("POST", LIVE, READING | {"key": "another"} | body)
        check(answer, 400)
        assert answer.data["details"]["errors"][0]["field"] == field, body
    for results, field, rule in (
        ([], "results", "1 to 10000"),
        ("x", "results", "1 to 10000"),
        ([passed(), "x"], "results[1]", "an object"),
        ([passed(score=1)], "results[0]", "no other"),
        ([passed(assessed_at="2026-03-01T12:00:00")], "results[0].assessed_at", "a zone"),
        ([passed(assessed_at=None)], "results[0]", "assessed_at"),
        ([passed(passed="yes")], "results[0]", "True or False"),
        ([passed(), passed("u1")], "results[1]", "Canvas.user.id"),
    ):
        answer = tool.call("POST", at(row, "/results"), {"results": results})
        check(answer, 400)
        error = answer.data["details"]["errors"][0]
        assert (error["field"], rule in error["rule"]) == (field, True), error
    for query in ("state=superseded", "cursor=x", "limit=0"):
        check(tool.call("GET", f"{at(row, '/results')}?{query}"), 400)
    for method, end in (("GET", ""), ("POST", "/retry"), ("GET", "/results")):
        check(tool.call(method, f"{LIVE}/{uuid.uuid4()}{end}"), 404)
    canvas_credentials.forget(school.registration)
    answer = tool.call("POST", LIVE, READING | {"key": "another"})
    assert (answer.status_code, answer.data["details"]["message"]) == (409, "NO_CANVAS_CREDENTIAL")
    assert (LiveAssessment.objects.count(), LiveResult.objects.count()) == (1, 0)
    assert tool.call("POST", at(row, "/results"), {"results": [passed()]}).status_code == 202, "what is declared goes on recording"
