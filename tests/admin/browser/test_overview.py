"""The page "Grade sync" in Chromium: light and dark, wide and narrow, by keyboard, under ``default-src 'self'``."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from django_lti_ags import registrations
from django_lti_ags.models import Registration, Score, Service, SyncSample, SyncState
from django_lti_ags.sync.outbox_sql import database_now
from tests.admin.browser.looking import inspect, until
from tests.admin.conftest import World, address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def fleet(db, tool_key):
    """Campuses in every condition, and a week of samples."""
    world = World(tool_key)
    now = database_now("default")
    Score.objects.all().delete()
    SyncSample.objects.all().delete()
    north = Service.objects.create(
        registration=world.add_registration("Campus North (Canvas)"),
        origin="https://canvas.north.example.edu",
        failing_since=now - timedelta(hours=2),
        closed_until=now + timedelta(minutes=4),
        consecutive_failures=9,
        last_failure_at=now,
        last_failure_code="unreachable",
        last_success_at=now - timedelta(hours=2),
    )
    Service.objects.create(registration=world.add_registration("Campus South (Moodle)"), origin="https://moodle.example", concurrency=2)
    for number in range(12):
        world.add_score(f"n{number}", service=north, due_at=now - timedelta(hours=2, minutes=number))
        world.add_score(f"f{number}", state=SyncState.FAILED, due_at=None)
        at = now - timedelta(minutes=number)
        world.add_score(f"d{number}", state="delivered", due_at=None, recorded_at=at - timedelta(seconds=number), delivered_at=at)
    registrations.pause(Registration.objects.get(name="Campus"), reason="The exam board wants to look first.")
    samples = []
    for number in range(7 * 24 * 12):
        wave = 1 + math.sin(number / 100)
        if not 700 < number < 760:
            fields = {"waiting": int(40 * wave), "blocked": int(number < 200) * 9, "delivered": int(30 * wave)}
            samples.append(SyncSample(service=north, taken_at=now - timedelta(minutes=5 * number), **fields))
    SyncSample.objects.bulk_create(samples)
    return world


@pytest.fixture
def overview(open_page):
    """Opens the page."""
    return lambda **options: open_page(address(SyncSample, "changelist"), **options)


def test_it_looks_right(fleet, overview):
    page = overview()
    assert page.locator("#lti-ags-scroll-services tbody tr").first.inner_text().startswith("Campus")
    assert page.locator("svg.lti-ags-chart").count() == 4
    assert inspect(page, "overview") == {}
    page.locator("#backlog-day summary").click()
    assert inspect(page, "overview-data") == {}


def test_a_laptops_window_holds_the_whole_table(fleet, overview):
    table = overview().locator("#lti-ags-scroll-services")
    assert table.evaluate("one => one.scrollWidth - one.clientWidth") == 0


def test_a_narrow_window_scrolls_the_table_only(fleet, overview):
    page = overview(look="light-narrow")
    table = page.locator("#lti-ags-scroll-services")
    assert table.evaluate("one => one.scrollWidth > one.clientWidth")
    table.focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.getElementById('lti-ags-scroll-services').scrollLeft > 0")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_registration_is_stopped_and_resumed_by_keyboard(fleet, overview):
    page = overview()
    north = page.locator("tr", has_text="canvas.north").get_by_role("link", name="Pause")
    north.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reason").fill("They move house")
    page.keyboard.press("Enter")
    page.locator(".messagelist", has_text="1 registration paused.").wait_for()
    row = page.locator("tr", has_text="canvas.north")
    assert "They move house" in row.inner_text()
    row.get_by_role("link", name="Resume").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Resume delivery").focus()
    page.keyboard.press("Enter")
    page.locator(".messagelist", has_text="1 registration resumed.").wait_for()
    assert Registration.objects.get(name="Campus North (Canvas)").paused_at is None


def renew_at_once(page) -> None:
    """As when the half minute is over."""
    page.evaluate("document.getElementById('lti-ags-toggle').click()")
    page.evaluate("document.getElementById('lti-ags-toggle').click()")


def test_updates_keep_what_the_person_does(fleet, overview):
    page = overview()
    page.locator("#backlog-day summary").click()
    link = page.locator(f"#failed-{fleet.service.pk}")
    assert link.inner_text() == "12"
    link.focus()
    fleet.add_score("one more", state=SyncState.FAILED, due_at=None)
    renew_at_once(page)
    until(page, f"document.getElementById('failed-{fleet.service.pk}').textContent === '13'")
    assert page.evaluate("document.activeElement.id") == f"failed-{fleet.service.pk}"
    assert page.locator("#backlog-day-data").get_attribute("open") is not None


def test_updates_come_by_themselves(fleet, overview, monkeypatch):
    monkeypatch.setattr("django_lti_ags.admin.overview.REFRESH_SECONDS", 0.2)
    page = overview()
    fleet.add_score("one more", state=SyncState.FAILED, due_at=None)
    until(page, f"document.getElementById('failed-{fleet.service.pk}').textContent === '13'")
    page.get_by_role("button", name="Pause updates").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Resume updates").wait_for()
    page.wait_for_load_state("networkidle")
    fleet.add_score("another", state=SyncState.FAILED, due_at=None)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("new Promise((done) => setTimeout(done, 1000))")
    assert asked == []
    page.reload()
    page.get_by_role("button", name="Resume updates").wait_for()
    assert page.locator(f"#failed-{fleet.service.pk}").inner_text() == "14"


def test_who_wants_it_calm_starts_without_updates(fleet, overview):
    page = overview(reduced_motion="reduce")
    assert page.get_by_role("button", name="Resume updates").is_visible()


def test_an_update_that_fails_says_so(fleet, overview):
    page = overview()
    page.context.clear_cookies()
    renew_at_once(page)
    page.get_by_text("The page could not be updated: refresh it.").wait_for()
    assert page.locator(f"#failed-{fleet.service.pk}").inner_text() == "12"
