"""Promise 15: the database goes away under load, and comes back; workers recover by themselves, and nothing is lost."""

import threading

import pytest
from django.db import connection

from django_lti_ags import scores
from django_lti_ags.models import Score, SyncState
from tests.crashes.gate import Gate
from tests.crashes.nursery import is_there

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]

LEASE = {"LEASE_SECONDS": 4, "SEND_DEADLINE_SECONDS": 1.5, "POLL_SECONDS": 0.2}


def test_workers_outlive_a_database_that_refuses_them_for_a_while(make_campus, nursery):
    campus = make_campus(learners=200)
    line_item = campus.line_item()
    campus.platform.faults.add("slow", kind="score", seconds=0.02, probability=0.5)
    values = connection.settings_dict
    with Gate(values["HOST"], int(values["PORT"])) as gate, nursery(**LEASE) as children:
        pids = [children.start("worker", port=gate.port) for _ in range(2)]
        for round_ in range(1, 4):
            users = [{"user_id": f"u{n}", "score_given": round_, "score_maximum": 10} for n in range(1, 201)]
            scores.record_many(line_item, users)
            enough = 200 * (round_ - 1) + 60
            campus.platform.ledger.wait_for(lambda ledger, enough=enough: len(ledger.scores()) >= enough, timeout=60)
            gate.shut()
            refused = gate.refused
            until(lambda refused=refused: gate.refused > refused + 2)
            gate.open()
            until(lambda: not Score.objects.exclude(state=SyncState.DELIVERED).exists(), 90)
        assert all(is_there(pid) for pid in pids), "a worker gave up"
    assert {user: campus.shown(user) for user in ("u1", "u100", "u200")} == {"u1": 3, "u100": 3, "u200": 3}
    assert gate.passed >= 4, "nobody came back"
    per_user = [entry.body["timestamp"] for entry in campus.platform.ledger.scores("u7")]
    assert per_user == sorted(set(per_user))


def until(condition, seconds=60):
    waited = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if condition():
            return
        waited.wait(0.1)
    raise AssertionError("it never came about")
