"""Nothing rests for ever: whatever came in between, a launch, a declaration or a person gets it going again."""

import time
from datetime import timedelta
from random import Random

import pytest
from django.db import OperationalError

from django_lti_ags import line_items, registrations, scores
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import Context, LineItem, Score, Service, SyncState
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.verdict import Reach, rejected, throttled
from django_lti_ags.sync import blocks, deliveries
from django_lti_ags.sync.clients import Clients
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.line_item_rows import LineItemDelivery
from django_lti_ags.sync.outbox import Claim, claim
from django_lti_ags.sync.score_rows import ScoreDelivery
from tests.sync.conftest import Tomorrow, record

pytestmark = pytest.mark.django_db(transaction=True)


def course(campus, **endpoint):
    return line_items.context_from_launch(campus.claims(lineitem=None, **endpoint))


def declare(context, **told_apart_by):
    return line_items.declare(context, label="Essay", score_maximum=20, **(told_apart_by or {"resource_id": "essay"}))


@pytest.fixture
def by_hand():
    """A delivery whose jobs a test holds in its hand."""
    made = Clients()

    def make(kind, line_item):
        delivery = kind(made, DatabaseClock(), Random(1))
        terms = Claim(service_id=line_item.service_id, limit=10, now=DatabaseClock().now(), lease_seconds=60, timestamp_step_seconds=0.001)
        rows = claim(delivery.rows(), terms)
        return delivery, delivery.prepare(rows, Profile(), start_by=time.monotonic() + 30, probe=False)

    yield make
    made.close()


def test_a_column_with_a_tag_is_another_than_one_without(campus, deliver):
    plain, draft = declare(course(campus)), declare(course(campus), resource_id="essay", tag="draft")
    deliver()
    assert {row.code for row in (plain, draft) if not row.refresh_from_db()} == {"line_item_made"}
    record(plain)
    deliver()
    held = {item.tag: "u1" in item.scores for item in campus.course.line_items.values() if item.resource_id == "essay"}
    assert held == {None: True, "draft": False}


def test_a_launch_that_grants_more_reaches_declared_columns(campus, deliver):
    essay = declare(course(campus, scope=[vocabulary.SCOPE_LINE_ITEM]))
    record(essay)
    deliver()
    deliver()
    assert Score.objects.get().code == "missing_scope"
    course(campus)
    deliver()
    assert Score.objects.get().state == SyncState.DELIVERED


def test_a_declared_column_that_was_deleted_is_made_again(campus, deliver):
    essay = declare(course(campus))
    record(essay)
    deliver()
    deliver()
    [gone] = [item for item in campus.course.line_items.values() if item.resource_id == "essay"]
    del campus.course.line_items[gone.id]
    record(LineItem.objects.get(), given=9)
    deliver()
    assert Score.objects.get().code == "line_item_gone"
    declare(course(campus))
    deliver()
    deliver()
    assert Score.objects.get().state == SyncState.DELIVERED
    assert [item.scores["u1"].given for item in campus.course.line_items.values() if item.resource_id == "essay"] == [9]


def test_two_refusals_at_once_are_lifted_together(campus, line_item, by_hand):
    for user in ("u1", "u2"):
        record(line_item, user)
    delivery, jobs = by_hand(ScoreDelivery, line_item)
    codes = ("forbidden", "line_item_gone")
    delivery.finish([job.outcome(rejected(code, "", Reach.LINE_ITEM)) for job, code in zip(jobs, codes, strict=True)])
    # One block stands over both: the first that was stored.
    assert set(Score.objects.values_list("code", flat=True)) == {"forbidden"}
    blocks.lift(LineItem.objects.all())
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.PENDING}


def test_what_an_old_address_answers_says_nothing_of_the_new_one(campus, line_item, by_hand, deliver):
    record(line_item)
    campus.platform.faults.add("status", kind="score", count=1, status=404)
    delivery, [job] = by_hand(ScoreDelivery, line_item)
    outcome = delivery.exchange(job)
    assert outcome.verdict.code == "line_item_gone"
    made = campus.platform.add_link(campus.course, "Moved", campus.tool, score_maximum=10).line_item
    line_items.from_launch(campus.claims(lineitem=campus.platform.line_item_url(campus.course, made)))
    delivery.finish([outcome])
    assert LineItem.objects.get().block_code == ""
    deliver()
    assert Score.objects.get().state == SyncState.DELIVERED
    assert made.scores["u1"].given == 8


