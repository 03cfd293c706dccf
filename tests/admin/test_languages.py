"""The admin in German: nothing of ours is left in English, numbers and dates follow the language, what machines read does not."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from django_lti_ags import registrations
from django_lti_ags.admin.columns import fraction
from django_lti_ags.admin.decisions import DECISIONS
from django_lti_ags.durations import spoken
from django_lti_ags.models import Context, LineItem, PendingScore, Registration, Score, Service, SubmittedFile, SyncSample, SyncState
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.profiles.verdict import Disposition, Reach
from tests.admin.conftest import NOON, address
from tests.admin.test_pages import every_page
from tests.catalogue import PLACEHOLDER, texts, written

SENTENCE = 25
"""So long a text is looked for anywhere on a page; a shorter one only where it stands alone."""
CODES = {*ADVICE, *Disposition, *Reach}


class Words(HTMLParser):
    """What a person reads on a page, or hears."""

    def __init__(self):
        super().__init__()
        self.found = []
        self._skipped = False

    def handle_starttag(self, tag, attrs):
        self._skipped = tag in ("script", "style", "code", "pre")
        given = dict(attrs)
        names = ["aria-label", "title", "alt", "placeholder", "data-pause", "data-resume", "data-text"]
        if tag == "input" and given.get("type") == "submit":
            names.append("value")
        self.found += [given[name] for name in names if given.get(name)]

    def handle_endtag(self, tag):
        self._skipped = False

    def handle_data(self, data):
        if data.strip() and not self._skipped:
            self.found.append(" ".join(data.split()))


def words_of(page):
    parser = Words()
    parser.feed(page)
    return parser.found


def english():
    """What German says otherwise: short texts whole; of sentences, which may occur anywhere, the parts between what is filled in."""
    short, long = set(), []
    for entry in written():
        for said, german in texts(entry):
            text = re.sub("<[^>]*>", "", said)
            if said.casefold() == german.casefold() or said in CODES:
                continue
            if len(text) < SENTENCE and not PLACEHOLDER.search(text):
                short.add(text)
            elif len(PLACEHOLDER.sub("", text)) > SENTENCE:
                long.append([" ".join(part.split()) for part in PLACEHOLDER.split(text)])
    return short, long


SHORT, LONG = english()


def left_in_english(page):
    words = words_of(page)
    alone = [word for word in words if word.rstrip(":") in SHORT or word[:1].lower() + word[1:].rstrip(":") in SHORT]
    return alone + [found for parts in LONG if (found := occurrence(parts, " ".join(words)))]


def occurrence(parts, text):
    """Where ``parts`` follow one another, with anything in between. Most texts lack one of them, which is quickly seen."""
    if not all(part in text for part in parts):
        return ""
    found = re.search(".*?".join(re.escape(part) for part in parts), text)
    return found[0] if found else ""


@pytest.fixture
def german(boss):
    """A browser that asks for German; the language of its last request would stay this thread's."""
    boss.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    with translation.override(translation.get_language()):
        yield boss


def test_english_is_found_where_it_is(world, boss):
    """The search itself: the same pages, unasked for German, are full of it."""
    found = {text for page in every_page(boss) for text in left_in_english(page)}
    assert {"Timeline", "What comes next", "Errors by kind", "Scores", ADVICE["score_refused"]} <= found


def test_no_page_is_left_in_english(world, german):
    for page in every_page(german):
        assert '<html lang="de"' in page
        assert left_in_english(page) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"state": SyncState.PENDING, "code": "unreachable"},
        {"state": SyncState.PENDING, "due_at": timezone.now() + timedelta(hours=2)},
        {"state": SyncState.BLOCKED, "due_at": None, "code": "forbidden"},
        {"state": SyncState.CANCELLED, "due_at": None},
        {"state": SyncState.SUPERSEDED, "due_at": None, "code": "changed_elsewhere"},
    ],
)
def test_a_score_in_any_state(world, german, changed):
    due = {"due_at": timezone.now() - timedelta(hours=1)} if changed["state"] == SyncState.PENDING else {}
    Score.objects.filter(pk=world.pending.pk).update(**(due | changed))
    Context.objects.update(block_code="course_concluded", blocked_at=timezone.now())
    world.add_attempt(world.pending, abandoned=True, status=None, code="abandoned", disposition="ambiguous", url="")
    for page in (
        german.get(address(Score, "change", world.pending)),
        german.get(address(LineItem, "change", world.line_item)),
        german.get(reverse("admin:lti_ags_score_errors")),
        german.get(address(SyncSample, "changelist")),
    ):
        assert left_in_english(page.content.decode()) == []


def test_a_paused_and_a_failing_campus(world, german):
    registrations.pause(world.registration, reason="Wartung")
    north = world.add_registration("North")
    now = timezone.now()
    Service.objects.create(
        registration=north,
        origin="https://n.example",
        failing_since=now,
        closed_until=now + timedelta(hours=1),
        last_failure_code="throttled",
    )
    page = german.get(address(SyncSample, "changelist")).content.decode()
    assert left_in_english(page) == []
    assert "antwortet nicht" in page
    for name in ("pause", "resume"):
        asked = german.get(reverse(f"admin:lti_ags_registration_{name}", args=[world.registration.pk]))
        assert left_in_english(asked.content.decode()) == []


