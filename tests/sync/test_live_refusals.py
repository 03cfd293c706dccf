"""What Canvas refuses: who is not in the course is set aside, the others arrive; every other refusal rests with a code and advice."""

import pytest

from django_lti_ags import canvas_credentials, live_assessments, registrations, signals
from django_lti_ags.models import CanvasCredential, LiveAssessment, LiveResult, Registration, SyncState
from django_lti_ags.profiles.advice import ADVICE
from tests.sync.conftest import Tomorrow, record
from tests.sync.live import declare, held, note, posts, recorded, states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def assessment(school):
    school.store_token()
    return declare(school)


def test_who_is_not_in_the_course_is_set_aside_and_the_others_arrive(school, assessment, deliver):
    for user in (1, 98, 2, 3, 99, 1):
        note(assessment, user=user, second=user)
    deliver()
    assert held(school) == {(1, 1, True): 2, (2, 2, True): 1, (3, 3, True): 1}
    assert states() == ("failed", "live_user_not_in_course", ["delivered", "failed", "delivered", "delivered", "failed", "delivered"])
    [aside, _] = LiveResult.objects.filter(state=SyncState.FAILED)
    assert aside.code == "live_user_not_in_course"
    assert "user must be in the context" in aside.detail
    note(assessment, user=2, second=50)
    deliver()
    assert held(school)[2, 50, True] == 1, "blocked by another's refusal"
    assert LiveAssessment.objects.get().state == SyncState.FAILED, "what was set aside is out of sight"
    for number in (98, 99):
        school.book.add_student(number, "Late")
    assert live_assessments.retry(LiveAssessment.objects.all()) == 1
    deliver()
    assert held(school) == recorded()
    assert states()[::2] == ("delivered", ["delivered"] * 7)


def test_what_was_set_aside_can_be_taken_back(school, assessment, deliver):
    note(assessment, user=98)
    note(assessment, user=1)
    deliver()
    assert live_assessments.cancel(LiveAssessment.objects.all(), reason="left the course") == 1
    assert states()[2] == ["cancelled", "delivered"]
    note(assessment, user=2)
    deliver()
    assert LiveAssessment.objects.get().state == SyncState.DELIVERED


def test_a_lost_answer_amid_the_halves_doubles_nothing(school, assessment, deliver):
    for user in (1, 98, 2, 3):
        note(assessment, user=user)
    school.campus.platform.faults.add("drop_after", kind="live_results", probability=0.4)
    for hour in range(1, 12):
        deliver(Tomorrow(hours=10 * hour))
    school.campus.platform.faults.clear()
    deliver(Tomorrow(hours=500))
    assert held(school) == {(1, 0, True): 1, (2, 0, True): 1, (3, 0, True): 1}
    assert states()[2] == ["delivered", "failed", "delivered", "delivered"]


def refused(school, effect):
    school.campus.platform.faults.add("status", kind="live_results", count=1, **effect)


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        ({"status": 401, "body": '{"errors":[{"message":"Expired access token."}]}'}, "canvas_token_refused"),
        ({"status": 401, "body": '{"errors":[{"message":"Insufficient scopes on access token."}]}'}, "canvas_scope_missing"),
        (
            {"status": 403, "body": '{"status":"unauthorized","errors":[{"message":"user not authorized to perform that action"}]}'},
            "canvas_not_authorised",
        ),
        ({"status": 404, "body": '{"errors":[{"message":"The specified resource does not exist."}]}'}, "live_assessment_gone"),
        ({"status": 422, "body": '{"errors":{"passed":[{"message":"is not included in the list"}]}}'}, "live_results_refused"),
        ({"status": 400, "body": '{"status":"bad_request","message":"missing required key :results"}'}, "live_results_refused"),
        ({"status": 302, "body": ""}, "canvas_address_refused"),
    ],
)
def test_a_clear_refusal_rests_and_a_retry_sends_it(school, assessment, deliver, effect, code):
    note(assessment)
    refused(school, effect)
    deliver()
    row = LiveAssessment.objects.get()
    assert (row.state, row.code, row.unsettled) == (SyncState.FAILED, code, False)
    assert row.detail.startswith(("url:POST|", str(effect["status"])))
    assert ADVICE[code]
    assert row.can_retry
    assert not Registration.objects.get().is_paused, "another token than AGS'"
    live_assessments.retry(row)
    deliver()
    assert held(school) == {(1, 0, True): 1}


def test_a_new_recording_tries_again(school, assessment, deliver):
    note(assessment)
    refused(school, {"status": 422})
    deliver()
    note(assessment, user=2)
    deliver()
    assert held(school) == recorded()


