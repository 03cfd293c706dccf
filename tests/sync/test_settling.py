"""Did it arrive? The rule of the Result, and where verdicts take a row."""

import uuid
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from django_lti_ags.ags.types import Result
from django_lti_ags.models import Score, SyncState
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict
from django_lti_ags.sync.backoff import delay_seconds
from django_lti_ags.sync.outbox import Claim, Outcome, next_timestamp
from django_lti_ags.sync.settling import Held, settle
from django_lti_ags.sync.transitions import Terms, finish

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def held(given, maximum=10.0, comment="", more=""):
    told = f"{given} {maximum} {comment} {more}"
    return Held(score_given=given, score_maximum=None if given is None else maximum, comment=comment, fingerprint=told)


def shown(score, maximum=10.0, comment=None):
    return Result(user_id="u", result_score=score, result_maximum=maximum, comment=comment)


@pytest.mark.parametrize(
    ("ours", "delivered", "result", "code"),
    [
        (held(8), None, shown(8), "already_there"),
        (held(8), None, shown(16, 20), "already_there"),
        (held(1, 3), None, shown(33.33333, 100), "already_there"),
        (held(12), None, shown(10), "already_there"),  # clipped
        (held(0), None, shown(0), "already_there"),
        (held(8), None, None, None),
        (held(8), None, shown(None), None),
        (held(0), None, None, None),
        (held(8), held(5), shown(5), None),
        (held(8), held(5), shown(7), "changed_elsewhere"),
        (held(8), None, shown(7), "changed_elsewhere"),
        (held(None), None, None, "already_there"),
        (held(None), held(5), shown(5), None),
        (held(None), held(5), shown(6), "changed_elsewhere"),
        (held(8), held(None), None, None),
        (held(8, comment="new"), held(8, comment="old"), shown(8, comment="old"), None),
        (held(8, comment="new"), held(8, comment="old"), shown(8, comment="new"), "already_there"),
        (held(8, comment="new"), held(5, comment="old"), shown(8, comment="old"), "already_there"),
        (held(8, more="Completed"), held(8, more="InProgress"), shown(8), None),
        (held(8, comment="x", more="Completed"), held(8, comment="x", more="InProgress"), shown(8, comment="x"), None),
        (held(8), held(8), shown(8), "already_there"),
        (held(None, more="cleared"), held(None), None, None),
    ],
)
def test_the_result_decides(ours, delivered, result, code):
    verdict = settle(ours, [delivered] if delivered else [], result, 1e-5)
    assert (verdict and verdict.code) == code


def test_a_platform_that_shows_more_than_the_maximum_has_clipped_nothing():
    assert settle(held(12), [], shown(10), 1e-5, clips=False).code == "changed_elsewhere"
    assert settle(held(5), [held(12)], shown(10), 1e-5, clips=False).code == "changed_elsewhere"
    assert settle(held(5), [held(12)], shown(10), 1e-5) is None


def test_what_may_have_arrived_before_is_no_strangers_edit():
    before = [held(5), held(6), held(7)]
    assert settle(held(8), before, shown(6), 1e-5) is None
    assert settle(held(8), before, shown(4), 1e-5).code == "changed_elsewhere"
    assert settle(held(8), before, shown(8), 1e-5).code == "already_there"


def row(**changed):
    values = {
        "pk": 1,
        "state": SyncState.SENDING,
        "lease_token": uuid.uuid4(),
        "due_at": NOW,
        "version": 3,
        "tries": 2,
        "unsettled": False,
        "code": "",
        "detail": "",
    } | changed
    return Score(**values)


def outcome(disposition, reach=Reach.SCORE, version=3, settled=False, **verdict):
    code = verdict.pop("code", "server_error")
    made = Verdict(code=code, disposition=disposition, reach=reach, **verdict)
    return Outcome(pk=1, lease_token=uuid.uuid4(), version=version, wire_timestamp=NOW, service_id=1, verdict=made, settled=settled)


def finished(made, resumes=None, age=timedelta(), **changed):
    one = row(**changed)
    terms = Terms(now=NOW, random=Random(1), max_age_seconds=3600, service_resumes_at=resumes)
    one.aged_from = NOW - age
    finish(one, made, terms)
    assert one.lease_token is None
    assert (one.due_at is not None) == (one.state == SyncState.PENDING)
    return one


