"""Rows that somebody else holds: nobody waits for long, nothing is counted twice, nothing deadlocks."""

import threading
import time

import pytest
from django.db import connection, connections, transaction

from django_lti_ags import line_items, registrations, scores
from django_lti_ags.models import LineItem, Registration, Score, Service, SyncState
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.waiting import wait_until
from django_lti_ags.sync.worker import Worker
from tests.sync.conftest import Tomorrow, record

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 20


class Holding:
    """A transaction in another thread that does something and stays open, then does the rest.

    On SQLite, which has one writer, it is committed at once.
    """

    def __init__(self, do, then=lambda: None):
        self._do, self._then = do, then
        self.problem = None
        self._done, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        if connection.vendor == "sqlite":
            self._end.set()

    def _run(self):
        try:
            with transaction.atomic():
                self._do()
                self._done.set()
                self._end.wait(SECONDS)
                self._then()
        except Exception as problem:  # noqa: BLE001 - told to the test
            self.problem = problem
        finally:
            connections.close_all()

    def __enter__(self):
        self._thread.start()
        assert self._done.wait(SECONDS)
        if self._end.is_set():
            self._thread.join(SECONDS)
        return self

    def __exit__(self, *problem):
        self._end.set()
        self._thread.join(SECONDS)


def another_column(line_item):
    same = {name: getattr(line_item, name) for name in ("context", "service", "scopes")}
    return LineItem.objects.create(url=line_item.url + "?other", state=SyncState.DELIVERED, **same)


def together(*calls):
    """``calls`` at once, each in a thread; the errors."""
    problems = []

    def run(call):
        try:
            call()
        except Exception as problem:  # noqa: BLE001 - told to the test
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return problems


def test_a_recorders_open_transaction_holds_up_neither_probe_nor_throttling(campus, line_item, deliver):
    """InnoDB locks what a new row refers to: the service's health must not be in that."""
    record(line_item)
    campus.platform.faults.add("status", kind="score", count=1, status=429, headers=[("Retry-After", "60")])
    with Holding(lambda: record(line_item, user="u2")):
        started = time.monotonic()
        deliver(deadline_seconds=1)
        assert time.monotonic() - started < SECONDS / 2
        assert Service.objects.get().closed_until is not None
        deliver(Tomorrow(minutes=5), deadline_seconds=1)
        assert time.monotonic() - started < SECONDS / 2
    assert campus.shown("u1") == 8


def test_a_block_that_cannot_be_stored_yet_is_stored_in_a_later_round(campus, line_item):
    record(line_item)
    campus.platform.faults.add("status", kind="score", count=1, status=404)
    engine = Engine()
    running = threading.Thread(target=lambda: (engine.deliver_due(limit=1), connections.close_all()))
    with Holding(lambda: LineItem.objects.filter(pk=line_item.pk).update(label="Renamed")):
        running.start()
        campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("score")))
        running.join(0.5)  # some rounds in which it cannot be stored
    running.join(SECONDS)
    engine.close()
    assert LineItem.objects.get().block_code == "line_item_gone"
    assert Score.objects.get().state == SyncState.BLOCKED


def test_an_outcome_counts_once_however_long_its_row_is_locked(campus, line_item):
    record(line_item)
    campus.platform.faults.add("status", kind="score", count=1, status=500)
    engine = Engine()
    running = threading.Thread(target=lambda: (engine.deliver_due(limit=1), connections.close_all()))
    with Holding(lambda: record(line_item, user="u2")):
        pass
    running.start()
    campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("token")))
    with Holding(lambda: Score.objects.filter(user_id="u1").update(comment="")):
        campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("score")))
        running.join(0.5)
    running.join(SECONDS)
    engine.close()
    assert Service.objects.get().consecutive_failures == 1


