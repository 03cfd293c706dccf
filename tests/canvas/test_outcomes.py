"""Outcome results and rollups against the simulated Canvas, one test per documented row."""

import pytest

from django_lti_ags.exceptions import CanvasBadRequest, CanvasNotFound
from tests.canvas.conftest import NOON


def scores(listing, outcome="1"):
    return [(rollup.links.user, rollup.score_of(outcome)) for rollup in listing]


def test_results(school):
    [first, *others] = school.client.outcome_results(7)
    assert (first.id, first.user, first.learning_outcome, first.alignment) == ("1", "1", "1", "assignment_53")
    assert (first.score, first.possible, first.percent, first.mastery) == (5.0, 5.0, 1.0, True)
    assert first.submitted_or_assessed_at > NOON
    assert [one.mastery for one in others] == [True, True, False]
    assert [exchange.kind for exchange in school.seen] == ["outcome_results"]


def test_results_of_some_users_and_outcomes(school):
    assert [one.user for one in school.client.outcome_results(7, user_ids=[2, "sis_user_id:s3"])] == ["2", "3"]
    assert list(school.client.outcome_results(7, outcome_ids=[school.proofs.id])) == []


def test_hidden_results_only_if_asked(school):
    school.book.assess(5, school.sums, "quiz_9", 2, NOON, hidden=True)
    assert len(list(school.client.outcome_results(7))) == 4
    assert [one.hidden for one in school.client.outcome_results(7, include_hidden=True)][-1] is True


def test_everything_that_can_be_included_with_results(school):
    asked = ["alignments", "outcomes", "outcomes.alignments", "outcome_groups", "outcome_links", "outcome_paths", "users"]
    [page] = school.client.outcome_results(7, include=asked).pages()
    linked = page.linked
    assert [one.title for one in linked.outcomes] == ["Sums", "Proofs"]
    assert linked.outcomes[0].alignments == ("assignment_53",)
    assert (linked.outcomes[0].mastery_points, linked.outcomes[0].points_possible) == (3.0, 5.0)
    assert [one.id for one in linked.alignments] == [one.id for one in linked.outcome_alignments] == ["assignment_53"]
    assert [(one.id, one.parent_id) for one in linked.outcome_groups] == [("1", None), ("2", "1")]
    assert [(one.outcome_id, one.outcome_group_id) for one in linked.outcome_links] == [("1", "2"), ("2", "1")]
    assert [[part.name for part in one.parts] for one in linked.outcome_paths] == [["Numbers", "Sums"], ["Proofs"]]
    assert linked.users[0].sortable_name == "Lovelace, Ada"
    assert linked.courses == ()


def test_rollups_come_once_per_section(school):
    found = list(school.client.outcome_rollups(7))
    assert [(one.links.user, one.links.section) for one in found] == [
        ("1", "1"),
        ("1", "2"),
        ("2", "1"),
        ("3", "1"),
        ("4", "1"),
        ("5", "1"),
    ]
    assert found[0].scores[0].count == 1
    assert found[0].scores[0].title == "Assignment 53"
    assert found[4].score_of("1") == 0.0
    assert found[5].scores == ()
    assert scores(school.client.outcome_rollups(7, section_id=2)) == [("1", 5.0)]


@pytest.mark.parametrize(("method", "score"), [("highest", 4), ("latest", 1), ("average", 2), ("decaying_average", 1.525)])
def test_rollups_follow_the_outcomes_calculation_method(school, method, score):
    outcome = school.book.add_outcome("Method", calculation_method=method)
    for number, points in enumerate([1, 4, 1], 1):
        school.book.assess(5, outcome, f"quiz_{number}", points, NOON.replace(hour=number))
    found = school.client.outcome_rollups(7, user_ids=[5], outcome_ids=[outcome.id])
    assert scores(found, str(outcome.id)) == [("5", pytest.approx(score, abs=0.01))]


@pytest.mark.parametrize(("stat", "score"), [(None, 3.0), ("mean", 3.0), ("median", 3.5)])
def test_aggregates(school, stat, score):
    [page] = school.client.outcome_rollups(7, aggregate="course", aggregate_stat=stat, include=["courses"]).pages()
    [rollup] = page.items
    assert (rollup.links.course, rollup.links.user) == ("7", None)
    assert (rollup.score_of("1"), rollup.scores[0].count) == (score, 4)
    assert [one.name for one in page.linked.courses] == ["Algebra"]
    assert page.count is None


