"""Kept submissions that are refused, cancelled, blocked, or overtaken by a teacher: nothing is lost, a person decides, no grade waits."""

import pytest

from django_lti_ags import scores
from django_lti_ags.models import Event, QueuedSubmission, Score, SyncState
from tests.sync.conftest import Tomorrow, record
from tests.sync.kept import attempts, check_order, comments, grade, hand_in, lose, posts, queue

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_that_is_refused_does_not_hold_up_the_newest_and_a_person_hands_it_in_later(canvas_campus, column, deliver):
    hand_in(column, 1)
    deliver()
    hand_in(column, 2)
    hand_in(column, 3)
    canvas_campus.platform.faults.add("status", kind="score", status=422, count=1)
    deliver()
    row = Score.objects.get()
    assert (row.state, row.code, row.delivered_version, row.set_aside) == (SyncState.FAILED, "submission_refused", 3, 1)
    assert (attempts(canvas_campus), grade(canvas_campus)) == ([1, 3], 3)
    assert QueuedSubmission.objects.get(state="failed").code == "score_refused"
    assert Event.objects.filter(name="submission_refused").values_list("version", "code").get() == (2, "score_refused")
    canvas_campus.platform.set_result(canvas_campus.link.line_item, "u1", 6)
    assert scores.retry(Score.objects.all()) == 1
    deliver(Tomorrow(hours=1))
    row.refresh_from_db()
    assert (row.state, row.code, row.set_aside, row.queue_head) == (SyncState.DELIVERED, "delivered", 0, None)
    assert (attempts(canvas_campus), grade(canvas_campus)) == ([1, 3, 2], 6), "the teacher's grade stays"
    assert comments(canvas_campus) == ["No. 1", "No. 3", "No. 2"]
    assert (posts(canvas_campus)[-1]["scoreGiven"], len(posts(canvas_campus))) == (3, 3), "the Result keeps the newest"
    check_order(canvas_campus)


def test_one_that_is_refused_again_rests_again_and_may_be_let_go(canvas_campus, column, deliver):
    hand_in(column, 1)
    hand_in(column, 2)
    canvas_campus.platform.faults.add("status", kind="score", status=422, count=1)
    deliver()
    canvas_campus.platform.faults.add("status", kind="score", status=422, count=1)
    scores.retry(Score.objects.all())
    deliver(Tomorrow(hours=1))
    assert Score.objects.get().code == "submission_refused"
    assert scores.cancel(Score.objects.all(), reason="He copied it") == 1
    row = Score.objects.get()
    assert (row.state, row.set_aside, queue()) == (SyncState.DELIVERED, 0, [(1, "cancelled")])
    assert Event.objects.filter(name="submissions_cancelled").get().payload["reason"] == "He copied it"
    deliver(Tomorrow(hours=2))
    assert attempts(canvas_campus) == [2]


def test_attempts_that_are_used_up_lose_nothing(canvas_campus, column, deliver):
    canvas_campus.platform.gradebook.allowed_attempts = 1
    for number in (1, 2, 3):
        hand_in(column, number)
    deliver()
    row = Score.objects.get()
    assert (row.state, row.code, row.set_aside, attempts(canvas_campus)) == (SyncState.FAILED, "attempts_used_up", 1, [1])
    canvas_campus.platform.gradebook.allowed_attempts = None
    scores.retry(Score.objects.all())
    deliver(Tomorrow(hours=1))
    assert (attempts(canvas_campus), grade(canvas_campus), Score.objects.get().state) == ([1, 2, 3], 3, SyncState.DELIVERED)


def test_one_that_failed_before_it_was_overtaken_is_set_aside(canvas_campus, column, deliver):
    hand_in(column, 1)
    canvas_campus.platform.faults.add("status", kind="score", status=422, count=1)
    deliver()
    hand_in(column, 2)
    deliver()
    assert (Score.objects.get().code, queue(), grade(canvas_campus)) == ("submission_refused", [(1, "failed")], 2)
    hand_in(column, 2)
    assert Score.objects.get().code == "submission_refused", "that is said already"
    hand_in(column, 3)
    assert queue() == [(1, "failed"), (2, "delivered")]
    deliver()
    assert (Score.objects.get().code, attempts(canvas_campus)) == ("submission_refused", [2, 3])


