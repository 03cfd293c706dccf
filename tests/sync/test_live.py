"""Live assessment results reach Canvas once each: recorded in the tool's transaction, sent in batches, one batch at a time."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from django_lti_ags import live_assessments
from django_lti_ags.exceptions import InvalidCanvasArgument, NoAgsClaim
from django_lti_ags.models import Context, DeliveryAttempt, Event, LiveAssessment, LiveResult, SyncState
from django_lti_ags.sync import live_rows
from django_lti_ags.sync.canvas_clients import client_for
from django_lti_ags.sync.engine import Engine
from tests.sync.live import NOON, context_of, declare, held, note, posts, recorded, states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def assessment(school):
    school.store_token()
    return declare(school)


def test_a_recorded_result_reaches_canvas_and_moves_the_outcome(school, assessment, deliver):
    note(assessment, user=3)
    note(assessment, user=3, second=60, passed=False)
    deliver()
    row = LiveAssessment.objects.get()
    assert (row.state, row.code, row.canvas_id) == (SyncState.DELIVERED, "live_results_delivered", "1")
    assert row.declared_at
    assert row.delivered_at
    assert held(school) == recorded() == {(3, 0, True): 1, (3, 60, False): 1}
    assert posts(school) == [[(3, True), (3, False)]]
    assert set(LiveResult.objects.values_list("state", "canvas_id", "in_doubt")) == {("delivered", "1", False), ("delivered", "2", False)}
    [rollup] = client_for(school.registration).outcome_rollups(7, user_ids=[3])
    assert rollup.score_of("1") == 2.5


def test_what_is_rolled_back_is_not_sent(school, assessment, deliver):
    with transaction.atomic():
        note(assessment)
        transaction.set_rollback(True)
    deliver()
    assert posts(school) == []
    assert not LiveResult.objects.exists()


def test_the_same_noted_twice_counts_twice(school, assessment, deliver):
    note(assessment)
    note(assessment)
    deliver()
    assert held(school) == {(1, 0, True): 2}


def test_a_declared_assessment_is_made_once_and_follows_its_declaration(school, assessment, deliver):
    deliver()
    assert declare(school) == assessment
    deliver()
    assert school.asked("live_assessments") == 1
    declare(school, title="Reading", outcome=None)
    assert LiveAssessment.objects.get().state == SyncState.PENDING
    deliver()
    assert [one.title for one in school.rest.live["7"].assessments.values()] == ["Reading"]
    assert LiveAssessment.objects.get().state == SyncState.DELIVERED
    assert LiveAssessment.objects.count() == 1


def test_results_go_in_batches_in_their_order(school, assessment, deliver, monkeypatch):
    monkeypatch.setattr(live_rows, "BATCH", 2)
    for second in range(5):
        note(assessment, second=second)
    deliver()
    assert [len(batch) for batch in posts(school)] == [2, 2, 1]
    assert states() == ("delivered", "live_results_delivered", ["delivered"] * 5)


def test_assessments_are_told_apart_byte_for_byte(school, deliver):
    school.store_token()
    rows = [declare(school, key=key) for key in ("a", "A", "á")]
    rows.append(declare(school, key="a", course_id="sis_course_id:7"))
    assert len({row.pk for row in rows}) == 4


def test_a_moment_is_kept_to_the_second(school, assessment, deliver):
    live_assessments.record(assessment, user_id=1, passed=True, assessed_at=NOON + timedelta(milliseconds=999))
    deliver()
    assert held(school) == {(1, 0, True): 1}


def test_what_is_returned_is_what_is_stored(assessment):
    row = note(assessment, user="2", second=5, passed=False)
    assert LiveResult.objects.get(pk=row.pk) == row
    assert (row.user_id, row.passed, row.state, row.assessment) == ("2", False, SyncState.PENDING, assessment)


def test_a_row_that_was_written_past_the_api_does_not_stop_the_worker(school, assessment, deliver):
    LiveResult.objects.create(assessment=assessment, user_id="Ada", passed=True, assessed_at=NOON, recorded_at=NOON)
    note(declare(school, key="other"))
    deliver()
    assert held(school, "other") == {(1, 0, True): 1}
    row = LiveAssessment.objects.get(pk=assessment.pk)
    assert (row.state, row.code) == (SyncState.FAILED, "live_results_refused")
    assert "user='Ada'" in row.detail


def test_many_at_once(school, assessment, deliver):
    items = [{"user_id": user, "passed": user == 1, "assessed_at": NOON} for user in (1, 2, 3)]
    assert live_assessments.record_many(assessment, items) == 3
    assert live_assessments.record_many(assessment, []) == 0
    deliver()
    assert held(school) == {(1, 0, True): 1, (2, 0, False): 1, (3, 0, False): 1}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"passed": 1}, "passed=1: must be True or False"),
        ({"passed": None}, "passed=None: must be True or False"),
        ({"assessed_at": NOON.replace(tzinfo=None)}, "assessed_at"),
        ({"assessed_at": None}, "assessed_at=None: is needed"),
        ({"user_id": ""}, "user_id='': must be the learner's number in Canvas"),
        ({"user_id": "7c5-sub"}, "must be the learner's number"),
        ({"user_id": "1~7"}, "must be the learner's number"),
        ({"user_id": 0}, "user"),
    ],
)
def test_a_bad_result_is_refused_and_nothing_is_stored(school, assessment, given, words):
    before = LiveAssessment.objects.values().get()
    values = {"user_id": 1, "passed": True, "assessed_at": NOON} | given
    with pytest.raises(ValidationError) as caught:
        live_assessments.record(assessment, **values)
    assert list(caught.value.message_dict) == list(given)
    assert words in str(caught.value)
    with pytest.raises(ValidationError, match=r"Item 1: "):
        live_assessments.record_many(assessment, [{"user_id": 1, "passed": True, "assessed_at": NOON}, values])
    assert not LiveResult.objects.exists()
    assert LiveAssessment.objects.values().get() == before


@pytest.mark.parametrize("item", [7, {"user_id": 1, "passed": True}, {"user_id": 1, "passed": True, "assessed_at": NOON, "score": 1}])
def test_what_is_no_result_is_refused(assessment, item):
    with pytest.raises(ValidationError, match="Item 0"):
        live_assessments.record_many(assessment, [item])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"key": ""}, "key"),
        ({"key": "k" * 256}, "key"),
        ({"title": " "}, "title"),
        ({"outcome": "x"}, "outcome"),
        ({"course_id": "abc"}, "course_id"),
    ],
)
def test_a_bad_declaration_is_refused_and_nothing_is_stored(school, given, field):
    with pytest.raises(InvalidCanvasArgument) as caught:
        declare(school, **given)
    assert caught.value.field == field
    assert not LiveAssessment.objects.exists()


def test_a_context_that_is_not_known_is_refused(school):
    for context in (None, 7, Context()):
        with pytest.raises(InvalidCanvasArgument, match="must be a stored Context"):
            live_assessments.declare(context, course_id=7, key="k", title="t")
    with pytest.raises(ValidationError, match="must be what"):
        note(LiveAssessment())
    context = context_of(school)
    context.line_items_url = ""
    with pytest.raises(NoAgsClaim, match="Launch the tool from it again"):
        live_assessments.declare(context, course_id=7, key="k", title="t")


def test_attempts_and_events_tell_of_it_and_name_no_secret(school, assessment, deliver):
    note(assessment)
    deliver()
    attempts = list(DeliveryAttempt.objects.order_by("pk"))
    assert [(one.kind, one.live_assessment_id, one.code) for one in attempts] == [
        ("live_assessments", assessment.pk, ""),
        ("live_results", assessment.pk, "live_results_delivered"),
    ]
    assert '"passed":true' in attempts[1].request_body
    [event] = Event.objects.exclude(live_assessment=None)
    assert (event.name, event.code) == ("live_results_delivered", "live_results_delivered")
    assert school.token not in str(list(DeliveryAttempt.objects.values()))


def test_what_is_recorded_while_a_batch_is_under_way_follows_it(school, assessment):
    note(assessment, second=0)

    def meanwhile():
        if LiveAssessment.objects.filter(state=SyncState.SENDING).exists() and not LiveResult.objects.filter(user_id="2").exists():
            note(assessment, user=2)

    engine = Engine(between=meanwhile)
    engine.deliver_due()
    engine.close()
    assert held(school) == recorded() == {(1, 0, True): 1, (2, 0, True): 1}
    assert states() == ("delivered", "live_results_delivered", ["delivered"] * 2)


def test_cancelled_results_are_not_sent_and_later_ones_are(school, assessment, deliver):
    note(assessment)
    assert assessment.can_cancel
    with pytest.raises(ValidationError, match="reason"):
        live_assessments.cancel(assessment, reason=" ")
    assert live_assessments.cancel(assessment, reason="wrong class") == 1
    assert states() == ("cancelled", "cancelled", ["cancelled"])
    assert Event.objects.get(live_assessment=assessment).payload["reason"] == "wrong class"
    deliver()
    assert posts(school) == []
    assert live_assessments.cancel(assessment, reason="again") == live_assessments.retry(assessment) == 0
    note(assessment, second=9)
    deliver()
    assert held(school) == {(1, 9, True): 1}