def test_an_aggregate_of_some_users(school):
    [rollup] = school.client.outcome_rollups(7, aggregate="course", user_ids=[1, 4])
    assert rollup.score_of("1") == 2.5
    [rollup] = school.client.outcome_rollups(7, aggregate="course", user_ids=[5])
    assert rollup.scores == ()


def test_excludes(school):
    assert [one.links.user for one in school.client.outcome_rollups(7, exclude=["missing_user_rollups"])][-1] == "4"
    [page] = school.client.outcome_rollups(7, exclude=["missing_outcome_results"], include=["outcomes"]).pages()
    assert [one.id for one in page.linked.outcomes] == ["1"]
    assert len(list(school.client.outcome_rollups(7, exclude=[""]))) == 6


def test_sorting(school):
    def users(**how):
        return [rollup.links.user for rollup in school.client.outcome_rollups(7, user_ids=[2, 3, 4, 5], **how)]

    assert users(sort_by="student") == ["2", "3", "5", "4"]
    assert users(sort_by="student", sort_order="desc") == ["4", "5", "3", "2"]
    assert users(sort_by="outcome", sort_outcome_id=1) == ["4", "3", "2", "5"]
    assert users(sort_by="outcome", sort_outcome_id=1, sort_order="desc") == ["2", "3", "4", "5"]


def test_outcomes_of_a_group(school):
    [page] = school.client.outcome_rollups(7, outcome_group_id=2, include=["outcomes"]).pages()
    assert [one.title for one in page.linked.outcomes] == ["Sums"]


def test_ratings_with_percents_and_defaults(school):
    [page] = school.client.outcome_rollups(7, include=["outcomes"], rating_percents=True, add_defaults=True).pages()
    high, low = page.linked.outcomes[0].ratings
    assert (high.percent, low.percent, high.mastery, high.color) == (75.0, 25.0, True, "0B874B")
    [plain] = school.client.outcome_rollups(7, include=["outcomes"]).pages()
    assert {(one.percent, one.mastery, one.color) for one in plain.linked.outcomes[0].ratings} == {(None, None, "")}


def test_contributing_scores(school):
    school.book.assess(1, school.sums, "quiz_9", 2, NOON)
    found = school.client.contributing_scores(7, 1)
    assert (found.outcome_id, found.title, len(found.scores)) == ("1", "Sums", 5)
    assert [(one.alignment_id, one.associated_asset_id, one.associated_asset_type) for one in found.alignments] == [
        ("assignment_53", "53", "Assignment"),
        ("quiz_9", "9", "AssessmentQuestionBank"),
    ]
    some = school.client.contributing_scores(7, 1, user_ids=[1], only_assignment_alignments=True, show_unpublished_assignments=True)
    assert [(one.user_id, one.alignment_id, one.score) for one in some.scores] == [("1", "assignment_53", 5.0)]
    assert "show_unpublished_assignments=true" in school.platform.ledger.of("outcome_results")[-1].query
    with pytest.raises(CanvasNotFound, match="resource does not exist"):
        school.client.contributing_scores(7, 99)


def test_the_order_of_outcomes(school):
    school.client.assign_outcome_order(7, [2, "1"])
    assert school.book.order == [2, 1]
    assert school.platform.ledger.of("outcome_order")[-1].body == [{"outcome_id": 2, "position": 1}, {"outcome_id": 1, "position": 2}]
    with pytest.raises(CanvasBadRequest, match="outcomes in the outcome context"):
        school.client.assign_outcome_order(7, [1, 99])
    assert school.book.order == [2, 1]


def test_a_calculation_is_asked_for(school):
    school.client.enqueue_outcome_rollup_calculation(7)
    school.client.enqueue_outcome_rollup_calculation("7", student_uuid="abc")
    assert school.book.calculations == ["", "abc"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"user_ids": [1, 99]}, "can only include id's of users in the outcome context"),
        ({"outcome_ids": [99]}, "can only include id's of outcomes in the outcome context"),
        ({"outcome_group_id": 99}, "can only include an outcome group id in the outcome context"),
        ({"section_id": 99}, "invalid section id"),
    ],
)
def test_what_only_canvas_can_know_is_quoted_with_advice(school, given, said):
    with pytest.raises(CanvasBadRequest) as caught:
        list(school.client.outcome_rollups(7, **given))
    assert caught.value.said == said
    assert said in str(caught.value)
    assert caught.value.advice in str(caught.value)
    assert next(iter(given)).removesuffix("s") in caught.value.advice or "outcome" in caught.value.advice
