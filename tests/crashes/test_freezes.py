"""Promise 4: a stale worker overwrites nothing. It is frozen in the middle of a send, past its lease, and woken."""

import signal

import pytest
from django.db import connection

from django_lti_ags import scores
from django_lti_ags.models import DeliveryAttempt, Score, SyncState
from tests.sync.conftest import Tomorrow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("newer", [False, True])
def test_what_a_frozen_worker_finishes_is_refused(campus, nursery, deliver, newer):
    line_item = campus.line_item()
    scores.record(line_item, user_id="u1", score_given=5, score_maximum=10)
    campus.platform.faults.add("slow", kind="score", seconds=1.5, count=1)
    with nursery(LEASE_SECONDS=4, SEND_DEADLINE_SECONDS=2) as children:
        pid = children.start("pass")
        campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("token")), timeout=30)
        campus.platform.ledger.wait_for(lambda ledger: bool(ledger.scores()), timeout=30)
        children.signal(pid, signal.SIGSTOP)
        assert Score.objects.get().state == SyncState.SENDING
        if newer:
            scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
        deliver(Tomorrow(minutes=5))
        deliver(Tomorrow(minutes=10))
        before = Score.objects.values().get()
        attempts = DeliveryAttempt.objects.count()
        children.signal(pid, signal.SIGCONT)
        children.wait(pid, 30)
    connection.close()
    assert Score.objects.values().get() == before
    assert DeliveryAttempt.objects.count() == attempts
    assert (before["state"], campus.shown("u1")) == (SyncState.DELIVERED, 8 if newer else 5)
    stamps = [entry.body["timestamp"] for entry in campus.platform.ledger.scores("u1")]
    assert stamps == sorted(set(stamps))
    assert len(stamps) == (2 if newer else 1)
