"""A worker that delivers a score and tells of it is killed at every write: each event is told, each always under its own id."""

import pytest

from django_lti_ags import api_keys, webhooks
from django_lti_ags.models import DeliveryAttempt, Event, Score, SyncState, WebhookDelivery
from tests.crashes.test_fault_points import LEASE
from tests.sync.conftest import record
from tests.sync.receiver import receiver

__all__ = ["receiver"]

pytestmark = pytest.mark.django_db(transaction=True)


def check_everything(receiver, number):
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}
    assert WebhookDelivery.objects.count() == Event.objects.filter(name="score_delivered").count() == number
    bodies = {heard.id: heard.body for heard in receiver.heard}
    assert len(bodies) == number
    assert all(bodies[heard.id] == heard.body for heard in receiver.heard)


def test_a_worker_is_killed_at_every_write_of_a_webhook(campus, receiver, nursery, deliver, later, tmp_path):
    webhooks.add(api_keys.issue("tool", [campus.registration])[0], receiver.url)
    line_item = campus.line_item()
    record(line_item, given=1)
    told = tmp_path / "writes"
    with nursery(**LEASE) as children:
        children.wait(children.start("pass", tell=str(told)))
        writes = int(told.read_text())
        assert writes >= 9, "claim, health, row, attempt of both; event; message"
        check_everything(receiver, 1)
        points = [(write, when) for write in range(1, writes + 1) for when in ("before", "after")]
        killed = 0
        for number, (write, when) in enumerate(points, start=2):
            record(line_item, given=number / 10)
            children.wait(children.start("pass", write=write, when=when))
            killed += any(model.objects.exclude(state=SyncState.DELIVERED).exists() for model in (Score, WebhookDelivery))
            for _ in range(3):
                deliver(later())
            check_everything(receiver, number)
    assert killed >= len(points) / 2, "hardly any kill came in between"
    assert DeliveryAttempt.objects.filter(abandoned=True, kind="webhook").exists()
