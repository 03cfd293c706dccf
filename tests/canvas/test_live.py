"""Live assessments: found by key, results that add up, and what they come to."""

from datetime import timedelta

import pytest

from django_lti_ags.canvas import LiveAssessment, LiveAssessmentResult
from django_lti_ags.exceptions import CanvasBadRequest, CanvasNotFound, InvalidAnswer
from tests.ags.scripted import answer
from tests.canvas.conftest import NOON


def result(user, passed=True, minutes=0):
    return LiveAssessmentResult(user=user, passed=passed, assessed_at=NOON + timedelta(minutes=minutes))


@pytest.fixture
def assessment(school):
    return school.client.create_or_find_live_assessments(7, [LiveAssessment(key="2026-03-01,outcome_1", title="Reading", outcome=1)])[0]


def test_an_assessment_is_made_once_and_its_title_follows(school, assessment):
    [again] = school.client.create_or_find_live_assessments(7, [LiveAssessment(key=assessment.key, title="Reading aloud")])
    assert (again.id, again.title) == (assessment.id, "Reading aloud")
    assert [one.title for one in school.client.live_assessments(7)] == ["Reading aloud"]
    assert school.platform.ledger.of("live_assessments")[0].body == {
        "assessments": [{"key": "2026-03-01,outcome_1", "title": "Reading", "links": {"outcome": "1"}}]
    }


def test_assessments_are_all_or_none(school):
    wanted = [LiveAssessment(key="a", title="A"), LiveAssessment(key="b", title="B", outcome=99)]
    with pytest.raises(CanvasBadRequest, match="outcome must be linked to the context") as caught:
        school.client.create_or_find_live_assessments(7, wanted)
    assert "Link the outcome" in caught.value.advice
    assert list(school.client.live_assessments(7)) == []


def test_results_are_recorded_and_listed(school, assessment):
    made = school.client.create_live_assessment_results(7, assessment.id, [result(1), result(2, passed=False), result("1", minutes=5)])
    assert [(one.user, one.passed) for one in made] == [("1", True), ("1", True), ("2", False)]  # grouped, as Canvas does
    assert {(one.assessor, one.assessment) for one in made} == {("1", assessment.id)}
    assert list(school.client.live_assessment_results(7, assessment.id, per_page=1)) == list(made)
    assert [one.passed for one in school.client.live_assessment_results(7, assessment.id, user_id=2)] == [False]
    assert made[1].assessed_at == NOON + timedelta(minutes=5)


def test_repeats_accumulate_and_mastery_follows(school, assessment):
    def rollup():
        [one] = school.client.outcome_rollups(7, user_ids=[5])
        return one.score_of("1")

    assert rollup() is None
    school.client.create_live_assessment_results(7, assessment.id, [result(5)])
    assert rollup() == 5.0
    school.client.create_live_assessment_results(7, assessment.id, [result(5, passed=False, minutes=1)])
    assert rollup() == 2.5
    school.client.create_live_assessment_results(7, assessment.id, [result(5, passed=False, minutes=1)])
    assert rollup() == pytest.approx(1.67)
    [outcome_result] = school.client.outcome_results(7, user_ids=[5])
    assert outcome_result.mastery is False
    assert outcome_result.submitted_or_assessed_at == NOON + timedelta(minutes=1)
    assert len(list(school.client.live_assessment_results(7, assessment.id))) == 3


def test_without_an_outcome_results_count_for_nothing(school):
    [loose] = school.client.create_or_find_live_assessments(7, [LiveAssessment(key="k", title="t")])
    school.client.create_live_assessment_results(7, loose.id, [result(5)])
    assert list(school.client.outcome_results(7, user_ids=[5])) == []


def test_someone_who_is_not_in_the_course(school, assessment):
    with pytest.raises(CanvasBadRequest, match="user must be in the context") as caught:
        school.client.create_live_assessment_results(7, assessment.id, [result(1), result(99)])
    assert "none of the results" in caught.value.advice
    assert list(school.client.live_assessment_results(7, assessment.id)) == []


def test_an_assessment_that_is_not_there(school):
    with pytest.raises(CanvasNotFound, match="does not exist"):
        list(school.client.live_assessment_results(7, 99))


def test_what_was_read_can_be_compared_with_what_was_sent(school, assessment):
    [made] = school.client.create_live_assessment_results(7, assessment.id, [result(1)])
    assert made.to_json() == result(1).to_json()


@pytest.mark.parametrize("body", [b"{}", b'{"results":[{"id":"1"}]}', b'{"results":7}', b"nothing"])
def test_a_recording_whose_answer_cannot_be_read_was_still_made(scripted, body):
    client, server = scripted("read", answer(body))
    with pytest.raises(InvalidAnswer) as caught:
        client.create_live_assessment_results(7, 1, [result(1)])
    assert caught.value.exchange.status == 200
    assert len(server.requests) == 1
