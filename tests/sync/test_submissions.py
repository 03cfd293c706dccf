"""What a learner handed in reaches Canvas as one attempt, whatever is lost in between; regrades and repeats add none."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError

from django_lti_ags import canvas, line_items, scores
from django_lti_ags.canvas.submission import EXTENSION
from django_lti_ags.models import Score, SyncState
from django_lti_ags.sync.retention import Keep, prune
from tests.sync.conftest import Tomorrow, claimed, record

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)
ESSAY = canvas.Submission(submitted_at=FIRST, submission_type="online_url", submission_data="https://tool.example/essay")


def handed_in(campus):
    return campus.platform.gradebook.submissions(campus.link.line_item, "u1")


def bodies(campus):
    return [entry.body for entry in campus.platform.ledger.scores("u1")]


def lose(campus, how):
    campus.platform.faults.add(how, kind="score", count=1)


def test_a_submission_is_handed_in_with_what_it_holds(canvas_campus, column, deliver):
    record(column, submission=ESSAY)
    deliver()
    (attempt,) = handed_in(canvas_campus)
    assert (attempt.submitted_at, attempt.submission_type, attempt.data) == (FIRST, "online_url", "https://tool.example/essay")
    (body,) = bodies(canvas_campus)
    assert body["submission"] == {"submittedAt": "2026-03-01T12:00:00.123456Z"}
    assert body[EXTENSION] == {"new_submission": True, "submission_type": "online_url", "submission_data": "https://tool.example/essay"}


def test_a_score_that_says_nothing_of_it_is_one_attempt_and_its_regrades_none(canvas_campus, column, deliver):
    for given in (7, 8, 9):
        record(column, given=given)
        deliver()
    assert [body[EXTENSION]["new_submission"] for body in bodies(canvas_campus)] == [True, False, False]
    assert (len(handed_in(canvas_campus)), canvas_campus.shown("u1")) == (1, 9)


@pytest.mark.parametrize("regrade", [{}, {"submission": ESSAY}, {"submitted_at": FIRST}])
def test_a_regrade_adds_no_attempt_and_sends_nothing_a_second_time(canvas_campus, column, deliver, regrade):
    record(column, submission=ESSAY)
    deliver()
    record(column, given=9, **regrade)
    deliver()
    assert len(handed_in(canvas_campus)) == 1
    assert bodies(canvas_campus)[-1][EXTENSION] == {"new_submission": False}


def test_a_regrade_carries_the_submission_that_it_overtakes(canvas_campus, column, deliver):
    record(column, submission=ESSAY)
    record(column, given=9)
    deliver()
    (attempt,) = handed_in(canvas_campus)
    assert (attempt.submitted_at, attempt.data, canvas_campus.shown("u1")) == (FIRST, "https://tool.example/essay", 9)


@pytest.mark.parametrize("how", ["drop_after", "drop_before"])
def test_a_regrade_of_one_in_doubt_makes_one_attempt_in_all(canvas_campus, column, deliver, how):
    record(column, submission=ESSAY)
    lose(canvas_campus, how)
    deliver()
    record(column, given=9)
    deliver(Tomorrow(hours=1))
    assert ([one.submitted_at for one in handed_in(canvas_campus)], canvas_campus.shown("u1")) == ([FIRST], 9)


@pytest.mark.parametrize("how", ["drop_after", "drop_before"])
@pytest.mark.parametrize("said", [{"submission": ESSAY}, {}, {"submission": canvas.Submission(new_submission=True)}])
def test_a_lost_answer_doubles_no_attempt(canvas_campus, column, deliver, how, said):
    record(column, **said)
    lose(canvas_campus, how)
    deliver()
    assert Score.objects.get().unsettled
    deliver(Tomorrow(hours=1))
    assert (Score.objects.get().state, len(handed_in(canvas_campus))) == (SyncState.DELIVERED, 1)


@pytest.mark.parametrize(("how", "posts"), [("drop_after", 2), ("drop_before", 1)])
def test_where_the_result_tells_nothing_the_repeat_is_known_by_its_time(canvas_campus, column, deliver, how, posts):
    """Handed in and not graded yet: the platform shows no number that could settle it."""
    record(column, given=None, grading_progress="PendingManual", submission=ESSAY, comment="Seen")
    lose(canvas_campus, how)
    deliver()
    deliver(Tomorrow(hours=1))
    assert (len(bodies(canvas_campus)), len(handed_in(canvas_campus))) == (posts, 1)
    assert canvas_campus.platform.gradebook.comments(canvas_campus.link.line_item, "u1") == ["Seen"]
    assert Score.objects.get().state == SyncState.DELIVERED


def test_a_worker_that_died_after_the_platforms_answer_doubles_no_attempt(canvas_campus, column, deliver):
    record(column, submission=ESSAY)
    deliver()
    # As the crash leaves it: sent, and nobody wrote what came of it.
    Score.objects.update(
        state=SyncState.PENDING, due_at=datetime(2026, 1, 1, tzinfo=UTC), delivered_version=None, delivered_submission_at=None
    )
    claimed(column, lease_seconds=0.001)
    deliver(Tomorrow(minutes=5))
    assert (Score.objects.get().state, len(handed_in(canvas_campus))) == (SyncState.DELIVERED, 1)


def test_a_new_time_is_a_new_submission(canvas_campus, column, deliver):
    record(column, submission=ESSAY)
    deliver()
    record(column, submitted_at=SECOND)
    deliver()
    assert [(one.submitted_at, one.submission_type) for one in handed_in(canvas_campus)] == [
        (FIRST, "online_url"),
        (SECOND, "external_tool"),
    ]


def test_saying_so_makes_a_new_submission_too(canvas_campus, column, deliver):
    again = canvas.Submission(new_submission=True)
    for given in (7, 8, 8):
        record(column, given=given, submission=again)
        deliver()
    assert (len(bodies(canvas_campus)), len(handed_in(canvas_campus))) == (2, 2), "the third says nothing new"


@pytest.mark.parametrize("none", [canvas.Submission(new_submission=False), canvas.Submission(submission_type="none")])
def test_a_score_without_a_submission_makes_no_attempt(canvas_campus, column, deliver, none):
    record(column, submission=none)
    deliver()
    assert (handed_in(canvas_campus), canvas_campus.shown("u1")) == ([], 8)
    canvas_campus.platform.gradebook.allowed_attempts = 0
    record(column, given=9, submission=none)
    deliver()
    assert canvas_campus.shown("u1") == 9


def test_a_submission_that_was_used_up_can_be_graded_without_it(canvas_campus, column, deliver):
    canvas_campus.platform.gradebook.allowed_attempts = 0
    record(column, submission=ESSAY)
    deliver()
    row = Score.objects.get()
    assert (row.state, row.code) == (SyncState.FAILED, "attempts_used_up")
    record(column, submission=canvas.Submission(new_submission=False))
    deliver()
    assert (Score.objects.get().state, canvas_campus.shown("u1"), handed_in(canvas_campus)) == (SyncState.DELIVERED, 8, [])


def test_work_of_the_future_waits_until_the_platforms_clock_has_come_to_it(canvas_campus, column, deliver, monkeypatch):
    record(column, submission=canvas.Submission(submitted_at=datetime.now(UTC) + timedelta(minutes=3)))
    deliver()
    row = Score.objects.get()
    assert (row.state, row.code, handed_in(canvas_campus)) == (SyncState.PENDING, "submitted_in_future", [])
    monkeypatch.setattr("django_lti_ags.testing.platforms.canvas._FUTURE", timedelta(minutes=5))
    deliver(Tomorrow(minutes=5))
    assert (Score.objects.get().state, len(handed_in(canvas_campus))) == (SyncState.DELIVERED, 1)


def test_clearing_hands_nothing_in(canvas_campus, column, deliver):
    scores.clear(column, "u1")
    deliver()
    assert handed_in(canvas_campus) == []


def test_sending_again_adds_no_attempt(canvas_campus, column, deliver):
    record(column, submission=ESSAY)
    deliver()
    assert scores.send_again(Score.objects.all(), overwrite_teachers=True) == 1
    deliver(Tomorrow(hours=1))
    assert ([body[EXTENSION]["new_submission"] for body in bodies(canvas_campus)], len(handed_in(canvas_campus))) == ([True, False], 1)


def test_a_score_that_is_not_graded_may_not_have_made_an_attempt(canvas_campus, column, deliver):
    """Canvas' documentation promises one with FullyGraded and PendingManual only; its equal time keeps a second one away."""
    record(column, given=None, grading_progress="Pending", submission=ESSAY)
    deliver()
    record(column)
    deliver()
    assert [body[EXTENSION]["new_submission"] for body in bodies(canvas_campus)] == [True, True]
    assert len(handed_in(canvas_campus)) == 1


