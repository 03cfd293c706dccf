"""The numbers: what is counted, where counts end, what is worst, and how few queries it takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_lti_ags import registrations, scores
from django_lti_ags.models import Event, Registration, Score, Service, SyncSample, SyncState
from django_lti_ags.sync import report
from django_lti_ags.sync.outbox_sql import database_now
from django_lti_ags.sync.report import Condition, measure, percentile
from tests.admin.conftest import World


@pytest.fixture
def world(db, tool_key):
    built = World(tool_key)
    Score.objects.all().delete()
    SyncSample.objects.all().delete()
    return built


@pytest.fixture
def now(db):
    return database_now("default")


def add(world, now, state, **fields):
    """A score in ``state``; open ones are due a minute ago unless said otherwise."""
    user = f"{state}-{Score.objects.count()}"
    values = {"due_at": None, "recorded_at": now - timedelta(hours=1)}
    if state in (SyncState.PENDING, SyncState.SENDING):
        values["due_at"] = now - timedelta(minutes=1)
    if state == SyncState.SENDING:
        values |= {"lease_token": "00000000-0000-0000-0000-000000000001", "due_at": now + timedelta(minutes=1)}
    return world.add_score(user, state=state, **(values | fields))


def deliver(world, now, seconds, ago=timedelta(minutes=5), **fields):
    at = now - ago
    return add(world, now, SyncState.DELIVERED, recorded_at=at - timedelta(seconds=seconds), delivered_at=at, **fields)


def only(world=None, **options):
    (found,) = measure(**options).services
    return found


def test_nothing_is_nothing(world, now):
    found = only(now=now)
    assert (found.waiting, found.due, found.sending, found.blocked, found.failed, found.delivered) == (0, 0, 0, 0, 0, 0)
    assert (found.oldest_due_seconds, found.p50_seconds, found.p95_seconds) == (None, None, None)
    assert found.condition is Condition.WELL
    assert (found.registration, found.service) == ("Campus", "https://lms.example")


def test_without_a_service_there_is_an_empty_report(db):
    found = measure()
    assert (found.services, found.sampled_at, found.oldest_due_seconds, found.worker_is_silent) == ((), None, None, False)
    assert report.oldest_due_seconds() is None


def test_each_state_is_counted(world, now):
    for state, many in (("pending", 3), ("sending", 2), ("blocked", 4), ("failed", 5), ("superseded", 1), ("cancelled", 1)):
        for _ in range(many):
            add(world, now, SyncState(state))
    add(world, now, SyncState.PENDING, due_at=now + timedelta(minutes=5))
    add(world, now, SyncState.PENDING, due_at=now - timedelta(minutes=90))
    found = only(now=now)
    assert (found.waiting, found.due, found.sending, found.blocked, found.failed, found.delivered) == (7, 4, 2, 4, 5, 0)
    assert found.oldest_due_seconds == 5400
    assert report.oldest_due_seconds(now) == 5400


def test_an_expired_lease_is_due_again(world, now):
    add(world, now, SyncState.SENDING, due_at=now - timedelta(seconds=30))
    found = only(now=now)
    assert (found.waiting, found.due, found.sending, found.oldest_due_seconds) == (1, 1, 1, 30)


def test_delivered_counts_the_last_day(world, now):
    deliver(world, now, 1, ago=timedelta(hours=23))
    deliver(world, now, 1, ago=timedelta(hours=25))
    assert only(now=now).delivered == 1


def test_counts_end(world, now):
    for _ in range(4):
        add(world, now, SyncState.FAILED)
    assert only(now=now, counted_to=2).failed == 3
    assert only(now=now, counted_to=4).failed == 4


def test_times_are_of_the_newest_deliveries(world, now, monkeypatch):
    for seconds in range(1, 21):
        deliver(world, now, seconds)
    deliver(world, now, 5000, ago=timedelta(hours=20))
    found = only(now=now)
    assert (found.p50_seconds, found.p95_seconds) == (11, 20)
    monkeypatch.setattr(report, "_TIMED", 20)
    found = only(now=now)
    assert (found.p50_seconds, found.p95_seconds) == (10, 19)


def test_what_was_sent_again_tells_nothing_of_how_long_deliveries_take(world, now):
    deliver(world, now, 10, version=1, delivered_version=1)
    again = deliver(world, now, 9000, version=2, delivered_version=2)
    Event.objects.create(name="score_sent_again", score=again, version=2, created_at=now)
    assert (only(now=now).p50_seconds, only(now=now).p95_seconds) == (10, 10)
    # Recorded once more since, it counts.
    Score.objects.filter(pk=again.pk).update(version=3, delivered_version=3)
    assert only(now=now).p95_seconds == 9000


def test_scores_sent_again_by_the_api_are_known_by_their_events(world, now):
    score = deliver(world, now, 9000, version=1, delivered_version=1)
    assert only(now=now).p50_seconds == 9000
    scores.send_again(score, overwrite_teachers=True)
    Score.objects.filter(pk=score.pk).update(state=SyncState.DELIVERED, due_at=None, delivered_version=2, delivered_at=now)
    assert only(now=now).p50_seconds is None


def test_a_clock_that_jumped_back_makes_no_negative_time(world, now):
    deliver(world, now, -30)
    assert only(now=now).p50_seconds == 0


@pytest.mark.parametrize(
    ("many", "share", "expected"), [(1, 0.5, 1), (1, 0.95, 1), (2, 0.5, 1), (20, 0.95, 19), (21, 0.95, 20), (100, 0.95, 95), (0, 0.5, None)]
)
def test_percentiles(many, share, expected):
    assert percentile(list(range(1, many + 1)), share) == expected


@pytest.mark.parametrize(
    ("fields", "condition"),
    [
        ({}, Condition.WELL),
        ({"concurrency": 2.0}, Condition.SLOWED),
        ({"failing_since": True, "concurrency": 2.0}, Condition.FAILING),
        ({"failing_since": True, "closed_until": True}, Condition.SHUT),
    ],
)
def test_conditions(world, now, fields, condition):
    Service.objects.update(**{name: now if value is True else value for name, value in fields.items()})
    assert only().condition is condition


def test_a_pause_is_told_with_its_reason_and_does_not_count_as_late(world, now):
    Service.objects.update(closed_until=now)
    add(world, now, SyncState.PENDING)
    registrations.pause(Registration.objects.get(), reason="exam week")
    found = measure(now=now)
    assert found.services[0].condition is Condition.PAUSED
    assert (found.services[0].paused_code, found.services[0].paused_reason) == ("paused_by_hand", "exam week")
    assert found.services[0].oldest_due_seconds == 60
    assert found.oldest_due_seconds is None
    assert report.oldest_due_seconds(now) is None


def test_the_worst_comes_first(world, now):
    def campus(name, **fields):
        return Service.objects.create(registration=world.add_registration(name), origin=f"https://{name}.example", **fields)

    idle = campus("idle", closed_until=now)
    late, failed, shut = campus("late"), campus("failed"), campus("shut", closed_until=now)
    for service, state, minutes in ((late, "pending", 30), (shut, "pending", 1), (failed, "failed", 0)):
        fields = {"service": service} | ({"due_at": now - timedelta(minutes=minutes)} if minutes else {})
        add(world, now, SyncState(state), **fields)
    found = [one.service_id for one in measure(now=now).services]
    assert found == [shut.pk, idle.pk, failed.pk, late.pk, world.service.pk]


def test_only_what_is_asked_for(world):
    other = Service.objects.create(registration=world.add_registration("Other"), origin="https://other.example")
    found = measure(Service.objects.filter(registration=other.registration))
    assert [one.service_id for one in found.services] == [other.pk]


def test_totals(world, now):
    other = Service.objects.create(registration=world.add_registration("Other"), origin="https://other.example")
    add(world, now, SyncState.FAILED)
    add(world, now, SyncState.FAILED, service=other)
    assert measure(now=now).total("failed") == 2


@pytest.mark.parametrize(
    ("due", "sampled", "silent"), [(True, None, True), (True, 11, True), (True, 9, False), (False, None, False), (False, 600, False)]
)
def test_a_silent_worker_is_noticed_once_something_is_due(world, now, due, sampled, silent):
    if due:
        add(world, now, SyncState.PENDING)
    if sampled:
        SyncSample.objects.create(service=world.service, taken_at=now - timedelta(minutes=sampled))
    assert measure(now=now).worker_is_silent is silent


def test_quiet_services_cost_nothing_more(world, now):
    add(world, now, SyncState.FAILED)
    with CaptureQueriesContext(connection) as few:
        measure(now=now)
    for number in range(10):
        Service.objects.create(registration=world.registration, origin=f"https://quiet-{number}.example")
    with CaptureQueriesContext(connection) as many:
        measure(now=now)
    assert len(few) == len(many) == 3
