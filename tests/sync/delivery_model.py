"""What the state machine knows: what the tool said, what went out, and what nobody may see happen."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from django_lti_ags import registrations, scores
from django_lti_ags.models import DeliveryAttempt, LineItem, Registration, Score, Service, SyncState
from django_lti_ags.models.leased import OPEN, RESTING
from django_lti_ags.profiles.verdict import Disposition
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.outbox import Outcome
from django_lti_ags.sync.score_delivery import ScoreJob
from tests.sync.strict_platform import Answer, Monotonic, StrictPlatform

LEASE = timedelta(seconds=60)
SEND_DEADLINE = timedelta(seconds=20)
HOUR = timedelta(hours=1)
ROUNDS_TO_DRAIN = 20
WHY_IT_MAY_REST = ("score_refused", "gave_up", "forbidden", "likely_delivered")
KEPT_BY_A_REPEAT = (SyncState.PENDING, SyncState.SENDING, SyncState.DELIVERED)
SENT_AGAIN_ANEW = (SyncState.SUPERSEDED, SyncState.CANCELLED)


@dataclass
class InHand:
    """A claimed job as its worker holds it."""

    job: ScoreJob
    lease_ends: Any
    outcome: Outcome | None = None
    ran_out: bool = False


class Worker:
    def __init__(self, platform: StrictPlatform, clock: Monotonic) -> None:
        self.engine = Engine(clock=clock, random=Random(1), clients=platform)
        self.clock = clock
        self.delivery = self.engine._deliveries[1]
        self.in_hand: list[InHand] = []

    def claim(self, limit: int) -> list[InHand]:
        self.engine._claims.take(limit)
        got = []
        start_by, lease_ends = self.clock.seconds + (LEASE - SEND_DEADLINE).total_seconds(), self.clock.now() + LEASE
        for _, job in self.engine._lanes.recall_all():
            got.append(InHand(replace(job, start_by=start_by), lease_ends))
        self.in_hand += got
        return got

    def unsent(self) -> list[InHand]:
        return [held for held in self.in_hand if held.outcome is None]

    def answered(self) -> list[InHand]:
        return [held for held in self.in_hand if held.outcome is not None]


class DeliveryModel:
    """What the tool said (``newest``, ``committed``), what went out (``wire``, ``in_doubt``), and every check of both."""

    def __init__(self, line_item: LineItem) -> None:
        _forget_everything()
        self.line_item = line_item
        self.clock = Monotonic(DatabaseClock().now() + 3 * HOUR)
        self.platform = StrictPlatform(self.clock)
        self.workers = [Worker(self.platform, self.clock) for _ in range(2)]
        self.rows: dict[str, Score] = {}
        self.registration = line_item.service.registration
        self.newest: dict[str, tuple[float | None, str]] = {}
        self.committed: dict[tuple[str, int], tuple[float | None, str]] = {}
        self.wire: dict[str, tuple[int, Any]] = {}
        self.cancelled: set[tuple[str, int]] = set()
        self.in_doubt: set[tuple[str, int]] = set()
        self.attempts: list[tuple[Any, ...]] = []

    def check_everything(self) -> None:
        self.rows, self.registration = _rows(), Registration.objects.get()
        assert self.rows.keys() == self.newest.keys()
        for user, row in self.rows.items():
            self._check_row(user, row)
        self._check_leases()
        self._check_history()

    def _check_row(self, user: str, row: Score):
        assert (row.score_given, row.comment) == self.newest[user]
        assert (row.due_at is not None) == (row.state in OPEN)
        assert (row.lease_token is not None) == (row.state == SyncState.SENDING)
        assert (row.delivered_version or 0) <= row.version
        assert (row.wire_version or 0) <= row.version
        shown = self.platform.shown(user)
        if row.state == SyncState.DELIVERED:
            assert row.delivered_version == row.version
            assert shown.edited or (shown.given, shown.comment or "") == self.newest[user]
        if row.state == SyncState.CANCELLED:
            assert (user, row.version) in self.cancelled
        elif row.state in RESTING:
            assert row.code in WHY_IT_MAY_REST
        applied = [sent.timestamp for sent in self.platform.applied if sent.user_id == user]
        assert applied == sorted(set(applied))

    def _check_leases(self):
        held = [held for worker in self.workers for held in worker.in_hand]
        for one in held:
            one.ran_out |= self.clock.now() >= one.lease_ends
        live = Counter(one.job.pk for one in held if not one.ran_out)
        assert all(count == 1 for count in live.values())

    def _check_history(self):
        attempts = list(DeliveryAttempt.objects.order_by("pk").values_list("pk", "score", "kind", "status", "code", "abandoned"))
        assert attempts[: len(self.attempts)] == self.attempts
        self.attempts = attempts

    def claim(self, worker: Worker, limit: int) -> None:
        before = _rows()
        for held in worker.claim(limit):
            self._check_claim(before[held.job.fields["user_id"]], held.job)

    def work(self, worker: Worker, asked: Answer, posted: Answer) -> None:
        self.claim(worker, limit=2)
        for held in worker.unsent():
            self.exchange(worker, held, asked, posted)

    def recording(self, said):
        return _Recording(self, said)

    def users_in(self, *states: SyncState) -> list[str]:
        return sorted(user for user, row in self.rows.items() if row.state in states)

    def _check_claim(self, before: Score, job: ScoreJob):
        user, said = job.fields["user_id"], (job.fields["score_given"], job.fields["comment"])
        assert (user, job.version) not in self.cancelled
        assert said == self.committed[user, job.version] == self.newest[user]
        version, timestamp = self.wire.get(user, (0, None))
        if version == job.version and not job.unsettled:
            assert job.wire_timestamp == timestamp
        elif timestamp is not None:
            assert job.wire_timestamp > timestamp
        if before.state == SyncState.SENDING and version == job.version:
            assert job.unsettled
        self.wire[user] = (job.version, job.wire_timestamp)

    def exchange(self, worker: Worker, held: InHand, asked: Answer, posted: Answer):
        job, platform = held.job, self.platform
        platform.asked, platform.posted = asked, posted
        user, statement = job.fields["user_id"], (job.fields["user_id"], job.version)
        mine = Score.objects.filter(pk=job.pk, lease_token=job.lease_token).exists()
        read, sent_before, edited = platform.results_read, len(platform.sent), platform.shown(user).edited
        held.outcome = worker.delivery.exchange(job)
        assert held.outcome.verdict.code != "internal_error"
        if held.outcome.verdict.disposition is Disposition.SUPERSEDED:
            assert edited
        for sent in platform.sent[sent_before:]:
            assert (sent.given, sent.comment) == self.committed[statement]
            if mine and statement in self.in_doubt:
                assert platform.results_read > read
                assert not edited
            if mine:
                self.in_doubt.add(statement)

    def finish(self, worker: Worker):
        answered = worker.answered()
        before = {row.pk: row for row in _rows().values()}
        assert worker.delivery.finish([held.outcome for held in answered]) == []
        after = {row.pk: row for row in _rows().values()}
        mine = {held.job.pk for held in answered if before[held.job.pk].lease_token == held.job.lease_token}
        for held in answered:
            worker.in_hand.remove(held)
            if before[held.job.pk].lease_token == held.job.lease_token:
                self._note_finished(held.outcome, held.job)
            else:
                if held.job.pk not in mine:
                    _check_unchanged(before[held.job.pk], after[held.job.pk])
                assert not DeliveryAttempt.objects.filter(lease_token=held.job.lease_token, abandoned=False).exists()

    def _note_finished(self, outcome: Outcome, job: ScoreJob):
        told = [exchange.kind for exchange in outcome.exchanges]
        clear = outcome.verdict.disposition is not Disposition.AMBIGUOUS and "score" in told
        if clear or outcome.verdict.code in ("already_there", "likely_delivered"):
            self.in_doubt.discard((job.fields["user_id"], job.version))

    def end_well(self) -> None:
        for worker in self.workers:
            worker.in_hand.clear()
        registrations.resume(self.line_item.service.registration)
        self.clock.advance(timedelta(days=2))
        self._drain()
        self.check_everything()
        scores.retry(Score.objects.filter(state__in=RESTING))
        self._drain()
        assert not Score.objects.filter(state__in=RESTING).exists()
        self.check_everything()

    def _drain(self):
        for _ in range(ROUNDS_TO_DRAIN):
            self.work(self.workers[0], Answer.PLAIN, Answer.PLAIN)
            self.finish(self.workers[0])
            self.clock.advance(2 * HOUR)
            if not Score.objects.filter(state__in=OPEN).exists():
                return
        pytest.fail("Something is still open")


class _Recording:
    """Holds a recording to what it says of versions, and tells the model of it."""

    def __init__(self, model: DeliveryModel, said: dict[str, tuple[float | None, str]]) -> None:
        self.model, self.said = model, said

    def __enter__(self):
        self.before = _rows()

    def __exit__(self, problem, *_):
        after = {} if problem else _rows()
        for user, row in after.items():
            if user not in self.said:
                continue
            old = self.before.get(user)
            if old is not None:
                anew = self.said[user] != self.model.newest[user] or old.state in SENT_AGAIN_ANEW
                assert row.version == old.version + anew
                assert anew or old.state not in KEPT_BY_A_REPEAT or _values(row) == _values(old)
            self.model.newest[user] = self.model.committed[user, row.version] = self.said[user]


def _rows() -> dict[str, Score]:
    return {row.user_id: row for row in Score.objects.all()}


def _values(row: Score) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in Score._meta.concrete_fields}


def _check_unchanged(before: Score, after: Score) -> None:
    """A refusal of another score, finished in the same batch, may hold a waiting one; nothing else may touch it."""
    may_move = {"state", "due_at", "code", "detail"} if before.state == SyncState.PENDING else set()
    old, new = _values(before), _values(after)
    assert {name for name in old if old[name] != new[name]} <= may_move
    assert after.state in (before.state, SyncState.BLOCKED)


def _forget_everything() -> None:
    Score.objects.all().delete()
    LineItem.objects.update(block_code="", blocked_at=None)
    Registration.objects.update(paused_at=None, paused_code="", paused_reason="")
    Service.objects.update(consecutive_failures=0, failing_since=None, closed_until=None, last_success_at=None, clock_skew_seconds=0)
