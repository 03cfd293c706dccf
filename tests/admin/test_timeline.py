"""A score's story, and the sentence that says what comes next."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_lti_ags import api_keys, canvas, registrations, scores, webhooks
from django_lti_ags.admin import timeline
from django_lti_ags.canvas.progress import SCOPE
from django_lti_ags.models import Event, Registration, Score, SubmittedFile, SyncState
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.profiles.verdict import Disposition
from django_lti_ags.sync.engine import deliver_due
from tests.admin.conftest import NOON, address
from tests.admin.test_actions import decide


def text_of(browser, url):
    response = browser.get(url)
    assert response.status_code == 200
    return unescape(re.sub(r"<[^>]*>", "", response.content.decode()))


def page_of(browser, score):
    return text_of(browser, address(Score, "change", score))


def story_of(browser, score):
    return browser.get(address(Score, "change", score)).context["story"]


def set_row(row, **fields):
    type(row).objects.filter(pk=row.pk).update(**fields)


@pytest.mark.django_db(transaction=True)
def test_the_story_of_a_delivery_newest_first(campus, boss):
    line_item = campus.line_item()
    score = scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    deliver_due()
    event = Event.objects.get()
    # A quick platform: all within a millisecond, which SQLite's clock does not divide.
    millisecond = event.created_at.replace(microsecond=event.created_at.microsecond // 1000 * 1000)
    set_row(event, created_at=millisecond)
    score.attempts.update(started_at=millisecond + timedelta(microseconds=999))
    told = story_of(boss, score)
    assert [entry.kind for entry in told.entries] == ["event", "attempt", "attempt", "recorded"]
    assert [entry.title for entry in told.entries] == ["Delivered", "Sent the score", "Asked for an access token", "The tool recorded it"]
    assert not told.has_more
    page = page_of(boss, score)
    sent = told.entries[1]
    assert dict(sent.facts)["answer"].startswith("200")
    assert re.search(r"\d+ ms", page)
    assert sent.code == "delivered"
    assert "What you can do: " + ADVICE["delivered"] in page
    assert '"scoreGiven": 8' in page
    assert "Bearer" not in page or "redacted" in page
    assert "Nothing: the platform has it." in page
    raw = boss.get(address(Score, "change", score)).content.decode()
    assert raw.count("<details><summary>Request") == 2
    assert raw.count("<details><summary>Answer") == 2
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT[^"]*">', raw)
    assert "ago" in page


def test_trouble_is_told_with_what_to_do(world, boss):
    world.add_attempt(
        world.pending, status=422, code="score_refused", disposition=Disposition.REJECTED, detail="too much", duration_ms=34.6
    )
    world.add_attempt(world.pending, status=None, failure="connect", code="unreachable", disposition=Disposition.RETRY, response_body="")
    world.add_attempt(world.pending, abandoned=True, status=None, url="", method="", code="abandoned", disposition="")
    Event.objects.create(name="score_failed", score=world.pending, service=world.service, version=1, code="score_refused", created_at=NOON)
    page = page_of(boss, world.pending)
    assert "Refused." in page
    assert "too much" in page
    assert "35 ms" in page
    assert "no usable answer" in page
    assert "Not delivered; it is tried again." in page
    assert "Abandoned: the worker stopped while it was sending" in page
    assert "Failed: it is not tried any more" in page
    assert page.count("What you can do: " + ADVICE["score_refused"]) == 2
    entries = story_of(boss, world.pending).entries
    papers = {entry.code: [title for title, _ in entry.papers] for entry in entries if entry.kind == "attempt"}
    assert papers == {"score_refused": ["Request", "Answer"], "unreachable": ["Request"], "abandoned": []}


@pytest.mark.django_db(transaction=True)
def test_earlier_submissions_stand_on_the_page_with_what_became_of_them(make_campus, boss):
    campus = make_campus(dialect="canvas")
    campus.registration.profile = "canvas"
    campus.registration.save()
    campus.platform.gradebook.allowed_attempts = 1
    line_item = campus.line_item()
    for hour in (9, 10, 11):
        essay = canvas.Submission(submitted_at=NOON.replace(hour=hour))
        score = scores.record(line_item, user_id="u1", score_given=hour, score_maximum=20, submission=essay, keep="every")
    assert "Earlier submissions" in page_of(boss, score)
    deliver_due()
    earlier = boss.get(address(Score, "change", score)).context["earlier"]
    assert [(one.handed_in_at.hour, one.state, one.code) for one in earlier] == [
        (10, "Failed", "attempts_used_up"),
        (9, "Delivered", "delivered"),
    ]
    page = page_of(boss, score)
    assert "An earlier submission was refused" in page
    assert page.count("What you can do: " + ADVICE["attempts_used_up"]) >= 3
    assert "Earlier submissions" not in page_of(boss, scores.record(line_item, user_id="u2", score_given=1, score_maximum=10))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fate", "state"), [("completed", "Delivered"), ("failed", "Failed")])
def test_files_stand_on_the_page_with_what_became_of_them(make_campus, boss, fate, state):
    campus = make_campus(dialect="canvas")
    campus.registration.profile = "canvas"
    campus.registration.save()
    campus.tool.scopes = (*campus.tool.scopes, SCOPE)
    campus.platform.gradebook.files.fate = fate
    essay = canvas.Submission(content_items=[canvas.File(url="https://tool.example/a.txt", title="Essay")])
    score = scores.record(campus.line_item(), user_id="u1", score_given=1, score_maximum=10, submission=essay)
    deliver_due()
    for _ in range(3):
        SubmittedFile.objects.filter(state=SyncState.PENDING).update(due_at=NOON)
        deliver_due()
    [file] = boss.get(address(Score, "change", score)).context["files"]
    assert (file.title, file.state) == ("Essay", state)
    page = page_of(boss, score)
    assert "https://tool.example/a.txt" in page
    assert "Asked how far a file is" in page
    assert ("What you can do: " + ADVICE["file_failed"] in page) == (fate == "failed")


def test_every_disposition_and_event_has_words():
    assert set(timeline.VERDICTS) == set(Disposition)
    from django_lti_ags.admin.happenings import EVENT_NAMES, HAPPENINGS

    assert {name for name in EVENT_NAMES if name.startswith(("score_", "submission", "file_", "live_results_"))} == set(HAPPENINGS)


def test_who_decided_what_is_in_the_story(world, boss):
    decide(boss, Score, "retry", [world.pending])
    decide(boss, Score, "cancel", [world.pending], reason="wrong quiz")
    page = page_of(boss, world.pending)
    assert "staff0 decided" in page
    assert "Sent again." in page
    assert "Cancelled: it is not to be sent" in page
    assert "staff0: wrong quiz" in page
    assert "a person decided that it is not sent" in page


def test_an_event_of_a_later_version_or_an_unknown_kind(world, boss):
    set_row(world.score, version=3, state=SyncState.DELIVERED)
    Event.objects.create(name="score_seen_again", score=world.score, service=world.service, version=2, created_at=NOON, payload=[])
    page = page_of(boss, world.score)
    assert "Score seen again" in page
    assert "The tool recorded version 3" in page
    assert "The tool recorded the first version" in page


def test_the_story_is_bounded_and_leads_to_the_rest(world, boss):
    for _ in range(timeline.ENTRIES + 3):
        Event.objects.create(name="score_blocked", score=world.pending, service=world.service, created_at=timezone.now())
    told = story_of(boss, world.pending)
    assert (len(told.entries), told.has_more) == (timeline.ENTRIES, True)
    raw = boss.get(address(Score, "change", world.pending)).content.decode()
    link = re.search(r'href="([^"]*event/\?score__id__exact=\d+)"', raw)[1]
    assert f"{timeline.ENTRIES + 3} events" in text_of(boss, link)


class TestWebhooks:
    """Who heard of it, for whom may know."""

    @pytest.fixture
    def told(self, world):
        score = world.add_score("canary-4711", state=SyncState.DELIVERED, due_at=None)
        endpoint = webhooks.add(world.api_key, "https://tool.example:8443/s3cret-hook?token=s3cret")[0]
        at = timezone.now()
        heard = {"state": SyncState.DELIVERED, "code": "webhook_delivered", "created_at": at - timedelta(hours=1), "delivered_at": at}
        world.add_message(score, endpoint, **heard)
        world.add_message(score, endpoint, created_at=at - timedelta(hours=2), detail=f"500 for {score.user_id}", tries=9)
        waits = {"state": SyncState.PENDING, "due_at": at, "code": ""}
        world.add_message(score, endpoint, created_at=at - timedelta(hours=3), **waits)
        return score

    def entries(self, browser, score):
        return [entry for entry in story_of(browser, score).entries if entry.kind == "webhook"]

    def test_they_stand_in_the_story_without_their_address(self, told, world, boss):
        assert [(entry.title, entry.code, entry.trouble) for entry in self.entries(boss, told)] == [
            ("A webhook heard of it", "webhook_delivered", False),
            ("A webhook did not hear of it", "webhook_given_up", True),
            ("A webhook is to hear of it", "", False),
        ]
        raw = boss.get(address(Score, "change", told)).content.decode()
        assert f"{world.api_key.name}, tool.example</dd>" in raw
        assert "s3cret" not in raw
        assert "8443" not in raw
        assert unescape(raw).count("What you can do: " + ADVICE["webhook_given_up"]) == 1

    def test_only_for_whom_they_may_be_shown_to(self, told, world, person, settings):
        assert self.entries(person("view_score"), told) == []
        staff = person("view_score", "view_webhookdelivery")
        assert len(self.entries(staff, told)) == 3
        assert told.user_id not in staff.get(address(Score, "change", told)).content.decode()
        settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": "tests.admin.test_timeline.only_its_own"}
        assert len(self.entries(staff, told)) == 3
        world.api_key.registrations.add(world.add_registration("other"))
        assert self.entries(staff, told) == [], "its key sees what whoever asks does not"

    def test_many_take_one_query(self, told, world, boss):
        def queries():
            with CaptureQueriesContext(connection) as captured:
                boss.get(address(Score, "change", told))
            return len(captured)

        queries()
        few = queries()
        for number in range(5):
            endpoint = webhooks.add(api_keys.issue(f"tool {number}", [world.registration])[0], "https://tool.example/")[0]
            world.add_message(told, endpoint)
        assert queries() == few


def only_its_own(request):
    return Registration.objects.filter(pk=Score.objects.earliest("pk").service.registration_id)


class TestNext:
    """When it is tried again, or why it is not."""

    @pytest.fixture
    def waiting(self, world):
        set_row(world.pending, state=SyncState.PENDING, due_at=timezone.now() + timedelta(minutes=10, seconds=30), code="server_error")
        return world.pending

    def next_of(self, browser, score):
        return browser.get(address(Score, "change", score)).context["prospect"]

    def test_a_later_try(self, waiting, boss):
        assert re.match(r"It is due at .*, in 10.minutes\.", self.next_of(boss, waiting).next_step)

    def test_due_now(self, waiting, boss):
        set_row(waiting, due_at=timezone.now() - timedelta(seconds=5))
        assert self.next_of(boss, waiting).next_step == "It is due now: the next free worker takes it."

    def test_due_for_long(self, waiting, boss):
        set_row(waiting, due_at=NOON)
        assert self.next_of(boss, waiting).next_step.endswith("Is a worker running?")

    @pytest.mark.parametrize(("minutes", "told"), [(1, "A worker is sending it."), (-1, "has not come back")])
    def test_being_sent(self, waiting, boss, minutes, told):
        lease = "6f3c1c6e-7b8e-4c59-8a3e-0123456789ab"
        set_row(waiting, state=SyncState.SENDING, lease_token=lease, due_at=timezone.now() + timedelta(minutes=minutes, seconds=5))
        assert told in self.next_of(boss, waiting).next_step

    @pytest.mark.parametrize(
        ("state", "told"),
        [
            (SyncState.FAILED, "Nothing happens by itself any more"),
            (SyncState.BLOCKED, "It rests until what blocks it is gone"),
            (SyncState.SUPERSEDED, "the platform shows another grade"),
            (SyncState.CANCELLED, "a person decided"),
            (SyncState.DELIVERED, "the platform has it"),
        ],
    )
    def test_at_rest(self, waiting, boss, state, told):
        set_row(waiting, state=state, due_at=None)
        found = self.next_of(boss, waiting)
        assert told in found.next_step
        assert found.obstacles == []

    def test_a_pause_stands_above(self, world, waiting, boss):
        registrations.pause(world.registration, reason="exam week")
        found = self.next_of(boss, waiting)
        assert found.next_step == "Nothing until the registration is resumed."
        ((what, advice),) = found.obstacles
        assert re.match("Since .* the registration Campus is paused. exam week", what)
        assert advice == ADVICE["paused_by_hand"]

    def test_everything_that_stands_above_from_the_top_down(self, world, waiting, boss):
        later = timezone.now() + timedelta(hours=2, seconds=30)
        set_row(world.registration, paused_at=NOON, paused_code="client_refused")
        set_row(world.context, block_code="context_unavailable", blocked_at=NOON)
        set_row(world.line_item, block_code="forbidden", blocked_at=NOON, url="")
        set_row(world.service, closed_until=later, last_failure_code="unreachable")
        obstacles = self.next_of(boss, waiting).obstacles
        told = ["the registration Campus is paused", "the course Mathematics is blocked", "the line item Quiz is blocked"]
        told += ["The line item Quiz is not at the platform yet", "https://lms.example does not answer as it should: it is asked again at"]
        assert [words in what for (what, _), words in zip(obstacles, told, strict=True)] == [True] * 5
        codes = ["client_refused", "context_unavailable", "forbidden", "line_item_wanted", "unreachable"]
        assert [advice for _, advice in obstacles] == [ADVICE[code] for code in codes]
        set_row(world.service, closed_until=NOON)
        assert "by one score first" in self.next_of(boss, waiting).obstacles[-1][0]

    def test_a_settled_score_has_nothing_above_it(self, world, boss):
        set_row(world.registration, paused_at=NOON, paused_code="client_refused")
        found = self.next_of(boss, world.score)
        assert found.obstacles == []
        assert "is paused" not in page_of(boss, world.score)

    @pytest.mark.parametrize("state", [SyncState.PENDING, SyncState.FAILED, SyncState.BLOCKED])
    def test_waits_for_is_never_blank_while_it_waits(self, waiting, boss, state):
        set_row(waiting, state=state, due_at=timezone.now() if state == SyncState.PENDING else None)
        row = boss.get(address(Score, "change", waiting)).context["adminform"].model_admin
        score = row.get_object(boss.get(address(Score, "change", waiting)).wsgi_request, str(waiting.pk))
        assert row.waits_for(score)
        set_row(waiting, state=SyncState.DELIVERED, due_at=None)
        score = row.get_object(boss.get(address(Score, "change", waiting)).wsgi_request, str(waiting.pk))
        assert row.waits_for(score) == ""
