"""Webhooks: told once it is true, signed, told again until heard, each endpoint at its own pace."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from django_lti_ags import api_keys, webhooks
from django_lti_ags.models import DeliveryAttempt, Event, Score, SyncState, WebhookDelivery, WebhookEndpoint
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.sync import announcing
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.outbox import Claim, claim
from tests.sync.conftest import Tomorrow, record
from tests.sync.receiver import PAGE, endpoint, key, message, receiver, verify

__all__ = ["endpoint", "key", "receiver"]

pytestmark = pytest.mark.django_db(transaction=True)


def due_again():
    """What waits for a later try is due, and so is the probe of a circuit that opened."""
    WebhookDelivery.objects.filter(state=SyncState.PENDING).update(due_at="2026-01-01T00:00Z")
    WebhookEndpoint.objects.exclude(closed_until=None).update(closed_until="2026-01-01T00:00Z")


def test_what_became_of_scores_is_told_signed_and_without_secrets(campus, line_item, deliver, receiver, endpoint):
    record(line_item, comment="between us")
    record(line_item, "nobody", given=7.5)
    deliver()
    told = {heard.headers["webhook-id"]: json.loads(heard.body) for heard in receiver.heard}
    assert sorted((one["type"], one["data"]["userId"], one["data"]["scoreGiven"]) for one in told.values()) == [
        ("score.delivered", "u1", 8),
        ("score.failed", "nobody", 7.5),
    ]
    row = Score.objects.get(user_id="u1")
    data = next(one["data"] for one in told.values() if one["data"]["userId"] == "u1")
    assert (data["uid"], data["lineItem"], data["lineItemUid"]) == (str(row.uid), line_item.url, str(line_item.uid))
    assert (data["state"], data["code"], data["version"], data["scoreMaximum"]) == ("delivered", "delivered", 1, 10)
    assert (data["context"], data["registration"]) == (str(line_item.context.uid), str(campus.registration.uid))
    documented = json.loads(re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1])
    assert [(one.keys(), one["data"].keys()) for one in told.values()] == [(documented.keys(), documented["data"].keys())] * 2
    assert told.keys() == {f"msg_{uid.hex}" for uid in Event.objects.values_list("uid", flat=True)}
    for heard in receiver.heard:
        assert heard.headers["content-type"] == "application/json"
        assert verify(endpoint.shown, heard.headers, heard.body)
        assert not verify(endpoint.shown, heard.headers, heard.body + b" ")
        assert not verify(endpoint.shown, heard.headers | {"webhook-id": "msg_0"}, heard.body)
        assert not verify(endpoint.shown, heard.headers | {"webhook-timestamp": "1700000000"}, heard.body)
        assert not verify("whsec_" + "A" * 44, heard.headers, heard.body)
        assert b"between us" not in heard.body
        assert "authorization" not in heard.headers
    assert set(WebhookDelivery.objects.values_list("state", "code")) == {("delivered", "webhook_delivered")}
    kept = str(list(DeliveryAttempt.objects.filter(kind="webhook").values())) + str(WebhookEndpoint.objects.values())
    assert endpoint.shown not in kept
    assert not [heard for heard in receiver.heard if heard.headers["webhook-signature"].removeprefix("v1,") in kept]
    deliver()
    assert len(receiver.heard) == 2, "once"


def test_a_retry_keeps_id_and_body_and_is_signed_anew(line_item, deliver, receiver, endpoint):
    receiver.answers = [(500, {}), (302, {"Location": "/elsewhere"}), (204, {})]
    record(line_item)
    deliver()
    assert (message().state, message().code, message().tries) == (SyncState.PENDING, "webhook_refused", 1)
    assert message().due_at > DatabaseClock().now()
    Score.objects.update(score_given=1)  # what is told is what was, not what is
    due_again()
    deliver()
    assert message().tries == 2
    due_again()
    deliver()
    assert (message().state, message().delivered_at is not None) == (SyncState.DELIVERED, True)
    assert len({(heard.id, heard.body) for heard in receiver.heard}) == 1
    assert [verify(endpoint.shown, heard.headers, heard.body) for heard in receiver.heard] == [True] * 3
    attempts = DeliveryAttempt.objects.filter(webhook=message()).order_by("pk")
    assert list(attempts.values_list("status", "code")) == [(500, "webhook_refused"), (302, "webhook_refused"), (204, "webhook_delivered")]
    assert {one.service_id for one in attempts} == {line_item.service_id}
    assert Score.objects.get().state == SyncState.DELIVERED


def test_what_rolls_back_is_not_told(line_item, deliver, receiver, endpoint, monkeypatch):
    record(line_item)
    real = announcing.webhook_queueing.queue

    def queue_and_fail(*arguments):
        real(*arguments)
        assert WebhookDelivery.objects.count() == 1
        raise RuntimeError("the finish breaks off")

    monkeypatch.setattr(announcing.webhook_queueing, "queue", queue_and_fail)
    with pytest.raises(RuntimeError):
        deliver()
    monkeypatch.undo()
    assert (WebhookDelivery.objects.count(), receiver.heard) == (0, [])
    deliver(Tomorrow(hours=1))
    assert len(receiver.heard) == 1


def test_a_worker_that_died_in_between_tells_again_with_the_same_id(line_item, deliver, receiver, endpoint):
    record(line_item)
    deliver(limit=1)
    terms = Claim(service_id=endpoint.pk, limit=1, now=DatabaseClock().now(), lease_seconds=60, timestamp_step_seconds=0.001)
    [taken] = claim(WebhookDelivery.objects.all(), terms)
    engine = Engine()
    delivery = engine._deliveries[-1]
    delivery.catch_up()
    [job] = delivery.prepare([taken], delivery.profile_at(endpoint), start_by=float("inf"), probe=False)
    delivery.exchange(job)  # heard; and then the worker is gone, before it can finish
    engine.close()
    deliver()
    assert len(receiver.heard) == 1, "the lease still runs"
    deliver(Tomorrow(hours=1))
    assert [heard.id for heard in receiver.heard] == [message().message_id] * 2
    assert message().state == SyncState.DELIVERED
    assert DeliveryAttempt.objects.filter(webhook=message(), abandoned=True).count() == 1


def test_gone_disables_the_endpoint_and_enabling_it_sends_what_rested(line_item, deliver, receiver, endpoint):
    receiver.answers = [(500, {}), (410, {}), (410, {})]  # on a slow machine both are due by then
    record(line_item)
    deliver()
    record(line_item, "u2")
    deliver()
    endpoint.refresh_from_db()
    assert (endpoint.is_disabled, endpoint.disabled_reason) == (True, "It answered 410 Gone.")
    assert list(WebhookDelivery.objects.order_by("pk").values_list("state", "code")) == [
        ("blocked", "webhook_disabled"),
        ("blocked", "webhook_disabled"),
    ]
    heard = len(receiver.heard)
    record(line_item, "u3")
    deliver(Tomorrow(hours=1))
    assert (len(receiver.heard), WebhookDelivery.objects.count()) == (heard, 2), "it hears nothing, and nothing is kept for it"
    receiver.answers.clear()
    assert (webhooks.enable(endpoint), webhooks.enable(endpoint)) == (True, False)
    deliver()
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}


def test_a_private_address_is_asked_nothing(line_item, deliver, receiver, endpoint, settings, key):
    record(line_item)
    deliver(limit=1)
    settings.LTI_AGS = settings.LTI_AGS | {"ALLOWED_PRIVATE_HOSTS": []}
    deliver()
    assert (receiver.heard, message().state, message().code) == ([], SyncState.PENDING, "webhook_address_refused")
    with pytest.raises(ValidationError, match="127"):
        webhooks.add(key, receiver.url)
    for bad in ("", "tool.example", "ftp://tool.example/", "https://u:p@tool.example/", "http://metadata.internal/", "http://[::1]/", None):
        with pytest.raises(ValidationError) as caught:
            webhooks.add(key, bad)
        assert list(caught.value.message_dict) == ["url"]
    assert WebhookEndpoint.objects.count() == 1


def test_it_is_given_up_in_the_end_and_an_endpoint_that_is_never_well_is_disabled(line_item, deliver, receiver, endpoint):
    record(line_item)
    receiver.answers = [(500, {})] * 9
    deliver()
    WebhookDelivery.objects.update(aged_from=DatabaseClock().now() - timedelta(days=8))
    due_again()
    deliver()
    assert (message().state, message().code) == (SyncState.FAILED, "webhook_given_up")
    assert "send it again" in ADVICE[message().code]
    assert webhooks.retry(WebhookDelivery.objects.all()) == 1
    for _ in range(3):
        due_again()
        deliver()
    endpoint.refresh_from_db()
    assert endpoint.closed_until is not None, "five failures in a row open its circuit"
    others = [message() for _ in range(4)]
    for number, other in enumerate(others):
        other.pk, other.uid, other.message_id = None, uuid4(), f"msg_{number}"
    WebhookDelivery.objects.bulk_create(others)
    WebhookDelivery.objects.update(created_at=DatabaseClock().now() - timedelta(days=2))
    WebhookEndpoint.objects.update(failing_since=DatabaseClock().now() - timedelta(days=8))
    due_again()
    deliver()
    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "It has answered nothing well for 7d."
    assert set(WebhookDelivery.objects.values_list("state", "code")) == {("blocked", "webhook_disabled")}
    webhooks.enable(endpoint)
    receiver.answers = []
    deliver()
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}
    assert WebhookEndpoint.objects.get().consecutive_failures == 0


def test_a_pause_that_it_asks_for_is_kept(line_item, deliver, receiver, endpoint):
    receiver.answers = [(429, {"Retry-After": "120"})]
    record(line_item)
    deliver()
    endpoint.refresh_from_db()
    assert 100 < (endpoint.closed_until - DatabaseClock().now()).total_seconds() < 121
    deliver(Tomorrow(seconds=90))
    assert len(receiver.heard) == 1
    deliver(Tomorrow(seconds=150))
    assert message().state == SyncState.DELIVERED


def test_an_endpoint_that_hangs_holds_up_no_score(make_campus, deliver, receiver, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"THREADS": 4}
    campus = make_campus()
    line_item = campus.line_item()
    key, _ = api_keys.issue("tool", [campus.registration])
    for _ in range(3):
        webhooks.add(key, receiver.url)
    record(line_item, "u1")
    deliver(limit=1)
    assert WebhookDelivery.objects.count() == 3
    receiver.open.clear()
    engine = Engine()

    def work():
        engine.deliver_due()
        connection.close()  # this thread's

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_until(lambda: receiver.heard)
        for number in range(2, 6):
            record(line_item, f"u{number}")
        wait_until(lambda: Score.objects.filter(state=SyncState.DELIVERED).count() == 5)
        assert len(receiver.heard) == 1, "a quarter of four threads is one, whoever hangs"
    finally:
        receiver.open.set()
        thread.join(30)
        engine.close()
    assert len(receiver.heard) == WebhookDelivery.objects.filter(state=SyncState.DELIVERED).count() == 15


def wait_until(found, seconds=20):
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if found():
            return
        pause.wait(0.02)
    pytest.fail("it did not come about")
