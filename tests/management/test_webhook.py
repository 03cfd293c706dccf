"""``lti_ags_webhook``: endpoints are added, shown, disabled and enabled; a secret is printed once."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags import api_keys, webhooks
from django_lti_ags.models import WebhookDelivery, WebhookEndpoint
from tests.sync.conftest import deliver, record
from tests.sync.receiver import receiver

__all__ = ["deliver", "receiver"]

pytestmark = pytest.mark.django_db(transaction=True)
ELSEWHERE = "https://tool.example/hooks"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("lti_ags_webhook", *arguments, stdout=out)
    return out.getvalue()


def test_an_endpoint_is_added_told_shown_disabled_and_enabled(campus, deliver, receiver):
    key, _ = api_keys.issue("Quiz in Node", [campus.registration])
    assert "Nobody is told anything yet" in run()
    secret = run("--add", receiver.url, "--key", key.prefix).splitlines()[0]
    assert WebhookEndpoint.objects.get().secret == secret
    assert secret.startswith("whsec_")
    assert "not told anything yet; 0 messages wait, 0 rest" in run()
    receiver.answers = [(500, {})]
    record(campus.line_item())
    deliver()
    shown = run("--show", receiver.url)
    assert "failing since" in shown
    assert f"score.delivered  {WebhookDelivery.objects.get().message_id}  pending  webhook_refused  1 tries" in shown
    assert "webhook_refused: The endpoint answers, but not" in shown
    assert "disabled since" in run("--disable", receiver.url, "--reason", "They move house")
    assert "it was so before" in run("--disable", receiver.url, "--reason", "again")
    [listed] = json.loads(run("--json"))["endpoints"]
    assert (listed["disabled_reason"], listed["resting"], listed["api_key"]) == ("They move house", 1, key.prefix)
    assert json.loads(run("--enable", str(WebhookEndpoint.objects.get().uid), "--json"))["changed"] is True
    assert "1 messages are due now" in run("--retry", receiver.url)
    deliver()
    assert json.loads(run("--show", receiver.url, "--json"))["messages"][0]["state"] == "delivered"
    assert "well; 0 messages wait, 0 rest" in run()
    assert secret not in run() + run("--show", receiver.url) + run("--json")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--add", ELSEWHERE], "--key must be given"),
        (["--add", ELSEWHERE, "--key", "nothing"], "no API key 'nothing'"),
        (["--add", "nowhere", "--key", "KEY"], "--add: This address cannot be used"),
        (["--add", ELSEWHERE, "--key", "REVOKED"], "--key: It must be a key that is not revoked"),
        (["--key", "KEY"], "--key belongs to --add"),
        (["--show", ELSEWHERE], "There is no webhook endpoint"),
        (["--disable", "https://twice.example/"], "Several endpoints"),
        (["--disable", "https://once.example/"], "--reason: Say why"),
        (["--enable", "\x00"], "There is no webhook endpoint"),
        (["--reason", "x"], "--reason belongs to --disable"),
    ],
)
def test_a_mistake_is_named_and_changes_nothing(campus, arguments, said):
    key, _ = api_keys.issue("tool", [campus.registration])
    revoked, _ = api_keys.issue("old", [campus.registration])
    api_keys.revoke(revoked)
    for url in ("https://once.example/", "https://twice.example/", "https://twice.example/"):
        webhooks.add(key, url)
    with pytest.raises(CommandError, match=said):
        run(*[{"KEY": key.prefix, "REVOKED": revoked.prefix}.get(one, one) for one in arguments])
    assert WebhookEndpoint.objects.filter(disabled_at=None).count() == 3