@pytest.mark.parametrize(("given", "code"), [({"outcome": 99}, "outcome_not_linked"), ({"course_id": 8}, "canvas_not_found")])
def test_what_cannot_be_declared(school, deliver, given, code):
    school.store_token()
    note(declare(school, **given))
    deliver()
    assert states() == ("failed", code, ["pending"])
    assert posts(school) == []


def test_declared_rightly_it_goes_on(school, deliver):
    school.store_token()
    note(declare(school, outcome=99))
    deliver()
    declare(school, outcome=1)
    deliver()
    assert states()[::2] == ("delivered", ["delivered"])


def test_without_a_credential_it_waits_for_one(school, deliver):
    note(declare(school))
    deliver()
    assert states() == ("blocked", "canvas_credential_missing", ["pending"])
    school.store_token()
    assert states() == ("pending", "", ["pending"]), "nobody has to send it again"
    deliver()
    assert held(school) == recorded()


def test_what_rests_for_another_reason_is_not_revived_by_a_credential(school, assessment, deliver, make_campus):
    note(assessment)
    rest = {"state": SyncState.FAILED, "due_at": None}
    LiveAssessment.objects.update(**rest, code="outcome_not_linked")
    school.store_token()
    assert states()[:2] == ("failed", "outcome_not_linked")
    LiveAssessment.objects.update(code="canvas_token_refused")
    LiveResult.objects.update(state=SyncState.FAILED, code="canvas_user_not_in_course")
    other = make_campus(client_id="other").registration
    canvas_credentials.store_user_token(other, base_url=school.base_url, access_token="1~other")
    assert states()[0] == "failed", "another registration's"
    school.store_key()
    assert states() == ("pending", "", ["failed"]), "a result that was set aside stays so"


def test_a_credential_that_cannot_be_read(school, assessment, deliver):
    CanvasCredential.objects.update(secret_encrypted="nonsense")
    note(assessment)
    deliver()
    assert states()[:2] == ("blocked", "canvas_credential_unusable")
    assert not LiveResult.objects.filter(in_doubt=True).exists()


def test_throttling_slows_and_delays_and_doubles_nothing(school, assessment, deliver):
    note(assessment)
    throttled = {"status": 403, "body": "403 Forbidden (Rate Limit Exceeded)", "content_type": "text/plain"}
    refused(school, throttled)
    deliver()
    row = LiveAssessment.objects.select_related("service").get()
    assert (row.state, row.code, row.unsettled, row.tries) == (SyncState.PENDING, "throttled", False, 0)
    assert row.service.closed_until
    deliver(Tomorrow(hours=1))
    assert held(school) == {(1, 0, True): 1}


def test_an_outage_is_waited_for(school, assessment, deliver):
    note(assessment)
    school.campus.platform.faults.add("down")
    deliver()
    assert states()[:2] == ("pending", "unreachable")
    school.campus.platform.faults.clear()
    deliver(Tomorrow(hours=1))
    assert held(school) == recorded()


def test_a_paused_registration_sends_no_results_and_ages_none(school, assessment, deliver):
    note(assessment)
    registrations.pause(school.registration, reason="examination")
    deliver()
    assert posts(school) == []
    registrations.resume(school.registration)
    deliver()
    assert held(school) == recorded()


def test_scores_do_not_suffer_from_a_refused_token(school, assessment, deliver):
    school.store_token("1~nonsense")
    note(assessment)
    record(school.campus.line_item())
    deliver()
    assert states()[:2] == ("failed", "canvas_token_refused")
    assert school.campus.shown("u1") == 8


def test_an_assessment_that_is_gone_is_made_anew(school, assessment, deliver):
    note(assessment)
    deliver()
    school.rest.live["7"].assessments.clear()
    note(assessment, second=1)
    deliver()
    assert states()[:2] == ("failed", "live_assessment_gone")
    live_assessments.retry(LiveAssessment.objects.all())
    deliver()
    assert held(school) == {(1, 1, True): 1}


def test_signals_tell_of_it(school, assessment, deliver):
    told = []

    def hear(sender, assessment, code, **more):
        told.append((sender, assessment.pk, code))

    for signal in (signals.live_results_delivered, signals.live_results_failed):
        signal.connect(hear)
    note(assessment)
    deliver()
    note(assessment, user=99)
    deliver()
    for signal in (signals.live_results_delivered, signals.live_results_failed):
        signal.disconnect(hear)
    assert told == [
        (LiveAssessment, assessment.pk, "live_results_delivered"),
        (LiveAssessment, assessment.pk, "live_user_not_in_course"),
    ]
