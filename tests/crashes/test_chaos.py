"""Promises 1–4 and 6: whatever dies in between, every committed score reaches the gradebook once, the newest last.

Short by default; CHAOS_KILLS and CHAOS_SCORES make it long. On a database server only: SQLite has one worker.
"""

import os
import threading
import time

import pytest
from django.db import connection

from django_lti_ags import registrations, scores
from django_lti_ags.models import DeliveryAttempt, Registration, Score, Service, SyncState
from tests.crashes.havoc import EPOCH, Reaper, Writers, rage

KILLS = int(os.environ.get("CHAOS_KILLS", "100"))
SCORES = int(os.environ.get("CHAOS_SCORES", "5000"))
LEARNERS = 300
WORKERS = 4
LEASE = {"LEASE_SECONDS": 8, "SEND_DEADLINE_SECONDS": 1.5, "POLL_SECONDS": 0.2, "CIRCUIT_MAX_SECONDS": 2}
FAULTS = [
    {"effect": "drop_after", "kind": "score", "probability": 0.02},
    {"effect": "drop_before", "kind": "score", "probability": 0.02},
    {"effect": "status", "kind": "score", "probability": 0.02, "status": 500},
    {"effect": "status", "kind": "score", "probability": 0.005, "status": 429, "headers": [("Retry-After", "1")]},
    {"effect": "status", "kind": "score", "probability": 0.01, "status": 401},
    {"effect": "status", "kind": "results", "probability": 0.05, "status": 503},
    {"effect": "slow", "kind": "score", "probability": 0.05, "seconds": 0.3},
    {"effect": "drop_before", "kind": "token", "probability": 0.1},
]

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]


def until_at_rest(seconds):
    end = time.monotonic() + seconds
    while not drain():
        left = list(open_scores().values("pk", "state", "code", "due_at", "tries")[:5])
        assert time.monotonic() < end, f"{open_scores().count()} do not come to rest: {left}, {list(Service.objects.values())}"
        threading.Event().wait(0.2)


def open_scores():
    return Score.objects.filter(state__in=(SyncState.PENDING, SyncState.SENDING))


def resume():
    """Two refused tokens in a row pause the registration, as they should; an operator finds nothing wrong, and resumes it."""
    for registration in Registration.objects.exclude(paused_at=None):
        registrations.resume(registration)


def drain():
    """What waits long for its next try need not: an operator presses "send again"."""
    resume()
    scores.retry(Score.objects.filter(state=SyncState.PENDING))
    return not open_scores().exists()


@pytest.mark.parametrize(("dialect", "keep"), [("", "newest"), ("canvas", "newest"), ("canvas", "every")])
def test_nothing_is_lost_doubled_or_sent_backwards(make_campus, nursery, dialect, keep):
    assert connection.vendor != "sqlite", "name a server in DATABASE_URL"
    campus = make_campus(learners=LEARNERS, dialect=dialect)
    campus.registration.profile = dialect
    campus.registration.save()
    line_item = campus.line_item()
    for fault in FAULTS:
        campus.platform.faults.add(**fault)
    with nursery(**LEASE) as children:
        writers = Writers([line_item], LEARNERS, keep)
        reaper = Reaper(children, WORKERS, spared=writers.sessions)
        abandoned = DeliveryAttempt.objects.filter(abandoned=True)
        told = rage(writers, reaper, enough=SCORES // 2, kills=KILLS // 2, abandoned=abandoned, meanwhile=resume)
        campus.platform.faults.clear()
        until_at_rest(300)
    check(campus, writers)
    if keep == "every":
        check_order(campus, writers)
    print(f"\n{dialect or 'strict'}, {keep}: {told}, {len(campus.platform.ledger.of('score'))} posts")  # noqa: T201 - what a run amounted to


def check(campus, writers):
    rows = {row.user_id: row for row in Score.objects.all()}
    assert {row.state for row in rows.values()} == {SyncState.DELIVERED}
    held = campus.link.line_item.scores
    assert {user: held[user].given for user in rows} == {user: row.score_given for user, row in rows.items()}, "lost"
    # What a worker was killed in the middle of sending has no body.
    posts = [entry for entry in campus.platform.ledger.scores(applied=False) if isinstance(entry.body, dict)]
    assert writers.rolled_back.isdisjoint(entry.body["scoreGiven"] for entry in posts), "sent after a rollback"
    last, doubled, backwards = {}, [], []
    for entry in campus.platform.ledger.scores():
        user, stamp = entry.body["userId"], entry.body["timestamp"]
        previous = last.get(user)
        if previous is not None and stamp <= previous:
            backwards.append((user, previous, stamp))
        last[user] = stamp
    assert backwards == []
    if campus.registration.profile == "canvas":
        for user in rows:
            comments = campus.platform.gradebook.comments(campus.link.line_item, user)
            doubled += [(user, comment) for comment in set(comments) if comments.count(comment) > 1]
    assert doubled == [], "a comment was added twice"
    if campus.registration.profile == "canvas":
        check_attempts(campus, rows.values())


def check_attempts(campus, rows):
    """No submission makes two attempts, and the newest one of each learner made one."""
    gradebook = campus.platform.gradebook
    made = {row.user_id: [one.submitted_at for one in gradebook.submissions(campus.link.line_item, row.user_id)] for row in rows}
    assert [user for user, attempts in made.items() if len(set(attempts)) < len(attempts)] == [], "an attempt was doubled"
    assert [row.user_id for row in rows if row.submission_at not in made[row.user_id]] == [], "a submission was lost"


def check_order(campus, writers):
    """Each submission became exactly one attempt, in the order in which they were recorded."""
    gradebook, handed_in = campus.platform.gradebook, set()
    for row in Score.objects.prefetch_related("queued_submissions"):
        made = [one.submitted_at for one in gradebook.submissions(campus.link.line_item, row.user_id)]
        assert made == [*(one.submission_at for one in row.queued_submissions.all()), row.submission_at], "out of order"
        handed_in |= {(row.user_id, (at - EPOCH).total_seconds()) for at in made}
    assert writers.handed_in <= handed_in, "a submission was lost"
    assert not {value for _, value in handed_in} & writers.rolled_back, "sent after a rollback"
