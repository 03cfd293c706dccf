"""Lost workers, lost answers, refusals: over real sockets and the real database."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from django_lti_ags import line_items, scores
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import DeliveryAttempt, Event, LineItem, Score, SyncState
from django_lti_ags.profiles.base import Profile
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from tests.sync.conftest import Tomorrow, claimed, record

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_claim_gives_a_row_to_one_worker_only(line_item):
    record(line_item)
    [row] = claimed(line_item)
    assert (row.state, row.tries, row.wire_version) == (SyncState.SENDING, 1, 1)
    assert claimed(line_item) == []


def test_an_expired_lease_is_taken_over_and_settled_by_the_result(campus, line_item, deliver):
    """A worker died between the platform's 200 and its own commit."""
    record(line_item)
    [row] = claimed(line_item)
    campus.platform.set_result(campus.link.line_item, "u1", 8)
    deliver(Tomorrow(minutes=2))
    row.refresh_from_db()
    assert (row.state, row.code) == (SyncState.DELIVERED, "already_there")
    assert campus.platform.ledger.of("score") == []
    assert list(DeliveryAttempt.objects.order_by("pk").values_list("kind", "abandoned")) == [
        ("score", True),
        ("token", False),
        ("results", False),
    ]


def test_an_expired_lease_whose_send_never_arrived_is_sent_with_a_later_timestamp(campus, line_item, deliver):
    record(line_item)
    [row] = claimed(line_item)
    deliver(Tomorrow(minutes=2))
    [entry] = campus.platform.ledger.scores("u1")
    assert entry.body["timestamp"] > row.wire_timestamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert Score.objects.get().state == SyncState.DELIVERED


def test_a_stale_workers_finish_changes_nothing(campus, line_item, settings):
    record(line_item)
    engine = Engine()
    delivery = engine._deliveries[1]
    [row] = claimed(line_item)
    [job] = delivery.prepare([row], Profile(), start_by=time.monotonic() + 60, probe=False)
    outcome = delivery.exchange(job)
    [taken] = claimed(line_item, now=DatabaseClock().now() + timedelta(minutes=2))
    assert list(delivery.finish([outcome])) == []
    row.refresh_from_db()
    assert (row.state, row.lease_token) == (SyncState.SENDING, taken.lease_token)
    assert not DeliveryAttempt.objects.filter(abandoned=False).exists()
    engine.close()


@pytest.mark.parametrize(("effect", "sent"), [("drop_before", 2), ("drop_after", 1)])
def test_a_lost_answer_is_settled_by_the_result(campus, line_item, deliver, effect, sent):
    campus.platform.faults.add(effect, kind="score", count=1)
    record(line_item)
    deliver()
    row = Score.objects.get()
    assert (row.state, row.code, row.unsettled) == (SyncState.PENDING, "no_answer", True)
    deliver(Tomorrow(hours=1))
    row.refresh_from_db()
    assert (row.state, row.unsettled) == (SyncState.DELIVERED, False)
    assert len(campus.platform.ledger.of("score")) == sent
    assert campus.shown("u1") == 8


def test_a_teachers_edit_is_never_overwritten_by_a_retry(campus, line_item, deliver):
    campus.platform.faults.add("drop_before", kind="score", count=1)
    record(line_item)
    deliver()
    campus.platform.set_result(campus.link.line_item, "u1", 3)
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (row.state, row.code) == (SyncState.SUPERSEDED, "changed_elsewhere")
    assert campus.shown("u1") == 3


def test_where_results_cannot_be_read_a_person_decides(campus, deliver):
    line_item = line_items.from_launch(campus.claims(scope=[vocabulary.SCOPE_SCORE]))
    campus.platform.faults.add("drop_after", kind="score", count=1)
    record(line_item)
    deliver()
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (row.state, row.code) == (SyncState.BLOCKED, "likely_delivered")
    assert len(campus.platform.ledger.of("score")) == 1


@pytest.mark.parametrize(
    ("status", "body", "state", "code"),
    [
        (403, "{}", SyncState.BLOCKED, "likely_delivered"),
        (200, "<html>", SyncState.PENDING, "results_unreadable"),
        (500, "{}", SyncState.PENDING, "server_error"),
    ],
)
def test_results_that_cannot_be_read_leave_the_question_open(campus, line_item, deliver, status, body, state, code):
    campus.platform.faults.add("drop_after", kind="score", count=1)
    record(line_item)
    deliver()
    campus.platform.faults.add("status", kind="results", status=status, body=body)
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (row.state, row.code) == (state, code)
    assert row.unsettled is (state == SyncState.PENDING)
    assert len(campus.platform.ledger.of("score")) == 1


def test_a_conflict_is_settled_too(campus, line_item, deliver):
    record(line_item)
    campus.platform.faults.add("status", kind="score", count=1, status=409)
    deliver()
    deliver(Tomorrow(hours=1))
    assert Score.objects.get().state == SyncState.DELIVERED


def test_a_refused_score_fails_and_leaves_the_others_alone(campus, line_item, deliver):
    record(line_item, "stranger")
    record(line_item, "u2")
    deliver()
    row = Score.objects.get(user_id="stranger")
    assert (row.state, row.code) == (SyncState.FAILED, "score_refused")
    assert "nobody who can be graded" in row.detail
    assert campus.shown("u2") == 8
    assert Event.objects.filter(name="score_failed").count() == 1


