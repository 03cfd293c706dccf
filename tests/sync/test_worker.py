"""The worker as a process, beside writing requests; and the commands."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections, transaction

from django_lti_ags import scores
from django_lti_ags.models import Score, SyncState
from django_lti_ags.sync.engine import Engine, Report
from django_lti_ags.sync.worker import Worker
from tests.sync.conftest import record

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parent.parent.parent


@contextlib.contextmanager
def worker_process():
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "LTI_AGS_TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "lti_ags_worker", "--skip-checks"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_worker_beside_twenty_writing_requests_loses_nothing(make_campus):
    campus = make_campus(learners=20)
    line_item = campus.line_item()
    problems = []

    def write(number):
        try:
            for given in range(5):
                with transaction.atomic():
                    # Read, then write: what a deferred SQLite transaction fails at.
                    Score.objects.filter(line_item=line_item).count()
                    scores.record(line_item, user_id=f"u{number}", score_given=given, score_maximum=10)
        except OperationalError as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    with worker_process() as process:
        threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 21)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        campus.platform.ledger.wait_for(
            lambda ledger: all((sent := ledger.scores(f"u{n}")) and sent[-1].body["scoreGiven"] == 4 for n in range(1, 21)), timeout=60
        )
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in told
    assert told.rstrip().endswith("Stopped.")
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}
    for number in range(1, 21):
        stamps = [entry.body["timestamp"] for entry in campus.platform.ledger.scores(f"u{number}")]
        assert stamps == sorted(set(stamps))


def test_a_worker_that_is_told_to_stop_ends_what_it_began(campus):
    campus.platform.faults.add("slow", kind="score", seconds=1)
    scores.record(campus.line_item(), user_id="u1", score_given=8, score_maximum=10)
    with worker_process() as process:
        campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("token")), timeout=30)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert not Score.objects.filter(state=SyncState.SENDING).exists()


def test_a_worker_that_is_killed_loses_nothing(campus, settings):
    scores.record(campus.line_item(), user_id="u1", score_given=8, score_maximum=10)
    campus.platform.faults.add("slow", kind="score", seconds=20, count=1)
    with worker_process() as process:
        campus.platform.ledger.wait_for(lambda ledger: bool(ledger.of("score")), timeout=30)
        process.kill()
        process.wait()
    assert Score.objects.get().state == SyncState.SENDING
    from tests.sync.conftest import Tomorrow

    engine = Engine(clock=Tomorrow(minutes=5))
    engine.deliver_due()
    engine.close()
    assert Score.objects.get().state == SyncState.DELIVERED
    assert campus.shown("u1") == 8


def test_a_pass_from_cron(campus):
    scores.record(campus.line_item(), user_id="u1", score_given=8, score_maximum=10)
    told = StringIO()
    call_command("lti_ags_deliver", stdout=told)
    call_command("lti_ags_deliver", "--limit", "5", "--seconds", "5", stdout=told)
    assert told.getvalue().splitlines() == ["1 finished: 1 delivered", "0 finished"]
    with pytest.raises(CommandError, match="--limit must be above zero"):
        call_command("lti_ags_deliver", "--limit", "0")


def test_the_worker_command_stops_on_a_signal(campus):
    scores.record(campus.line_item(), user_id="u1", score_given=8, score_maximum=10)
    told = StringIO()
    before = signal.getsignal(signal.SIGTERM)

    def stop():
        campus.platform.ledger.wait_for(lambda ledger: bool(ledger.scores("u1")), timeout=30)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = threading.Thread(target=stop)
    stopping.start()
    call_command("lti_ags_worker", stdout=told)
    stopping.join()
    assert told.getvalue().splitlines()[-1] == "Stopped."
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_worker_outlives_its_database(caplog):
    class Flaky:
        passes = 0

        def deliver_due(self):
            self.passes += 1
            if self.passes < 3:
                raise OperationalError("server closed the connection")
            worker.stop()
            return Report()

        def stop(self):
            """Told."""

        def close(self):
            self.closed = True

    engine = Flaky()
    worker = Worker(engine)
    worker._stopping.wait = lambda seconds: worker._stopping.is_set()
    worker.run()
    assert (engine.passes, engine.closed) == (3, True)
    assert "The database is not there (OperationalError)" in caplog.text


def test_a_pass_that_fails_is_not_the_workers_last(campus, caplog, monkeypatch):
    record(campus.line_item())
    engine = Engine()
    deliver_due, fails = engine.deliver_due, iter([ZeroDivisionError("broken"), ZeroDivisionError("again")])

    def flaky():
        problem = next(fails, None)
        if problem is not None:
            raise problem
        return deliver_due()

    monkeypatch.setattr(engine, "deliver_due", flaky)
    worker = Worker(engine)
    running = threading.Thread(target=lambda: (worker.run(), connections.close_all()))
    running.start()
    campus.platform.ledger.wait_for(lambda ledger: bool(ledger.scores()), timeout=30)
    worker.stop()
    running.join(20)
    assert not running.is_alive()
    assert caplog.text.count("A pass failed") == 2
