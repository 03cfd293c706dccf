"""Metrics: every number of the report, whatever process delivered; and alert rules that name metrics there are."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.urls import path
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from django_lti_ags import registrations
from django_lti_ags.contrib import prometheus
from django_lti_ags.contrib.prometheus import DeliveryCollector, MetricsView
from django_lti_ags.models import Event, Registration, Score, Service, SyncSample, SyncState, WebhookEndpoint
from django_lti_ags.sync.outbox_sql import database_now
from tests.admin.conftest import World

urlpatterns = [path("metrics", MetricsView.as_view())]
pytestmark = pytest.mark.urls("tests.contrib.test_prometheus")
GUIDE = Path(__file__).parent.parent.parent / "docs/how-to/monitor.md"
TOKEN = "s3cret-of-prometheus"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def world(db, tool_key, settings):
    built = World(tool_key)
    Score.objects.all().delete()
    Event.objects.all().delete()
    SyncSample.objects.all().delete()
    settings.LTI_AGS = settings.LTI_AGS | {"METRICS_TOKEN": TOKEN}
    return built


def samples(text=None):
    """(name, the labels that tell apart) → value."""
    text = text or prometheus.exposition().decode()
    return {
        (sample.name, sample.labels.get("service", ""), sample.labels.get("quantile") or sample.labels.get("outcome") or ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_numbers_of_the_report(world):
    now = database_now("default")
    here = world.service.origin
    world.add_score("w", due_at=now - timedelta(minutes=5))
    world.add_score("f", state=SyncState.FAILED, due_at=None)
    world.add_score("d", state="delivered", due_at=None, recorded_at=now - timedelta(seconds=7), delivered_at=now)
    Service.objects.update(closed_until=now, concurrency=2.0, last_success_at=now)
    SyncSample.objects.create(service=world.service, taken_at=now)
    found = samples()
    assert (
        found["lti_ags_waiting_scores", here, ""] == found["lti_ags_due_scores", here, ""] == found["lti_ags_failed_scores", here, ""] == 1
    )
    assert found["lti_ags_blocked_scores", here, ""] == found["lti_ags_sending_scores", here, ""] == 0
    assert 300 <= found["lti_ags_oldest_due_seconds", here, ""] < 360
    assert found["lti_ags_delivery_seconds", here, "0.5"] == found["lti_ags_delivery_seconds", here, "0.95"] == 7
    assert (found["lti_ags_registration_paused", here, ""], found["lti_ags_circuit_open", here, ""]) == (0, 1)
    assert (found["lti_ags_throttled", here, ""], found["lti_ags_condition", here, ""]) == (1, 3)
    assert found["lti_ags_last_success_timestamp_seconds", here, ""] == pytest.approx(now.timestamp())
    assert found["lti_ags_sampled_timestamp_seconds", "", ""] == pytest.approx(now.timestamp())
    registrations.pause(Registration.objects.get(), reason="x")
    assert samples()["lti_ags_registration_paused", here, ""] == 1


def test_live_assessments_and_webhooks(world):
    here = world.service.origin
    world.add_live_assessment("a", state=SyncState.PENDING, due_at=database_now("default"))
    world.add_live_assessment("b", state=SyncState.FAILED)
    found = samples()
    assert (found["lti_ags_waiting_live_assessments", here, ""], found["lti_ags_resting_live_assessments", here, ""]) == (1, 1)
    assert "lti_ags_webhook_failing" not in {name for name, _, _ in found}, "it is well"
    WebhookEndpoint.objects.update(failing_since=database_now("default"))
    world.add_message(world.add_score("u1", state="delivered", due_at=None), world.webhook_endpoint)
    found = samples()
    told = [found[f"lti_ags_{name}", "", ""] for name in ("waiting_webhooks", "resting_webhooks", "webhook_failing", "webhook_disabled")]
    assert told == [0, 1, 1, 0]
    assert "/hooks" not in prometheus.exposition().decode()


def test_a_registration_that_was_never_launched_from_has_its_pause_told(world):
    late = world.add_registration("Late", client_id="late")
    assert samples()["lti_ags_registration_paused", "", ""] == 0
    registrations.pause(late, reason="x")
    assert samples()["lti_ags_registration_paused", "", ""] == 1
    assert ("lti_ags_waiting_scores", "", "") not in samples()


def test_what_is_not_known_is_left_out(world):
    names = {name for name, _, _ in samples()}
    assert "lti_ags_delivery_seconds" not in names
    assert "lti_ags_sampled_timestamp_seconds" not in names
    assert "lti_ags_last_success_timestamp_seconds" not in names
    assert "lti_ags_waiting_scores" in names


def test_outcomes_only_rise(world):
    now, here = database_now("default"), world.service.origin
    SyncSample.objects.create(service=world.service, taken_at=now - timedelta(minutes=2), totals={"score_delivered": 40})
    for name in ("score_delivered", "score_delivered", "score_failed"):
        Event.objects.create(name=name, service=world.service, created_at=now)
    found = samples()
    assert found["lti_ags_outcomes_total", here, "delivered"] == 42
    assert found["lti_ags_outcomes_total", here, "failed"] == 1
    assert found["lti_ags_outcomes_total", here, "cancelled"] == 0


def test_two_campuses_of_one_name_stay_apart(world):
    other = world.add_registration("Campus", client_id="second")
    Service.objects.create(registration=other, origin=world.service.origin)
    text = prometheus.exposition().decode()
    lines = [line for line in text.splitlines() if line.startswith("lti_ags_waiting_scores{")]
    assert len(lines) == len(set(lines)) == 2
    assert all('name="Campus"' in line for line in lines)


def test_registering_needs_no_database():
    CollectorRegistry(auto_describe=True).register(DeliveryCollector())


def test_no_learner_is_in_it(world):
    world.add_score("learner-42", state=SyncState.FAILED, due_at=None, detail="what they said")
    text = prometheus.exposition().decode()
    assert "learner-42" not in text
    assert "what they said" not in text


def test_who_shows_the_token_reads(world, client):
    answer = client.get("/metrics", headers=SHOWN)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert ("lti_ags_waiting_scores", world.service.origin, "") in samples(answer.content.decode())


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN}, {"Authorization": "Bearer é"}],
)
def test_nobody_else(world, client, headers):
    assert client.get("/metrics", headers=headers).status_code == 403
    assert client.get(f"/metrics?token={TOKEN}").status_code == 403


def test_without_a_token_in_the_settings_nobody_reads(world, client, settings):
    settings.LTI_AGS = {name: value for name, value in settings.LTI_AGS.items() if name != "METRICS_TOKEN"}
    for given in ("Bearer ", "Bearer", f"Bearer {TOKEN}"):
        assert client.get("/metrics", headers={"Authorization": given}).status_code == 403


def test_scrapes_are_kept_for_some_seconds(world, client, django_assert_num_queries):
    first = client.get("/metrics", headers=SHOWN).content
    with django_assert_num_queries(0):
        assert client.get("/metrics", headers=SHOWN).content == first
    assert client.post("/metrics", headers=SHOWN).status_code == 405


def told_of():
    families = [family.name for family in DeliveryCollector().describe()]
    return set(families) | {f"{name}_total" for name in families}


def test_the_alert_rules_name_metrics_there_are():
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (rules,) = [yaml.safe_load(block) for block in blocks if "groups:" in block]
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(alerts) >= 6
    for rule in alerts:
        assert {"alert", "expr", "labels", "annotations"} <= rule.keys()
        named = set(re.findall(r"lti_ags_\w+", rule["expr"]))
        assert named
        assert named <= told_of(), rule["alert"]
        assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= {*prometheus.LABELS, "outcome"}


def test_every_metric_is_in_the_guide():
    text = GUIDE.read_text(encoding="utf-8")
    for family in DeliveryCollector().describe():
        assert f"`{family.name}" in text
