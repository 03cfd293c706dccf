"""Outcomes of a Canvas course, asked by what a launch told of it; every refusal says what to change."""

from __future__ import annotations

import pytest

from django_lti_ags import canvas_credentials, line_items, outcomes
from django_lti_ags.ags.vocabulary import CUSTOM_CLAIM
from django_lti_ags.exceptions import (
    CanvasBadRequest,
    CanvasNotFound,
    CanvasScopeMissing,
    CanvasThrottled,
    CanvasTokenRefused,
    InvalidCanvasArgument,
    NoCanvasCredential,
    UnknownCanvasCourse,
)
from django_lti_ags.models import Context, Deployment, Registration
from django_lti_ags.outcomes import CanvasCourse, course_of
from django_lti_ags.testing.platforms import Effect

pytestmark = pytest.mark.django_db


@pytest.fixture
def course(school):
    school.store_token()
    return school.context()


def test_everything_that_canvas_tells_of_outcomes(school, course):
    assert [(one.user, one.score) for one in outcomes.results(course, user_ids=[1])] == [("1", 5.0)]
    [page] = outcomes.rollups(course, include=["users", "outcomes"], exclude=["missing_user_rollups"]).pages()
    assert [(one.links.user, one.score_of("1")) for one in page.items] == [("1", 5.0), ("2", 2.0)]
    assert [user.name for user in page.linked.users] == ["Ada Lovelace", "Kurt Gödel"]
    [whole] = outcomes.rollups(course, aggregate="course", aggregate_stat="median")
    assert whole.score_of("1") == 3.5
    assert [(one.user_id, one.score) for one in outcomes.contributing_scores(course, 1).scores] == [("1", 5.0), ("2", 2.0)]
    outcomes.assign_order(course, [1])
    outcomes.enqueue_calculation(course, student_uuid="u-1")
    assert (school.book.order, school.book.calculations) == ([1], ["u-1"])


def test_a_course_that_was_never_launched_is_named_by_its_number(school):
    school.store_token()
    assert len(list(outcomes.rollups(CanvasCourse(school.registration, "7")))) == 3


def made(**fields):
    registration = Registration(name="Campus")
    return Context(deployment=Deployment(registration=registration), title="Algebra", **fields)


@pytest.mark.parametrize(
    ("url", "course_id"),
    [
        ("https://school.example/api/lti/courses/7/line_items", "7"),
        ("https://school.example/api/lti/courses/10~7/line_items/", "10~7"),
        ("https://school.example/api/lti/courses/7/line_items?x=1", "7"),
        ("https://school.example/api/lti/courses/0/line_items", "12"),
        ("https://school.example/ags/7/lineitems", "12"),
        ("https://school.example/evil/api/lti/courses/7/line_items", "12"),
        ("", "12"),
    ],
)
def test_the_number_stands_in_the_address_or_else_in_the_custom_variable(url, course_id):
    assert course_of(made(line_items_url=url, canvas_course_id="12")).course_id == course_id


def test_without_either_it_says_how_to_get_one():
    with pytest.raises(UnknownCanvasCourse, match=r"Algebra .*canvas_course_id=\$Canvas\.course\.id"):
        course_of(made(line_items_url="https://school.example/ags/7/lineitems"))


@pytest.mark.parametrize("custom", [{"canvas_course_id": "$Canvas.course.id"}, {"canvas_course_id": None}, {}, None, "7", ["7"]])
def test_a_custom_variable_that_names_no_course_is_passed_over(school, custom):
    context = school.context()
    again = line_items.from_launch(school.campus.claims() | {CUSTOM_CLAIM: custom}).context
    assert (again.pk, again.canvas_course_id) == (context.pk, "7")
    assert Context.objects.get().canvas_course_id == "7"


def test_a_course_at_another_canvas_is_not_asked_for_here(school, course):
    canvas_credentials.store_user_token(school.registration, base_url="https://other.example", access_token="1~token")
    with pytest.raises(UnknownCanvasCourse, match=r"is for https://other\.example.*lti_ags_canvas_credential"):
        outcomes.results(course)


def test_without_a_credential(school):
    with pytest.raises(NoCanvasCredential):
        outcomes.rollups(school.context())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"include": ["everything"]}, "must be some of courses, alignments"),
        ({"aggregate": "section"}, "must be one of course"),
        ({"aggregate_stat": "median"}, "needs aggregate='course'"),
        ({"include": ["users"], "aggregate": "course"}, "an aggregate has no users"),
        ({"sort_by": "outcome"}, "is needed with sort_by='outcome'"),
        ({"outcome_ids": [1], "outcome_group_id": 2}, "cannot be combined with outcome_ids"),
    ],
)
def test_what_canvas_would_refuse_is_not_asked(school, course, asked, said):
    with pytest.raises(InvalidCanvasArgument, match=said):
        outcomes.rollups(course, **asked)
    assert school.asked("outcome_rollups") == 0


def test_a_learner_who_is_not_in_the_course(course):
    with pytest.raises(CanvasBadRequest, match=r"“can only include id's of users in the outcome context”\. Leave out who is not"):
        list(outcomes.rollups(course, user_ids=[99]))


def test_a_course_that_is_not_there(school):
    school.store_token()
    with pytest.raises(CanvasNotFound, match="Check the ids"):
        list(outcomes.results(CanvasCourse(school.registration, "8")))


def test_a_token_without_the_scope_or_past_its_end(school, course):
    school.store_token(school.rest.issue_token(scopes=["url:GET|/api/v1/courses/:course_id/outcome_results"]))
    assert len(list(outcomes.results(course))) == 2
    with pytest.raises(CanvasScopeMissing, match=r"Insufficient scopes.*add the scope url:GET\|/api/v1/courses/:course_id/outcome_rollups"):
        list(outcomes.rollups(course))
    school.store_token(school.rest.issue_token(lifetime_seconds=-1))
    with pytest.raises(CanvasTokenRefused, match=r"Expired access token.*Store a new access token"):
        list(outcomes.rollups(course))


def test_a_rate_limit_is_waited_for_unless_nobody_has_time(school, course):
    limit = {"kind": "outcome_results", "count": 1, "status": 403, "body": "403 Forbidden (Rate Limit Exceeded)"}
    school.campus.platform.faults.add(Effect.STATUS, **limit)
    with pytest.raises(CanvasThrottled):
        list(outcomes.results(course, patience_seconds=0))
    school.campus.platform.faults.add(Effect.STATUS, headers=[("Retry-After", "0")], **limit)
    assert len(list(outcomes.results(course))) == 2
