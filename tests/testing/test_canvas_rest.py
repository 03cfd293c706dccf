"""The simulated Canvas' REST API by itself, asked with nothing but `requests`: its words are Canvas'."""

from datetime import UTC, datetime

import pytest
import requests

from django_lti_ags.testing.platforms import CanvasRest, SimulatedPlatform

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COURSE = "/api/v1/courses/7"
RESULT = {"passed": True, "assessed_at": "2026-03-01T12:00:00Z", "links": {"user": "1"}}


@pytest.fixture
def canvas():
    with SimulatedPlatform(dialect="canvas") as platform, requests.Session() as session:
        session.trust_env = False
        rest = CanvasRest(platform)
        book = rest.add_course(7, "Algebra")
        book.add_student(1, "Ada")
        outcome = book.add_outcome("Sums")
        book.assess(1, outcome, "assignment_5", 2, NOON)
        token = rest.issue_token()

        def ask(method, path, *, bearer=f"Bearer {token}", **options):
            headers = {"Authorization": bearer} if bearer else {}
            return session.request(method, platform.base_url + path, headers=headers, timeout=10, **options)

        ask.rest, ask.book, ask.outcome = rest, book, outcome
        yield ask


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("aggregate=section", "invalid aggregate parameter value"),
        ("aggregate=course&aggregate_stat=mode", "invalid aggregate_stat parameter value"),
        ("sort_by=name", "invalid sort_by parameter value"),
        ("sort_by=outcome", "missing required sort_outcome_id parameter value"),
        ("sort_by=outcome&sort_outcome_id=x", "invalid sort_outcome_id parameter value"),
        ("sort_by=student&sort_order=up", "invalid sort_order parameter value"),
        ("include[]=grades", "invalid include: grades"),
        ("include[]=courses", "can't include courses unless aggregate is 'course'"),
        ("include[]=users&aggregate=course", "can't include users unless aggregate is not set"),
        ("outcome_ids[]=1&outcome_group_id=1", "can't filter by both outcome_ids and outcome_group_id"),
        ("user_ids[]=1&section_id=1", "cannot specify both user_ids and section_id"),
        ("user_ids[]=9", "can only include id's of users in the outcome context"),
        ("section_id=9", "invalid section id"),
        ("outcome_ids[]=9", "can only include id's of outcomes in the outcome context"),
        ("outcome_group_id=9", "can only include an outcome group id in the outcome context"),
    ],
)
def test_a_query_that_canvas_refuses(canvas, query, said):
    answer = canvas("GET", f"{COURSE}/outcome_rollups?{query}")
    assert (answer.status_code, answer.json()) == (400, {"status": "bad_request", "message": said})


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("", {}, 400, "missing required key :assessments"),
        ("", [], 400, "missing required key :assessments"),
        ("", {"assessments": ["k"]}, 400, "missing required key :assessments"),
        ("", {"assessments": [{"key": "k", "title": " "}]}, 400, "missing required key :title"),
        ("", {"assessments": [{"title": "t"}]}, 400, "missing required key :key"),
        ("", {"assessments": [{"title": "t", "key": "k", "links": {"outcome": "9"}}]}, 400, "outcome must be linked to the context"),
        ("/1/results", {"results": None}, 400, "missing required key :results"),
        ("/1/results", {"results": [{"passed": True, "links": []}]}, 400, "missing required key :user"),
        ("/1/results", {"results": [RESULT, RESULT | {"links": {"user": "9"}}]}, 400, "user must be in the context"),
        ("/1/results", {"results": [RESULT, RESULT | {"passed": "yes"}]}, 422, "passed"),
        ("/1/results", {"results": [RESULT, RESULT | {"assessed_at": None}]}, 422, "assessed_at"),
        ("/9/results", {"results": [RESULT]}, 404, "The specified resource does not exist."),
        ("/x/results", {"results": [RESULT]}, 404, "The specified resource does not exist."),
    ],
)
def test_a_body_that_canvas_refuses_changes_nothing(canvas, path, body, status, said):
    made = canvas("POST", f"{COURSE}/live_assessments", json={"assessments": [{"key": "k1", "title": "t"}]})
    assert made.status_code == 200
    answer = canvas("POST", f"{COURSE}/live_assessments{path}", json=body)
    assert answer.status_code == status
    assert said in answer.text
    live = canvas.rest.live["7"]
    assert [(one.title, one.results) for one in live.assessments.values()] == [("t", [])]


def test_a_body_that_is_no_json(canvas):
    for options in ({"data": b"{"}, {"data": b'{"assessments": []}'}):
        answer = canvas("POST", f"{COURSE}/live_assessments", **options)
        assert answer.json()["message"] == "missing required key :assessments"


@pytest.mark.parametrize("body", ["x", [1], [{"position": 1}], {"outcome_id": 1}])
def test_an_order_that_is_none(canvas, body):
    assert canvas("POST", f"{COURSE}/assign_outcome_order", json=body).status_code == 400
    assert canvas.book.order == []


@pytest.mark.parametrize(
    ("bearer", "said"),
    [("", "user authorization required"), ("Basic x", "user authorization required"), ("Bearer x", "Invalid access token.")],
)
def test_who_has_no_token(canvas, bearer, said):
    answer = canvas("GET", f"{COURSE}/outcome_results", bearer=bearer)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (401, said)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="canvas-lms"'


def test_a_grant_of_another_kind(canvas):
    answer = canvas("POST", "/login/oauth2/token", data={"grant_type": "password"}, bearer="")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_an_outcome_that_is_not_there(canvas):
    assert canvas("GET", f"{COURSE}/outcomes/x/contributing_scores").status_code == 404


def test_pages_past_the_end_are_empty(canvas):
    answer = canvas("GET", f"{COURSE}/outcome_rollups?page=9&per_page=x")
    assert answer.json()["rollups"] == []
    pagination = answer.json()["meta"]["pagination"]
    assert (pagination["page"], pagination["per_page"], pagination["count"], pagination["page_count"]) == (9, 10, 1, 1)
    assert "next" not in answer.links
    assert pagination["template"].endswith("page={page}&per_page=10")


def test_the_links_of_an_assessments_results(canvas):
    told = canvas("GET", f"{COURSE}/live_assessments").json()
    assert told["links"]["assessments.results"].endswith("/api/v1/courses/7/live_assessments/{assessments.id}/results")


def test_what_is_assessed_again_replaces_itself(canvas):
    canvas.book.assess(1, canvas.outcome, "assignment_5", 4, NOON)
    [result] = canvas("GET", f"{COURSE}/outcome_results").json()["outcome_results"]
    assert (result["id"], result["score"], result["mastery"]) == (1, 4.0, True)


def test_a_single_result_decays_nothing_and_nobody_has_no_percents(canvas):
    canvas.outcome.calculation_method = "decaying_average"
    canvas.book.add_outcome("Proofs")
    told = canvas("GET", f"{COURSE}/outcome_rollups?include[]=outcomes&rating_percents=true").json()
    assert told["rollups"][0]["scores"][0]["score"] == 2.0
    assert [[one["percent"] for one in outcome["ratings"]] for outcome in told["linked"]["outcomes"]] == [[0, 100], [0, 0]]
