"""A receiver that is slow, fails fast, or whose row somebody holds: no grade waits for it, and it is not hammered."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from django.db import connection

from django_lti_ags.models import Score, SyncState, WebhookDelivery, WebhookEndpoint
from django_lti_ags.sync.waiting import wait_until
from django_lti_ags.sync.webhook_rows import WebhookOutDelivery
from django_lti_ags.sync.worker import Worker
from tests.sync.conftest import record
from tests.sync.receiver import endpoint, key, receiver, told_of
from tests.sync.test_contention import SECONDS

__all__ = ["endpoint", "key", "receiver"]

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def working():
    worker = Worker()
    thread = threading.Thread(target=lambda: (worker.run(), connection.close()))
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(60)


def is_delivered(user):
    return wait_until(lambda: Score.objects.get(user_id=user).state == SyncState.DELIVERED, SECONDS)


def test_with_one_thread_a_receiver_that_hangs_holds_up_no_score(line_item, deliver, receiver, endpoint, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"THREADS": 1}
    told_of(line_item, deliver, 3)
    receiver.open.clear()
    with working():
        try:
            assert wait_until(lambda: bool(receiver.heard), SECONDS)
            record(line_item, "u1")
            assert is_delivered("u1")
            assert len(receiver.heard) == 1, "webhooks have one thread too, and no more"
        finally:
            receiver.open.set()
        assert wait_until(lambda: not WebhookDelivery.objects.exclude(state=SyncState.DELIVERED).exists(), SECONDS)


def test_a_receiver_that_fails_fast_hears_hardly_more_than_what_opens_its_circuit(line_item, deliver, receiver, endpoint, settings):
    told_of(line_item, deliver, 40)
    receiver.answers = [(500, {})] * 100
    deliver()
    assert WebhookEndpoint.objects.get().closed_until is not None
    assert len(receiver.heard) <= 5 + 1, "five in a row, and what was in flight beside them"
    assert WebhookDelivery.objects.filter(tries=0).count() >= 34, "the others were not tried"


def test_a_campus_that_fails_fast_hears_hardly_more_either(campus, line_item, deliver):
    for number in range(100):
        record(line_item, f"x{number}")
    campus.platform.faults.add("status", kind="score", count=100, status=500)
    deliver()
    assert len(campus.platform.ledger.of("score")) <= 5 + 7


def test_outcomes_that_cannot_be_written_stop_their_own_endpoint_only(line_item, deliver, receiver, endpoint, monkeypatch):
    told_of(line_item, deliver, 450)
    rounds, free, finish = [], threading.Event(), WebhookOutDelivery.finish

    def finish_later(self, outcomes):
        rounds.append(len(outcomes))
        return finish(self, outcomes) if free.is_set() else list(outcomes)

    monkeypatch.setattr(WebhookOutDelivery, "finish", finish_later)
    with working():
        try:
            assert wait_until(lambda: len(rounds) > 30 and max(rounds) >= 200, 60)
            record(line_item, "u1")
            assert is_delivered("u1")
            assert max(rounds) < 400, "what is claimed for it has an end: one lane's more than two hundred"
        finally:
            free.set()
        assert wait_until(lambda: not WebhookDelivery.objects.exclude(state=SyncState.DELIVERED).exists(), 60)
    assert len(receiver.heard) == 451, "each once"


def test_nothing_is_started_after_the_deadline_of_a_single_pass(line_item, deliver, receiver, endpoint):
    told_of(line_item, deliver, 20)
    receiver.open.clear()
    opened = threading.Timer(3, receiver.open.set)
    opened.start()
    deliver(deadline_seconds=1)
    opened.join()
    assert len(receiver.heard) == 2, "what was in flight"
    assert WebhookDelivery.objects.filter(state=SyncState.PENDING, tries=0).count() == 18, "the others were handed back, untried"
    deliver()
    assert not WebhookDelivery.objects.exclude(state=SyncState.DELIVERED).exists()
    assert len(receiver.heard) == 20, "each once"
