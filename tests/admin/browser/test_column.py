"""A line item's page and its confirmations in Chromium, by keyboard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_lti_ags import results, scores
from django_lti_ags.models import DeliveryAttempt, LineItem, Result, Score
from django_lti_ags.sync.engine import deliver_due
from django_lti_ags.testing.platforms import User as Learner
from tests.admin.browser.looking import inspect, press, tab_to, until
from tests.admin.conftest import address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def line_item(campus):
    """A column with one learner of nearly every kind."""
    campus.course.enrol(*(Learner(id=f"5f0c2b7e-{n:04}-4a1e-9d59-1b2c3d4e5f60", login=f"l{n}", name="x") for n in range(12)))
    users = [user for user in campus.course.users if user.startswith("5f0c")]
    column = campus.link.line_item
    made = campus.line_item()
    scores.record_many(made, [{"user_id": user, "score_given": 3 + n / 2, "score_maximum": 10} for n, user in enumerate(users[:10])])
    scores.record(made, user_id="somebody-who-left", score_given=4, score_maximum=10)
    deliver_due()
    scores.record(made, user_id=users[3], score_given=9.5, score_maximum=10)
    deliver_due()
    column.scores.pop(users[1])
    campus.platform.set_result(column, users[2], 6.25)
    campus.platform.set_result(column, users[3], 4.5)
    campus.platform.set_result(column, users[11], 7)
    results.reconcile(made)
    scores.record(made, user_id=users[4], score_given=1, score_maximum=10)
    DeliveryAttempt.objects.update(started_at=timezone.now() - timedelta(hours=3))
    return made


def test_from_the_column_to_a_score_that_is_sent_again(campus, open_page, line_item):
    page = open_page(address(LineItem, "change", line_item))
    assert inspect(page, "column") == {}
    press(page, "Missing 1")
    page.wait_for_url("**/?agreement=missing")
    page.get_by_role("region", name="Learners").locator("tbody tr").first.wait_for()
    assert page.locator(".lti-scroll tbody tr").count() == 1
    press(page, "Send missing and differing again …")
    page.get_by_text("2 scores would be sent again.").wait_for()
    assert inspect(page, "column-resend") == {}
    press(page, "Send missing and differing again")
    page.get_by_text("2 scores are due again.").wait_for()
    assert Score.objects.filter(state="pending").count() == 3
    user = Score.objects.get(line_item=line_item, score_given=3.5).user_id
    assert campus.shown(user) is None
    deliver_due()
    assert campus.shown(user) == 3.5


def test_a_column_is_compared(campus, open_page, line_item):
    page = open_page(address(LineItem, "change", line_item))
    user = Score.objects.get(line_item=line_item, score_given=6).user_id
    campus.link.line_item.scores.pop(user)
    press(page, "Compare with the platform …")
    page.get_by_text("12 learners are known here.").wait_for()
    assert inspect(page, "column-compare") == {}
    press(page, "Compare with the platform")
    page.get_by_role("link", name="Missing 2").wait_for()
    assert Result.objects.filter(line_item=line_item, agreement="missing").count() == 2


def test_the_table_scrolls_and_the_page_does_not(open_page, line_item):
    page = open_page(address(LineItem, "change", line_item), look="light-narrow")
    region = page.get_by_role("region", name="Learners").locator("css=:scope.lti-scroll")
    region.focus()
    page.keyboard.press("ArrowRight")
    inner, outer = region.evaluate("box => [box.scrollWidth, box.clientWidth]")
    assert outer <= page.evaluate("window.innerWidth")
    assert inner > outer
    until(page, "document.querySelector('.lti-scroll').scrollLeft > 0")


def test_what_rests_and_who_is_not_there(open_page, line_item):
    page = open_page(address(LineItem, "change", line_item))
    press(page, "Retry what rests …")
    page.get_by_text("1 score failed or is blocked.").wait_for()
    assert inspect(page, "column-retry") == {}
    press(page, "Back")
    tab_to(page, "#lti-learner")
    page.keyboard.type("nobody")
    page.keyboard.press("Enter")
    page.get_by_text("There is no such learner").wait_for()
    assert inspect(page, "column-nobody") == {}
