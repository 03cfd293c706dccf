"""Live assessments in the admin: how they stand, what was set aside, and what a person may decide about them."""

from __future__ import annotations

import pytest

from django_lti_ags.models import Context, DeliveryAttempt, Event, LiveAssessment, LiveResult, SyncState
from django_lti_ags.sync.outbox_sql import database_now
from tests.admin.conftest import NOON, address, confirm
from tests.admin.test_actions import journal, post, told

CANARY = "4711815"


@pytest.fixture
def resting(world):
    """One result is there, one was set aside, one waits; the canary is the learner of all."""
    row = world.add_live_assessment(
        "resting", state=SyncState.FAILED, code="live_user_not_in_course", detail="400 user must be in the context"
    )
    for state in (SyncState.DELIVERED, SyncState.FAILED, SyncState.PENDING):
        delivered = NOON if state == SyncState.DELIVERED else None
        LiveResult.objects.create(
            assessment=row, user_id=CANARY, passed=True, assessed_at=NOON, recorded_at=NOON, state=state, delivered_at=delivered
        )
    DeliveryAttempt.objects.create(
        live_assessment=row,
        service=world.service,
        kind="live_results",
        started_at=NOON,
        method="POST",
        url=f"https://lms.example/api/v1/courses/7/live_assessments/5/results?user_id={CANARY}",
        request_body=f'{{"results":[{{"passed":true,"links":{{"user":"{CANARY}","assessor":"{CANARY}"}}}}]}}',
        status=400,
        response_body='{"message":"user must be in the context"}',
        code="live_user_not_in_course",
    )
    Event.objects.create(name="live_results_failed", live_assessment=row, service=world.service, code=row.code, created_at=NOON)
    return row


def body(browser, page):
    answer = browser.get(page)
    assert answer.status_code == 200
    return answer.content.decode()


def states(row):
    return list(row.results.order_by("pk").values_list("state", flat=True))


def test_the_list_counts_what_waits_and_what_was_set_aside(resting, boss):
    page = body(boss, address(LiveAssessment, "changelist"))
    assert "resting aloud" in page
    assert '<td class="field-waiting">1</td><td class="field-aside">1</td>' in page
    narrowed = body(boss, address(LiveAssessment, "changelist") + "?state__exact=failed&code=live_user_not_in_course")
    assert "resting aloud" in narrowed
    assert "reading aloud" not in narrowed
    assert "resting aloud" not in body(boss, address(LiveAssessment, "changelist") + "?code=canvas_token_refused")


def test_the_page_shows_results_and_their_story(resting, boss):
    page = body(boss, address(LiveAssessment, "change", resting))
    assert page.count(f'<th scope="row">{CANARY}</th>') == 3
    assert "Canvas knows no such user in this course" in page
    assert "Sent results, or asked which are there" in page
    assert "Failed: it is not tried any more" in page
    assert "Nothing happens by itself any more" in page
    asked = f"?live_assessment__id__exact={resting.pk}"
    assert "live_results" in body(boss, address(DeliveryAttempt, "changelist") + asked)
    assert "live_results_failed" in body(boss, address(Event, "changelist") + asked)


def test_who_may_not_see_learners_sees_none(resting, person):
    browser = person("view_liveassessment", "view_deliveryattempt", "view_event")
    attempt = DeliveryAttempt.objects.get(live_assessment=resting)
    for page in (
        address(LiveAssessment, "change", resting),
        address(DeliveryAttempt, "change", attempt),
        address(LiveAssessment, "changelist"),
    ):
        assert CANARY not in body(browser, page)
    assert "Learner " in body(browser, address(LiveAssessment, "change", resting))


def test_retry_is_asked_for_and_put_down(resting, person):
    browser = person("view_liveassessment", "retry_liveassessment")
    page = post(browser, LiveAssessment, "retry", [resting])
    text = page.content.decode()
    assert "1 live assessment is chosen." in text
    assert "It concerns 1." in text
    resting.refresh_from_db()
    assert resting.state == SyncState.FAILED
    response = confirm(browser, page)
    assert told(response) == [("success", "1 live assessment is due now.")]
    resting.refresh_from_db()
    assert (resting.state, resting.code) == (SyncState.PENDING, "")
    assert states(resting) == ["delivered", "pending", "pending"]
    assert journal() == [(str(resting.pk), "resting aloud", "Sent again.")]


def test_cancel_wants_a_reason(resting, person):
    browser = person("view_liveassessment", "cancel_liveassessment")
    page = post(browser, LiveAssessment, "cancel", [resting])
    assert "This field is required." in confirm(browser, page, reason="").content.decode()
    response = confirm(browser, page, reason="They left")
    assert told(response) == [("success", "The waiting results of 1 live assessment will not be sent.")]
    assert states(resting) == ["delivered", "cancelled", "cancelled"]
    assert LiveAssessment.objects.get(pk=resting.pk).detail.endswith("They left")


def test_what_is_recorded_after_the_question_was_not_meant(resting, boss):
    page = post(boss, LiveAssessment, "cancel", [resting])
    LiveAssessment.objects.filter(pk=resting.pk).update(recorded_at=database_now("default"))
    response = confirm(boss, page, reason="They left")
    assert told(response) == [("warning", "The waiting results of 0 live assessments will not be sent. 1 stays as it is.")]
    assert states(resting) == ["delivered", "failed", "pending"]


@pytest.mark.parametrize("action", ["retry", "cancel"])
def test_nobody_decides_without_the_permission(resting, person, action):
    browser = person("view_liveassessment", "change_liveassessment", "retry_score", "cancel_score")
    post(browser, LiveAssessment, action, [resting], confirmed="yes", reason="x")
    assert LiveAssessment.objects.get(pk=resting.pk).state == SyncState.FAILED


def test_a_course_with_live_results_stays(world, boss):
    alone = Context.objects.create(deployment=world.deployment, context_id="c2")
    LiveAssessment.objects.create(
        context=alone, service=world.service, course_id="7", key="k", title="t", state=SyncState.DELIVERED, recorded_at=NOON
    )
    boss.post(address(Context, "delete", alone), {"post": "yes"})
    assert Context.objects.filter(pk=alone.pk).exists()
