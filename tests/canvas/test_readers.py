"""What Canvas sends, read: strictly where a result is worth something, tolerantly where it is only shown."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags import canvas

RESULT = {
    "id": 42,
    "score": 6,
    "submitted_or_assessed_at": "2013-02-01T00:00:00-06:00",
    "links": {"user": "3", "learning_outcome": "97", "alignment": "53"},
    "percent": 0.65,
}
LIVE = {
    "id": "42",
    "passed": True,
    "assessed_at": "2014-05-13T00:01:57-06:00",
    "links": {"user": "42", "assessor": "23", "assessment": "5"},
}


def test_the_documented_outcome_result():
    central = timezone(timedelta(hours=-6))
    assert canvas.OutcomeResult.from_json(RESULT) == canvas.OutcomeResult(
        id="42",
        user="3",
        learning_outcome="97",
        alignment="53",
        score=6.0,
        percent=0.65,
        submitted_or_assessed_at=datetime(2013, 2, 1, tzinfo=central),
    )
    more = {"mastery": True, "hidden": False, "hide_points": True, "possible": 10, "future": [1]}
    read = canvas.OutcomeResult.from_json(RESULT | more | {"links": RESULT["links"] | {"assignment": "assignment_1"}})
    assert (read.mastery, read.hidden, read.hide_points, read.possible, read.assignment) == (True, False, True, 10.0, "assignment_1")


def test_the_documented_rollups():
    score = {"score": 3, "count": 6, "links": {"outcome": "42"}}
    read = canvas.OutcomeRollup.from_json({"scores": [score], "name": "John Doe", "links": {"course": 42, "user": 42, "section": 57}})
    assert read.links == canvas.OutcomeRollupLinks(course="42", user="42", section="57")
    assert read.scores == (canvas.OutcomeRollupScore(outcome="42", score=3.0, count=6),)
    assert (read.name, read.score_of("42"), read.score_of("43")) == ("John Doe", 3.0, None)
    empty = canvas.OutcomeRollup.from_json({"scores": None, "links": {"course": 42}})
    assert (empty.scores, empty.links.course) == ((), "42")
    unknown = canvas.OutcomeRollupScore.from_json({"score": None, "submitted_at": "yesterday", "links": {"outcome": 1}})
    assert (unknown.score, unknown.count, unknown.submitted_at) == (None, None, None)


def test_the_documented_alignments_and_paths():
    assert canvas.OutcomeAlignment.from_json({"id": "quiz_3", "name": "Big mid-term test", "html_url": None}).id == "quiz_3"
    path = canvas.OutcomePath.from_json({"id": 42, "parts": [{"name": "Numbers"}, {"name": "Spelling out numbers"}, 7]})
    assert [part.name for part in path.parts] == ["Numbers", "Spelling out numbers"]
    assert canvas.OutcomePath.from_json({"id": 42, "parts": None}).parts == ()


def test_the_documented_live_assessments():
    assert canvas.LiveAssessment.from_json({"id": "42", "key": "2014-05-27,outcome_52", "title": "May 27th Reading Assessment"}).id == "42"
    read = canvas.LiveAssessmentResult.from_json(LIVE)
    assert (read.user, read.assessor, read.assessment, read.passed) == ("42", "23", "5", True)
    assert read.assessed_at == datetime(2014, 5, 13, 6, 1, 57, tzinfo=UTC)


def test_progress():
    read = canvas.Progress.from_json({"id": 5, "workflow_state": "running", "completion": 130, "message": None})
    assert (read.id, read.completion, read.is_over, read.message) == ("5", 100.0, False, "")
    assert canvas.Progress.from_json({"id": 5, "workflow_state": "failed", "completion": None}).is_over
    with pytest.raises(ValueError, match="workflow_state"):
        canvas.Progress.from_json({"id": 5, "workflow_state": "lost"})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": None}, "has no id"),
        ({"links": None}, "has no user"),
        ({"links": []}, "links must be a JSON object"),
        ({"links": {"user": "3"}}, "learning_outcome"),
        ({"links": {"user": True, "learning_outcome": "1"}}, "user"),
        ({"score": "many"}, "score"),
        ({"score": float("nan")}, "score"),
        ({"mastery": "yes"}, "mastery"),
        ({"submitted_or_assessed_at": "2013-02-01T00:00:00"}, "with a zone"),
        ({"submitted_or_assessed_at": 7}, "with a zone"),
        ({"submitted_or_assessed_at": "0001-01-01T00:00:00+14:00"}, "with a zone"),
    ],
)
def test_a_result_that_is_none_names_its_field(change, told):
    with pytest.raises(ValueError, match=told):
        canvas.OutcomeResult.from_json(RESULT | change)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"passed": None}, "no passed"),
        ({"passed": 1}, "passed must be"),
        ({"assessed_at": ""}, "no assessed_at"),
        ({"links": {}}, "no user"),
    ],
)
def test_a_live_result_that_is_none(change, told):
    with pytest.raises(ValueError, match=told):
        canvas.LiveAssessmentResult.from_json(LIVE | change)


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        ("OutcomeRollup", {"links": {"section": 1}}, "neither a user nor a course"),
        ("OutcomeRollup", {"links": {"user": 1}, "scores": {}}, "JSON array"),
        ("OutcomeRollup", {"links": {"user": 1}, "scores": [{"score": 1}]}, "outcome"),
        ("LiveAssessment", {"id": 1}, "has no key"),
        ("ContributingScores", {"scores": [], "outcome": None}, "outcome must be"),
        ("ContributingScores", {"outcome": {"id": 1}}, "has no scores"),
        ("ContributingScores", [], "JSON object"),
    ],
)
def test_an_answer_that_is_not_what_canvas_documents(kind, body, told):
    with pytest.raises(ValueError, match=told):
        getattr(canvas, kind).from_json(body)


def test_what_goes_along_does_not_make_results_unreadable():
    odd = {"outcomes": [7, {"id": 1, "title": "a\x00", "ratings": [{"percent": "x"}, 3], "alignments": ["a", 1], "points_possible": "?"}]}
    odd |= {"outcome_links": [{}, {"outcome": {"id": 2}, "outcome_group": {"id": 3}, "url": 4}, {"outcome": {"id": 4}}]}
    odd |= {"outcome_groups": [{"id": 1, "parent_outcome_group": {"id": 9}}, {"id": 2, "parent_outcome_group": 3}], "users": {"id": 1}}
    read = canvas.Linked.from_json(odd)
    [outcome] = read.outcomes
    assert (outcome.id, outcome.title, outcome.alignments, outcome.points_possible) == ("1", "a\ufffd", ("a",), None)
    assert [rating.percent for rating in outcome.ratings] == [None]
    assert [(link.outcome_id, link.outcome_group_id) for link in read.outcome_links] == [("2", "3"), ("4", None)]
    assert [group.parent_id for group in read.outcome_groups] == ["9", None]
    assert read.users == ()
    assert canvas.Outcome.from_json({"id": 1, "alignments": 7}).alignments == ()
    assert canvas.Linked.from_json(None) == canvas.Linked.from_json([1]) == canvas.Linked()


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.datetimes().map(str)
NAMES = [
    "id",
    "score",
    "possible",
    "percent",
    "mastery",
    "links",
    "user",
    "learning_outcome",
    "outcome",
    "scores",
    "count",
    "name",
    "course",
]
NAMES += [
    "passed",
    "assessed_at",
    "key",
    "title",
    "parts",
    "alignments",
    "ratings",
    "submitted_at",
    "workflow_state",
    "completion",
    "section",
]
NAMES += ["submitted_or_assessed_at", "outcomes", "users", "user_id", "alignment_id", "outcome_group"]
OBJECTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6), max_leaves=12
)
KINDS = [kind for kind in map(canvas.__dict__.get, canvas.__all__) if hasattr(kind, "from_json")]


@given(st.sampled_from(KINDS), OBJECTS)
def test_no_answer_breaks_more_than_a_value_error(kind, body):
    told = ""
    try:
        kind.from_json(body)
    except ValueError as problem:
        told = str(problem)
    assert len(told) < 400


@given(st.dictionaries(st.sampled_from(NAMES), OBJECTS), st.sampled_from(["submitted_or_assessed_at", "score", "percent", "id", "links"]))
def test_a_result_that_was_read_is_well_typed(changes, kept):
    body = RESULT | changes | {kept: RESULT[kept]}
    try:
        read = canvas.OutcomeResult.from_json(body)
    except ValueError:
        return
    assert read.id
    assert read.user
    assert read.mastery in (None, True, False)
    assert read.submitted_or_assessed_at is None or read.submitted_or_assessed_at.utcoffset() is not None


def test_there_are_readers_to_test():
    assert len(KINDS) >= 17
