"""From record to gradebook, over real sockets and the real database."""

import pytest
from django.db import transaction

from django_lti_ags import scores
from django_lti_ags.models import DeliveryAttempt, Event, Score, SyncState
from django_lti_ags.sync.engine import deliver_due

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_recorded_score_reaches_the_gradebook(campus):
    line_item = campus.line_item()
    scores.record(line_item, user_id="u1", score_given=8, score_maximum=10, comment="Well done")

    report = deliver_due()

    assert report.finished == 1
    assert report.codes == {"delivered": 1}
    assert campus.shown("u1") == 8
    row = Score.objects.get()
    assert (row.state, row.due_at, row.lease_token) == (SyncState.DELIVERED, None, None)
    assert (row.delivered_version, row.delivered_given, row.delivered_maximum, row.delivered_comment) == (1, 8.0, 10.0, "Well done")
    assert row.result_url.startswith(campus.platform.base_url)
    kinds = list(DeliveryAttempt.objects.order_by("pk").values_list("kind", "status", "code"))
    assert kinds == [("token", 200, ""), ("score", 200, "delivered")]
    assert list(Event.objects.values_list("name", "score_id", "version")) == [("score_delivered", row.pk, 1)]


def test_what_was_rolled_back_is_never_sent(campus):
    line_item = campus.line_item()
    with transaction.atomic():
        scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
        transaction.set_rollback(True)
    assert deliver_due().finished == 0
    assert campus.platform.ledger.scores(applied=False) == []


def test_zero_and_extra_credit_arrive_as_they_are(campus):
    line_item = campus.line_item()
    scores.record(line_item, user_id="u1", score_given=0, score_maximum=10)
    scores.record(line_item, user_id="u2", score_given=12.5, score_maximum=10)
    deliver_due()
    assert (campus.shown("u1"), campus.shown("u2")) == (0, 12.5)


def test_the_newest_version_is_what_is_sent_and_timestamps_rise(campus):
    line_item = campus.line_item()
    for given in (1, 2, 3):
        scores.record(line_item, user_id="u1", score_given=given, score_maximum=10)
    deliver_due()
    scores.record(line_item, user_id="u1", score_given=4, score_maximum=10)
    deliver_due()
    sent = [entry.body for entry in campus.platform.ledger.scores("u1")]
    assert [body["scoreGiven"] for body in sent] == [3, 4]
    assert sent[0]["timestamp"] < sent[1]["timestamp"]


def test_a_class_needs_one_token(make_campus):
    campus = make_campus(learners=60)
    line_item = campus.line_item()
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": n % 10, "score_maximum": 10} for n in range(1, 61)])
    report = deliver_due()
    assert report.codes == {"delivered": 60}
    assert len(campus.platform.ledger.of("token")) == 1


def test_a_revoked_token_is_replaced_once(campus):
    line_item = campus.line_item()
    scores.record(line_item, user_id="u1", score_given=1, score_maximum=10)
    deliver_due()
    campus.platform.desk.revoke_all()
    scores.record(line_item, user_id="u2", score_given=2, score_maximum=10)
    deliver_due()
    assert campus.shown("u2") == 2
    assert len(campus.platform.ledger.of("token")) == 2


def test_clearing_takes_the_grade_out(campus):
    line_item = campus.line_item()
    scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    deliver_due()
    scores.clear(line_item, "u1")
    deliver_due()
    assert campus.shown("u1") is None
    assert Score.objects.get().state == SyncState.DELIVERED