@pytest.mark.parametrize(
    ("disposition", "reach", "state", "tries"),
    [
        (Disposition.DELIVERED, Reach.SCORE, SyncState.DELIVERED, 2),
        (Disposition.SUPERSEDED, Reach.SCORE, SyncState.SUPERSEDED, 2),
        (Disposition.RETRY, Reach.SCORE, SyncState.PENDING, 2),
        (Disposition.RETRY, Reach.SERVICE, SyncState.PENDING, 1),
        (Disposition.REJECTED, Reach.SCORE, SyncState.FAILED, 2),
        (Disposition.REJECTED, Reach.LINE_ITEM, SyncState.BLOCKED, 2),
        (Disposition.REJECTED, Reach.CONTEXT, SyncState.BLOCKED, 2),
        (Disposition.REJECTED, Reach.REGISTRATION, SyncState.PENDING, 1),
        (Disposition.REJECTED, Reach.SERVICE, SyncState.PENDING, 1),
        (Disposition.AMBIGUOUS, Reach.SCORE, SyncState.PENDING, 2),
        (Disposition.WITHHELD, Reach.SCORE, SyncState.BLOCKED, 1),
    ],
)
def test_disposition_and_reach_say_where_a_row_goes(disposition, reach, state, tries):
    one = finished(outcome(disposition, reach))
    assert (one.state, one.tries) == (state, tries)
    assert one.unsettled is (disposition is Disposition.AMBIGUOUS)


@pytest.mark.parametrize("disposition", list(Disposition))
def test_a_newer_version_is_due_at_once_whatever_became_of_the_old(disposition):
    one = finished(outcome(disposition, version=2), unsettled=True)
    assert (one.state, one.due_at, one.tries, one.unsettled, one.code) == (SyncState.PENDING, NOW, 0, False, "")


def test_a_newer_version_waits_as_long_as_the_platform_asks():
    assert finished(outcome(Disposition.RETRY, Reach.SERVICE, version=2, retry_after_seconds=30)).due_at == NOW + timedelta(seconds=30)


def test_an_outage_costs_a_row_nothing():
    one = finished(outcome(Disposition.RETRY, strains_service=True), resumes=NOW + timedelta(minutes=5), age=timedelta(days=9))
    assert (one.state, one.tries, one.due_at) == (SyncState.PENDING, 1, NOW + timedelta(minutes=5))


def test_age_ends_the_tries_and_keeps_the_question_open():
    one = finished(outcome(Disposition.AMBIGUOUS), age=timedelta(hours=2))
    assert (one.state, one.code, one.unsettled) == (SyncState.FAILED, "gave_up", True)


def test_what_was_not_started_is_due_at_once_and_stays_unsettled():
    one = finished(outcome(Disposition.RETRY, Reach.SERVICE, code="not_started"), unsettled=True)
    assert (one.due_at, one.tries, one.unsettled) == (NOW, 1, True)
    assert finished(outcome(Disposition.RETRY, settled=True), unsettled=True).unsettled is False


def test_waits_grow_with_jitter_and_honour_the_platform():
    waits = [[delay_seconds(tries, Random(seed)) for seed in range(50)] for tries in (1, 2, 5, 60)]
    assert [max(some) <= ceiling for some, ceiling in zip(waits, (2, 4, 32, 3600), strict=True)] == [True] * 4
    assert all(min(some) >= max(some) / 3 for some in waits)
    assert len(set(waits[2])) == 50
    assert 120 <= delay_seconds(1, Random(1), retry_after=120) <= 122
    assert delay_seconds(1, Random(1), retry_after=10**9) <= 6 * 3600 + 2


def test_timestamps_rise_whatever_the_clocks_say():
    terms = Claim(service_id=1, limit=1, now=NOW, lease_seconds=60, timestamp_step_seconds=1.0)
    assert next_timestamp(None, terms) == NOW
    assert next_timestamp(NOW, terms) == NOW + timedelta(seconds=1)
    assert next_timestamp(NOW + timedelta(hours=1), terms) == NOW + timedelta(hours=1, seconds=1)
    behind = Claim(service_id=1, limit=1, now=NOW, lease_seconds=60, timestamp_step_seconds=1.0, clock_skew_seconds=-30)
    assert next_timestamp(None, behind) == NOW - timedelta(seconds=30)
    ahead = Claim(service_id=1, limit=1, now=NOW, lease_seconds=60, timestamp_step_seconds=1.0, clock_skew_seconds=30)
    assert next_timestamp(None, ahead) == NOW
