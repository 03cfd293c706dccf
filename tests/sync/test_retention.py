"""What goes with age, and what never does: no score, and nothing that explains one which is not at its platform yet."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from django_lti_ags import results, scores
from django_lti_ags.models import DeliveryAttempt, Event, Result, Score, SyncSample, SyncState
from django_lti_ags.sync import retention
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.retention import Keep, prune
from tests.sync.conftest import record
from tests.sync.test_contention import Holding, together

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86_400.0
NEVER = 10_000 * DAY


def keep(**days):
    spans = dict.fromkeys(("attempts", "results", "events", "samples", "comments"), NEVER)
    return Keep(**spans | {name: span * DAY for name, span in days.items()})


def ago(days):
    return DatabaseClock().now() - timedelta(days=days)


def attempt(row, days, **more):
    values = {"score": row, "kind": "score", "service_id": row.service_id, "started_at": ago(days), "version": 1} | more
    return DeliveryAttempt.objects.create(**values)


def left(rows):
    return sorted(rows.values_list("pk", flat=True))


def test_the_settings_say_how_long(settings):
    settings.LTI_AGS = {"KEEP_ATTEMPTS_SECONDS": 60, "KEEP_COMMENTS_SECONDS": 120}
    assert Keep.configured(results=5.0, comments=None) == Keep(attempts=60, results=5.0, events=90 * DAY, samples=30 * DAY, comments=120)


def test_attempts_of_what_is_settled_go_and_the_young_stay(line_item, deliver):
    row = record(line_item)
    deliver()
    DeliveryAttempt.objects.all().delete()
    old, young = attempt(row, 91), attempt(row, 89)
    reading = attempt(row, 200, score=None, line_item=line_item, kind="results", version=None)
    assert prune(keep(attempts=90), dry_run=True)["attempts"] == 2
    assert left(DeliveryAttempt.objects) == [old.pk, young.pk, reading.pk]
    assert prune(keep(attempts=90))["attempts"] == 2
    assert left(DeliveryAttempt.objects) == [young.pk]
    assert Score.objects.get().state == SyncState.DELIVERED


@pytest.mark.parametrize(
    "changed",
    [
        {"state": SyncState.PENDING, "due_at": "2026-01-01T00:00Z"},
        {"state": SyncState.FAILED},
        {"state": SyncState.BLOCKED},
        {"state": SyncState.SUPERSEDED, "unsettled": True},
    ],
)
def test_what_says_why_a_score_is_not_there_yet_stays(line_item, changed):
    row = record(line_item)
    Score.objects.update(**{"version": 3, "wire_version": 2, "due_at": None} | changed)
    newest = attempt(row, 400, version=2)
    attempt(row, 401, version=1)
    token = attempt(row, 400, version=2, kind="token")
    DeliveryAttempt.objects.update(request_body="{}")
    counts = prune(keep(attempts=90, comments=90))
    assert (counts["attempts"], counts["attempt_bodies"]) == (1, 0)
    assert left(DeliveryAttempt.objects) == [newest.pk, token.pk]


def test_what_says_why_a_column_is_not_there_yet_stays(line_item):
    score = record(line_item)
    type(line_item).objects.update(state=SyncState.FAILED, version=1, wire_version=1)
    attempt(score, 400, score=None, line_item=line_item, kind="line_item")
    assert prune(keep(attempts=90))["attempts"] == 0
    type(line_item).objects.update(state=SyncState.DELIVERED)
    assert prune(keep(attempts=90))["attempts"] == 1


def test_results_go_unless_their_score_is_on_its_way(line_item, deliver):
    record(line_item, user="u1")
    record(line_item, user="u2")
    deliver()
    results.fetch(line_item)
    record(line_item, user="u2", given=3)
    Result.objects.update(read_at=ago(400))
    assert prune(keep(results=365), dry_run=True)["results"] == 1
    assert prune(keep(results=365))["results"] == 1
    assert Result.objects.get().user_id == "u2"
    assert Score.objects.count() == 2


def test_events_and_samples_go(line_item, deliver):
    row = record(line_item)
    deliver()
    Event.objects.update(created_at=ago(91))
    Event.objects.create(name="score_delivered", score=row, created_at=ago(89))
    SyncSample.objects.create(service_id=row.service_id, taken_at=ago(31))
    SyncSample.objects.create(service_id=row.service_id, taken_at=ago(29))
    counts = prune(keep(events=90, samples=30))
    assert (counts["events"], counts["samples"]) == (1, 1)
    assert (Event.objects.count(), SyncSample.objects.count()) == (1, 1)


def test_comments_and_submissions_of_settled_scores_are_blanked_wherever_they_stand(line_item, deliver):
    record(line_item, comment="canary", extensions={"https://lms.example/submission": {"text": "canary"}})
    deliver()
    results.fetch(line_item)
    doubt = {"score_given": 1.0, "score_maximum": 10.0, "comment": "canary", "fingerprint": "f"}
    Score.objects.update(recorded_at=ago(366), doubtful=[doubt])
    Result.objects.update(read_at=ago(366))
    DeliveryAttempt.objects.update(started_at=ago(366))
    assert Result.objects.get().comment == "canary"
    dry = prune(keep(comments=365), dry_run=True)
    counts = prune(keep(comments=365))
    assert dry == counts
    assert (counts["comments"], counts["result_comments"]) == (1, 1)
    assert counts["attempt_bodies"] >= 1
    row = Score.objects.get()
    assert (row.comment, row.delivered_comment, row.extensions) == ("", "", {})
    assert row.doubtful == [doubt | {"comment": ""}]
    assert (row.score_given, row.delivered_given, row.state) == (8, 8, SyncState.DELIVERED)
    for model in (Score, Result, DeliveryAttempt, Event):
        assert "canary" not in json.dumps(list(model.objects.values()), default=str)
    assert set(prune(keep(comments=365)).values()) == {0}


@pytest.mark.parametrize(
    "changed",
    [
        {"state": SyncState.FAILED},
        {"state": SyncState.BLOCKED},
        {"state": SyncState.CANCELLED, "unsettled": True},
        {"state": SyncState.PENDING, "due_at": "2026-01-01T00:00Z"},
    ],
)
def test_a_comment_that_may_still_be_sent_stays(line_item, changed):
    record(line_item, comment="Well done")
    Score.objects.update(**{"due_at": None, "recorded_at": ago(366)} | changed)
    assert prune(keep(comments=365))["comments"] == 0
    assert Score.objects.get().comment == "Well done"


def test_what_was_delivered_is_still_known_when_it_is_said_again(campus, line_item, deliver):
    said = {"comment": "Well done", "extensions": {"https://lms.example/x": {"a": [1, True]}}}
    record(line_item, **said)
    deliver()
    Score.objects.update(recorded_at=ago(366))
    prune(keep(comments=365))
    record(line_item, **said)
    row = Score.objects.get()
    assert (row.version, row.state, row.comment) == (1, SyncState.DELIVERED, "")
    record(line_item, **said | {"comment": "Well done!"})
    row = Score.objects.get()
    assert (row.version, row.state) == (2, SyncState.PENDING)


def test_windows_are_small_and_told_and_all_are_seen(line_item, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(retention, "_WINDOW", 10)
    row = record(line_item)
    Score.objects.update(state=SyncState.CANCELLED, due_at=None)
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(score=row, kind="score", service_id=row.service_id, started_at=ago(100), version=1) for _ in range(35)
    )
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(score=row, kind="score", service_id=row.service_id, started_at=ago(1), version=1) for _ in range(100)
    )
    told = []
    # Rows are in order: of a hundred young ones, ten are looked at.
    with django_assert_max_num_queries(60):
        counts = prune(keep(attempts=90), told=lambda kind, count: told.append((kind, count)))
    assert counts["attempts"] == 35
    assert told == [("attempts", 10), ("attempts", 20), ("attempts", 30), ("attempts", 35)]
    assert DeliveryAttempt.objects.count() == 100


def test_it_goes_on_where_it_was_stopped(line_item, monkeypatch):
    monkeypatch.setattr(retention, "_WINDOW", 10)
    row = record(line_item)
    Score.objects.update(state=SyncState.CANCELLED, due_at=None)
    for _ in range(25):
        attempt(row, 100)

    def stop(kind, count):
        if count == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune(keep(attempts=90), told=stop)
    assert DeliveryAttempt.objects.count() == 5
    assert prune(keep(attempts=90))["attempts"] == 5


def test_what_somebody_holds_is_passed_over_and_goes_the_next_time(line_item, deliver):
    record(line_item, user="u1", comment="a")
    record(line_item, user="u2", comment="b")
    deliver()
    Score.objects.update(recorded_at=ago(366))
    held = connection.vendor != "sqlite"  # which has one writer: nothing is held beside it
    with Holding(lambda: Score.objects.filter(user_id="u1").update(code="x")):
        gone = prune(keep(comments=365))["comments"]
    assert gone == (1 if held else 2)
    assert list(Score.objects.exclude(comment="").values_list("user_id", flat=True)) == (["u1"] if held else [])
    assert prune(keep(comments=365))["comments"] == 2 - gone


def test_pruning_beside_recording_and_delivering_loses_nothing(campus, line_item, deliver):
    users = [f"u{number}" for number in range(1, 6)]
    for user in users:
        record(line_item, user=user, comment="first")
    deliver()
    Score.objects.update(recorded_at=ago(366))
    Event.objects.update(created_at=ago(366))
    DeliveryAttempt.objects.update(started_at=ago(366))
    every = keep(attempts=1, results=1, events=1, samples=1, comments=1)

    def restate():
        for user in users:
            with transaction.atomic():
                record(line_item, user=user, given=9, comment="second")

    assert together(lambda: prune(every), restate, lambda: prune(every)) == []
    deliver()
    assert [campus.shown(user) for user in users] == [9] * 5
    assert set(Score.objects.values_list("state", "comment")) == {(SyncState.DELIVERED, "second")}


def run(*arguments):
    out = StringIO()
    call_command("lti_ags_prune", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_counts_first_and_then_lets_go(line_item, deliver):
    record(line_item)
    deliver()
    DeliveryAttempt.objects.update(started_at=ago(40))
    total = DeliveryAttempt.objects.count()
    assert f"{total}  attempts would go" in run("--dry-run", "--attempts", "30d")
    assert DeliveryAttempt.objects.count() == total
    assert "0  attempts gone" in run()
    said = run("--attempts", "30d")
    assert f"{total}  attempts gone" in said
    assert "Kept: attempts 30d, results 365d, events 90d, samples 30d, comments 365d." in said
    assert not DeliveryAttempt.objects.exists()


def test_the_command_answers_programs(line_item):
    scores.record(line_item, user_id="u1", score_given=1, score_maximum=2)
    told = json.loads(run("--json", "--dry-run", "--results", "90m"))
    assert told["dry_run"] is True
    assert told["kept_seconds"]["results"] == 5400
    of_attempts, of_results = {"attempts", "attempt_bodies"}, {"results", "result_comments", "live_results"}
    assert set(told["pruned"]) == of_attempts | of_results | {
        "events",
        "webhooks",
        "samples",
        "comments",
        "submissions",
        "files",
        "launches",
        "requests",
    }


@pytest.mark.parametrize("span", ["0d", "-1d", "x", "90", "", "d", "1e9d", "999999999w", "٣d", "1.5.5d", "1 y"])
def test_what_is_no_span_is_refused(span):
    with pytest.raises(CommandError, match="no span of time"):
        run(f"--attempts={span}")