@pytest.mark.parametrize(("flag", "grade"), [({"preserve_score": True}, 3), ({"prioritize_non_tool_grade": True}, 3), ({}, 8)])
def test_what_becomes_of_a_teachers_grade(canvas_campus, column, deliver, flag, grade):
    canvas_campus.platform.set_result(canvas_campus.link.line_item, "u1", 3)
    record(column, submission=canvas.Submission(submitted_at=FIRST, **flag))
    deliver()
    assert canvas_campus.platform.gradebook.grade(canvas_campus.link.line_item, "u1") == grade
    assert len(handed_in(canvas_campus)) == 1


def test_files_are_handed_in_once(canvas_campus, column, deliver):
    files = [canvas.File(url="https://tool.example/a.txt", title="Essay", media_type="text/plain")]
    record(column, submission=canvas.Submission(content_items=files))
    deliver()
    record(column, given=9)
    deliver()
    (attempt,) = handed_in(canvas_campus)
    assert (attempt.submission_type, attempt.files) == ("online_upload", ("https://tool.example/a.txt",))
    assert "content_items" not in bodies(canvas_campus)[-1][EXTENSION]


@pytest.mark.parametrize("profile", ["", "moodle", "blackboard", "d2l", "openedx"])
def test_no_other_platform_is_told(campus, deliver, profile):
    campus.registration.profile = profile
    campus.registration.save()
    record(campus.line_item(), submission=ESSAY, extensions={"https://x.example/a": 1})
    deliver()
    (body,) = bodies(campus)
    assert EXTENSION not in body
    assert (body["https://x.example/a"], body["submission"]) == (1, {"submittedAt": "2026-03-01T12:00:00.123456Z"})


