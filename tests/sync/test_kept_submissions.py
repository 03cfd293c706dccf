"""``keep="every"``: each submission becomes one attempt, in the order of recording, whatever is lost; the newest has the grade."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_lti_ags import canvas, scores
from django_lti_ags.models import DeliveryAttempt, LineItem, QueuedSubmission, Score, SyncState
from django_lti_ags.sync.retention import Keep, prune
from tests.sync.conftest import Tomorrow, claimed, record
from tests.sync.kept import T, attempts, check_order, comments, grade, hand_in, lose, posts, queue

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_recorded_while_the_platform_was_down_is_all_delivered_in_order(canvas_campus, column, deliver):
    canvas_campus.platform.faults.add("status", kind="score", status=503)
    for number in (1, 2, 3):
        hand_in(column, number)
        deliver(Tomorrow(hours=number))
    assert (queue(), attempts(canvas_campus)) == ([(1, "pending"), (2, "pending")], [])
    canvas_campus.platform.faults.clear()
    deliver(Tomorrow(hours=20))
    deliver(Tomorrow(hours=40))
    assert (attempts(canvas_campus), comments(canvas_campus), grade(canvas_campus)) == ([1, 2, 3], ["No. 1", "No. 2", "No. 3"], 3)
    assert [body["scoreGiven"] for body in posts(canvas_campus)] == [1, 2, 3]
    row = Score.objects.get()
    assert (row.state, row.queue_head, row.delivered_version, row.version) == (SyncState.DELIVERED, None, 3, 3)
    assert queue() == [(1, "delivered"), (2, "delivered")]
    check_order(canvas_campus)


def test_by_default_the_newest_takes_the_place_of_one_that_waits(canvas_campus, column, deliver):
    for number in (1, 2, 3):
        hand_in(column, number, keep="newest")
    deliver()
    assert (attempts(canvas_campus), QueuedSubmission.objects.count()) == ([3], 0)


def test_it_is_the_one_that_is_overtaken_that_says_whether_it_is_kept(canvas_campus, column, deliver):
    hand_in(column, 1)
    hand_in(column, 2, keep="newest")
    hand_in(column, 3)
    deliver()
    assert attempts(canvas_campus) == [1, 3]


def test_one_that_is_delivered_already_waits_for_nobody(canvas_campus, column, deliver):
    for number in (1, 2, 3):
        hand_in(column, number)
        deliver()
    assert (attempts(canvas_campus), len(posts(canvas_campus))) == ([1, 2, 3], 3)


@pytest.mark.parametrize("how", ["drop_after", "drop_before"])
def test_lost_answers_double_nothing(canvas_campus, column, deliver, how):
    for number in (1, 2, 3):
        hand_in(column, number)
    for hours in range(1, 6):
        lose(canvas_campus, how)
        deliver(Tomorrow(hours=hours))
    canvas_campus.platform.faults.clear()
    deliver(Tomorrow(hours=9))
    assert (attempts(canvas_campus), comments(canvas_campus), grade(canvas_campus)) == ([1, 2, 3], ["No. 1", "No. 2", "No. 3"], 3)
    check_order(canvas_campus)


@pytest.mark.parametrize("how", ["drop_after", "drop_before"])
@pytest.mark.parametrize("readable", [True, False])
def test_equal_scores_in_doubt_are_told_apart_by_their_time(canvas_campus, column, deliver, how, readable):
    """The Result looks alike; without the scope nobody can even ask."""
    if not readable:
        LineItem.objects.update(scopes=[scope for scope in canvas_campus.tool.scopes if "result" not in scope])
    for number in (1, 2, 3):
        hand_in(column, number, given=5, comment="Seen")
    lose(canvas_campus, how)
    for hours in range(1, 5):
        deliver(Tomorrow(hours=hours))
    assert (attempts(canvas_campus), grade(canvas_campus)) == ([1, 2, 3], 5)
    assert len(comments(canvas_campus)) <= 1 if not readable else comments(canvas_campus) == ["Seen"]
    assert Score.objects.get().state == SyncState.DELIVERED


@pytest.mark.parametrize("arrived", [True, False])
def test_a_worker_that_died_while_sending_doubles_nothing(canvas_campus, column, deliver, arrived):
    hand_in(column, 1)
    hand_in(column, 2)
    if arrived:
        deliver(limit=1)
        # As the crash leaves it: sent, and nobody wrote what came of it.
        QueuedSubmission.objects.update(state=SyncState.PENDING, settled_at=None)
        Score.objects.update(queue_head=1, delivered_version=None, delivered_fingerprint="", wire_version=None)
    claimed(column, lease_seconds=0.001)
    deliver(Tomorrow(minutes=5))
    assert (attempts(canvas_campus), comments(canvas_campus), grade(canvas_campus)) == ([1, 2], ["No. 1", "No. 2"], 2)
    assert DeliveryAttempt.objects.get(abandoned=True).version == 1
    check_order(canvas_campus)


def test_one_that_is_being_sent_is_finished_as_the_earlier_one_that_it_became(canvas_campus, column, deliver):
    hand_in(column, 1)
    claimed(column, lease_seconds=0.001)
    row = hand_in(column, 2)
    assert (row.state, row.queue_head, row.next_version, row.doubtful) == (SyncState.SENDING, 1, 1, [])
    hand_in(column, 3)
    deliver(Tomorrow(minutes=5))
    assert (attempts(canvas_campus), grade(canvas_campus)) == ([1, 2, 3], 3)


class HandsInMeanwhile:
    """Records a newer submission while an older one is on its way."""

    def __init__(self, column, number):
        self.column, self.number = column, number

    def __call__(self):
        if Score.objects.filter(state=SyncState.SENDING).exists() and self.number:
            hand_in(self.column, self.number)
            self.number = None


@pytest.mark.parametrize(
    "fault", [None, {"effect": "status", "status": 422}, {"effect": "drop_after"}, {"effect": "status", "status": 500}]
)
def test_a_newer_one_while_one_is_in_flight(canvas_campus, column, deliver, settings, fault):
    from django_lti_ags.sync.engine import Engine

    hand_in(column, 1)
    if fault:
        canvas_campus.platform.faults.add(kind="score", count=1, **fault)
    engine = Engine(between=HandsInMeanwhile(column, 2))
    try:
        engine.deliver_due()
    finally:
        engine.close()
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    if fault and fault.get("status") == 422:
        assert (attempts(canvas_campus), row.code, row.set_aside) == ([2], "submission_refused", 1)
    else:
        assert (attempts(canvas_campus), row.state) == ([1, 2], SyncState.DELIVERED)
    assert (grade(canvas_campus), len(comments(canvas_campus))) == (2, len(attempts(canvas_campus)))


def test_saying_it_again_changes_nothing(canvas_campus, column, deliver):
    for number in (1, 2, 3):
        hand_in(column, number)
    before = list(Score.objects.values()), list(QueuedSubmission.objects.values())
    with CaptureQueriesContext(connection) as queries:
        for number in (3, 2, 1):
            hand_in(column, number)
    assert (list(Score.objects.values()), list(QueuedSubmission.objects.values())) == before
    assert not [query for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))]
    deliver()
    for number in (2, 1, 3):
        hand_in(column, number)
    assert Score.objects.get().state == SyncState.DELIVERED
    items = [{"user_id": "u1", "score_given": 2, "score_maximum": 10, "comment": "No. 2", "keep": "every"}]
    essay = canvas.Submission(submitted_at=T[2], submission_type="online_url", submission_data="https://tool.example/2")
    assert scores.record_many(column, [items[0] | {"submission": essay}]) == scores.Summary(unchanged=1)


@pytest.mark.parametrize("keep", ["every", "newest"])
def test_a_regrade_of_an_earlier_one_is_the_newest_score_and_no_attempt(canvas_campus, column, deliver, keep):
    hand_in(column, 1)
    hand_in(column, 2)
    hand_in(column, 1, given=9, keep=keep)
    deliver()
    assert (attempts(canvas_campus), grade(canvas_campus)) == ([1, 2], 9)


def test_a_regrade_changes_the_newest_and_queues_nothing(canvas_campus, column, deliver):
    hand_in(column, 1)
    hand_in(column, 2)
    record(column, given=7, keep="every")
    hand_in(column, 2, given=8)
    assert queue() == [(1, "pending")]
    deliver()
    assert ([body["scoreGiven"] for body in posts(canvas_campus)], attempts(canvas_campus)) == ([1, 8], [1, 2])


@pytest.mark.parametrize("last", [lambda column: scores.clear(column, "u1"), lambda column: record(column, given=9, submission=NOTHING)])
def test_a_score_that_hands_in_nothing_takes_none_away(canvas_campus, column, deliver, last):
    hand_in(column, 1)
    last(column)
    deliver()
    row = Score.objects.get()
    assert (attempts(canvas_campus), grade(canvas_campus), row.state) == ([1], row.score_given, SyncState.DELIVERED)
    record(column, given=4)
    deliver()
    assert (attempts(canvas_campus), grade(canvas_campus)) == ([1], 4)


NOTHING = canvas.Submission(new_submission=False)


@pytest.mark.parametrize("profile", ["", "moodle", "blackboard", "d2l", "openedx"])
def test_platforms_without_attempts_are_sent_the_newest(campus, deliver, profile):
    campus.registration.profile = profile
    campus.registration.save()
    column = campus.line_item()
    for number in (1, 2, 3):
        hand_in(column, number)
    deliver()
    row = Score.objects.get()
    assert ([body["scoreGiven"] for body in posts(campus)], row.state, queue()) == (
        [3],
        SyncState.DELIVERED,
        [(1, "superseded"), (2, "superseded")],
    )


def test_elsewhere_an_overtaken_one_in_doubt_is_nobodys_edit(campus, deliver):
    column = campus.line_item()
    hand_in(column, 1)
    lose(campus, "drop_after")
    deliver()
    hand_in(column, 2)
    lose(campus, "drop_before")
    deliver(Tomorrow(hours=1))
    deliver(Tomorrow(hours=2))
    assert (Score.objects.get().state, campus.shown("u1")) == (SyncState.DELIVERED, 2)


def test_many_are_kept_at_once(canvas_campus, column, deliver):
    for number in (1, 2, 3):
        essay = canvas.Submission(submitted_at=T[number])
        items = [
            {"user_id": f"u{n}", "score_given": number, "score_maximum": 10, "submission": essay, "keep": "every"} for n in range(1, 5)
        ]
        done = scores.record_many(column, items)
        assert done == (scores.Summary(created=4) if number == 1 else scores.Summary(changed=4))
    assert scores.record_many(column, items) == scores.Summary(unchanged=4)
    deliver()
    assert [attempts(canvas_campus, f"u{n}") for n in range(1, 5)] == [[1, 2, 3]] * 4


def test_it_takes_at_most_six_queries(canvas_campus, column):
    hand_in(column, 1)
    with CaptureQueriesContext(connection) as queries:
        hand_in(column, 2)
    assert len([query for query in queries if "COMMIT" not in query["sql"] and "BEGIN" not in query["sql"]]) <= 6


def test_what_is_done_with_is_emptied_and_still_known(canvas_campus, column, deliver):
    hand_in(column, 1)
    hand_in(column, 2)
    deliver()
    hand_in(column, 3)
    hand_in(column, 4)
    QueuedSubmission.objects.filter(state="delivered").update(recorded_at=T[0] - timedelta(days=9000))
    assert prune(Keep.configured(comments=60))["submissions"] == 1
    assert [bool(one.payload) for one in QueuedSubmission.objects.all()] == [False, False, True]
    hand_in(column, 1)
    deliver()
    assert attempts(canvas_campus) == [1, 2, 3, 4]


@pytest.mark.parametrize("keep", ["all", "", None, True, ["every"]])
def test_another_word_is_refused_and_stores_nothing(column, keep):
    with pytest.raises(ValidationError) as refused:
        record(column, keep=keep)
    assert list(refused.value.message_dict) == ["keep"]
    assert not Score.objects.exists()
