"""What concerns more than one score: outages, pauses, throttling, stops. Over real sockets and the real database."""

import threading
from datetime import timedelta
from random import Random

import pytest
from django.db import connection, connections

from django_lti_ags import registrations, scores, signals
from django_lti_ags.models import DeliveryAttempt, Event, Registration, Score, Service, SigningKey, SyncState
from django_lti_ags.sync import clients
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from tests.sync.conftest import Tomorrow, record

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refused_client_pauses_the_registration_and_costs_no_try(campus, line_item, deliver):
    tool = campus.platform.tools.pop("quiz")
    heard = []
    signals.registration_paused.connect(lambda sender, **told: heard.append(told["code"]), weak=False, dispatch_uid="t")
    for user in ("u1", "u2", "u3"):
        record(line_item, user)
    deliver()
    signals.registration_paused.disconnect(dispatch_uid="t")
    registration = Registration.objects.get()
    assert (registration.is_paused, registration.paused_code) == (True, "client_refused")
    assert heard == ["client_refused"]
    assert set(Score.objects.values_list("state", "tries")) == {(SyncState.PENDING, 0)}
    tokens = len(campus.platform.ledger.of("token"))
    deliver(Tomorrow(days=1))
    assert len(campus.platform.ledger.of("token")) == tokens

    campus.platform.tools["quiz"] = tool
    record(line_item, "u4")
    signals.registration_resumed.connect(lambda sender, **told: heard.append(told["registration_id"]), weak=False, dispatch_uid="r")
    assert registrations.resume(registration) is True
    signals.registration_resumed.disconnect(dispatch_uid="r")
    assert heard == ["client_refused", registration.pk]
    assert registrations.resume(registration) is False
    deliver()
    assert [campus.shown(f"u{n}") for n in range(1, 5)] == [8] * 4
    assert set(Event.objects.values_list("name", flat=True)) == {"registration_paused", "registration_resumed", "score_delivered"}


def test_a_key_that_cannot_be_read_pauses_the_registration(campus, line_item, deliver):
    record(line_item)
    SigningKey.objects.update(private_key_encrypted="nonsense")
    deliver()
    assert Registration.objects.get().paused_code == "key_unusable"
    assert campus.platform.ledger.entries == []


def test_trouble_and_its_end_are_logged_with_what_a_machine_can_read(campus, line_item, deliver, caplog):
    caplog.set_level("INFO", "django_lti_ags")
    campus.platform.faults.add("status", kind="score", count=1, status=503, headers=[("Retry-After", "60")])
    record(line_item)
    deliver()
    deliver(Tomorrow(minutes=5))
    told = [(entry.levelname, entry.getMessage().split(" before ")[0], entry.code, entry.service_id) for entry in caplog.records]
    place, service = campus.platform.base_url, line_item.service_id
    assert told == [
        ("WARNING", f"{place} is in trouble (throttled): nothing is sent there", "throttled", service),
        ("INFO", f"{place} is back", "throttled", service),
    ]


def test_throttling_is_obeyed(campus, line_item, deliver):
    campus.platform.faults.add("status", kind="score", count=1, status=429, headers=[("Retry-After", "120")])
    record(line_item)
    deliver()
    row, service = Score.objects.get(), Service.objects.get()
    assert row.code == "throttled"
    assert row.due_at - DatabaseClock().now() > timedelta(seconds=110)
    assert service.closed_until - DatabaseClock().now() > timedelta(seconds=110)
    record(line_item, "u2")
    deliver()
    assert len(campus.platform.ledger.of("score")) == 1
    deliver(Tomorrow(minutes=10))
    deliver(Tomorrow(minutes=10))
    assert (campus.shown("u1"), campus.shown("u2")) == (8, 8)


def test_an_outage_is_cheap_and_other_campuses_do_not_notice(make_campus, deliver):
    campus, other = make_campus(learners=40), make_campus(client_id="other")
    line_item = campus.line_item()
    campus.platform.faults.add("reset")  # as down; and what comes can be counted
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": 1, "score_maximum": 10} for n in range(1, 41)])
    record(other.line_item())
    for hour in range(24):
        for minute in (0, 20, 40):
            deliver(Tomorrow(hours=hour, minutes=minute))
    assert other.shown("u1") == 8
    assert 5 < campus.platform.refused_connections < 200
    assert set(Score.objects.filter(line_item=line_item).values_list("state", flat=True)) == {SyncState.PENDING}
    service = Service.objects.get(origin=campus.platform.base_url)
    assert service.consecutive_failures >= 5

    campus.platform.faults.clear()
    for hour in (25, 26):
        deliver(Tomorrow(hours=hour))
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}
    service.refresh_from_db()
    assert (service.consecutive_failures, service.closed_until, service.failing_since) == (0, None, None)


def test_a_score_that_always_breaks_the_platform_is_given_up_at_last(campus, line_item, deliver):
    record(line_item)
    campus.platform.faults.add("status", kind="score", status=500)
    deliver()
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (row.state, row.code, row.tries) == (SyncState.PENDING, "server_error", 2)
    deliver(Tomorrow(days=8))
    row.refresh_from_db()
    assert (row.state, row.code) == (SyncState.FAILED, "gave_up")
    assert DeliveryAttempt.objects.filter(kind="score").count() == 3
    campus.platform.faults.clear()
    scores.retry(row)
    deliver()
    assert campus.shown("u1") == 8