def test_a_column_that_is_gone_blocks_its_scores_until_a_launch_brings_a_new_one(make_campus, deliver):
    campus = make_campus(learners=30)
    line_item = campus.line_item()
    del campus.course.line_items[campus.link.line_item.id]
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": 1, "score_maximum": 10} for n in range(1, 31)])
    deliver()
    assert set(Score.objects.values_list("state", "code")) == {(SyncState.BLOCKED, "line_item_gone")}
    asked = len(campus.platform.ledger.of("score"))
    assert asked <= 16
    line_item.refresh_from_db()
    assert line_item.block_code == "line_item_gone"
    record(line_item, "u1", 9)  # recorded afterwards: the block holds
    deliver()
    assert len(campus.platform.ledger.of("score")) == asked

    campus.link.line_item = campus.platform.state.add_line_item(
        campus.course, label="Quiz", score_maximum=10, resource_link_id=campus.link.id, owner="quiz"
    )
    renewed = campus.line_item()
    assert (renewed.pk, renewed.block_code) == (line_item.pk, "")
    deliver()
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}
    assert campus.shown("u1") == 9


def test_a_scope_that_was_not_granted_blocks_without_a_request(campus, line_item, deliver):
    LineItem.objects.update(scopes=[])
    record(line_item)
    deliver()
    assert Score.objects.get().code == "missing_scope"
    assert campus.platform.ledger.of("score") == []
    campus.line_item()  # the next launch brings it
    deliver()
    assert campus.shown("u1") == 8


def test_a_block_that_is_lifted_on_the_way_does_not_hold(campus, line_item, monkeypatch, deliver):
    LineItem.objects.update(block_code="forbidden")
    record(line_item)
    from django_lti_ags.sync import deliveries

    real = deliveries.send

    def lift_and_send(job, *using):
        threading.Thread(target=lambda: (LineItem.objects.update(block_code=""), connections.close_all())).start()
        while LineItem.objects.get().block_code:
            continue
        connections.close_all()
        return real(job, *using)

    monkeypatch.setattr(deliveries, "send", lift_and_send)
    deliver()
    assert campus.shown("u1") == 8


def test_a_new_version_during_the_send_is_sent_too(campus, line_item, deliver):
    record(line_item, given=1)
    campus.platform.faults.add("slow", kind="score", count=1, seconds=0.5)

    def change():
        campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("score")))
        record(line_item, given=2)
        connections.close_all()

    changing = threading.Thread(target=change)
    changing.start()
    deliver()
    changing.join()
    deliver()
    assert campus.shown("u1") == 2
    row = Score.objects.get()
    assert (row.version, row.delivered_version, row.state) == (2, 2, SyncState.DELIVERED)
    sent = [entry.body["timestamp"] for entry in campus.platform.ledger.scores("u1")]
    assert sent == sorted(set(sent))


def test_a_finish_waits_for_a_recorder_without_stalling_the_others(campus, line_item, deliver):
    if connection.vendor == "sqlite":
        # SQLite has one writer at a time: there is nothing to wait for but the whole database.
        record(line_item)
        deliver()
        assert campus.shown("u1") == 8
        return
    record(line_item, "u1")
    record(line_item, "u2")
    locked, release = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            list(Score.objects.select_for_update().filter(user_id="u1"))
            locked.set()
            release.wait(20)
        connections.close_all()

    campus.platform.faults.add("slow", kind="score", seconds=0.3)
    engine = Engine()
    running = threading.Thread(target=lambda: (engine.deliver_due(), engine.close(), connections.close_all()))
    running.start()
    campus.platform.ledger.wait_for(lambda ledger: len(ledger.of("score")) == 2)
    holding = threading.Thread(target=hold)
    holding.start()
    locked.wait(10)
    deadline = time.monotonic() + 10
    while Score.objects.get(user_id="u2").state != SyncState.DELIVERED and time.monotonic() < deadline:
        continue
    assert Score.objects.get(user_id="u2").state == SyncState.DELIVERED
    assert Score.objects.get(user_id="u1").state == SyncState.SENDING
    release.set()
    holding.join()
    running.join()
    assert Score.objects.get(user_id="u1").state == SyncState.DELIVERED


@pytest.mark.parametrize("stale_first", [True, False])
def test_of_two_outcomes_of_one_row_in_a_batch_only_the_lease_holders_counts(campus, line_item, stale_first):
    """A worker whose lease ran out, behind a recorder's lock say, may claim the row again and finish both together."""
    record(line_item)
    engine = Engine()
    delivery = engine._deliveries[1]
    [stale] = delivery.prepare(claimed(line_item), Profile(), start_by=time.monotonic() + 60, probe=False)
    retaken = claimed(line_item, now=DatabaseClock().now() + timedelta(minutes=2))
    [fresh] = delivery.prepare(retaken, Profile(), start_by=time.monotonic() + 60, probe=False)
    outcomes = [delivery.exchange(stale), delivery.hand_back(fresh)]
    assert delivery.finish(outcomes if stale_first else outcomes[::-1]) == []
    row = Score.objects.get()
    assert (row.state, row.code, row.unsettled) == (SyncState.PENDING, "not_started", True)
    assert not DeliveryAttempt.objects.filter(lease_token=stale.lease_token, abandoned=False).exists()
    engine.close()


def test_a_retry_lifts_the_block_above_what_failed(campus, line_item, deliver):
    record(line_item)
    Score.objects.update(state=SyncState.FAILED, due_at=None, code="gave_up")
    LineItem.objects.update(block_code="forbidden")
    assert scores.retry(Score.objects.all()) == 1
    deliver()
    assert campus.shown("u1") == 8