def test_a_stop_does_not_wait_for_ever_for_a_row_that_is_locked(campus, line_item, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"SEND_DEADLINE_SECONDS": 0.4, "LEASE_SECONDS": 2}
    record(line_item)
    campus.platform.faults.add("slow", kind="score", count=1, seconds=0.2)
    engine = Engine()
    running = threading.Thread(target=lambda: (engine.deliver_due(), connections.close_all()))
    running.start()
    campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("token")))
    with Holding(lambda: Score.objects.update(comment="")):
        engine.stop()
        running.join(SECONDS / 2)
        assert not running.is_alive()
    engine.close()


def test_two_who_fill_one_new_column_do_not_deadlock(line_item):
    def fill(first):
        users = [{"user_id": f"n{number}", "score_given": first, "score_maximum": 10} for number in range(first, first + 200)]
        return lambda: scores.record_many(line_item, users)

    assert together(fill(0), fill(100), fill(300)) == []
    assert Score.objects.count() == 500


def test_recording_retrying_and_resuming_at_once_do_not_deadlock(campus, line_item):
    users = [{"user_id": f"n{number}", "score_given": 1, "score_maximum": 10} for number in range(150)]
    scores.record_many(line_item, users)
    Registration.objects.update(paused_at="2026-01-01T00:00Z", paused_code="client_refused")
    Score.objects.filter(pk__in=list(Score.objects.values_list("pk", flat=True)[::2])).update(state=SyncState.FAILED, due_at=None)
    again = [item | {"score_given": 2} for item in users]
    calls = [
        lambda: scores.record_many(line_item, again),
        lambda: scores.retry(Score.objects.all()),
        lambda: registrations.resume(Registration.objects.get()),
        lambda: scores.cancel(Score.objects.filter(user_id__startswith="n1"), reason="no"),
    ]
    assert together(*calls * 2) == []


def test_more_than_a_database_takes_as_parameters(line_item):
    users = [{"user_id": f"n{number}", "score_given": 1, "score_maximum": 10} for number in range(2500)]
    scores.record_many(line_item, users)
    assert scores.retry(Score.objects.all()) == 2500
    assert scores.cancel(list(Score.objects.all()), reason="no") == 2500


def test_long_comments_go_in_portions_that_any_server_takes(line_item):
    users = [{"user_id": f"n{number}", "score_given": 1, "score_maximum": 10, "comment": "é" * 60_000} for number in range(150)]
    assert scores.record_many(line_item, users).created == 150


def test_a_probe_that_was_not_used_is_given_back(campus, make_campus, deliver):
    """Scores that wait for their column must not use up the one question that a shut service may be asked."""
    line_item = campus.line_item()
    record(line_item, user="u1")
    deliver()
    LineItem.objects.update(block_code="forbidden")
    for user in ("u2", "u3", "u4"):
        record(line_item, user=user)
    healthy = LineItem.objects.create(
        context=line_item.context,
        service=line_item.service,
        url=line_item.url + "?other",
        scopes=line_item.scopes,
        state=SyncState.DELIVERED,
    )
    late = record(healthy, user="u5")
    Service.objects.update(closed_until="2026-01-01T00:00Z", consecutive_failures=9, failing_since="2026-01-01T00:00Z")
    deliver()
    assert Score.objects.filter(state=SyncState.BLOCKED).count() == 3
    late.refresh_from_db()
    assert late.tries == 1
    assert late.attempts.exists()


def test_a_column_that_is_deleted_under_a_claim_does_not_stop_the_others(campus, line_item, deliver, monkeypatch):
    gone = LineItem.objects.create(
        context=line_item.context,
        service=line_item.service,
        url=line_item.url + "?gone",
        scopes=line_item.scopes,
        state=SyncState.DELIVERED,
    )
    record(gone)
    record(line_item)
    from django_lti_ags.sync.score_rows import ScoreDelivery

    prepare = ScoreDelivery.prepare

    def late(self, rows, profile, **more):
        LineItem.objects.filter(pk=gone.pk).delete()
        return prepare(self, rows, profile, **more)

    monkeypatch.setattr(ScoreDelivery, "prepare", late)
    deliver()
    assert [row.state for row in Score.objects.all()] == [SyncState.DELIVERED]


