"""Answers that were lost, one after the other: the newest score wins, and nobody's edit is overwritten."""

import pytest

from django_lti_ags import scores
from django_lti_ags.models import LineItem, Score, SyncState
from django_lti_ags.sync import blocks
from tests.sync.conftest import Tomorrow, claimed, record

pytestmark = pytest.mark.django_db(transaction=True)


def lose(campus, how):
    campus.platform.faults.add(how, kind="score", count=1)


def test_two_lost_answers_in_a_row_lose_no_score(campus, line_item, deliver):
    """The platform shows the first, which nobody ever heard was delivered: it is ours all the same."""
    record(line_item, given=8)
    lose(campus, "drop_after")
    deliver()
    record(line_item, given=9)
    lose(campus, "drop_before")
    deliver()
    assert campus.shown("u1") == 8
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (row.state, row.doubtful, campus.shown("u1")) == (SyncState.DELIVERED, [], 9)


def test_a_version_that_died_with_its_worker_is_ours_too(campus, line_item, deliver):
    record(line_item, given=8)
    claimed(line_item)  # and its worker sends it, and dies
    campus.platform.set_result(campus.link.line_item, "u1", 8)
    record(line_item, given=9)
    lose(campus, "drop_before")
    deliver(Tomorrow(minutes=5))
    deliver(Tomorrow(hours=1))
    assert (Score.objects.get().state, campus.shown("u1")) == (SyncState.DELIVERED, 9)


def test_a_cancelled_version_is_ours_too(campus, line_item, deliver):
    record(line_item, given=8)
    lose(campus, "drop_after")
    deliver()
    scores.cancel(Score.objects.all(), reason="wrong learner")
    record(line_item, given=9)
    lose(campus, "drop_before")
    deliver()
    deliver(Tomorrow(hours=1))
    assert (Score.objects.get().state, campus.shown("u1")) == (SyncState.DELIVERED, 9)


def test_what_the_platform_rounded_is_ours_too(campus, line_item, deliver):
    """Not somebody's edit: that would stay, and the newest score would never arrive."""
    record(line_item, given=20 / 3)
    deliver()
    campus.platform.set_result(campus.link.line_item, "u1", 6.67)
    record(line_item, given=9)
    lose(campus, "drop_before")
    deliver()
    deliver(Tomorrow(hours=1))
    assert (Score.objects.get().state, campus.shown("u1")) == (SyncState.DELIVERED, 9)


def test_what_arrived_and_was_rounded_has_arrived(campus, line_item, deliver):
    record(line_item, given=20 / 3)
    lose(campus, "drop_after")
    deliver()
    campus.platform.set_result(campus.link.line_item, "u1", 6.67)
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (row.state, row.code, campus.shown("u1")) == (SyncState.DELIVERED, "already_there", 6.67)


def test_doubts_do_not_grow_without_end(campus, line_item, deliver):
    for given in range(30):
        record(line_item, given=given)
        Score.objects.update(unsettled=True)
    assert len(Score.objects.get().doubtful) == 20


def test_equal_points_do_not_hide_that_the_rest_is_missing(campus, line_item, deliver):
    record(line_item, given=8, activity_progress="InProgress")
    deliver()
    record(line_item, given=8, activity_progress="Completed")
    lose(campus, "drop_before")
    deliver()
    deliver(Tomorrow(hours=1))
    assert Score.objects.get().state == SyncState.DELIVERED
    assert campus.platform.ledger.scores("u1")[-1].body["activityProgress"] == "Completed"


def test_a_block_does_not_make_a_teachers_edit_forgotten(campus, line_item, deliver):
    record(line_item, given=8)
    lose(campus, "drop_after")
    deliver()
    LineItem.objects.update(block_code="forbidden")
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (row.state, row.unsettled) == (SyncState.BLOCKED, True)
    campus.platform.set_result(campus.link.line_item, "u1", 3)
    blocks.lift(LineItem.objects.all())
    deliver(Tomorrow(hours=2))
    row.refresh_from_db()
    assert (row.state, row.code, campus.shown("u1")) == (SyncState.SUPERSEDED, "changed_elsewhere", 3)


def test_a_column_that_seems_gone_when_it_is_asked_leaves_the_question_open(campus, line_item, deliver):
    record(line_item, given=8)
    lose(campus, "drop_after")
    deliver()
    campus.platform.faults.add("status", kind="results", count=1, status=404)
    deliver(Tomorrow(hours=1))
    assert Score.objects.get().state == SyncState.BLOCKED
    campus.platform.set_result(campus.link.line_item, "u1", 3)
    scores.retry(Score.objects.all())
    deliver(Tomorrow(hours=2))
    assert (Score.objects.get().code, campus.shown("u1")) == ("changed_elsewhere", 3)


@pytest.mark.parametrize("readable", [True, False])
def test_a_comment_that_may_be_there_already_is_not_added_again_at_canvas(campus, deliver, readable):
    campus.registration.profile = "canvas"
    campus.registration.save()
    line_item = campus.line_item()
    record(line_item, given=8, comment="Well done")
    lose(campus, "drop_after")
    deliver()
    record(line_item, given=9, comment="Well done")
    if not readable:
        LineItem.objects.update(scopes=[scope for scope in campus.tool.scopes if "result" not in scope])
    deliver()
    sent = [entry.body for entry in campus.platform.ledger.scores("u1")]
    assert [(body["scoreGiven"], body.get("comment")) for body in sent] == [(8, "Well done"), (9, None)]


def test_a_comment_that_did_not_arrive_is_sent_at_canvas(campus, deliver):
    campus.registration.profile = "canvas"
    campus.registration.save()
    line_item = campus.line_item()
    record(line_item, given=8, comment="Well done")
    lose(campus, "drop_before")
    deliver()
    record(line_item, given=9, comment="Well done")
    deliver()
    assert campus.platform.ledger.scores("u1")[-1].body["comment"] == "Well done"
