"""Kept submissions in any order of events: recorded, sent, lost, refused, crashed, taken up again. None is lost, none is doubled.

``MACHINE_EXAMPLES=2000 pytest …`` explores further, at random; without it every run is the same.
"""

import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from django_lti_ags import canvas, scores
from django_lti_ags.models import LineItem, QueuedSubmission, Registration, Score, Service, SyncState
from django_lti_ags.sync.clock import DatabaseClock
from tests.sync.canvas_book import CanvasBook
from tests.sync.delivery_model import Worker
from tests.sync.exploring import explore
from tests.sync.strict_platform import MAXIMUM, Answer, Monotonic
from tests.sync.test_machine import column

__all__ = ["column"]

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
EXAMPLES, STEPS, ROUNDS_TO_DRAIN = 25, 30, 60

learners = st.sampled_from(["u1", "u2"])
workers = st.sampled_from([0, 1])
answers = st.sampled_from([*[Answer.PLAIN, Answer.LOST_BEFORE, Answer.LOST_AFTER] * 3, Answer.REFUSES, Answer.UNREACHABLE, Answer.BUSY])
spans = st.sampled_from([timedelta(0), timedelta(minutes=2), HOUR])


class KeptSubmissions(RuleBasedStateMachine):
    """Two workers, two learners. ``said``: what each handed in, in the order of recording."""

    def __init__(self, line_item: LineItem) -> None:
        super().__init__()
        Score.objects.all().delete()
        Service.objects.update(consecutive_failures=0, failing_since=None, closed_until=None, last_success_at=None)
        self.line_item = line_item
        self.clock = Monotonic(DatabaseClock().now() + 3 * HOUR)
        self.platform = CanvasBook(self.clock)
        self.workers = [Worker(self.platform, self.clock) for _ in range(2)]
        self.said: dict[str, list[datetime]] = {"u1": [], "u2": []}
        self.given: dict[str, float | None] = {}
        self.numbers = iter(range(1, 10_000))
        self.refused = False

    def _record(self, user, at, given, comment=""):
        essay = None if at is None else canvas.Submission(submitted_at=at)
        said = {"submission": essay, "keep": "every", "comment": comment}
        before = Score.objects.filter(user_id=user).values_list("version", flat=True).first()
        row = scores.record(self.line_item, user_id=user, score_given=given, score_maximum=MAXIMUM, **said)
        if row.version != before:
            self.given[user] = given

    @rule(user=learners, points=st.sampled_from([5, 8]))
    def hand_in(self, user, points):
        number = next(self.numbers)
        self.said[user].append(EPOCH + timedelta(seconds=number))
        self._record(user, self.said[user][-1], points, f"No. {number}")

    @rule(user=learners, points=st.sampled_from([5, 8]))
    def regrade(self, user, points):
        if self.said[user]:
            self._record(user, None, points)

    @rule(user=learners, which=st.integers(0, 50), points=st.sampled_from([5, 8]))
    def say_one_again(self, user, which, points):
        if self.said[user]:
            self._record(user, self.said[user][which % len(self.said[user])], points)

    @rule(user=learners)
    def clear(self, user):
        if self.said[user]:
            scores.clear(self.line_item, user)
            self.given[user] = None

    @rule(number=workers, after=spans, posted=answers, asked=st.sampled_from([Answer.PLAIN, Answer.LOST_BEFORE]), limit=st.integers(1, 2))
    def claim_and_send(self, number, after, posted, asked, limit):
        self.clock.advance(after)
        worker = self.workers[number]
        worker.claim(limit)
        self.platform.asked, self.platform.posted = asked, posted
        for held in worker.unsent():
            held.outcome = worker.delivery.exchange(held.job)
            assert held.outcome.verdict.code != "internal_error"
            self.refused |= posted is Answer.REFUSES

    @rule(number=workers)
    def finish(self, number):
        worker = self.workers[number]
        answered = worker.answered()
        assert worker.delivery.finish([held.outcome for held in answered]) == []
        for held in answered:
            worker.in_hand.remove(held)

    @rule(number=workers)
    def crash(self, number):
        self.workers[number].in_hand.clear()

    @rule(user=learners)
    def retry(self, user):
        scores.retry(Score.objects.filter(user_id=user))

    @invariant()
    def nothing_is_lost_or_doubled(self):
        for row in Score.objects.all():
            queue = list(QueuedSubmission.objects.filter(score=row))
            known = [one.submission_at for one in queue]
            known += [row.submission_at] if row.submission_at not in known else []
            assert known == self.said[row.user_id]
            waiting = [one.sequence for one in queue if one.state == SyncState.PENDING]
            assert row.queue_head == (min(waiting) if waiting else None)
            assert row.set_aside == sum(one.state == SyncState.FAILED for one in queue)
            assert row.state not in (SyncState.DELIVERED, SyncState.SUPERSEDED) or row.queue_head is None
            there = self.platform.attempts[row.user_id]
            assert {one.submission_at for one in queue if one.state == SyncState.DELIVERED} <= set(there)
            assert len(set(there)) == len(there), "an attempt was doubled"
            assert self.refused or there == self.said[row.user_id][: len(there)], "out of order"
            comments = self.platform.comments[row.user_id]
            assert len(set(comments)) == len(comments), "a comment was doubled"
            stamps = [sent.timestamp for sent in self.platform.applied if sent.user_id == row.user_id]
            assert stamps == sorted(stamps)

    def teardown(self):
        if sys.exc_info()[0] is None:
            self._end_well()
        for worker in self.workers:
            worker.engine.close()

    def _end_well(self):
        for worker in self.workers:
            worker.in_hand.clear()
        for _ in range(ROUNDS_TO_DRAIN):
            self.claim_and_send(0, 2 * HOUR, Answer.PLAIN, Answer.PLAIN, 2)
            self.finish(0)
            self.nothing_is_lost_or_doubled()
            scores.retry(Score.objects.filter(state=SyncState.FAILED))
            if not Score.objects.exclude(state=SyncState.DELIVERED).exists():
                break
        else:
            pytest.fail(f"not delivered: {list(Score.objects.exclude(state=SyncState.DELIVERED).values())}")
        for user, said in self.said.items():
            assert sorted(self.platform.attempts[user]) == said, "a submission was lost"
            assert not said or self.platform.grades[user] == self.given[user], "the newest does not have the grade"


@pytest.mark.timeout(900)
def test_every_order_of_events_hands_everything_in_once(column):
    Registration.objects.update(profile="canvas")
    explore(lambda: KeptSubmissions(column), examples=EXAMPLES, steps=STEPS)
