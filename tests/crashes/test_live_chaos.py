"""Whatever dies in between, every committed live result is in Canvas, exactly as often as it was recorded.

Short by default; CHAOS_KILLS and CHAOS_SCORES make it long. On a database server only: SQLite has one worker.
"""

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from django_lti_ags import live_assessments
from django_lti_ags.models import DECIDABLE, OPEN, DeliveryAttempt, LiveAssessment, LiveResult, SyncState
from tests.crashes.havoc import Reaper, RolledBack, Writers, rage
from tests.crashes.test_chaos import KILLS, LEASE, SCORES, WORKERS
from tests.sync.live import declare, held, recorded

LEARNERS = 30
STRANGER = 9_999
ASSESSMENTS = 4
FAULTS = [
    {"effect": "drop_after", "probability": 0.05},
    {"effect": "drop_before", "probability": 0.03},
    {"effect": "status", "probability": 0.03, "status": 500},
    {"effect": "status", "probability": 0.01, "status": 429, "headers": [("Retry-After", "1")]},
    {"effect": "status", "probability": 0.01, "status": 401},
    {"effect": "slow", "probability": 0.1, "seconds": 0.3},
]

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]


class Notes(Writers):
    """Threads that note results, of which half are rolled back, and some say the same twice."""

    def __init__(self, assessments, learners):
        super().__init__(assessments, learners)
        self.kept = Counter()

    def _one(self, random):
        with self._lock:
            value = next(self._values)
        assessment = random.choice(self._columns)
        user = STRANGER if value % 97 == 0 else random.randint(1, self._learners)
        items = [(user, value % 5, value % 2 == 0)] * random.choice((1, 1, 2))
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        try:
            with transaction.atomic():
                given = [
                    {"user_id": user, "passed": passed, "assessed_at": at + timedelta(seconds=second)} for user, second, passed in items
                ]
                live_assessments.record_many(assessment, given)
                if random.random() < 0.5:
                    raise RolledBack
        except RolledBack:
            self.rolled_back.add(value)
        else:
            with self._lock:
                self.committed += len(items)
                self.kept.update((assessment.key, *item) for item in items)


def until_at_rest(seconds):
    """An operator, or the next recording, tries again what rests for another reason than a stranger."""
    end = time.monotonic() + seconds
    while True:
        rows = LiveAssessment.objects.filter(state__in=(*OPEN, *DECIDABLE)).exclude(state=SyncState.FAILED, code="live_user_not_in_course")
        if not rows.exists():
            return
        live_assessments.retry(rows)
        assert time.monotonic() < end, list(rows.values("state", "code", "detail", "due_at"))
        threading.Event().wait(0.2)


def retry_what_failed():
    live_assessments.retry(LiveAssessment.objects.filter(state=SyncState.FAILED))


def test_no_result_is_lost_or_doubled(school, nursery):
    assert connection.vendor != "sqlite", "name a server in DATABASE_URL"
    for number in range(4, LEARNERS + 1):
        school.book.add_student(number, f"Learner {number}")
    school.store_token()
    assessments = [declare(school, key=f"reading {number}") for number in range(ASSESSMENTS)]
    for fault in FAULTS:
        school.campus.platform.faults.add(
            fault["effect"], **{"kind": "live_results"} | {name: fault[name] for name in fault if name != "effect"}
        )
    with nursery(**LEASE) as children:
        writers = Notes(assessments, LEARNERS)
        reaper = Reaper(children, WORKERS, spared=writers.sessions)
        abandoned = DeliveryAttempt.objects.filter(abandoned=True, kind="live_results")
        told = rage(writers, reaper, enough=SCORES // 2, kills=KILLS // 2, abandoned=abandoned, meanwhile=retry_what_failed)
        school.campus.platform.faults.clear()
        until_at_rest(300)
    check(school, writers.kept)
    print(f"\nlive: {told}, {len(school.campus.platform.ledger.of('live_results', method='POST'))} posts")  # noqa: T201 - what a run amounted to


def check(school, kept):
    assert sum(kept.values()) == LiveResult.objects.count() == sum(recorded().values())
    expected = Counter({item: count for item, count in kept.items() if item[1] != STRANGER})
    in_canvas = Counter()
    for assessment in LiveAssessment.objects.all():
        in_canvas.update({(assessment.key, *item): count for item, count in held(school, assessment.key).items()})
    assert expected - in_canvas == {}, "lost"
    assert in_canvas - expected == {}, "doubled"
    aside = LiveResult.objects.exclude(state=SyncState.DELIVERED)
    assert set(aside.values_list("state", "user_id")) <= {(SyncState.FAILED, str(STRANGER))}
