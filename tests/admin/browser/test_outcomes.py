"""A course's outcomes, and the credential that they are asked with, in Chromium and by keyboard."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from django_lti_ags.models import CanvasCredential, Context
from tests.admin.browser.looking import enter, inspect, press, tab_to, until
from tests.admin.conftest import address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TITLES = ["Proofs by induction", "Linear equations", "Reading graphs", "Probability", "Vectors", "Presenting a solution to others"]


@pytest.fixture
def course(school):
    """Thirty learners, seven outcomes."""
    school.store_token()
    for number in range(4, 31):
        school.book.add_student(number, f"Student {number:02}", sections=(1, 2) if number == 5 else (1,))
    for title in TITLES:
        outcome = school.book.add_outcome(title)
        for learner in range(1, 31):
            if (learner + outcome.id) % 4:
                school.book.assess(learner, outcome, f"quiz_{outcome.id}", (learner * outcome.id) % 11 / 2, NOON)
    return school.context()


def test_from_the_course_to_its_outcomes(open_page, course):
    page = open_page(address(Context, "change", course))
    assert inspect(page, "course") == {}
    press(page, "What learners reached in Canvas' outcomes")
    page.get_by_role("heading", name="Outcomes of").wait_for()
    assert inspect(page, "outcomes") == {}
    press(page, "Mean of the course")
    page.get_by_role("rowheader", name="Mean of the course").wait_for()
    assert inspect(page, "outcomes-mean") == {}
    press(page, "Learners")
    page.get_by_text("Ada Lovelace").wait_for()
    press(page, "Next")
    page.get_by_role("link", name="Previous").wait_for()
    assert page.locator(".lti-outcomes tbody tr").count() == 5
    press(page, "Vectors")
    page.locator("th[aria-sort=ascending]", has_text="Vectors").wait_for()
    tab_to(page, "#lti-format")
    page.keyboard.type("JSON")
    with page.expect_download() as download:
        tab_to(page, "form.lti-search button")
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.startswith("outcomes-")
    assert download.value.suggested_filename.endswith(".json")


def test_who_it_is_stays_in_sight(open_page, course):
    page = open_page(f"/admin/lti_ags/context/{course.pk}/outcomes/", look="dark-narrow")
    page.get_by_role("region", name="Outcomes of").locator("css=:scope.lti-scroll").focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.lti-scroll').scrollLeft > 0")
    left = page.locator(".lti-outcomes tbody th").first.bounding_box()["x"]
    assert 0 <= left < 30
    if os.environ.get("SCREENSHOTS_OF_ALL"):
        page.evaluate("document.querySelector('.lti-scroll').scrollLeft = 150")
        page.screenshot(path=f"{os.environ['SCREENSHOTS_OF_ALL']}/outcomes-scrolled.png")


def test_without_a_credential_one_is_stored(school, open_page):
    course = school.context()
    Context.objects.update(canvas_course_id="7")
    page = open_page(f"/admin/lti_ags/context/{course.pk}/outcomes/")
    page.get_by_role("alert").wait_for()
    assert inspect(page, "outcomes-trouble") == {}
    press(page, "Store a credential")
    for selector, text in (("#id_base_url", school.base_url), ("#id_kind", "a user"), ("#id_access_token", school.token)):
        tab_to(page, selector)
        page.keyboard.type(text)
    assert inspect(page, "credential-add") == {}
    page.locator("#id_access_token").focus()
    enter(page)
    page.get_by_text("was added successfully").wait_for()
    assert CanvasCredential.objects.get().secret == {"access_token": school.token}
    page.goto(f"/admin/lti_ags/context/{course.pk}/outcomes/")
    page.get_by_text("Ada Lovelace").wait_for()
