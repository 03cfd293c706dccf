"""The demo in Chromium: log in, launch, answer, and see the grade in the gradebook."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parent.parent.parent
SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo's addresses: (tool, LMS)."""
    directory = tmp_path_factory.mktemp("demo")
    environment = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL")}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--tool-port", "0", "--lms-port", "0"],
        cwd=ROOT,
        env=environment | {"TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    found = {}
    for line in process.stdout:
        if place := re.search(r"The (LMS|tool) +(http://127\.0\.0\.1:\d+)", line):
            found[place[1]] = place[2]
        if "Ctrl-C" in line:
            break
    yield found["tool"], found["LMS"]
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture(params=[(scheme, size) for scheme in ("light", "dark") for size in SIZES], ids="-".join)
def page(chromium, request):
    scheme, size = request.param
    context = chromium.new_context(color_scheme=scheme, viewport=SIZES[size])
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda problem: page.problems.append(str(problem)))
    page.on("response", lambda answer: page.problems.append(answer.url) if answer.status >= 400 and "favicon" not in answer.url else None)
    page.look = f"{scheme}-{size}"
    yield page
    assert page.problems == []
    context.close()


def show(page, name) -> None:
    """No page scrolls sideways; with SCREENSHOTS set, a picture is kept."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    if os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(os.environ["SCREENSHOTS"]) / f"{name}-{page.look}.png"), full_page=True)


STUDENTS = {"light-wide": "Ada Okafor", "light-narrow": "Ben Carter", "dark-wide": "Chloé Martin", "dark-narrow": "Emi Tanaka"}
RIGHT = ("Canberra", "29", "Jupiter", "Ada Lovelace")


def test_from_login_to_the_gradebook(page, demo):
    tool, lms = demo
    student = STUDENTS[page.look]
    page.goto(lms)
    show(page, "lms-login")
    page.get_by_role("button", name=student).click()
    show(page, "lms-course")
    page.get_by_role("link", name="Open").click()
    page.wait_for_url(f"{tool}/quiz/*/")
    show(page, "quiz")
    for answer in RIGHT:
        page.get_by_label(answer, exact=True).check()
    page.get_by_role("button", name="Hand in").click()
    page.get_by_text("You have 8 of 8 points.").wait_for()
    page.get_by_text("Gradebook: delivered.").wait_for(timeout=20_000)
    show(page, "quiz-done")
    page.goto(f"{lms}/gradebook")
    page.locator("td[data-grade='8']").wait_for(timeout=20_000)
    show(page, "lms-gradebook")
    page.goto(lms)
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Inès Moreau").click()
    page.goto(f"{lms}/gradebook")
    assert page.locator("tr", has_text=student).locator("td").nth(1).inner_text() == "8"
    page.goto(lms)
    page.get_by_role("link", name="Open").click()
    page.get_by_role("heading", name="the class").wait_for()
    show(page, "tool-class")


def test_the_admin_shows_where_a_grade_is(page, demo):
    tool, _ = demo
    page.goto(f"{tool}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()
    show(page, "admin-index")
    for place in ("score", "pendingscore", "deliveryattempt", "lineitem", "registration", "service", "event"):
        page.goto(f"{tool}/admin/lti_ags/{place}/")
        assert page.locator("h1").first.is_visible()
        if os.environ.get("SCREENSHOTS"):
            page.screenshot(path=str(Path(os.environ["SCREENSHOTS"]) / f"admin-{place}-{page.look}.png"))
    page.goto(f"{tool}/admin/lti_ags/score/")
    page.locator("#result_list tbody a").first.click()
    page.locator(".field-state", has_text="Delivered").first.wait_for()
    if os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(os.environ["SCREENSHOTS"]) / f"admin-score-change-{page.look}.png"), full_page=True)


def test_a_stranger_to_the_tool_is_told_where_to_go(page, demo):
    tool, _ = demo
    page.goto(tool)
    page.get_by_text("It is opened from a course").wait_for()
    show(page, "tool-start")
