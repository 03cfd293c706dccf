"""A stateful machine over recording, claims, crashes, lost answers and lying clocks, on the real models and functions.

Its two workers go by a clock of the machine's: hours ahead of the database's, so that what is
recorded is due, until the clock is set back. ``MACHINE_EXAMPLES=5000 pytest …`` explores further, at
random; without it every run is the same.

There are few rules, each with many things to do: hypothesis leaves rules out of an example by the
toss of a coin, and what goes wrong in delivery takes a recorder, a worker, the world and a person.
"""

import sys
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from django_lti_ags import encryption, line_items, registrations, scores
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import LineItem, Registration, Score, SigningKey, SyncState
from django_lti_ags.models.leased import RESTING
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict
from django_lti_ags.sync import blocks
from tests.sync.delivery_model import HOUR, LEASE, SEND_DEADLINE, DeliveryModel
from tests.sync.exploring import explore
from tests.sync.strict_platform import MAXIMUM, Answer

EXAMPLES = 30
STEPS = 50
SECONDS_TO_SHRINK = 900
ROLLED_BACK = 9.75


def does(name, *arguments):
    return st.tuples(st.just(name), *arguments)


learners = st.sampled_from(["u1", "u2"])
statements = st.tuples(st.sampled_from([0, 5, 8]), st.sampled_from(["", "Well done"]))
posted = st.sampled_from([*[Answer.PLAIN, Answer.LOST_BEFORE, Answer.LOST_AFTER] * 3, *Answer])
asked = st.sampled_from([*[Answer.PLAIN] * 5, Answer.LOST_BEFORE, Answer.FORBIDDEN, Answer.BUSY])
spans = st.sampled_from([timedelta(0), timedelta(seconds=45), timedelta(minutes=2), HOUR])

sayings = st.one_of(
    does("record", learners, statements),
    does("record", learners, statements),
    does("record_many", st.fixed_dictionaries({"u1": statements, "u2": statements})),
    does("clear", learners),
    does("record_and_roll_back", learners),
)
delivering = does("deliver", spans, asked, posted, st.none() | sayings, st.sampled_from(["finish", "finish", "crash", "keep"]))
works = st.one_of(
    delivering,
    delivering,
    delivering,
    does("claim", st.integers(1, 2)),
    does("send", asked, posted),
    does("hand_back"),
    does("finish"),
    does("crash"),
)
turns = st.one_of(
    does("time_passes", spans | st.just(timedelta(days=8))),
    does("clock_is_set", st.sampled_from([HOUR, -HOUR])),
    does("teacher_edits", learners, st.sampled_from([2.25, 6.25])),
    does("break", st.sampled_from(["pause", "block"])),
)
decisions = st.one_of(does("repair"), does("repair"), does("retry"), does("cancel", learners))


