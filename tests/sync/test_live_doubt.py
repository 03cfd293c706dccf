"""Live results after an answer that was lost, or a worker that died: Canvas counts a repeat again, so it is asked first."""

from datetime import timedelta

import pytest

from django_lti_ags import live_assessments
from django_lti_ags.models import DeliveryAttempt, LiveAssessment, LiveResult, SyncState
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.outbox import Claim, claim
from tests.sync.conftest import Tomorrow
from tests.sync.live import declare, held, note, posts, recorded, states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def assessment(school, deliver):
    school.store_token()
    made = declare(school)
    deliver()
    return made


def fail(school, effect, **more):
    school.campus.platform.faults.add(effect, **{"kind": "live_results", "count": 1} | more)


@pytest.mark.parametrize(
    ("effect", "more", "code"),
    [
        ("drop_after", {}, "no_answer"),
        ("drop_before", {}, "no_answer"),
        ("status", {"status": 500}, "server_error"),
        ("status", {"status": 502}, "gateway_error"),
        ("status", {"status": 503}, "throttled"),
        ("status", {"status": 408}, "throttled"),
        ("status", {"status": 200, "body": "<html>"}, "answer_unreadable"),
        ("status", {"status": 200, "body": '{"results": 7}'}, "answer_unreadable"),
    ],
)
def test_after_an_unclear_answer_canvas_is_asked_and_nothing_is_doubled(school, assessment, deliver, effect, more, code):
    note(assessment, user=1)
    note(assessment, user=1)  # the same twice: both count
    note(assessment, user=2, passed=False)
    fail(school, effect, **more)
    deliver()
    row = LiveAssessment.objects.get()
    assert (row.state, row.code, row.unsettled) == (SyncState.PENDING, code, True)
    assert row.due_at - DatabaseClock().now() > timedelta(seconds=25), "what is under way has no time to arrive"
    assert LiveResult.objects.filter(in_doubt=True).count() == 3
    deliver(Tomorrow(hours=1))
    assert held(school) == recorded() == {(1, 0, True): 2, (2, 0, False): 1}
    assert states()[::2] == ("delivered", ["delivered"] * 3)
    assert not LiveResult.objects.filter(in_doubt=True).exists()
    assert not LiveAssessment.objects.get().unsettled


@pytest.mark.parametrize("arrived", [True, False])
def test_a_worker_that_died_is_asked_about(school, assessment, deliver, arrived):
    note(assessment, user=1)
    note(assessment, user=2)
    fail(school, "drop_after" if arrived else "drop_before")
    deliver()
    # As if the worker had died there: its lease runs out.
    LiveAssessment.objects.update(state=SyncState.SENDING, lease_token="7" * 32, unsettled=False)
    deliver(Tomorrow(hours=1))
    assert held(school) == recorded()
    assert len(posts(school)) == (1 if arrived else 2)
    assert DeliveryAttempt.objects.get(abandoned=True).live_assessment == assessment


def test_what_is_recorded_after_a_lost_answer_takes_no_doubt_away(school, assessment, deliver):
    note(assessment, user=1)
    fail(school, "drop_after")
    deliver()
    note(assessment, user=1)
    note(assessment, user=2)
    deliver()
    assert len(posts(school)) == 1, "sent before Canvas was asked"
    deliver(Tomorrow(hours=1))
    assert held(school) == recorded() == {(1, 0, True): 2, (2, 0, True): 1}
    assert posts(school) == [[(1, True)], [(1, True), (2, True)]]


def test_an_earlier_result_alike_is_not_taken_for_the_one_in_doubt(school, assessment, deliver):
    note(assessment, user=1)
    deliver()
    note(assessment, user=1)
    fail(school, "drop_before")
    deliver()
    deliver(Tomorrow(hours=1))
    assert held(school) == recorded() == {(1, 0, True): 2}


def test_while_canvas_cannot_be_asked_nothing_is_sent(school, assessment, deliver):
    note(assessment)
    fail(school, "drop_after")
    deliver()
    fail(school, "status", status=500, count=2)
    deliver(Tomorrow(hours=1))
    deliver(Tomorrow(hours=3))
    row = LiveAssessment.objects.get()
    assert (row.state, row.unsettled, len(posts(school))) == (SyncState.PENDING, True, 1)
    deliver(Tomorrow(hours=9))
    assert held(school) == {(1, 0, True): 1}


def test_a_key_without_the_scope_to_read_leaves_the_question_open(school, assessment, deliver):
    results = "/api/v1/courses/:course_id/live_assessments/:assessment_id/results"
    school.store_token(school.rest.issue_token(scopes=[f"url:POST|{results}"]))
    note(assessment)
    fail(school, "drop_after")
    deliver()
    deliver(Tomorrow(hours=1))
    row = LiveAssessment.objects.get()
    assert (row.state, row.code, row.unsettled) == (SyncState.FAILED, "canvas_scope_missing", True)
    assert f"url:GET|{results}" in row.detail
    school.store_token()
    assert live_assessments.retry(row) == 1
    deliver()
    assert held(school) == {(1, 0, True): 1}
    assert len(posts(school)) == 1


def test_only_one_batch_of_an_assessment_is_under_way(school, assessment):
    note(assessment)
    terms = {"service_id": assessment.service_id, "limit": 10, "lease_seconds": 60, "timestamp_step_seconds": 0.001}
    rows = LiveAssessment.objects.all()
    assert len(claim(rows, Claim(now=DatabaseClock().now(), **terms))) == 1
    note(assessment, second=1)
    assert claim(rows, Claim(now=DatabaseClock().now(), **terms)) == []


def test_a_long_listing_is_read_to_its_end(school, assessment, deliver):
    from django_lti_ags.sync.canvas_clients import client_for
    from tests.canvas.test_live import result

    client_for(school.registration).create_live_assessment_results(7, 1, [result(2, minutes=minute) for minute in range(1, 150)])
    note(assessment, user=1)
    note(assessment, user=2)
    fail(school, "drop_after")
    deliver()
    deliver(Tomorrow(hours=1))
    assert len(posts(school)) == 2
    assert sum(held(school).values()) == 151
