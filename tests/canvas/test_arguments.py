"""What Canvas would refuse is refused before anything is sent, by the argument's name and the rule."""

from datetime import datetime

import pytest

from django_lti_ags.canvas import Client, DeveloperKeyToken, LiveAssessment, LiveAssessmentResult, UserToken
from django_lti_ags.exceptions import InvalidCanvasArgument, LtiAgsError
from tests.canvas.conftest import NOON


@pytest.fixture(scope="module")
def client():
    with Client("https://canvas.example", UserToken("1~abc")) as made:
        yield made


class Unreachable:
    """A source of tokens that must not be asked."""

    def obtain(self, base_url, transport, observe):
        raise AssertionError("asked for a token")

    def refused(self, access_token):
        raise AssertionError


WRONG = [
    ({"include": ["grades"]}, "include", "some of courses, alignments"),
    ({"include": "users"}, "include", "list"),
    ({"include": [7]}, "include", "some of"),
    ({"include": ["courses"]}, "include", "aggregate='course'"),
    ({"include": ["users"], "aggregate": "course"}, "include", "no users"),
    ({"exclude": ["nobody"]}, "exclude", "missing_user_rollups, missing_outcome_results, the empty text"),
    ({"aggregate": "section"}, "aggregate", "one of course"),
    ({"aggregate": True}, "aggregate", "one of course"),
    ({"aggregate_stat": "median"}, "aggregate_stat", "needs aggregate"),
    ({"aggregate": "course", "aggregate_stat": "mode"}, "aggregate_stat", "mean, median"),
    ({"sort_by": "name"}, "sort_by", "student, outcome"),
    ({"sort_by": "student", "aggregate": "course"}, "sort_by", "one rollup"),
    ({"sort_by": "outcome"}, "sort_outcome_id", "needed with sort_by"),
    ({"sort_outcome_id": 3}, "sort_outcome_id", "needs sort_by='outcome'"),
    ({"sort_by": "student", "sort_outcome_id": 3}, "sort_outcome_id", "needs sort_by='outcome'"),
    ({"sort_by": "outcome", "sort_outcome_id": "x"}, "sort_outcome_id", "Canvas id"),
    ({"sort_order": "asc"}, "sort_order", "needs sort_by"),
    ({"sort_by": "student", "sort_order": "up"}, "sort_order", "asc, desc"),
    ({"outcome_ids": [1], "outcome_group_id": 2}, "outcome_group_id", "outcome_ids"),
    ({"outcome_group_id": 0}, "outcome_group_id", "Canvas id"),
    ({"user_ids": [1], "section_id": 2}, "section_id", "user_ids"),
    ({"section_id": True}, "section_id", "Canvas id"),
    ({"user_ids": "12"}, "user_ids", "list"),
    ({"user_ids": 12}, "user_ids", "list"),
    ({"user_ids": []}, "user_ids", "empty"),
    ({"user_ids": [-1]}, "user_ids", "Canvas id"),
    ({"user_ids": ["sis_user_id: "]}, "user_ids", "after sis_user_id:"),
    ({"user_ids": ["sis_login_id:ada"]}, "user_ids", "Canvas id"),
    ({"user_ids": ["sis_user_id:\x00"]}, "user_ids", "NUL"),
    ({"user_ids": range(1, 2000)}, "url", "fewer users"),
    ({"outcome_ids": [1.0]}, "outcome_ids", "Canvas id"),
    ({"outcome_ids": ["١"]}, "outcome_ids", "Canvas id"),
    ({"include_hidden": "true"}, "include_hidden", "True or False"),
    ({"add_defaults": 1}, "add_defaults", "True or False"),
    ({"rating_percents": None}, "rating_percents", "True or False"),
    ({"contributing_scores": ["x"]}, "contributing_scores", "True or False"),
    ({"per_page": 0}, "per_page", "1 to 100"),
    ({"per_page": 101}, "per_page", "1 to 100"),
    ({"per_page": True}, "per_page", "1 to 100"),
    ({"course_id": "7/../8"}, "course_id", "Canvas id"),
    ({"course_id": ""}, "course_id", "Canvas id"),
    ({"course_id": "sis_course_id:"}, "course_id", "after sis_course_id:"),
    ({"course_id": None}, "course_id", "Canvas id"),
]


@pytest.mark.parametrize(("given", "field", "rule"), WRONG, ids=[f"{index}-{field}" for index, (_, field, _) in enumerate(WRONG)])
def test_rollups(given, field, rule):
    with Client("https://canvas.example", Unreachable()) as client, pytest.raises(InvalidCanvasArgument, match=rule) as caught:
        client.outcome_rollups(**{"course_id": 7, **given})
    assert caught.value.field == field
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, LtiAgsError)
    assert str(caught.value).startswith(f"{field}=")