def test_an_outage_does_not_count_as_age(campus, line_item, deliver):
    now = DatabaseClock().now()
    Service.objects.update(closed_until=now, failing_since=now - timedelta(days=8), consecutive_failures=9)
    for user in ("u1", "u2"):
        record(line_item, user)
    Score.objects.update(aged_from=now - timedelta(days=8))
    deliver(Tomorrow(minutes=1), limit=1)
    campus.platform.faults.add("drop_after", kind="score", count=1)
    deliver(Tomorrow(minutes=2))
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.DELIVERED, SyncState.PENDING}


@pytest.mark.parametrize("shut", [False, True])
def test_a_scope_that_was_taken_back_is_said_and_not_tried_in_a_circle(campus, shut):
    essay = declare(course(campus))
    course(campus, scope=[vocabulary.SCOPE_SCORE])
    if shut:
        now = DatabaseClock().now()
        Service.objects.update(closed_until=now, failing_since=now, consecutive_failures=9)
    engine = Engine()
    report = engine.deliver_due(deadline_seconds=2)
    engine.close()
    essay.refresh_from_db()
    assert (report.claimed, essay.code, essay.state) == (1, "missing_line_item_scope", SyncState.BLOCKED)


def test_a_course_that_is_open_again_while_its_column_was_on_the_way(campus, deliver, by_hand):
    essay = declare(course(campus))
    record(essay)
    Context.objects.update(block_code="course_concluded", blocked_at=DatabaseClock().now())
    delivery, [job] = by_hand(LineItemDelivery, essay)
    outcome = delivery.exchange(job)
    blocks.lift(LineItem.objects.all())
    delivery.finish([outcome])
    deliver()
    deliver()
    assert Score.objects.get().state == SyncState.DELIVERED


def test_a_tool_that_only_declares_gets_its_course_back_too(campus, deliver):
    essay = declare(course(campus))
    deliver()
    essay.refresh_from_db()
    record(essay)
    Context.objects.update(block_code="course_concluded", blocked_at=DatabaseClock().now() - timedelta(days=3))
    deliver()
    assert Score.objects.get().state == SyncState.BLOCKED
    course(campus)
    deliver()
    assert Score.objects.get().state == SyncState.DELIVERED


def test_a_pause_does_not_count_as_a_columns_age(campus, deliver):
    essay = declare(course(campus))
    now = DatabaseClock().now()
    LineItem.objects.update(aged_from=now - timedelta(days=9))
    campus.registration.paused_at = now - timedelta(days=9)
    campus.registration.save()
    assert registrations.resume(campus.registration)
    campus.platform.faults.add("status", kind="line_item", count=1, status=500)
    deliver()
    essay.refresh_from_db()
    assert essay.state == SyncState.PENDING


def test_a_finish_that_was_rolled_back_tells_of_trouble_again(campus, line_item, by_hand, monkeypatch):
    record(line_item)
    delivery, [job] = by_hand(ScoreDelivery, line_item)
    outcome = job.outcome(throttled("slow down", 600.0))

    def fail(*args, **options):
        raise OperationalError(1213, "Deadlock found")

    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "write_finished", fail)
        with pytest.raises(OperationalError):
            delivery.finish([outcome])
    assert delivery.finish([outcome]) == []
    assert Service.objects.get().closed_until is not None


def test_declaring_again_revives_a_column_that_was_given_up(campus, deliver):
    essay = declare(course(campus))
    LineItem.objects.update(state=SyncState.FAILED, due_at=None, code="gave_up")
    record(essay)
    deliver()
    declare(course(campus))
    deliver()
    deliver()
    assert Score.objects.get().state == SyncState.DELIVERED
    assert scores.retry(Score.objects.all()) == 0