class Delivery(RuleBasedStateMachine, DeliveryModel):
    """Tool, workers, people and the world, in any order."""

    def __init__(self, line_item: LineItem) -> None:
        RuleBasedStateMachine.__init__(self)
        DeliveryModel.__init__(self, line_item)

    @initialize(said=st.fixed_dictionaries({"u1": statements, "u2": statements}))
    def begin(self, said):
        self._record_many(said)

    @rule(saying=sayings)
    def the_tool(self, saying):
        self._do(saying)

    @rule(work=works)
    def one_worker(self, work):
        self._do(work, self.workers[0])

    @rule(work=works)
    def the_other_worker(self, work):
        self._do(work, self.workers[1])

    @rule(turn=turns)
    def the_world(self, turn):
        self._do(turn)

    @precondition(lambda self: self.registration.is_paused or self.users_in(*RESTING, SyncState.PENDING))
    @rule(decision=decisions)
    def a_person(self, decision):
        self._do(decision)

    @invariant()
    def everything_holds(self):
        self.check_everything()

    def teardown(self):
        if sys.exc_info()[0] is None:
            self.end_well()
        for worker in self.workers:
            worker.engine.close()

    def _do(self, what, *who):
        name, *arguments = what
        getattr(self, f"_{name}")(*who, *arguments)

    def _record(self, user, said):
        with self.recording({user: said}):
            scores.record(self.line_item, user_id=user, score_given=said[0], score_maximum=MAXIMUM, comment=said[1])

    def _record_many(self, said):
        items = [{"user_id": user, "score_given": given, "score_maximum": MAXIMUM, "comment": note} for user, (given, note) in said.items()]
        with self.recording(said):
            scores.record_many(self.line_item, items)

    def _clear(self, user):
        with self.recording({user: (None, "")}):
            scores.clear(self.line_item, user)

    def _record_and_roll_back(self, user):
        said = {"user_id": user, "score_given": ROLLED_BACK, "score_maximum": MAXIMUM}
        with transaction.atomic():
            scores.record(self.line_item, **said)
            scores.record_many(self.line_item, [said])
            transaction.set_rollback(True)

    def _deliver(self, worker, after, asked, posted, meanwhile, then):
        self.clock.advance(after)
        self.work(worker, asked, posted)
        if meanwhile is not None:
            self._do(meanwhile)
        if then != "keep":
            self._do([then], worker)

    def _claim(self, worker, limit):
        self.claim(worker, limit)

    def _send(self, worker, asked, posted):
        for held in worker.unsent():
            self.exchange(worker, held, asked, posted)

    def _hand_back(self, worker):
        for held in worker.unsent():
            held.outcome = worker.delivery.hand_back(held.job)

    def _finish(self, worker):
        self.finish(worker)

    def _crash(self, worker):
        worker.in_hand.clear()

    def _time_passes(self, span):
        self.clock.advance(span)

    def _clock_is_set(self, span):
        self.clock.set(span)

    def _teacher_edits(self, user, given):
        self.platform.edit(user, given)

    def _break(self, how):
        pause = Verdict(code="client_refused", disposition=Disposition.REJECTED, reach=Reach.REGISTRATION)
        block = Verdict(code="forbidden", disposition=Disposition.REJECTED, reach=Reach.LINE_ITEM)
        with transaction.atomic():
            if how == "pause":
                blocks.pause(self.registration.pk, pause, self.clock.now(), "default")
            else:
                blocks.block(LineItem.objects.filter(pk=self.line_item.pk), block, self.clock.now())

    def _retry(self):
        assert scores.retry(Score.objects.all()) == len(self.users_in(*RESTING, SyncState.PENDING))

    def _repair(self):
        assert registrations.resume(self.registration) == self.registration.is_paused
        blocks.lift(LineItem.objects.filter(pk=self.line_item.pk))

    def _cancel(self, user):
        may = self.rows[user].can_cancel
        assert scores.cancel(Score.objects.filter(user_id=user), reason="A test says so") == may
        if may:
            self.cancelled.add((user, self.rows[user].version))


@pytest.fixture
def column(tool_key, settings, transactional_db):
    settings.LTI_AGS = {
        **settings.LTI_AGS,
        "LEASE_SECONDS": LEASE.total_seconds(),
        "SEND_DEADLINE_SECONDS": SEND_DEADLINE.total_seconds(),
        "CIRCUIT_FAILURES": 3,
    }
    key = SigningKey.objects.create(kid="k", private_key_encrypted=encryption.encrypt(tool_key.pem), public_jwk=tool_key.jwk)
    Registration.objects.create(issuer="https://lms.example", client_id="quiz", token_url="https://lms.example/token", signing_key=key)
    endpoint = {"lineitem": "https://lms.example/1", "scope": [vocabulary.SCOPE_SCORE, vocabulary.SCOPE_RESULT_READONLY]}
    prefix = vocabulary.LTI_CLAIM_PREFIX
    return line_items.from_launch(
        {
            "iss": "https://lms.example",
            "aud": "quiz",
            prefix + "deployment_id": "1",
            prefix + "resource_link": {"id": "link"},
            vocabulary.AGS_ENDPOINT_CLAIM: endpoint,
        }
    )


@pytest.mark.timeout(SECONDS_TO_SHRINK)
def test_every_order_of_events_ends_with_the_newest_scores_delivered(column):
    explore(lambda: Delivery(column), examples=EXAMPLES, steps=STEPS)
