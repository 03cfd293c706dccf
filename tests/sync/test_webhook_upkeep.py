"""Who hears of what; what goes with age and with a learner; what is refused. The telling itself: test_webhooks."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import signals
from django.test.utils import CaptureQueriesContext

from django_lti_ags import api_keys, keys, scores, webhooks
from django_lti_ags.models import ApiKey, Context, DeliveryAttempt, Score, SyncState, WebhookDelivery, WebhookEndpoint
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.forgetting import Forgetting
from django_lti_ags.sync.retention import Keep, prune
from django_lti_ags.sync.waiting import wait_until
from tests.sync.conftest import record
from tests.sync.receiver import endpoint, key, message, receiver, told_of, verify
from tests.sync.test_contention import SECONDS

__all__ = ["endpoint", "key", "receiver"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_endpoints_hear_of_what_their_keys_see_and_of_the_kinds_they_chose(campus, make_campus, deliver, receiver, key):
    line_item = campus.line_item()
    other = make_campus(client_id="other")
    elsewhere = Context.objects.create(deployment=line_item.context.deployment, context_id="elsewhere")
    foreign, _ = api_keys.issue("foreign", [other.registration])
    narrow, _ = api_keys.issue("narrow", [campus.registration, other.registration], [elsewhere])
    here, _ = api_keys.issue("here", [campus.registration], [line_item.context])
    revoked, _ = api_keys.issue("revoked", [campus.registration])
    made = {name: webhooks.add(owner, receiver.url)[0] for name, owner in (("all", key), ("foreign", foreign), ("narrow", narrow))}
    made |= {"here": webhooks.add(here, receiver.url, ["score.failed"])[0], "revoked": webhooks.add(revoked, receiver.url)[0]}
    made["disabled"] = webhooks.add(key, receiver.url)[0]
    webhooks.disable(made["disabled"], reason="They move house")
    assert api_keys.revoke(revoked)
    assert WebhookEndpoint.objects.get(pk=made["revoked"].pk).disabled_reason == "Its API key is revoked."
    with pytest.raises(ValidationError, match="not revoked"):
        webhooks.enable(made["revoked"])
    record(line_item)
    record(line_item, "nobody")
    deliver()
    names = {row.pk: name for name, row in made.items()}
    told = sorted((names[row.endpoint_id], row.kind) for row in WebhookDelivery.objects.all())
    assert told == [("all", "score.delivered"), ("all", "score.failed"), ("here", "score.failed")]
    elsewhere.delete()
    assert ApiKey.objects.get(pk=narrow.pk).narrowed
    record(line_item, "u2")
    deliver()
    assert WebhookDelivery.objects.filter(endpoint=made["narrow"]).count() == 0, "its course is gone: it sees none, not all"


def test_where_nobody_listens_a_finish_asks_nothing(line_item, deliver, key, receiver):
    record(line_item)
    with CaptureQueriesContext(connection) as asked:
        deliver()
    about = {query["sql"] for query in asked if "webhook" in query["sql"] and not query["sql"].startswith("INSERT")}
    assert len(about) == 1, "whether anybody listens, before a claim, and nothing else"
    assert "lti_ags_webhookendpoint" in about.pop()
    webhooks.add(key, receiver.url)
    record(line_item, "u2")
    deliver()
    assert len(receiver.heard) == 1, "a new endpoint hears of what happens from now on"


def test_who_sees_something_else_is_not_even_read(campus, make_campus, deliver, receiver, key):
    line_item = campus.line_item()
    elsewhere = Context.objects.create(deployment=line_item.context.deployment, context_id="elsewhere")
    webhooks.add(key, receiver.url)
    loaded = []
    noted = lambda instance, **_: loaded.append(instance)  # noqa: E731

    def finished(user):
        record(line_item, user)
        loaded.clear()
        with CaptureQueriesContext(connection) as asked:
            deliver(limit=1)
        return len([query for query in asked if "webhook" in query["sql"] or "lti_ags_apikey" in query["sql"]])

    signals.post_init.connect(noted, sender=WebhookEndpoint)
    try:
        queries = finished("u1")
        assert len(loaded) == 1
        foreign, _ = api_keys.issue("foreign", [make_campus(client_id="other").registration])
        narrow, _ = api_keys.issue("narrow", [campus.registration], [elsewhere])
        for owner in (foreign, narrow):
            WebhookEndpoint.objects.bulk_create(WebhookEndpoint(api_key=owner, url=receiver.url, secret_encrypted="x") for _ in range(100))
        assert finished("u2") == queries
        assert len(loaded) == 1
    finally:
        signals.post_init.disconnect(noted, sender=WebhookEndpoint)


def test_messages_go_with_their_events_and_with_their_learner(campus, line_item, deliver, receiver, endpoint):
    record(line_item, "u1")
    record(line_item, "u2")
    deliver()
    WebhookDelivery.objects.filter(score__user_id="u2").update(created_at=DatabaseClock().now() - timedelta(days=91))
    assert prune(Keep.configured(), dry_run=True)["webhooks"] == 1
    assert prune(Keep.configured())["webhooks"] == 1
    assert "u1" in message().body
    dry = Forgetting([campus.registration], "u1", dry_run=True).run()
    assert dry["webhooks"] == 1
    assert Forgetting([campus.registration], "u1", dry_run=False).run() == dry
    assert not WebhookDelivery.objects.exists()
    assert not DeliveryAttempt.objects.filter(kind="webhook", request_body__contains='"u1"').exists()


def test_who_forgets_a_learner_is_told_of_messages_that_a_worker_has(campus, line_item, deliver, receiver, endpoint):
    told_of(line_item, deliver, 3)
    receiver.open.clear()
    engine = Engine()
    working = threading.Thread(target=lambda: (engine.deliver_due(), connection.close()))
    working.start()
    try:
        assert wait_until(lambda: len(receiver.heard) == 2, SECONDS)
        counts = Forgetting([campus.registration], "x2", dry_run=False).run()
    finally:
        receiver.open.set()
        working.join(SECONDS)
        engine.close()
    assert (counts["webhooks"], counts["being_sent"]) == (1, 1), "the receiver may hear of x2 yet, and does"
    assert any(b"x2" in heard.body for heard in receiver.heard)


def test_the_secret_follows_the_encryption_key_and_one_that_cannot_be_read_says_so(line_item, deliver, receiver, endpoint, settings):
    old, new = settings.LTI_AGS["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [new, old]}
    assert keys.rotate_encryption().rotated == 2
    assert WebhookEndpoint.objects.get().secret == endpoint.shown
    record(line_item)
    deliver(limit=1)
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    deliver()
    assert (message().state, message().code, receiver.heard) == (SyncState.BLOCKED, "webhook_secret_unusable", [])
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [new]}
    webhooks.retry(WebhookDelivery.objects.all())
    deliver()
    assert verify(endpoint.shown, receiver.heard[0].headers, receiver.heard[0].body)


def test_a_mistake_is_named_and_stores_nothing(key, receiver):
    revoked, _ = api_keys.issue("revoked", list(key.registrations.all()))
    api_keys.revoke(revoked)
    for arguments, field in (
        ((revoked, receiver.url), "api_key"),
        ((None, receiver.url), "api_key"),
        ((key, "nowhere"), "url"),
        ((key, receiver.url, []), "kinds"),
        ((key, receiver.url, ["score.superseded"]), "kinds"),
        ((key, receiver.url, "score.failed"), "kinds"),
    ):
        with pytest.raises(ValidationError) as caught:
            webhooks.add(*arguments)
        assert list(caught.value.message_dict) == [field]
    assert not WebhookEndpoint.objects.exists()


def test_what_a_person_disables_needs_a_reason(endpoint):
    with pytest.raises(ValidationError, match="Say why"):
        webhooks.disable(endpoint, reason=" ")
    assert webhooks.disable(endpoint, reason=" {moved} ") is True
    assert webhooks.disable(endpoint, reason="again") is False
    assert WebhookEndpoint.objects.get().disabled_reason == "{moved}"


def test_scores_are_recorded_and_taken_back_as_ever(line_item, deliver, receiver, endpoint):
    row = record(line_item)
    assert scores.cancel(Score.objects.filter(pk=row.pk), reason="wrong") == 1
    deliver()
    assert (receiver.heard, WebhookDelivery.objects.count()) == ([], 0)
