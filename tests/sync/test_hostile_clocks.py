"""Clocks that lie, and dates that are none: nothing hangs, nothing is sent with another year's timestamp."""

import threading

import pytest
from django.db import connections

from django_lti_ags.models import Score, Service, SyncState
from django_lti_ags.sync import deliveries
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.worker import Worker
from tests.sync.conftest import Tomorrow, record

pytestmark = pytest.mark.django_db(transaction=True)

DATES = [
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Mon, 01 Jan 2024 00:00:00 +9999999999999999999",
    "Wed, 31 Dec 1969 23:59:59 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "soon",
]


@pytest.mark.parametrize("date", DATES)
def test_a_date_that_is_none_harms_nothing(campus, line_item, deliver, date, monkeypatch):
    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.date_time_string", lambda *args: date)
    record(line_item)
    assert deliver(deadline_seconds=5).codes == {"delivered": 1}
    assert Service.objects.get().clock_skew_seconds == 0
    record(line_item, given=9)
    deliver()
    assert campus.shown("u1") == 9


@pytest.mark.parametrize("date", DATES[:2])
def test_a_time_to_come_back_that_is_none_is_our_own(campus, line_item, deliver, date):
    campus.platform.faults.add("status", kind="score", count=1, status=503, headers=[("Retry-After", date)])
    record(line_item)
    deliver()
    assert Score.objects.get().code == "throttled"
    deliver(Tomorrow(hours=1))
    assert Score.objects.get().state == SyncState.DELIVERED


def test_a_fault_outside_every_guard_still_ends_the_send(campus, line_item, monkeypatch):
    """Otherwise the worker would wait for it for ever, and not even a signal would end it."""
    broken = threading.Event()

    def send(*args):
        broken.set()
        raise MemoryError

    record(line_item)
    monkeypatch.setattr(deliveries, "send", send)
    worker = Worker(Engine())
    running = threading.Thread(target=lambda: (worker.run(), connections.close_all()))
    running.start()
    assert broken.wait(20)
    worker.stop()
    running.join(20)
    assert not running.is_alive()
    assert Score.objects.get().state == SyncState.PENDING
