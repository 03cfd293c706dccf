"""Webhooks in trouble: what is disabled or gone is told nothing more, nobody waits for who holds an endpoint, nothing stays for ever."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from django_lti_ags import api_keys, webhooks
from django_lti_ags.models import DeliveryAttempt, Score, SyncState, WebhookDelivery, WebhookEndpoint
from django_lti_ags.sync import webhook_endpoints
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.forgetting import Forgetting
from django_lti_ags.sync.outbox import Claim, claim
from django_lti_ags.sync.outbox_sql import locked
from django_lti_ags.sync.retention import Keep, prune
from django_lti_ags.sync.waiting import wait_until
from django_lti_ags.sync.webhook_rows import WebhookOutDelivery
from django_lti_ags.sync.worker import Worker
from tests.sync.conftest import Tomorrow, record
from tests.sync.receiver import endpoint, key, message, receiver, told_of
from tests.sync.test_contention import SECONDS, Holding

__all__ = ["endpoint", "key", "receiver"]

pytestmark = pytest.mark.django_db(transaction=True)


def claimed(endpoint):
    terms = Claim(service_id=endpoint.pk, limit=1, now=DatabaseClock().now(), lease_seconds=60, timestamp_step_seconds=0.001)
    return claim(WebhookDelivery.objects.all(), terms)


def test_gone_ends_what_waits_for_it_too(line_item, deliver, receiver, endpoint):
    for number in range(40):
        record(line_item, f"x{number}")
    deliver(limit=40)
    receiver.answers = [(410, {})] * 40
    deliver()
    assert len(receiver.heard) < 8
    receiver.answers.clear()
    webhooks.enable(endpoint)
    deliver()
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}


def disable(endpoint):
    webhooks.disable(endpoint, reason="x")


def revoke(endpoint):
    api_keys.revoke(endpoint.api_key)


@pytest.mark.parametrize("ended", [disable, revoke])
def test_what_was_claimed_before_is_not_sent_after(line_item, deliver, receiver, endpoint, ended):
    record(line_item)
    deliver(limit=1)
    engine = Engine()
    delivery = engine._deliveries[-1]
    ended(endpoint)
    WebhookDelivery.objects.update(state=SyncState.PENDING, due_at=DatabaseClock().now())
    delivery.catch_up()
    [job] = delivery.prepare(claimed(endpoint), delivery.profile_at(endpoint), start_by=float("inf"), probe=False)
    delivery.finish([delivery.exchange(job)])
    engine.close()
    assert (receiver.heard, message().tries) == ([], 0)


def test_who_holds_an_endpoint_holds_up_no_score(line_item, deliver, receiver, endpoint):
    record(line_item, "u1")
    deliver(limit=1)
    receiver.answers = [(500, {})]
    receiver.open.clear()
    worker = Worker()
    running = threading.Thread(target=lambda: (worker.run(), connection.close()))
    running.start()
    assert wait_until(lambda: bool(receiver.heard), SECONDS)
    with Holding(lambda: disable(endpoint)):
        receiver.open.set()
        threading.Event().wait(0.5)  # the answer is being written down, or waits for that
        record(line_item, "u2")
        there = wait_until(lambda: Score.objects.get(user_id="u2").state == SyncState.DELIVERED, SECONDS / 2)
    worker.stop()
    running.join(SECONDS)
    assert there


def test_what_is_not_sent_any_more_is_pruned_and_what_waits_is_not(line_item, deliver, endpoint, key):
    record(line_item, "u1")
    record(line_item, "u2")
    deliver(limit=2)
    claimed(endpoint)  # the worker dies here
    WebhookDelivery.objects.update(created_at=DatabaseClock().now() - timedelta(days=400))
    assert prune(Keep.configured())["webhooks"] == 0
    api_keys.revoke(key)
    assert prune(Keep.configured())["webhooks"] == 2


def test_nothing_grows_old_at_a_disabled_endpoint(line_item, deliver, receiver, endpoint):
    record(line_item)
    deliver(limit=1)
    webhooks.disable(endpoint, reason="x")
    webhooks.retry(WebhookDelivery.objects.all())
    long_ago = DatabaseClock().now() - timedelta(days=8)
    WebhookDelivery.objects.update(aged_from=long_ago)
    WebhookEndpoint.objects.update(disabled_at=long_ago)
    webhooks.enable(endpoint)
    receiver.answers = [(500, {})]
    deliver()
    assert message().state == SyncState.PENDING
    deliver(Tomorrow(hours=1))
    assert message().state == SyncState.DELIVERED


def grown_old():
    """All that waits failed eight days ago for the first time, as did its endpoint, whose probe is due."""
    long_ago = DatabaseClock().now() - timedelta(days=8)
    WebhookDelivery.objects.filter(state=SyncState.PENDING).update(due_at=long_ago, aged_from=long_ago, created_at=long_ago)
    WebhookEndpoint.objects.update(failing_since=long_ago, closed_until=long_ago)


def test_messages_that_it_never_takes_are_given_up_and_do_not_disable_a_quiet_endpoint(line_item, deliver, receiver, endpoint):
    for number in range(4):
        record(line_item, f"x{number}")
    receiver.answers = [(500, {})] * 100
    deliver()
    deliver(Tomorrow(minutes=1))
    for _ in range(4):
        grown_old()
        deliver()
    assert set(WebhookDelivery.objects.values_list("state", "code")) == {("failed", "webhook_given_up")}
    assert not WebhookEndpoint.objects.get().is_disabled
    receiver.answers.clear()
    record(line_item)
    deliver(Tomorrow(hours=1))
    assert WebhookDelivery.objects.order_by("pk").last().state == SyncState.DELIVERED


def test_a_bad_hour_after_a_message_that_it_never_took_does_not_disable_it(line_item, deliver, receiver, endpoint):
    for number in range(8):
        record(line_item, f"x{number}")
    receiver.answers = [(500, {})] * 100
    deliver()
    grown_old()
    WebhookDelivery.objects.exclude(pk=WebhookDelivery.objects.earliest("pk").pk).update(created_at=DatabaseClock().now())
    deliver()
    assert not WebhookEndpoint.objects.get().is_disabled


class Interrupted(Exception):
    """A process that dies here."""


def in_tens(monkeypatch):
    monkeypatch.setattr(webhook_endpoints, "_AT_ONCE", 10)


def rested():
    return WebhookDelivery.objects.filter(state=SyncState.BLOCKED, code="webhook_disabled").count()


def test_disabling_and_enabling_go_in_portions_and_an_interruption_loses_nothing(line_item, deliver, receiver, endpoint, monkeypatch):
    told_of(line_item, deliver, 25)
    in_tens(monkeypatch)
    held = []

    def locked_and_counted(rows, **how):
        if rows.model is WebhookEndpoint:
            held.append(rested())
            if len(held) == breaks_off:
                raise Interrupted
        return locked(rows, **how)

    breaks_off = 3
    monkeypatch.setattr(webhook_endpoints, "locked", locked_and_counted)
    assert webhooks.disable(endpoint, reason="x"), "what follows the commit is logged, if it breaks off"
    assert (rested(), held) == (10, [0, 0, 10])
    deliver(Tomorrow(minutes=1))
    assert receiver.heard == [], "what does not rest yet is not sent either"
    held.clear()
    WebhookDelivery.objects.filter(state=SyncState.PENDING).update(state=SyncState.BLOCKED, due_at=None, code="webhook_disabled")
    with pytest.raises(Interrupted):
        webhooks.enable(endpoint)
    assert (rested(), held) == (5, [25, 15, 5])
    assert WebhookEndpoint.objects.get().is_disabled, "until all of it waits"
    deliver(Tomorrow(minutes=1))
    assert receiver.heard == []
    breaks_off = None
    assert webhooks.enable(endpoint)
    deliver()
    assert len({heard.id for heard in receiver.heard}) == len(receiver.heard) == 25


def test_a_worker_that_disables_an_endpoint_lets_its_messages_rest_between_scores(line_item, deliver, receiver, endpoint, monkeypatch):
    told_of(line_item, deliver, 35)
    in_tens(monkeypatch)
    counts, rest_some = [], webhook_endpoints.rest_some

    def counted(*given, **how):
        counts.append(rested())
        return rest_some(*given, **how)

    monkeypatch.setattr(webhook_endpoints, "rest_some", counted)
    receiver.answers = [(410, {})] * 100
    deliver(deadline_seconds=60)
    assert (counts[0], max(counts) < 35) == (0, True)
    engine = Engine()
    engine.deliver_due()
    engine.close()
    assert WebhookEndpoint.objects.get().is_disabled
    assert webhooks.enable(endpoint)
    receiver.answers.clear()
    deliver()
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}


def test_an_endpoint_enabled_while_another_disables_it_keeps_nothing_back(line_item, deliver, receiver, endpoint, monkeypatch):
    told_of(line_item, deliver, 25)
    in_tens(monkeypatch)
    rest_some = webhook_endpoints.rest_some
    rounds = []

    def enabled_in_between(*given, **how):
        rounds.append(given)
        if len(rounds) == 2:
            assert webhooks.enable(endpoint)
        return rest_some(*given, **how)

    monkeypatch.setattr(webhook_endpoints, "rest_some", enabled_in_between)
    assert webhooks.disable(endpoint, reason="x")
    assert (len(rounds), rested()) == (3, 0)


def test_a_learner_is_forgotten_while_a_message_about_them_is_finished(campus, line_item, deliver, endpoint, monkeypatch):
    record(line_item)
    deliver(limit=1)
    written, go_on, conclude = threading.Event(), threading.Event(), WebhookOutDelivery.conclude

    def concluded(self, *given):
        conclude(self, *given)
        written.set()
        go_on.wait(SECONDS)

    monkeypatch.setattr(WebhookOutDelivery, "conclude", concluded)
    engine = Engine()
    running = threading.Thread(target=lambda: (engine.deliver_due(), connection.close()))
    running.start()
    assert written.wait(SECONDS)
    threading.Timer(0.5, go_on.set).start()
    Forgetting([campus.registration], "u1", dry_run=False).run()
    running.join(SECONDS)
    engine.close()
    assert not Score.objects.exists()
    assert not DeliveryAttempt.objects.filter(request_body__contains="u1").exists()


def test_a_log_does_not_tell_an_address(line_item, deliver, key, receiver, caplog):
    webhooks.add(key, receiver.url + "&token=s3cret")
    for number in range(8):
        record(line_item, f"x{number}")
    receiver.answers = [(500, {})] * 100
    deliver()
    assert "is in trouble" in caplog.text
    assert "s3cret" not in caplog.text
