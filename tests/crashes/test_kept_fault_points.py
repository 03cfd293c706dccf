"""Kept submissions: a worker is killed before every write that it makes, and after the last; each becomes one attempt, in order."""

from datetime import UTC, datetime, timedelta

import pytest

from django_lti_ags import canvas, scores
from django_lti_ags.models import DeliveryAttempt, Score, SyncState

pytestmark = pytest.mark.django_db(transaction=True)

LEASE = {"LEASE_SECONDS": 2, "SEND_DEADLINE_SECONDS": 1}
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def hand_in(column, number):
    essay = canvas.Submission(submitted_at=EPOCH + timedelta(seconds=number))
    # Equal numbers: the Result alone could not tell them apart.
    said = {"score_given": 5, "score_maximum": 10, "comment": f"No. {number}", "submission": essay}
    scores.record(column, user_id="u1", keep="every", **said)


def check(campus, newest):
    gradebook, item = campus.platform.gradebook, campus.link.line_item
    numbers = list(range(1, newest + 1))
    assert [(one.submitted_at - EPOCH).seconds for one in gradebook.submissions(item, "u1")] == numbers
    assert gradebook.comments(item, "u1") == [f"No. {number}" for number in numbers]
    assert Score.objects.values_list("state", "queue_head", "set_aside").get() == (SyncState.DELIVERED, None, 0)
    stamps = [entry.body["timestamp"] for entry in campus.platform.ledger.scores("u1")]
    assert stamps == sorted(stamps)


def test_a_worker_is_killed_at_every_write_of_a_queue(canvas_campus, column, nursery, deliver, later, tmp_path):
    told = tmp_path / "writes"
    with nursery(**LEASE) as children:
        for number in (1, 2):
            hand_in(column, number)
        children.wait(children.start("pass", tell=str(told)))
        check(canvas_campus, 2)
        writes = int(told.read_text())
        assert writes >= 8, "claims, health, rows, attempts of two sends, and the queue's row"
        killed = 0
        points = [*((write, "before") for write in range(1, writes + 1)), (writes, "after")]
        for newest, (write, when) in enumerate(points, start=2):
            hand_in(column, 2 * newest - 1)
            hand_in(column, 2 * newest)
            children.wait(children.start("pass", write=write, when=when))
            killed += Score.objects.exclude(state=SyncState.DELIVERED).exists()
            for _ in range(4):
                deliver(later())
            check(canvas_campus, 2 * newest)
    assert killed >= len(points) / 2, "hardly any kill came in between"
    assert DeliveryAttempt.objects.filter(abandoned=True).exists()
