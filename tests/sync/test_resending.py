"""What was delivered, sent again: with a later timestamp, and over nobody's edit."""

from datetime import timedelta

import pytest
from django.db import transaction

from django_lti_ags import line_items, results, scores
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import DeliveryAttempt, Event, LineItem, Score, SyncState
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.resending import MOST_TIMES
from django_lti_ags.sync.retention import Keep, prune
from tests.sync.conftest import claimed, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivered(line_item, deliver):
    record(line_item)
    deliver()
    return Score.objects.get()


def test_what_is_lost_arrives_again_and_what_is_there_is_not_sent(campus, line_item, deliver):
    for user in ("u1", "u2"):
        record(line_item, user)
    deliver()
    del campus.link.line_item.scores["u1"]
    DeliveryAttempt.objects.all().delete()
    assert scores.send_again(Score.objects.all()) == 2
    deliver()
    assert campus.shown("u1") == 8
    assert DeliveryAttempt.objects.get(kind="score").score.user_id == "u1"
    assert set(Score.objects.values_list("code", "state", "version")) == {("delivered", "delivered", 2), ("already_there", "delivered", 2)}


def test_an_edit_stays_unless_it_is_to_be_overwritten(campus, delivered, deliver):
    campus.platform.set_result(campus.link.line_item, "u1", 3)
    scores.send_again(delivered)
    deliver()
    assert (campus.shown("u1"), Score.objects.get().state) == (3, SyncState.SUPERSEDED)
    assert scores.send_again(delivered, overwrite_teachers=True) == 1
    deliver()
    assert (campus.shown("u1"), Score.objects.get().state) == (8, SyncState.DELIVERED)


def test_where_nobody_can_ask_nothing_is_sent_unless_told_to(campus, deliver):
    line_item = line_items.from_launch(campus.claims(scope=[vocabulary.SCOPE_SCORE]))
    record(line_item)
    deliver()
    assert scores.send_again(Score.objects.all()) == 0
    assert Score.objects.get().version == 1
    assert not Event.objects.filter(name="score_sent_again").exists()
    assert scores.send_again(Score.objects.all(), overwrite_teachers=True) == 1
    campus.link.line_item.scores.clear()
    deliver()
    assert campus.shown("u1") == 8


def test_what_was_never_delivered_is_left_alone(campus, line_item, deliver):
    for user in ("u1", "u2", "u3", "nobody"):
        record(line_item, user)
    claimed(line_item, limit=1)
    scores.cancel(Score.objects.filter(state=SyncState.PENDING, user_id="u3"), reason="wrong")
    before = list(Score.objects.order_by("pk").values())
    assert scores.send_again(Score.objects.all(), overwrite_teachers=True) == 0
    assert list(Score.objects.order_by("pk").values()) == before


def test_under_a_block_it_rests_until_that_is_lifted(campus, delivered, deliver):
    LineItem.objects.update(block_code="forbidden")
    campus.link.line_item.scores.clear()
    scores.send_again(delivered)
    deliver()
    row = Score.objects.get()
    assert (row.state, row.code) == (SyncState.BLOCKED, "forbidden")
    scores.retry(row)
    deliver()
    assert campus.shown("u1") == 8


def test_what_was_pruned_makes_it_no_other_score(campus, line_item, deliver):
    """Sent once more it would go without its comment, which some platforms then erase."""
    record(line_item, comment="Well done")
    deliver()
    Score.objects.update(recorded_at=DatabaseClock().now() - timedelta(days=3))
    assert prune(Keep(attempts=0, results=0, events=0, samples=0, comments=60))["comments"] == 1
    assert scores.send_again(Score.objects.all()) == 1
    deliver()
    assert set(Score.objects.values_list("code", "state", "version", "comment")) == {("already_there", "delivered", 2, "")}
    assert campus.link.line_item.scores["u1"].comment == "Well done"
    campus.link.line_item.scores.clear()
    scores.send_again(Score.objects.all())
    deliver()
    assert (campus.shown("u1"), campus.link.line_item.scores["u1"].comment or "") == (8, "")


def test_a_comparison_does_not_send_the_same_for_ever(campus, line_item, deliver):
    """The learner has left, say: the platform accepts the score and never shows it."""
    record(line_item)
    deliver()
    found = []
    for _ in range(MOST_TIMES + 2):
        campus.link.line_item.scores.clear()
        found.append(results.reconcile(line_item, policy="resend"))
        deliver()
    assert [(one.chosen, one.spent, one.resent) for one in found] == [(1, 0, 1)] * MOST_TIMES + [(0, 1, 0)] * 2
    assert not found[-1].is_in_order
    assert results.reconcile(line_item).spent == 0  # a report sends nothing
    assert scores.send_again(Score.objects.all()) == 1
    deliver()
    assert campus.shown("u1") == 8
    record(line_item, given=9)
    deliver()
    campus.link.line_item.scores.clear()
    assert results.reconcile(line_item, policy="resend").resent == 1


def test_rolled_back_nothing_is_due(delivered):
    def fail():
        with transaction.atomic():
            assert scores.send_again(delivered) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Score.objects.get().state == SyncState.DELIVERED


def test_a_worker_is_woken(delivered, settings, django_capture_on_commit_callbacks):
    settings.LTI_AGS = settings.LTI_AGS | {"WAKE": "tests.sync.test_resending.wake"}
    scores.send_again(delivered)
    assert woken == [1]


woken = []


def wake():
    woken.append(1)
