"""Launches inside an LMS's page in Chromium: with cookies there, without them, and in a window of their own."""

from __future__ import annotations

import json

import pytest

from django_lti_ags.launch import browser, frames
from django_lti_ags.testing.platforms import Response, Route
from tests.chromium import FLAGS, binary

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.launch.urls"), pytest.mark.django_db(transaction=True)]

DEADLINE_MS = 20_000


@pytest.fixture
def course_page(campus, live_server):
    """Gives the address of an LMS page that shows the tool, at ``host``, in a frame."""

    def build(host: str) -> str:
        site = live_server.url.replace("localhost", host) + "/lti/"
        campus.tool.login_url = site + "login/"
        campus.tool.redirect_uris = [site + "launch/"]
        campus.tool.target_link_uri = site + "launch/"
        campus.platform.add_routes([Route("GET", "/course", show)])
        return campus.platform.base_url + "/course"

    def show(request):
        initiation = campus.platform.launches.initiation_url(campus.course.users["u1"], campus.course, campus.link)
        return Response.html(f'<!doctype html><title>Course</title><iframe name="tool" src="{initiation.replace("&", "&amp;")}"></iframe>')

    return build


@pytest.fixture
def visit(playwright, tmp_path):
    """Opens the address in a fresh Chromium, and hands the page to a function; the answer is what that gives."""

    def run(address, look, *, cookies_in_frames):
        # A profile of its own, not a private window: that blocks cookies in frames by itself.
        preferences = tmp_path / "profile" / "Default" / "Preferences"
        preferences.parent.mkdir(parents=True)
        preferences.write_text(json.dumps({"profile": {"cookie_controls_mode": 0 if cookies_in_frames else 1}}))
        chromium = playwright.chromium.launch_persistent_context(tmp_path / "profile", executable_path=binary(), args=FLAGS)
        page = chromium.new_page()
        page.set_default_timeout(DEADLINE_MS)
        page.goto(address)
        try:
            return look(page)
        finally:
            chromium.close()

    return run


def arrived(frame) -> dict[str, object]:
    """What the tool says back when a launch is let in."""
    return json.loads(frame.locator("pre").inner_text())


def in_the_frame(page) -> dict[str, object]:
    return arrived(page.frame_locator("iframe"))


def in_a_new_window(page) -> dict[str, object]:
    with page.expect_popup() as opened:
        page.frame_locator("iframe").get_by_role("button", name="Open in a new window").click()
    opened.value.wait_for_url("**/lti/launch/")
    return arrived(opened.value)


@pytest.fixture
def over_https(monkeypatch):
    """Cookies as a tool on HTTPS sets them; Chromium takes them from http://localhost too."""
    for module in (browser, frames):
        monkeypatch.setattr(module, "place_cookie", _placed_secure)


def _placed_secure(response, name, value, *, secure, max_age, place=browser.place_cookie):
    place(response, name, value, secure=True, max_age=max_age)


def test_a_tool_of_the_lms_own_site(course_page, visit):
    assert visit(course_page("127.0.0.1"), in_the_frame, cookies_in_frames=False)["user"] == "u1"


@pytest.mark.usefixtures("over_https")
def test_a_tool_of_another_site_over_https(course_page, visit):
    assert visit(course_page("localhost"), in_the_frame, cookies_in_frames=True)["user"] == "u1"


@pytest.mark.usefixtures("over_https")
def test_a_tool_of_another_site_where_the_browser_blocks_its_cookies(course_page, visit):
    assert visit(course_page("localhost"), in_a_new_window, cookies_in_frames=False)["user"] == "u1"


def test_a_tool_of_another_site_over_plain_http(course_page, visit):
    assert visit(course_page("localhost"), in_a_new_window, cookies_in_frames=True)["user"] == "u1"
