"""Samples: one per service and slot, whoever writes it; and never in the way of delivery."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, connections

from django_lti_ags.models import Event, Score, Service, SyncSample, SyncState
from django_lti_ags.sync import sampling
from django_lti_ags.sync.engine import Engine, deliver_due
from django_lti_ags.sync.outbox_sql import database_now
from django_lti_ags.sync.sampling import Sampler, outcomes, sample, slot_of, totals
from django_lti_ags.sync.worker import Worker
from tests.admin.conftest import World
from tests.sync.conftest import record

SLOT = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
AT = SLOT + timedelta(seconds=11)
FIVE = timedelta(minutes=5)


@pytest.fixture
def world(db, tool_key):
    built = World(tool_key)
    Event.objects.all().delete()
    Score.objects.all().delete()
    SyncSample.objects.all().delete()
    return built


def told(world, name, at, many=1):
    for _ in range(many):
        Event.objects.create(name=name, service=world.service, created_at=at)


class Ticking:
    """A clock, and a monotonic one, that move when they are told to."""

    def __init__(self, now):
        self.time, self.seconds, self.asked = now, 0.0, 0

    def now(self):
        self.asked += 1
        return self.time

    def monotonic(self):
        return self.seconds

    def go_on(self, seconds):
        self.seconds += seconds
        self.time += timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("now", "slot"),
    [(SLOT, SLOT - FIVE), (SLOT + timedelta(seconds=9.9), SLOT - FIVE), (SLOT + timedelta(seconds=10), SLOT), (SLOT + FIVE, SLOT)],
)
def test_a_slot_is_sampled_once_what_ended_before_it_is_committed(now, slot):
    assert slot_of(now) == slot


def test_one_sample_per_service_and_slot(world):
    other = Service.objects.create(registration=world.registration, origin="https://other.example")
    world.add_score("w", due_at=SLOT - timedelta(minutes=2))
    world.add_score("later", due_at=SLOT + timedelta(days=1))
    world.add_score("b", state=SyncState.BLOCKED, due_at=None)
    world.add_score("f", state=SyncState.FAILED, due_at=None)
    assert sample(AT) is True
    assert sample(AT + timedelta(minutes=1)) is False
    rows = SyncSample.objects.order_by("service")
    assert [row.service_id for row in rows] == [world.service.pk, other.pk]
    row = rows[0]
    assert (row.taken_at, row.waiting, row.due, row.blocked, row.failed, row.oldest_due_seconds) == (SLOT, 2, 1, 1, 1, 131)
    assert (row.delivered, row.p50_seconds, row.p95_seconds, row.totals) == (0, None, None, {})
    assert sample(AT + FIVE) is True
    assert SyncSample.objects.count() == 4


def test_what_was_delivered_since_the_sample_before(world):
    told(world, "score_delivered", SLOT - timedelta(seconds=1), many=3)
    told(world, "score_failed", SLOT - timedelta(minutes=1), many=2)
    told(world, "score_delivered", SLOT - timedelta(minutes=6))  # nobody sampled yet then
    told(world, "score_delivered", SLOT)  # the next one's
    Event.objects.create(name="registration_paused", created_at=SLOT - timedelta(minutes=1))
    for number, seconds in enumerate((2, 4, 9)):
        at = SLOT - timedelta(minutes=1)
        world.add_score(f"d{number}", state="delivered", due_at=None, recorded_at=at - timedelta(seconds=seconds), delivered_at=at)
    sample(AT)
    row = SyncSample.objects.get()
    assert (row.delivered, row.p50_seconds, row.p95_seconds) == (3, 4, 9)
    assert row.totals == {"score_delivered": 3, "score_failed": 2}


def test_totals_go_on_over_gaps_and_pruning(world):
    told(world, "score_delivered", SLOT - timedelta(minutes=1), many=2)
    sample(AT)
    assert totals() == {world.service.pk: {"score_delivered": 2}}
    told(world, "score_delivered", SLOT + timedelta(minutes=2), many=3)
    told(world, "score_blocked", SLOT + timedelta(minutes=2))
    assert totals() == {world.service.pk: {"score_delivered": 5, "score_blocked": 1}}
    sample(AT + 6 * FIVE)  # no worker in between
    row = SyncSample.objects.order_by("taken_at").last()
    assert (row.delivered, row.totals) == (3, {"score_delivered": 5, "score_blocked": 1})
    SyncSample.objects.exclude(pk=row.pk).delete()
    Event.objects.all().delete()
    assert totals() == {world.service.pk: {"score_delivered": 5, "score_blocked": 1}}
    sample(AT + 7 * FIVE)
    assert SyncSample.objects.order_by("taken_at").last().totals == {"score_delivered": 5, "score_blocked": 1}


def test_before_the_first_sample_there_are_no_totals(world):
    told(world, "score_delivered", SLOT)
    assert totals() == {}


def test_a_long_absence_loses_no_outcome_and_shows_only_the_last_day(world):
    told(world, "score_failed", SLOT - timedelta(minutes=1))
    sample(AT)
    told(world, "score_delivered", SLOT + timedelta(hours=1))
    told(world, "score_delivered", SLOT + timedelta(hours=24))  # where the last day begins
    told(world, "score_delivered", SLOT + timedelta(hours=40))
    before = totals()
    sample(AT + timedelta(hours=48))
    row = SyncSample.objects.order_by("taken_at").last()
    assert (row.delivered, row.totals) == (2, {"score_failed": 1, "score_delivered": 3})
    assert totals() == before == {world.service.pk: row.totals}


def test_outcomes_without_an_end(world):
    told(world, "score_delivered", SLOT)
    assert outcomes(SLOT) == {world.service.pk: {"score_delivered": 1}}
    assert outcomes(SLOT, SLOT) == {}


def test_the_sampler_asks_the_clock_once_per_slot(world):
    ticking = Ticking(SLOT + timedelta(minutes=2))
    sampler = Sampler(clock=ticking, monotonic=ticking.monotonic)
    for _ in range(6):
        sampler()
        ticking.go_on(30)
    assert (ticking.asked, SyncSample.objects.count()) == (1, 1)
    ticking.go_on(10)
    sampler()
    assert ticking.asked == 2
    assert list(SyncSample.objects.order_by("taken_at").values_list("taken_at", flat=True)) == [SLOT, SLOT + FIVE]


def test_a_sampling_that_fails_is_logged_and_tried_again(world, monkeypatch, caplog):
    ticking = Ticking(AT)
    sampler = Sampler(clock=ticking, monotonic=ticking.monotonic)

    def broken(now):
        raise OperationalError("away")

    monkeypatch.setattr(sampling, "sample", broken)
    sampler()
    assert "Sampling failed; the next try is in 60 s" in caplog.text
    monkeypatch.undo()
    ticking.go_on(59)
    sampler()
    assert SyncSample.objects.count() == 0
    ticking.go_on(1)
    sampler()
    assert SyncSample.objects.count() == 1


def test_delivery_goes_on_without_samples(campus, monkeypatch, caplog):
    def broken(now):
        raise ZeroDivisionError

    monkeypatch.setattr(sampling, "sample", broken)
    record(campus.line_item())
    assert deliver_due().finished == 1
    assert "Sampling failed" in caplog.text
    assert campus.shown("u1") == 8


def test_a_pass_samples_too(campus):
    record(campus.line_item())
    deliver_due()
    row = SyncSample.objects.get()
    assert (row.service.registration, row.waiting, row.due) == (campus.registration, 1, 1)
    assert database_now("default") - row.taken_at < FIVE + timedelta(seconds=30)


def test_a_worker_samples_while_it_is_busy(campus, monkeypatch):
    """Not only between passes: a pass goes on for as long as something is due."""
    seen = []
    engine = Engine(between=lambda: seen.append(Score.objects.filter(state=SyncState.SENDING).count()))
    for number in range(3):
        record(campus.line_item(), user=f"u{number + 1}")
    engine.deliver_due()
    engine.close()
    assert seen[0] == 0
    assert max(seen) > 0

    monkeypatch.setattr("django_lti_ags.sync.sampling.time.monotonic", lambda: 0.0)
    worker = Worker()
    worker.stop()
    worker.run()
    assert SyncSample.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_writes(world):
    many = 2 if connection.vendor == "sqlite" else 6
    ready, problems = threading.Barrier(many), []

    def run():
        try:
            ready.wait(20)
            sample(AT)
        except Exception as problem:  # noqa: BLE001
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert problems == []
    assert SyncSample.objects.count() == 1