@pytest.mark.parametrize(
    ("call", "given", "field"),
    [
        ("outcome_results", {"include": ["courses"]}, "include"),
        ("outcome_results", {"user_ids": [None]}, "user_ids"),
        ("contributing_scores", {"outcome_id": "x"}, "outcome_id"),
        ("contributing_scores", {"outcome_id": 1, "user_ids": ["sis_user_id:a"]}, "user_ids"),
        ("contributing_scores", {"outcome_id": 1, "only_assignment_alignments": "no"}, "only_assignment_alignments"),
        ("assign_outcome_order", {"outcome_ids": None}, "outcome_ids"),
        ("assign_outcome_order", {"outcome_ids": [1, "1"]}, "outcome_ids"),
        ("assign_outcome_order", {"outcome_ids": ["1~2"]}, "outcome_ids"),
        ("enqueue_outcome_rollup_calculation", {"course_id": "sis_course_id:7"}, "course_id"),
        ("enqueue_outcome_rollup_calculation", {"student_uuid": " "}, "student_uuid"),
        ("create_or_find_live_assessments", {"assessments": []}, "assessments"),
        ("create_or_find_live_assessments", {"assessments": [{"key": "k"}]}, "assessments"),
        ("create_or_find_live_assessments", {"assessments": "k"}, "assessments"),
        ("create_live_assessment_results", {"assessment_id": 1, "results": 7}, "results"),
        (
            "create_live_assessment_results",
            {"assessment_id": "1/..", "results": [LiveAssessmentResult(user=1, passed=True, assessed_at=NOON)]},
            "assessment_id",
        ),
        ("live_assessment_results", {"assessment_id": 1, "user_id": "ada"}, "user_id"),
        ("live_assessments", {"per_page": 1.0}, "per_page"),
    ],
)
def test_the_other_calls(call, given, field):
    with Client("https://canvas.example", Unreachable()) as client, pytest.raises(InvalidCanvasArgument) as caught:
        getattr(client, call)(**{"course_id": 7, **given})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"passed": 1}, "passed"),
        ({"passed": "true"}, "passed"),
        ({"passed": None}, "passed"),
        ({"assessed_at": datetime(2026, 1, 1)}, "assessed_at"),  # noqa: DTZ001
        ({"assessed_at": "2026-01-01T00:00:00Z"}, "assessed_at"),
        ({"assessed_at": None}, "assessed_at"),
        ({"user": "ada"}, "user"),
        ({"user": 0}, "user"),
    ],
)
def test_a_bad_live_result_cannot_be_made(change, field):
    with pytest.raises(InvalidCanvasArgument) as caught:
        LiveAssessmentResult(**({"user": 1, "passed": True, "assessed_at": NOON} | change))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("change", "field"), [({"key": " "}, "key"), ({"title": ""}, "title"), ({"title": "x" * 256}, "title"), ({"outcome": "x"}, "outcome")]
)
def test_a_bad_live_assessment_cannot_be_made(change, field):
    with pytest.raises(InvalidCanvasArgument) as caught:
        LiveAssessment(**({"key": "k", "title": "t"} | change))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "url",
    ["canvas.example", "https://canvas.example/api/v1", "https://canvas.example?a=1", "https://canvas.example/#x", "ftp://x", 7, None],
)
def test_an_address_that_is_none(url):
    with pytest.raises(InvalidCanvasArgument) as caught:
        Client(url, UserToken("1~abc"))
    assert caught.value.field == "base_url"


def test_the_address_may_end_with_a_slash():
    with Client("https://Canvas.example/", UserToken("1~abc")) as client:
        assert client._base_url == "https://canvas.example"


@pytest.mark.parametrize("secret", ["", "two words\n", None, "x" * 9000])
def test_a_token_that_no_header_can_carry_is_not_shown(secret):
    for make in (UserToken, lambda text: DeveloperKeyToken("1", text, "r"), lambda text: DeveloperKeyToken("1", "s", text)):
        with pytest.raises(InvalidCanvasArgument) as caught:
            make(secret)
        assert "two words" not in str(caught.value)
        assert "xxxx" not in str(caught.value)


def test_what_is_allowed_is_written_as_canvas_names_it(client):
    made = client.outcome_rollups(
        "sis_course_id:a/b.c",
        user_ids=(one for one in [1, "2~3", "sis_user_id:a b"]),
        outcome_ids=["4"],
        include=["outcomes", "outcomes.alignments"],
        include_hidden=True,
        exclude=["missing_user_rollups", ""],
        sort_by="outcome",
        sort_outcome_id=4,
        sort_order="desc",
        add_defaults=True,
        contributing_scores=True,
        rating_percents=True,
        per_page=50,
    )
    path, _, query = made._url.partition("?")
    assert path == "https://canvas.example/api/v1/courses/sis_course_id:a%2Fb%2Ec/outcome_rollups"
    assert query.replace("%5B%5D", "[]").split("&") == [
        "user_ids[]=1",
        "user_ids[]=2~3",
        "user_ids[]=sis_user_id%3Aa+b",
        "outcome_ids[]=4",
        "include[]=outcomes",
        "include[]=outcomes.alignments",
        "exclude[]=missing_user_rollups",
        "exclude[]=",
        "sort_by=outcome",
        "sort_outcome_id=4",
        "sort_order=desc",
        "include_hidden=true",
        "add_defaults=true",
        "contributing_scores=true",
        "rating_percents=true",
        "per_page=50",
    ]
    plain = client.outcome_rollups(7, aggregate="course", aggregate_stat="median", section_id=3, outcome_group_id=2)
    assert plain._url.partition("?")[2] == "section_id=3&outcome_group_id=2&aggregate=course&aggregate_stat=median&per_page=25"