def test_cancelling_takes_the_whole_queue_back(canvas_campus, column, deliver):
    hand_in(column, 1)
    hand_in(column, 2)
    assert scores.cancel(Score.objects.all(), reason="wrong learner") == 1
    assert (Score.objects.get().state, queue()) == (SyncState.CANCELLED, [(1, "cancelled")])
    deliver()
    assert posts(canvas_campus) == []
    hand_in(column, 1)
    deliver()
    assert (attempts(canvas_campus), queue()) == ([1], [(1, "cancelled"), (2, "cancelled")])


def test_a_cancelled_one_in_doubt_is_nobodys_edit(canvas_campus, column, deliver):
    hand_in(column, 1)
    hand_in(column, 2)
    lose(canvas_campus, "drop_after")
    deliver(limit=1)
    scores.cancel(Score.objects.all(), reason="wrong learner")
    row = Score.objects.get()
    assert ([one["score_given"] for one in row.doubtful], row.unsettled) == ([1], False)
    hand_in(column, 3)
    lose(canvas_campus, "drop_before")
    deliver(Tomorrow(hours=1))
    deliver(Tomorrow(hours=2))
    assert (Score.objects.get().state, grade(canvas_campus)) == (SyncState.DELIVERED, 3)


@pytest.mark.parametrize("numbers", [(1,), (1, 2)])
def test_a_teachers_edit_stays_and_what_was_handed_in_arrives(canvas_campus, column, deliver, numbers):
    for number in numbers:
        hand_in(column, number)
    lose(canvas_campus, "drop_before")
    deliver(limit=1)
    canvas_campus.platform.set_result(canvas_campus.link.line_item, "u1", 6)
    deliver(Tomorrow(hours=1), limit=1)
    assert (attempts(canvas_campus), grade(canvas_campus)) == ([1], 6)
    assert Score.objects.get().state == (SyncState.SUPERSEDED if numbers == (1,) else SyncState.PENDING)
    deliver(Tomorrow(hours=2))
    assert attempts(canvas_campus) == list(numbers)
    check_order(canvas_campus)


def test_a_block_holds_the_queue_and_its_lifting_sends_it(canvas_campus, column, deliver):
    hand_in(column, 1)
    hand_in(column, 2)
    canvas_campus.platform.faults.add("status", kind="score", status=404, count=1)
    deliver()
    assert (Score.objects.get().state, queue()) == (SyncState.BLOCKED, [(1, "pending")])
    hand_in(column, 3)
    scores.retry(Score.objects.all())
    deliver(Tomorrow(hours=1))
    assert (attempts(canvas_campus), grade(canvas_campus)) == ([1, 2, 3], 3)


def test_ungraded_after_graded_is_handed_in_when_nothing_can_be_erased(canvas_campus, column, deliver):
    hand_in(column, 1)
    deliver()
    hand_in(column, 2, grading_progress="Pending")
    hand_in(column, 3)
    deliver()
    row = Score.objects.get()
    assert (row.code, QueuedSubmission.objects.get(state="failed").code, grade(canvas_campus)) == ("submission_refused", "would_erase", 3)
    scores.retry(row)
    deliver(Tomorrow(hours=1))
    assert (attempts(canvas_campus), grade(canvas_campus), Score.objects.get().state) == ([1, 3, 2], 3, SyncState.DELIVERED)


def test_a_regrade_after_a_clear_does_not_bring_what_is_queued(canvas_campus, column, deliver):
    hand_in(column, 1)
    hand_in(column, 2)
    scores.clear(column, "u1")
    deliver(limit=1)
    canvas_campus.platform.gradebook.allowed_attempts = 1
    record(column, given=7)
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (attempts(canvas_campus), grade(canvas_campus), row.code) == ([1], 7, "submission_refused")
    assert QueuedSubmission.objects.get(state="failed").code == "attempts_used_up"
