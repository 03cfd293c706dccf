"""The same pages with django-unfold: what is ours is there, to be read, and no wider than the window.

Not collected by itself: ``test_unfold.py`` runs it in a process of its own, since an admin has one look only.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from django.urls import reverse

from django_lti_ags.models import Context, LineItem, Score, SyncSample
from tests.admin.browser.looking import axe
from tests.admin.browser.test_outcomes import course  # noqa: F401 - a fixture
from tests.admin.browser.test_overview import fleet  # noqa: F401 - a fixture
from tests.admin.browser.test_pages import lists, questions, rows
from tests.admin.conftest import World, address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OURS = ".lti-column, .lti-ags-next, .lti-ags-timeline, .lti-ags-errors, #lti-ags-live, form[method=post] .submit-row"
LINK = "rgb(29, 78, 216)"
"""What links have in the light."""
CONTRAST = f"""axe.run({{include: [{OURS.split(", ")!r}].flat().filter((one) => document.querySelector(one)).map((one) => [one])}},
    {{resultTypes: ['violations'], runOnly: ['color-contrast', 'link-name', 'label', 'button-name']}})
    .then((results) => results.violations.map((rule) => [rule.id, rule.nodes.map((node) => node.target).slice(0, 4)]))"""


@pytest.fixture
def world(transactional_db, tool_key):
    return World(tool_key)


def looked_at(page, name) -> list:
    """What is wrong, light and dark, with what is ours on the page."""
    found = list(page.problems)
    page.problems.clear()
    page.evaluate(axe())
    for scheme in ("light", "dark"):
        page.evaluate(f"document.documentElement.classList.toggle('dark', {str(scheme == 'dark').lower()})")
        page.evaluate("document.getAnimations().forEach((one) => one.finish())")
        if page.locator(OURS).count():
            found += [(scheme, *wrong) for wrong in page.evaluate(CONTRAST)]
        if os.environ.get("SCREENSHOTS_OF_ALL"):
            page.screenshot(path=str(Path(os.environ["SCREENSHOTS_OF_ALL"]) / f"unfold-{name}-{scheme}.png"), full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [*found, f"wider by {wide}"] if wide > 0 else found


@pytest.mark.parametrize("pages", [lists, rows, questions])
def test_every_page_renders(open_page, world, pages):
    page = open_page()
    wrong = {}
    for name, url in pages(world):
        assert page.goto(url).ok, name
        if found := looked_at(page, name):
            wrong[name] = found
    assert wrong == {}


def colours_of(page, *selectors) -> set[str]:
    """Of everything that the selectors find, each of which finds something."""
    found = [page.locator(one).evaluate_all("all => all.map((one) => getComputedStyle(one).color)") for one in selectors]
    assert all(found)
    return {colour for some in found for colour in some}


def test_what_is_ours_is_there(open_page, fleet):  # noqa: F811 - the fixture
    page = open_page(address(SyncSample, "changelist"))
    assert page.locator("svg.lti-ags-chart").first.is_visible()
    assert page.locator("#lti-ags-scroll-services").is_visible()
    assert looked_at(page, "overview") == []
    page.goto(address(LineItem, "change", fleet.line_item))
    assert page.get_by_role("button", name="Compare with the platform …").is_visible()
    assert page.locator(".lti-column .lti-scroll tbody tr").first.is_visible()
    assert looked_at(page, "column") == []
    page.goto(address(Score, "change", Score.objects.first()))
    assert page.get_by_role("heading", name="What comes next").is_visible()
    assert page.get_by_role("heading", name="Timeline").is_visible()
    page.goto(address(Score, "changelist"))
    ends = [(box["x"], box["x"] + box["width"]) for box in (one.bounding_box() for one in page.locator(".lti-ags-tool").all())]
    assert len(ends) == 3
    assert all(left < right for (_, left), (right, _) in itertools.pairwise(ends)), ends
    assert page.locator("#searchbar").evaluate("one => getComputedStyle(one).borderTopWidth") == "1px"
    assert colours_of(page, ".lti-ags-tool a", "#result_list .field-course_link a") == {LINK}
    page.get_by_role("link", name="Errors by kind").click()
    page.wait_for_url(f"**{reverse('admin:lti_ags_score_errors')}")
    assert colours_of(page, ".lti-ags-told a") == {LINK}


def test_a_decision_is_made(open_page, world):
    page = open_page(f"{address(Score, 'changelist')}?state__exact=failed")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("cancel")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Reason").fill("wrong quiz")
    assert looked_at(page, "decide") == []
    page.get_by_role("button", name="Do not send them").click()
    page.get_by_text("1 score will not be sent.").wait_for()
    assert Score.objects.get(pk=world.pending.pk).state == "cancelled"


def test_a_courses_outcomes(open_page, course):  # noqa: F811 - the fixture
    page = open_page(address(Context, "change", course))
    page.get_by_role("link", name="What learners reached").click()
    page.get_by_role("heading", name="Outcomes of").wait_for()
    assert looked_at(page, "outcomes") == []