def test_saying_it_again_changes_nothing_even_when_it_was_pruned(canvas_campus, column, deliver):
    record(column, submission=ESSAY)
    record(column, submission=ESSAY)
    assert Score.objects.get().version == 1
    deliver()
    Score.objects.update(recorded_at=FIRST - timedelta(days=9000))
    assert prune(Keep.configured(comments=60))["comments"] == 1
    row = Score.objects.get()
    assert (row.submission, row.extensions, row.submission_at) == ({}, {}, FIRST)
    record(column, submission=ESSAY)
    assert Score.objects.get().version == 1


def test_many_are_recorded_with_their_submissions(canvas_campus, column, deliver):
    items = [{"user_id": f"u{n}", "score_given": 8, "score_maximum": 10, "submission": ESSAY} for n in (1, 2)]
    assert scores.record_many(column, items) == scores.Summary(created=2)
    deliver()
    assert len(handed_in(canvas_campus)) == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"submission": {"new_submission": True}}, "submission"),
        ({"submission": ESSAY, "submitted_at": SECOND}, "submission.submitted_at"),
        ({"extensions": {EXTENSION: {"new_submission": True}}}, "extensions"),
        ({"submission": ESSAY, "extensions": [1]}, "extensions"),
    ],
)
def test_what_does_not_fit_together_is_refused_and_stores_nothing(column, said, field):
    with pytest.raises(ValidationError) as refused:
        record(column, **said)
    assert list(refused.value.message_dict) == [field]
    assert not Score.objects.exists()


@pytest.mark.parametrize(("profile", "told"), [("canvas", {"type": "none"}), ("", None)])
def test_a_column_is_made_with_canvas_submission_type_at_canvas_only(make_campus, deliver, profile, told):
    campus = make_campus(dialect=profile)
    campus.registration.profile = profile
    campus.registration.save()
    name = "https://canvas.instructure.com/lti/submission_type"
    column = campus.line_item()
    line_items.declare(
        column.context, label="Essay", score_maximum=10, tag="e", extensions={name: {"type": "none"}, "https://x.example/a": 1}
    )
    deliver()
    (made,) = [item for item in campus.course.line_items.values() if item.tag == "e"]
    assert (made.extra.get(name), made.extra["https://x.example/a"]) == (told, 1)


def test_the_guides_examples_do_what_it_says(canvas_campus, column, deliver):
    text = (Path(__file__).parents[2] / "docs/how-to/canvas-submissions.md").read_text(encoding="utf-8")
    hand_in, regrade, every, files, declare = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {"line_item": column, "sub": "u1", "attempt": SimpleNamespace(submitted_at=FIRST), "context": column.context}
    names |= {"line_items": line_items}
    for example in (hand_in, regrade):
        exec(example, names)
        deliver()
    (essay,) = handed_in(canvas_campus)
    assert (essay.submitted_at, essay.data, canvas_campus.shown("u1")) == (FIRST, "https://tool.example/essays/7", 8)
    names |= {"sub": "u3", "drafts": [SimpleNamespace(submitted_at=at, url=f"https://tool.example/{at.hour}") for at in (FIRST, SECOND)]}
    exec(every, names)
    names["sub"] = "u2"
    exec(files, names)
    exec(declare, names)
    deliver()
    drafts = canvas_campus.platform.gradebook.submissions(canvas_campus.link.line_item, "u3")
    assert [(one.submitted_at, one.data) for one in drafts] == [(FIRST, "https://tool.example/12"), (SECOND, "https://tool.example/13")]
    (upload,) = canvas_campus.platform.gradebook.submissions(canvas_campus.link.line_item, "u2")
    assert upload.files == ("https://tool.example/files/7.pdf",)
    assert [item.extra for item in canvas_campus.course.line_items.values() if item.resource_id == "essay-7"] == [names["kind"]]