@pytest.mark.parametrize("rows", [Registration, Service, SyncSample, Score])
def test_each_empty_state(world, german, rows):
    for model in (Score, SyncSample, LineItem, Context, Service, Registration):
        model.objects.all().delete() if model is not Registration or rows is Registration else None
        if model is rows:
            break
    page = german.get(address(SyncSample, "changelist")).content.decode()
    assert left_in_english(page) == []


@pytest.mark.parametrize("name", DECISIONS)
def test_questions_and_answers(world, german, name):
    Score.objects.filter(pk=world.pending.pk).update(state=SyncState.PENDING, due_at=timezone.now() + timedelta(hours=1))
    files = {"url": "https://lms.example/progress/1", "created_at": NOON, "aged_from": NOON, "state": SyncState.FAILED, "due_at": None}
    SubmittedFile.objects.create(score=world.pending, service=world.service, code="missing_progress_scope", **files)
    form = {"action": name, "_selected_action": [world.pending.pk, world.score.pk], "index": 0}
    asked = german.post(address(Score, "changelist"), form)
    assert left_in_english(asked.content.decode()) == []
    carried = dict(asked.context["carried"]) | {"_selected_action": [world.pending.pk, world.score.pk], "reason": "x"}
    done = german.post(address(Score, "changelist"), carried, follow=True)
    assert "1 Bewertung" in " ".join(words_of(done.content.decode()))
    assert left_in_english(done.content.decode()) == []


def test_numbers_and_dates_follow_the_language(world, german):
    Score.objects.filter(pk=world.pending.pk).update(score_given=7.12345)
    page = german.get(address(Score, "change", world.pending)).content.decode()
    assert "7,12345 / 10" in page
    assert "1. März 2026 17:30" in page
    assert 'datetime="2026-03-01T17:30:00+05:30"' in page
    Service.objects.update(last_success_at="2026-03-01T12:00:00Z")
    assert "01.03.2026 17:30" in german.get(address(SyncSample, "changelist")).content.decode()


@pytest.mark.parametrize(
    ("given", "english", "german"),
    [(8.0, "8 / 10", "8 / 10"), (0.1, "0.1 / 10", "0,1 / 10"), (99.99999, "99.99999 / 10", "99,99999 / 10"), (None, "cleared", "gelöscht")],
)
def test_a_fraction(given, english, german):
    assert fraction(given, 10.0) == english
    with translation.override("de"):
        assert fraction(given, 10.0) == german


def test_a_length_of_time():
    with translation.override("de"):
        assert [spoken(0.84), spoken(42), spoken(720)] == ["0,8 s", "42 s", "12 min"]


class Attributes(HTMLParser):
    """What machines read."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        wanted = {"href", "action", "data-seconds", "d", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "viewbox", "id"}
        self.found += [(name, value or "") for name, value in attrs if name in wanted]
        given = dict(attrs)
        if given.get("type") == "hidden":
            self.found.append(("hidden", given.get("value", "")))


def test_what_machines_read_is_the_same_in_every_language(world, german, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    score = Score.objects.create(
        pk=1234567,
        service=world.service,
        line_item=world.line_item,
        user_id="u9",
        state="failed",
        code="forbidden",
        recorded_at=timezone.now(),
    )
    SyncSample.objects.create(service=world.service, taken_at=timezone.now(), waiting=1234, delivered=7)
    other = Client()
    other.cookies = german.cookies
    form = {"action": "cancel", "_selected_action": [score.pk], "index": 0}

    def read(browser):
        pages = [
            browser.get(address(Score, "change", score)),
            browser.get(reverse("admin:lti_ags_score_errors")),
            browser.get(address(SyncSample, "changelist")),
            browser.get(address(LineItem, "change", world.line_item)),
            browser.post(address(PendingScore, "changelist"), form),
        ]
        found = []
        for page in pages:
            parser = Attributes()
            parser.feed(page.content.decode())
            found.append([(name, value) for name, value in parser.found if not re.search(r"csrf|\d{4}-\d\d-\d\d|^\w{64}$", value)])
        return found

    told = read(german)
    for in_german, in_english in zip(told, read(other), strict=True):
        assert set(in_german) ^ set(in_english) == set()
    assert any("score__id__exact=1234567" in value for _, value in told[0])
    assert ("data-seconds", "30") in told[2]
    assert ("hidden", "1234567") in told[4]


def test_a_large_order_goes_on_in_german(world, german, settings, monkeypatch):
    """The key that an order goes on from is written for a form, not for a reader."""
    settings.USE_THOUSAND_SEPARATOR = True
    monkeypatch.setattr("django_lti_ags.admin.decisions.PORTION", 1)
    monkeypatch.setattr("django_lti_ags.admin.decisions.SECONDS", -1.0)
    rows = [
        Score.objects.create(
            pk=pk,
            service=world.service,
            line_item=world.line_item,
            user_id=f"u{pk}",
            state="failed",
            recorded_at=timezone.now() - timedelta(hours=1),
        )
        for pk in (2345678, 2345679)  # beyond what another test leaves MariaDB to count on from
    ]
    chosen = {"_selected_action": [row.pk for row in rows]}
    page = german.post(address(Score, "changelist"), {"action": "retry", "index": 0} | chosen)
    page = german.post(address(Score, "changelist"), dict(page.context["carried"]) | chosen)
    assert b'name="after" value="2345678"' in page.content
