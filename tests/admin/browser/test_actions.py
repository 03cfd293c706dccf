"""Every action of an operator with the keyboard alone, and what came of it: in the database, or in the platform's gradebook."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from django_lti_ags import scores
from django_lti_ags.models import PendingScore, Registration, Score, SyncState
from django_lti_ags.sync.engine import deliver_due
from django_lti_ags.testing.platforms import User as Learner
from tests.admin.browser.looking import act, inspect, pick, press, tab_to
from tests.admin.conftest import address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LATE = "came-late"


@pytest.fixture
def refused(campus):
    """A score that failed since the learner was not in the course yet."""
    score = scores.record(campus.line_item(), user_id=LATE, score_given=7, score_maximum=10)
    deliver_due()
    assert Score.objects.get(pk=score.pk).state == SyncState.FAILED
    campus.course.enrol(Learner(id=LATE, login="late", name="Late"))
    return score


def arrived(campus, user_id):
    deliver_due()
    return campus.shown(user_id)


def test_what_waits_is_delivered_now(campus, open_page):
    score = scores.record(campus.line_item(), user_id="u1", score_given=8, score_maximum=10)
    Score.objects.filter(pk=score.pk).update(due_at=timezone.now() + timedelta(hours=2))
    assert arrived(campus, "u1") is None
    page = open_page(address(Score, "changelist"))
    act(page, "Deliver now")
    page.get_by_text("It concerns 1.").wait_for()
    assert inspect(page, "decide-deliver") == {}
    press(page, "Deliver them now")
    page.get_by_text("1 score is due now.").wait_for()
    assert arrived(campus, "u1") == 8


def test_what_failed_is_sent_again(campus, open_page, refused):
    page = open_page(address(PendingScore, "changelist"))
    act(page, "Send again")
    page.get_by_text("It concerns 1.").wait_for()
    assert inspect(page, "decide-retry") == {}
    press(page, "Send them again")
    page.get_by_text("1 score is due now.").wait_for()
    assert inspect(page, "scores-told") == {}
    assert arrived(campus, LATE) == 7


def test_what_failed_is_taken_back_with_a_reason(campus, open_page, refused):
    page = open_page(address(Score, "changelist"))
    act(page, "Do not send")
    assert inspect(page, "decide-cancel") == {}
    tab_to(page, "[name=reason]")
    page.keyboard.type("wrong quiz")
    press(page, "Do not send them")
    page.get_by_text("1 score will not be sent.").wait_for()
    assert arrived(campus, LATE) is None
    taken = Score.objects.get(pk=refused.pk)
    assert taken.state == SyncState.CANCELLED
    assert "wrong quiz" in taken.detail
    assert "wrong quiz" in LogEntry.objects.get().change_message


def test_all_that_failed_since_a_time_is_sent_again(campus, open_page, refused):
    page = open_page(reverse("admin:lti_ags_score_retry_since"))
    tab_to(page, "[name^=since]")
    page.keyboard.type("01012026")
    page.keyboard.press("Tab")
    page.keyboard.type("0100AM")
    press(page, "Count them")
    page.get_by_text("It concerns 1.").wait_for()
    assert inspect(page, "decide-since") == {}
    press(page, "Send them again")
    page.get_by_text("1 score is due now.").wait_for()
    assert arrived(campus, LATE) == 7


def test_a_kind_of_error_is_sent_again(campus, open_page, refused):
    page = open_page(reverse("admin:lti_ags_score_errors"))
    assert page.locator("[role=region][tabindex='0']").count() == 1
    tab_to(page, "a[href$='/retry/']")
    page.keyboard.press("Enter")
    page.get_by_text("It concerns 1.").wait_for()
    press(page, "Send them again")
    page.get_by_text("1 score is due now.").wait_for()
    assert arrived(campus, LATE) == 7


def test_a_registration_is_paused_and_resumed(campus, open_page):
    scores.record(campus.line_item(), user_id="u1", score_given=8, score_maximum=10)
    page = open_page(address(Registration, "changelist"))
    act(page, "Pause delivery")
    assert inspect(page, "pause-registrations") == {}
    tab_to(page, "[name=reason]")
    page.keyboard.type("They move house")
    page.keyboard.press("Enter")
    page.get_by_text("1 registration paused.").wait_for()
    assert Registration.objects.get().paused_reason == "boss: They move house"
    assert arrived(campus, "u1") is None
    act(page, "Resume delivery")
    page.get_by_text("1 registration resumed.").wait_for()
    assert Registration.objects.get().paused_at is None
    assert arrived(campus, "u1") == 8


def test_a_list_is_exported(campus, open_page, refused):
    page = open_page(address(Score, "changelist"))
    press(page, "Export this list …")
    pick(page, "select[name=format]", "CSV")
    tab_to(page, "#content input[type=submit]")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    with Path(waiting.value.path()).open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["user_id"], row["state"], row["score_given"]) == (LATE, "failed", "7.0")
    assert LogEntry.objects.count() == 1
