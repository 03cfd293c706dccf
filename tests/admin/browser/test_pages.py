"""Every page of the admin, and every confirmation, in Chromium: light and dark, wide and narrow, and axe-core finds nothing serious."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from django_lti_ags import api_keys, registrations
from django_lti_ags.models import (
    ApiKey,
    DeliveryAttempt,
    Event,
    LineItem,
    LiveAssessment,
    LiveResult,
    QueuedSubmission,
    Registration,
    Score,
    SubmittedFile,
    SyncSample,
    SyncState,
    WebhookEndpoint,
)
from tests.admin.browser.looking import inspect
from tests.admin.conftest import MODELS, NOON, World, address

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db, tool_key):
    return World(tool_key)


def lists(world):
    yield "index", reverse("admin:app_list", args=["lti_ags"])
    for model in MODELS:
        yield f"{model._meta.model_name}-list", address(model, "changelist")
    scores = address(Score, "changelist")
    yield "scores-filtered", f"{scores}?state__exact=failed&line_item__id__exact={world.line_item.pk}&code=score_refused"
    yield "scores-nobody", f"{scores}?q=nobody"


def rows(world):
    for model in MODELS:
        yield model._meta.model_name, address(model, "change", world.row_of(model))
    yield "story", address(Score, "change", storied(world))
    yield "live-story", address(LiveAssessment, "change", noted(world))
    yield "registration-add", address(Registration, "add")
    yield "apikey-add", address(ApiKey, "add")
    yield "webhookendpoint-add", address(WebhookEndpoint, "add")
    yield "score-history", address(Score, "history", world.score)


def questions(world):
    yield "errors", reverse("admin:lti_ags_score_errors")
    yield "retry-since", reverse("admin:lti_ags_score_retry_since")
    yield "export", reverse("admin:lti_ags_score_export")
    yield "pause", reverse("admin:lti_ags_registration_pause", args=[world.registration.pk])
    registrations.pause(world.registration, reason="The exam office asked for it.")
    yield "resume", reverse("admin:lti_ags_registration_resume", args=[world.registration.pk])
    yield "overview-paused", address(SyncSample, "changelist")
    yield "column-empty", address(LineItem, "change", world.add_line_item("Essay"))


def storied(world):
    """A score with trouble of every kind in its timeline, and something above it."""
    score = world.add_score("u-" + "long" * 10, state=SyncState.FAILED, due_at=None, code="user_not_found", detail="404 no such user")
    long = json.dumps({"message": "no such user " * 20, "trace": "x" * 300})
    world.add_attempt(
        score, status=404, reason="Not Found", code="user_not_found", disposition="rejected", response_body=long, detail="404"
    )
    world.add_attempt(score, status=None, failure="connect", code="unreachable", disposition="retry", response_body="")
    world.add_attempt(score, abandoned=True, status=None, url="", code="abandoned")
    Event.objects.create(name="score_failed", score=score, service=world.service, version=1, code="user_not_found", created_at=NOON)
    handed_in(score)
    tell(world, score)
    return score


def tell(world, score):
    """Webhooks that heard of it, did not, and are to."""
    world.api_key.name = "Quiz-" + "in-a-long-name-" * 6
    world.api_key.save()
    for state, code in (("delivered", "webhook_delivered"), ("failed", "webhook_given_up"), ("pending", "")):
        times = {"delivered_at": NOON if state == "delivered" else None, "due_at": NOON if state == "pending" else None}
        world.add_message(score, world.webhook_endpoint, kind="score.failed", state=state, code=code, **times)


def handed_in(score):
    """Earlier submissions and files, in every state that they can be in."""
    for sequence, (state, code) in enumerate([("delivered", "delivered"), ("failed", "attempts_used_up"), ("pending", "")], start=1):
        detail = "The maximum number of allowed attempts has been reached" if state == "failed" else ""
        row = {"sequence": sequence, "state": state, "code": code, "detail": detail, "recorded_at": NOON, "submission_at": NOON}
        QueuedSubmission.objects.create(score=score, fingerprint="", settled_at=None if state == "pending" else NOON, **row)
    for number, (state, code) in enumerate([("delivered", "file_arrived"), ("failed", "file_failed"), ("pending", "file_under_way")]):
        row = {"state": state, "code": code, "due_at": NOON if state == "pending" else None, "completion": 50 * number, "created_at": NOON}
        where = {"url": f"https://lms.example/progress/{number}", "file_url": f"https://tool.example/{'files/' * 12}{number}.pdf"}
        SubmittedFile.objects.create(score=score, service=score.service, title=f"Essay {number}", **where, **row)


def noted(world):
    """A live assessment of whose results one arrived, one was set aside and one is in doubt."""
    row = world.add_live_assessment(
        "essay", state=SyncState.FAILED, code="live_user_not_in_course", detail="400 user must be in the context"
    )
    values = {"assessment": row, "assessed_at": NOON, "recorded_at": NOON, "passed": True}
    LiveResult.objects.create(user_id="1", state=SyncState.DELIVERED, delivered_at=NOON, **values)
    LiveResult.objects.create(user_id="2", state=SyncState.FAILED, code=row.code, **values)
    LiveResult.objects.create(user_id="3", in_doubt=True, **values)
    answer = {"score": None, "live_assessment": row, "kind": "live_results", "status": 400, "code": row.code, "disposition": "rejected"}
    DeliveryAttempt.objects.create(service=world.service, started_at=NOON, method="POST", url="https://lms.example/api/v1", **answer)
    return row


@pytest.mark.parametrize("pages", [lists, rows, questions])
def test_every_page(open_page, world, pages):
    page = open_page()
    problems = {}
    for name, url in pages(world):
        assert page.goto(url).ok, name
        if found := inspect(page, name):
            problems[name] = found
    assert problems == {}, "\n".join(f"{name}: {found}" for name, found in problems.items())


def test_a_key_is_made_seen_once_and_revoked(open_page, world):
    page = open_page(address(ApiKey, "add"))
    page.get_by_label("Name").fill("Exam tool")
    page.get_by_label("Registrations").select_option(str(world.registration.pk))
    with page.expect_popup() as opened:
        page.locator("#lookup_id_contexts").click()
    opened.value.get_by_role("link", name=str(world.line_item.context), exact=True).click()
    page.get_by_role("button", name="Save", exact=True).click()
    text = page.locator("#shown-once").inner_text()
    assert inspect(page, "apikey-shown") == {}
    key = ApiKey.objects.get(name="Exam tool")
    assert (api_keys.find(text), list(key.contexts.all())) == (key, [world.line_item.context])
    page.goto(address(ApiKey, "changelist"))
    assert text not in page.content()
    page.get_by_role("row", name="Exam tool").get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option("revoke")
    page.get_by_role("button", name="Go").click()
    assert inspect(page, "apikey-revoke") == {}
    page.get_by_role("button", name="Revoke API keys").click()
    page.get_by_text("1 API key revoked.").wait_for()
    assert api_keys.find(text) is None


def test_the_page_before_anything_is_there(open_page):
    page = open_page(address(SyncSample, "changelist"))
    page.get_by_role("heading", name="Register a platform").wait_for()
    assert inspect(page, "overview-empty") == {}


def test_the_request_and_the_answer_unfold(open_page, world):
    page = open_page(address(Score, "change", storied(world)))
    for word in ("Request", "Answer"):
        page.locator("details summary", has_text=word).first.focus()
        page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 2
    assert inspect(page, "story-unfolded") == {}