def test_a_score_that_was_recorded_on_an_old_copy_of_a_moved_column_comes_home(campus, line_item, deliver):
    old = Service.objects.create(registration=campus.registration, origin="https://old.example")
    row = record(line_item)
    Score.objects.update(service=old)
    deliver()
    row.refresh_from_db()
    assert row.state == SyncState.DELIVERED
    assert row.service == line_item.service


def test_one_and_many_new_learners_at_once_do_not_deadlock(line_item):
    def many(value):
        users = [{"user_id": f"n{number}", "score_given": value, "score_maximum": 10} for number in range(60)]
        return lambda: scores.record_many(line_item, users)

    def singly(value):
        def run():
            for number in range(0, 60, 3):
                with transaction.atomic():
                    record(line_item, user=f"n{number}", given=value)
                    transaction.set_rollback(number % 2 == 0)

        return run

    assert together(singly(1), many(2), singly(3), many(4), singly(5)) == []
    assert Score.objects.count() == 60


def declared(campus):
    context = line_items.context_from_launch(campus.claims(lineitem=None))
    return line_items.declare(context, label="Essay", resource_id="essay", score_maximum=10)


def test_a_column_that_was_just_made_waits_for_no_recorder(campus, make_campus, deliver):
    other = make_campus("other").line_item()
    essay = declared(campus)
    record(essay)
    worker = Worker()
    running = threading.Thread(target=lambda: (worker.run(), connections.close_all()))
    with Holding(lambda: (record(essay, given=9), record(essay, user="u3")), then=lambda: record(essay, user="u2")) as recorder:
        running.start()
        if connection.vendor == "postgresql":  # InnoDB's locks keep the column from being claimed as long
            campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("line_item")))
            assert wait_until(lambda: bool(worker._engine._unfinished), SECONDS / 2)  # it cannot finish yet
        record(other)
        assert wait_until(lambda: Score.objects.get(line_item=other).state == SyncState.DELIVERED, SECONDS / 2)
    worker.stop()
    running.join(SECONDS)
    assert recorder.problem is None
    deliver()
    deliver(Tomorrow(minutes=5))
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}
    [made] = [item for item in campus.course.line_items.values() if item.resource_id == "essay"]
    assert {user: score.given for user, score in made.scores.items()} == {"u1": 9, "u2": 8, "u3": 8}


@pytest.mark.parametrize("block", ["", "line_item_gone"])
def test_a_launch_with_a_new_url_and_a_recorder_do_not_deadlock(campus, line_item, block):
    record(line_item)
    LineItem.objects.update(block_code=block)
    Score.objects.update(state=SyncState.BLOCKED, due_at=None, code="line_item_gone")
    problems = []
    new_url = line_item.url.replace("/lineitem", "/moved/lineitem")

    def launch():
        problems.extend(together(lambda: line_items.from_launch(campus.claims(lineitem=new_url))))

    launching = threading.Thread(target=launch)
    with Holding(lambda: record(line_item, given=9), then=lambda: record(line_item, user="u2")) as recorder:
        launching.start()
        launching.join(0.5)  # where the database has row locks, it waits for the recorder now
    launching.join(SECONDS)
    assert (recorder.problem, problems) == (None, [])
    assert LineItem.objects.get().url == new_url
    assert set(Score.objects.values_list("user_id", "state")) == {("u1", SyncState.PENDING), ("u2", SyncState.PENDING)}


def test_a_pause_that_the_platform_asks_for_is_kept_while_another_worker_has_the_service(campus, line_item):
    record(line_item)
    campus.platform.faults.add("status", kind="score", count=1, status=429, headers=[("Retry-After", "60")])
    engine = Engine()
    running = threading.Thread(target=lambda: (engine.deliver_due(limit=1), connections.close_all()))
    with Holding(lambda: Service.objects.update(clock_skew_seconds=1)):
        running.start()
        campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("score")))
        running.join(0.5)
    running.join(SECONDS)
    engine.close()
    assert Service.objects.get().closed_until is not None
