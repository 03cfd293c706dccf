"""Canvas beyond AGS, for tools in any language: outcomes read through."""

from __future__ import annotations

import pytest

from django_lti_ags import canvas_credentials, launches
from django_lti_ags.models import Context
from tests.api.conftest import PREFIX, claims, tool_at
from tests.api.test_bad_input import check

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.urls")]

RESULTS, ROLLUPS = "canvas/outcome_results", "canvas/outcome_rollups"


@pytest.fixture
def tool(school):
    school.store_token()
    return tool_at(school.campus, **{PREFIX + "custom": {"canvas_course_id": "7"}})


def message(answer):
    return answer.status_code, answer.data["details"]["message"]


def test_outcomes_as_canvas_tells_them(tool, school):
    told = tool.call("GET", RESULTS, query={"include[]": "users"}).data
    assert [(row["user"], row["score"], row["submitted_or_assessed_at"][:16]) for row in told["outcome_results"]] == [
        ("1", 5, "2026-03-01T12:01"),
        ("2", 2, "2026-03-01T12:02"),
    ]
    assert [user["name"] for user in told["linked"]["users"]] == ["Ada Lovelace", "Kurt Gödel", "Emmy Noether"]
    first = tool.call("GET", f"{RESULTS}?per_page=1&include_hidden=true").data
    assert first["meta"]["pagination"] == {"page": 1, "per_page": 1, "count": None, "next_page": 2}
    second = tool.call("GET", f"{RESULTS}?per_page=1&page=2").data
    assert [row["user"] for row in first["outcome_results"] + second["outcome_results"]] == ["1", "2"]
    told = tool.call("GET", f"{ROLLUPS}?user_ids[]=1&user_ids[]=2&per_page=1&sort_by=student&sort_order=desc&include[]=outcomes").data
    assert (told["meta"]["pagination"]["count"], told["meta"]["pagination"]["next_page"]) == (2, 2)
    assert [(row["links"]["user"], row["scores"][0]["score"]) for row in told["rollups"]] == [("1", 5)]
    assert told["linked"]["outcomes"][0]["title"] == "Sums"
    told = tool.call("GET", ROLLUPS, query={"aggregate": "course", "aggregate_stat": "median", "per_page": 1}).data
    assert ([rollup["scores"][0]["score"] for rollup in told["rollups"]], told["meta"]["pagination"]["next_page"]) == ([3.5], None)
    assert school.token not in str(told)


def test_what_an_outcomes_rollups_stand_on(tool, school):
    path = "canvas/outcomes/1/contributing_scores"
    told = tool.call("GET", path).data
    assert (told["outcome_id"], told["title"]) == ("1", "Sums")
    assert told["scores"]
    assert {one["user_id"] for one in tool.call("GET", f"{path}?user_ids[]=2").data["scores"]} == {"2"}
    assert tool.call("GET", f"{path}?only_assignment_alignments=true&show_unpublished_assignments=true").status_code == 200
    for query, field in (
        ("page=1", "page"),
        ("only_assignment_alignments=yes", "only_assignment_alignments"),
        ("include[]=users", "include[]"),
    ):
        answer = tool.call("GET", f"{path}?{query}")
        check(answer, 400)
        assert answer.data["details"]["errors"][0]["field"] == field
    assert message(tool.call("GET", "canvas/outcomes/sums/contributing_scores")) == (400, "INVALID_CANVAS_ARGUMENT")
    assert message(tool.call("GET", "canvas/outcomes/99/contributing_scores"))[0] in (403, 404)
    canvas_credentials.forget(school.registration)
    assert message(tool.call("GET", path)) == (409, "NO_CANVAS_CREDENTIAL")


def test_every_refusal_says_what_to_change(tool, school):
    for path, query, field in (
        (RESULTS, "user_id=1", "user_id"),
        (RESULTS, "aggregate=course", "aggregate"),
        (RESULTS, "per_page=101", "per_page"),
        (RESULTS, "page=0", "page"),
        (RESULTS, "include[]=everything", "include"),
        (RESULTS, "include_hidden=yes", "include_hidden"),
        (RESULTS, "user_ids[]=", "user_ids"),
        (ROLLUPS, "sort_by=outcome", "sort_outcome_id"),
        (ROLLUPS, "outcome_ids=1&outcome_group_id=2", "outcome_group_id"),
        (ROLLUPS, "aggregate_stat=mean", "aggregate_stat"),
        (ROLLUPS, "section_id=%00", "section_id"),
        (ROLLUPS, "context=x", "context"),
    ):
        answer = tool.call("GET", f"{path}?{query}")
        check(answer, 400)
        assert answer.data["details"]["errors"][0]["field"] == field, query
    assert school.asked("outcome_results") + school.asked("outcome_rollups") == 0
    answer = tool.call("GET", f"{ROLLUPS}?user_ids[]=99")
    check(answer, 400)
    assert answer.data["details"]["platform"] == {"status": 400, "said": "can only include id's of users in the outcome context"}
    assert "“can only include id's of users in the outcome context”. Leave out who" in answer.data["details"]["description"]
    school.campus.platform.faults.add("status", kind="outcome_results", status=500, count=1)
    assert message(tool.call("GET", RESULTS)) == (502, "PLATFORM_FAILED")
    school.store_token("1~wrong")
    answer = tool.call("GET", RESULTS)
    assert message(answer) == (409, "CANVAS_TOKEN_REFUSED")
    assert "1~wrong" not in str(answer.data)
    school.store_key(scopes=["url:GET|/api/v1/courses/:course_id/outcome_results"])
    assert tool.call("GET", RESULTS).status_code == 200
    answer = tool.call("GET", ROLLUPS)
    assert message(answer) == (403, "CANVAS_SCOPE_MISSING")
    assert answer.data["details"]["scope"] == "url:GET|/api/v1/courses/:course_id/outcome_rollups"


def test_without_a_credential_or_a_course_it_says_how_to_get_one(tool, school):
    canvas_credentials.store_user_token(school.registration, base_url="https://other.example", access_token="1~token")
    assert message(tool.call("GET", RESULTS)) == (409, "UNKNOWN_CANVAS_COURSE")
    canvas_credentials.forget(school.registration)
    answer = tool.call("GET", ROLLUPS)
    assert message(answer) == (409, "NO_CANVAS_CREDENTIAL")
    assert "lti_ags_canvas_credential" in answer.data["details"]["description"]
    school.store_token()
    Context.objects.update(canvas_course_id="", line_items_url="")
    assert message(tool.call("GET", ROLLUPS)) == (409, "UNKNOWN_CANVAS_COURSE")


def test_only_the_callers_own_course(tool, school):
    _, ltik = launches.keep(claims(school.campus, **{PREFIX + "context": {"id": "course-2"}, PREFIX + "custom": {"canvas_course_id": "8"}}))
    assert message(tool.call("GET", RESULTS, header=f"LTIK-AUTH-V2 {tool.text}:{ltik}")) == (404, "CANVAS_NOT_FOUND")
    whole = {"header": f"Bearer {tool.text}", "query": {"registration": str(school.registration.uid)}}
    assert tool.call("GET", RESULTS, **whole).data["details"]["errors"][0]["field"] == "context"
    named = {**whole, "query": whole["query"] | {"context": str(tool.launch.context.uid)}}
    assert len(tool.call("GET", RESULTS, **named).data["outcome_results"]) == 2
