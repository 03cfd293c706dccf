"""Webhooks in the admin: a secret is shown once; endpoints are enabled and disabled, messages sent again; learners stay concealed."""

from __future__ import annotations

import re

from django_lti_ags.models import DeliveryAttempt, SyncState, WebhookDelivery, WebhookEndpoint
from tests.admin.conftest import address

SEEN = 200


def act(browser, model, action, row):
    return browser.post(address(model, "changelist"), {"action": action, "_selected_action": [row.pk], "index": 0}, follow=True)


def test_an_endpoint_is_added_and_its_secret_shown_once(world, boss):
    form = {"api_key": world.api_key.pk, "url": "https://tool.example/new", "kinds": ["score.failed"]}
    made = boss.post(address(WebhookEndpoint, "add"), form)
    row = WebhookEndpoint.objects.get(url="https://tool.example/new")
    assert row.secret in made.content.decode()
    assert (row.kinds, "no-store" in made["Cache-Control"]) == (["score.failed"], True)
    for page in ("change", "history"):
        text = boss.get(address(WebhookEndpoint, page, row)).content.decode()
        assert not re.search("whsec_|" + re.escape(row.secret_encrypted[:30]), text)
    for wrong, field in (({"url": "http://10.0.0.1/"}, "url"), ({"kinds": []}, "kinds"), ({"api_key": ""}, "api_key")):
        answer = boss.post(address(WebhookEndpoint, "add"), form | wrong)
        assert set(answer.context["adminform"].form.errors) == {field}


def test_endpoints_are_disabled_and_enabled_by_whom_may(world, person):
    row = world.webhook_endpoint
    act(person("view_webhookendpoint"), WebhookEndpoint, "disable", row)
    assert not WebhookEndpoint.objects.get().is_disabled
    operator = person("view_webhookendpoint", "change_webhookendpoint")
    assert "1 endpoint disabled." in act(operator, WebhookEndpoint, "disable", row).content.decode()
    assert WebhookEndpoint.objects.get().disabled_reason == "staff1 did it, in the admin."
    assert "0 endpoints disabled." in act(operator, WebhookEndpoint, "disable", row).content.decode()
    assert "1 endpoint enabled." in act(operator, WebhookEndpoint, "enable", row).content.decode()
    assert "Enabled." in operator.get(address(WebhookEndpoint, "history", row)).content.decode()


def test_messages_are_sent_again_by_whom_may(world, person):
    act(person("view_webhookdelivery"), WebhookDelivery, "retry", world.webhook_delivery)
    assert WebhookDelivery.objects.get().state == SyncState.FAILED
    told = act(person("view_webhookdelivery", "change_webhookdelivery"), WebhookDelivery, "retry", world.webhook_delivery)
    assert "1 message is due now." in told.content.decode()
    assert WebhookDelivery.objects.get().state == SyncState.PENDING


def test_who_may_not_see_learners_finds_none_in_messages_and_attempts(world, person):
    learner = "canary-4711"
    score = world.add_score(learner)
    message = world.add_message(score, world.webhook_endpoint, detail=f"what is {learner}?")
    about = {"kind": "webhook", "request_body": message.body, "response_body": f'"{learner}"', "detail": learner}
    attempt = world.add_attempt(score, **about)
    DeliveryAttempt.objects.filter(pk=attempt.pk).update(score=None, webhook=message)
    pages = [address(WebhookDelivery, "change", message), address(WebhookDelivery, "changelist")]
    pages += [address(DeliveryAttempt, "change", attempt), address(WebhookEndpoint, "change", world.webhook_endpoint)]
    staff = person("view_webhookdelivery", "view_webhookendpoint", "view_deliveryattempt")
    knowing = person("view_webhookdelivery", "view_webhookendpoint", "view_deliveryattempt", "see_learners")
    for page in pages:
        answer = staff.get(page)
        assert (answer.status_code, learner in answer.content.decode()) == (SEEN, False)
    assert [learner in knowing.get(page).content.decode() for page in pages] == [True, True, True, False]
