"""The pictures of the documentation, of the same worlds that the browser tests look at: ``tox run -e screenshots`` makes them.

Not collected by itself: it writes ``docs/images``. Look at what it made before it is committed.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from django_lti_ags.models import Event, LineItem, Score, SyncSample, SyncState
from tests.admin.browser.looking import SETTLE
from tests.admin.browser.test_column import line_item  # noqa: F401 - a fixture
from tests.admin.browser.test_outcomes import course  # noqa: F401 - a fixture
from tests.admin.browser.test_overview import fleet  # noqa: F401 - a fixture
from tests.admin.conftest import World, address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IMAGES = Path(__file__).parents[3] / "docs/images"
WIDE = {"width": 1180, "height": 800}
MARGIN = 12
COLOURS = 128
"""So few that a picture of text stays small, and looks the same."""
CLOSED = "localStorage.setItem('django.admin.navSidebarIsOpen', 'false')"
ERRORS = (
    ("score_refused", "422 scoreGiven must not exceed 10", 7),
    ("user_not_found", "404 User {user} not found in course", 23),
    ("forbidden", "403 this course has concluded", 41),
)
ANSWERS = {
    3: {"status": 503, "reason": "Service Unavailable", "code": "throttled", "disposition": "retry", "response_body": ""},
    2: {"status": 404, "reason": "Not Found", "code": "user_not_found", "disposition": "rejected", "detail": "User not found in course"},
    0: {"status": 200, "reason": "OK", "code": "delivered", "disposition": "delivered"},
}
"""What the platform said of one score, so many hours ago."""


@pytest.fixture
def photograph(open_page):
    """Takes a page in both schemes, as wide as it is, from the top or from what ``begin`` selects to the lower edge of ``end``."""

    def take(name: str, url: str, end: str, *, begin: str = "") -> None:
        page = open_page(url, viewport=WIDE)
        page.evaluate(CLOSED)
        page.reload()
        top = page.locator(begin).bounding_box()["y"] - MARGIN if begin else 0
        last = page.locator(end).last.bounding_box()
        part = {"x": 0, "y": top, "width": WIDE["width"], "height": last["y"] + last["height"] + MARGIN - top}
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(SETTLE)
            picture = page.screenshot(full_page=True, clip=part)
            few = Image.open(BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(IMAGES / f"{name}-{scheme}.png", optimize=True)

    IMAGES.mkdir(exist_ok=True)
    return take


def test_the_overview(fleet, photograph):  # noqa: F811 - the fixture
    photograph("overview", address(SyncSample, "changelist"), "#deliveries-day")


def test_a_column(campus, line_item, photograph):  # noqa: F811 - the fixture
    LineItem.objects.update(label="Quiz 3: Fractions")
    photograph("column", address(LineItem, "change", line_item), ".lti-scroll tbody tr:nth-child(9)")


def test_a_courses_outcomes(course, photograph):  # noqa: F811 - the fixture
    photograph("outcomes", f"/admin/lti_ags/context/{course.pk}/outcomes/", ".lti-outcomes tbody tr:nth-child(9)")


def test_what_fails_by_kind(photograph, tool_key):
    world = World(tool_key)
    Score.objects.all().delete()
    now = timezone.now()
    for code, detail, many in ERRORS:
        for number in range(many):
            state = SyncState.BLOCKED if code == "forbidden" else SyncState.FAILED
            told = detail.format(user=f"5f0c2b7e-{number:04}")
            score = world.add_score(f"{code}-{number}", state=state, due_at=None, code=code, detail=told)
            world.add_attempt(score, status=int(detail[:3]), code=code, started_at=now - timedelta(minutes=many * number))
    photograph("errors", reverse("admin:lti_ags_score_errors"), ".lti-ags-errors")


def test_a_scores_story(photograph, tool_key):
    score = story(World(tool_key), timezone.now())
    photograph("score", address(Score, "change", score), ".lti-ags-timeline", begin=".lti-ags-timeline")


def story(world: World, now: datetime) -> Score:
    """A platform that was down, and then did not know the learner; somebody asked there, and sent it again; it arrived."""
    learner = "5f0c2b7e-0007-4a1e-9d59-1b2c3d4e5f60"
    at = {hours: now - timedelta(hours=hours) for hours in range(4)}
    settled = {"state": SyncState.DELIVERED, "due_at": None, "code": "delivered", "delivered_version": 1, "delivered_at": at[0]}
    score = world.add_score(learner, recorded_at=at[3], aged_from=at[3], comment="Well done", **settled)
    sent = json.dumps({"userId": learner, "scoreGiven": 8, "scoreMaximum": 10, "activityProgress": "Completed"})
    for hours, answer in ANSWERS.items():
        world.add_attempt(score, started_at=at[hours], duration_ms=84 + hours, request_body=sent, version=1, **answer)
    for hours, name, code in ((2, "score_failed", "user_not_found"), (0, "score_delivered", "delivered")):
        Event.objects.create(name=name, score=score, service=world.service, version=1, code=code, created_at=at[hours])
    decided = {"user": User.objects.get(username="boss"), "object_id": str(score.pk), "action_flag": CHANGE, "action_time": at[1]}
    LogEntry.objects.create(content_type=ContentType.objects.get_for_model(Score), change_message="Sent again.", **decided)
    return score
