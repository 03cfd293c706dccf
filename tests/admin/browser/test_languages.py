"""The admin in German in Chromium: longer words than English ones, and nothing overflows or is cut off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.urls import reverse

from django_lti_ags.models import DeliveryAttempt, LineItem, Registration, Score, SyncSample, SyncState
from tests.admin.browser.test_overview import fleet  # noqa: F401 - a fixture
from tests.admin.conftest import address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FRAMED = "#content button, #content a.button, #content input[type=submit], .lti-ags-badge, .lti-ags-tile, h1, h2, label"
CUT_OFF = """
(framed) => [...document.querySelectorAll(framed)]
    .filter((one) => one.offsetParent && getComputedStyle(one).display !== "inline" && one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.innerText || one.value)
"""


def pages(world):
    score = world.add_score("u77", state=SyncState.FAILED, due_at=None, code="address_refused", detail="no")
    attempt = world.add_attempt(score, status=None, failure="address_refused", code="address_refused", disposition="rejected")
    return {
        "overview": address(SyncSample, "changelist"),
        "score": address(Score, "change", score),
        "scores": address(Score, "changelist"),
        "line-item": address(LineItem, "change", world.line_item),
        "errors": reverse("admin:lti_ags_score_errors"),
        "retry-since": reverse("admin:lti_ags_score_retry_since"),
        "retry-group": reverse("admin:lti_ags_score_retry_group", args=["x"]),
        "export": reverse("admin:lti_ags_score_export"),
        "pause": reverse("admin:lti_ags_registration_pause", args=[world.registration.pk]),
        "registration": address(Registration, "change", world.registration),
        "attempt": address(DeliveryAttempt, "change", attempt),
    }


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_nothing_overflows_in_german(fleet, open_page, size):  # noqa: F811
    page = open_page(look=f"light-{size}", locale="de-DE")
    wrong = {}
    for name, url in pages(fleet).items():
        page.goto(url)
        page.problems.clear()  # a kind that is gone is one that is not found
        assert page.evaluate("document.documentElement.lang") == "de"
        sideways = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        if sideways or (cut := page.evaluate(CUT_OFF, FRAMED)):
            wrong[name] = "scrolls sideways" if sideways else cut
        if os.environ.get("SCREENSHOTS_OF_ALL"):
            page.screenshot(path=str(Path(os.environ["SCREENSHOTS_OF_ALL"]) / f"german-{name}-{size}.png"), full_page=True)
    assert wrong == {}