def test_an_engine_that_is_stopped_hands_back_what_it_has_not_started(make_campus):
    campus = make_campus(learners=40)
    line_item = campus.line_item()
    campus.platform.faults.add("slow", kind="score", seconds=0.3)
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": 1, "score_maximum": 10} for n in range(1, 41)])
    engine = Engine()
    running = threading.Thread(target=lambda: (engine.deliver_due(), connections.close_all()))
    running.start()
    campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("score")))
    engine.stop()
    running.join(20)
    engine.close()
    assert not Score.objects.filter(state=SyncState.SENDING).exists()
    assert Score.objects.filter(state=SyncState.PENDING, tries=0).exists()
    assert Score.objects.filter(state=SyncState.DELIVERED).count() == len(campus.platform.ledger.scores())


def test_limits_and_deadlines_of_a_pass(campus, line_item, deliver):
    for user in ("u1", "u2", "u3"):
        record(line_item, user)
    assert deliver(limit=2).finished == 2
    assert deliver(deadline_seconds=1e-9).finished == 0
    assert deliver().finished == 1


def test_a_send_that_would_outlive_its_lease_is_not_started(campus, line_item, settings, deliver):
    settings.LTI_AGS = settings.LTI_AGS | {"LEASE_SECONDS": 1.0, "SEND_DEADLINE_SECONDS": 0.9}
    campus.platform.faults.add("slow", kind="token", seconds=0.5, count=1)
    record(line_item)
    engine = Engine(random=Random(1))
    report = engine.deliver_due(limit=1)
    engine.close()
    assert report.codes == {"not_started": 1}
    row = Score.objects.get()
    assert (row.state, row.tries) == (SyncState.PENDING, 0)
    assert campus.platform.ledger.of("score") == []


def test_a_fault_of_our_own_does_not_stop_the_worker(campus, line_item, deliver, monkeypatch):
    record(line_item)

    def broken(*args):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("django_lti_ags.sync.score_delivery._post", broken)
        deliver()
    assert Score.objects.get().code == "internal_error"
    deliver(Tomorrow(hours=1))
    assert campus.shown("u1") == 8


def test_signals_come_after_the_commit_and_a_bad_receiver_harms_nothing(campus, line_item, deliver):
    heard = []

    def good(sender, score, code, **more):
        heard.append((score.user_id, code, connection.in_atomic_block))

    def bad(sender, **told):
        raise ZeroDivisionError

    signals.score_delivered.connect(bad)
    signals.score_delivered.connect(good)
    record(line_item)
    deliver()
    signals.score_delivered.disconnect(bad)
    signals.score_delivered.disconnect(good)
    assert heard == [("u1", "delivered", False)]


def test_one_slow_campus_does_not_hold_up_another(make_campus, deliver):
    slow, quick = make_campus(), make_campus(client_id="quick")
    slow.platform.faults.add("slow", kind="score", seconds=1.5)
    record(slow.line_item())
    late = quick.line_item()
    running = threading.Thread(target=lambda: (deliver(), connections.close_all()))
    running.start()
    slow.platform.ledger.wait_for(lambda ledger: bool(ledger.of("token")))
    record(late)
    quick.platform.ledger.wait_for(lambda ledger: bool(ledger.scores()), timeout=20)
    assert not slow.platform.ledger.of("score") or running.is_alive()
    running.join()
    assert (slow.shown("u1"), quick.shown("u1")) == (8, 8)


def test_the_shared_clients_are_made_once():
    assert clients.shared() is clients.shared()


def test_what_was_in_flight_does_not_end_a_pause_that_the_platform_asked_for(make_campus, deliver):
    campus = make_campus(learners=20)
    line_item = campus.line_item()
    record(line_item)
    deliver()
    campus.platform.faults.add("slow", kind="score", count=2, seconds=0.3)
    campus.platform.faults.add("status", kind="score", count=1, status=429, headers=[("Retry-After", "60")])
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": 2, "score_maximum": 10} for n in range(1, 21)])
    deliver(deadline_seconds=0.1)
    assert Service.objects.get().closed_until - DatabaseClock().now() > timedelta(seconds=50)
    before = len(campus.platform.ledger.of("score"))
    deliver()
    assert len(campus.platform.ledger.of("score")) == before


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_a_day_without_the_platform_costs_little_with_ten_thousand_waiting(make_campus, deliver):
    """Promise 7, at its full size; all are delivered afterwards, and not in one moment."""
    campus = make_campus(learners=10_000)
    line_item = campus.line_item()
    campus.platform.faults.add("reset")
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": 1, "score_maximum": 10} for n in range(1, 10_001)])
    for hour in range(24):
        for minute in (0, 20, 40):
            deliver(Tomorrow(hours=hour, minutes=minute))
    assert 5 < campus.platform.refused_connections < 200
    assert not Score.objects.exclude(state=SyncState.PENDING).exists()
    assert not Score.objects.filter(tries__gt=1).exists()
    campus.platform.faults.clear()
    deliver(Tomorrow(hours=25), limit=1)
    assert len(campus.platform.ledger.of("score")) == 1, "one asks whether it is back"
    deliver(Tomorrow(hours=25))
    assert not Score.objects.exclude(state=SyncState.DELIVERED).exists()
    assert len(campus.platform.ledger.scores()) == 10_000
