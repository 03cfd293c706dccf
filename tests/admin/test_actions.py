"""What a person decides: deliver, retry, cancel, resume. Counted first, by POST, with the permission, through the public API."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_lti_ags import scores
from django_lti_ags.admin import decisions
from django_lti_ags.models import Event, LineItem, PendingScore, Registration, Score, SyncState
from tests.admin.conftest import NOON, address, confirm

BOTH = [Score, PendingScore]
ACTIONS = ["deliver", "retry", "cancel"]


def post(browser, model, action, rows, **more):
    form = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0} | more
    return browser.post(address(model, "changelist"), form)


def decide(browser, model, action, rows, **more):
    """The whole way: choose, see the count, confirm."""
    return confirm(browser, post(browser, model, action, rows), **more)


def told(response):
    return [(message.level_tag, str(message)) for message in get_messages(response.wsgi_request)]


def state(score):
    return Score.objects.get(pk=score.pk).state


def journal():
    return [(entry.object_id, entry.object_repr, entry.change_message) for entry in LogEntry.objects.order_by("pk")]


@pytest.mark.parametrize(
    "asked_at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2999-01-01T00:00:00+00:00", "x", "2026-03-01"]
)
def test_a_question_that_was_never_asked_is_not_answered(world, boss, asked_at):
    """Nor one that is asked in the future: what was recorded since the question was not meant."""
    page = post(boss, Score, "retry", [world.pending], confirmed="yes", asked_at=asked_at, after=0, done=0)
    assert "This page is not as it was sent." in page.content.decode()
    assert state(world.pending) == SyncState.FAILED


@pytest.mark.parametrize("model", BOTH)
def test_retry_sends_again(world, person, model):
    browser = person("view_score", "retry_score")
    page = post(browser, model, "retry", [world.pending])
    assert "1 score is chosen." in page.content.decode()
    assert "It concerns 1." in page.content.decode()
    assert state(world.pending) == SyncState.FAILED

    response = confirm(browser, page)
    assert told(response) == [("success", "1 score is due now.")]
    row = Score.objects.get(pk=world.pending.pk)
    assert (row.state, row.code, row.tries) == (SyncState.PENDING, "", 0)
    assert journal() == [(str(row.pk), str(row), "Sent again.")]
    for history in (Score, PendingScore):
        assert "Sent again." in browser.get(address(history, "history", row)).content.decode()


def test_retry_says_what_it_left_alone(world, boss):
    page = post(boss, Score, "retry", [world.pending, world.score])
    assert "2 scores are chosen." in page.content.decode()
    assert "It concerns 1." in page.content.decode()
    response = confirm(boss, page)
    assert told(response) == [("warning", "1 score is due now. 1 stays as it is.")]
    assert state(world.score) == SyncState.DELIVERED


def test_deliver_now_is_for_those_that_wait(world, boss):
    later = timezone.now() + timedelta(hours=1)
    waiting = world.add_score("w", due_at=later, tries=3)
    response = decide(boss, PendingScore, "deliver", [waiting, world.pending])
    assert told(response) == [("warning", "1 score is due now. 1 stays as it is.")]
    assert Score.objects.get(pk=waiting.pk).due_at < later
    assert state(world.pending) == SyncState.FAILED


def test_what_concerns_nobody_cannot_be_confirmed(world, boss):
    page = post(boss, Score, "retry", [world.score]).content.decode()
    assert "It concerns 0." in page
    assert "disabled" in page


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("model", BOTH)
@pytest.mark.parametrize("codenames", [(), ("change_score", "delete_score"), ("pause_registration", "export_score", "see_learners")])
def test_who_may_only_look_decides_nothing(world, person, model, action, codenames):
    browser = person("view_score", *codenames)
    page = browser.get(address(model, "changelist")).content.decode()
    assert f'value="{action}"' not in page
    form = {"confirmed": "yes", "reason": "x", "asked_at": timezone.now().isoformat(), "after": 0, "done": 0}
    post(browser, model, action, [world.pending], **form)
    assert state(world.pending) == SyncState.FAILED


@pytest.mark.parametrize(("codename", "offered"), [("retry_score", {"deliver", "retry"}), ("cancel_score", {"cancel"})])
def test_each_permission_offers_its_own(world, person, codename, offered):
    page = person("view_score", codename).get(address(Score, "changelist")).content.decode()
    assert {action for action in ACTIONS if f'value="{action}"' in page} == offered


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_happens_on_get(world, boss, action):
    form = {"action": action, "_selected_action": world.pending.pk, "index": 0, "confirmed": "yes", "reason": "x"}
    boss.get(address(Score, "changelist"), form)
    assert state(world.pending) == SyncState.FAILED


@pytest.mark.parametrize("model", BOTH)
def test_cancel_asks_why_first(world, boss, model):
    page = post(boss, model, "cancel", [world.pending])
    assert "1 score is chosen." in page.content.decode()
    assert state(world.pending) == SyncState.FAILED

    response = confirm(boss, page, reason="wrong quiz")
    assert told(response) == [("success", "1 score will not be sent.")]
    row = Score.objects.get(pk=world.pending.pk)
    assert (row.state, row.detail) == (SyncState.CANCELLED, "staff0: wrong quiz")
    assert Event.objects.filter(name="score_cancelled", score=row).exists()
    assert journal() == [(str(row.pk), str(row), "Cancelled: wrong quiz")]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_cancel_without_a_reason_asks_again(world, boss, reason):
    page = decide(boss, Score, "cancel", [world.pending], reason=reason)
    assert "errorlist" in page.content.decode()
    assert state(world.pending) == SyncState.FAILED


@pytest.mark.parametrize("asked_at", ["", "yesterday", "2026-03-01T12:00:00"])
def test_a_page_that_was_tampered_with_is_asked_again(world, boss, asked_at):
    page = decide(boss, Score, "retry", [world.pending], asked_at=asked_at)
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
    assert state(world.pending) == SyncState.FAILED
    assert told(confirm(boss, page)) == [("success", "1 score is due now.")]


def test_what_is_recorded_after_the_question_is_not_meant(world, boss):
    page = post(boss, Score, "cancel", [world.pending])
    scores.record(world.line_item, user_id="u2", score_given=9, score_maximum=10)
    response = confirm(boss, page, reason="the old one")
    assert told(response) == [("warning", "0 scores will not be sent. 1 stays as it is.")]
    assert state(world.pending) == SyncState.PENDING
    assert journal() == []


def test_the_question_carries_the_choice_on(world, boss):
    for number in range(60):
        world.add_score(f"m{number}")
    listed = address(Score, "changelist") + "?state__exact=pending"
    form = {"action": "cancel", "_selected_action": [world.add_score("last").pk], "select_across": "1", "index": 0}
    page = boss.post(listed, form)
    assert "61 scores are chosen." in page.content.decode()
    confirm(boss, page, reason="all of them")
    assert Score.objects.filter(state=SyncState.CANCELLED).count() == 61
    assert (state(world.score), state(world.pending)) == (SyncState.DELIVERED, SyncState.FAILED)


class TestMany:
    """More than one request has time for."""

    @pytest.fixture
    def crowd(self, world, monkeypatch):
        monkeypatch.setattr(decisions, "PORTION", 4)
        return [world.add_score(f"m{number}", state=SyncState.FAILED, due_at=None) for number in range(10)]

    @pytest.mark.parametrize(("action", "more"), [("retry", {}), ("cancel", {"reason": "over"})])
    def test_an_order_that_takes_too_long_goes_on_where_it_stopped(self, world, boss, crowd, monkeypatch, action, more):
        monkeypatch.setattr(decisions, "SECONDS", -1.0)
        page = decide(boss, Score, action, crowd, **more)
        assert sum(state(score) != SyncState.FAILED for score in crowd) == 4
        assert "4 scores" in page.content.decode()
        assert "Go on" in page.content.decode()
        page = confirm(boss, page)
        assert sum(state(score) != SyncState.FAILED for score in crowd) == 8
        response = confirm(boss, page)
        assert told(response)[0][1].startswith("10 scores")
        assert state(crowd[-1]) == (SyncState.PENDING if action == "retry" else SyncState.CANCELLED)
        if more:
            assert {Score.objects.get(pk=score.pk).detail for score in crowd} == {"staff0: over"}

    def test_portions_are_transactions_of_their_own(self, boss, crowd, monkeypatch):
        page = post(boss, Score, "retry", crowd)
        sizes = []
        monkeypatch.setattr(scores, "retry", lambda rows: sizes.append(rows.count()) or 0)
        confirm(boss, page)
        assert sizes == [4, 4, 2]

    def test_many_share_one_entry_in_the_journal(self, boss, crowd, monkeypatch):
        monkeypatch.setattr(decisions, "NAMED", 9)
        decide(boss, Score, "retry", crowd)
        assert journal() == [(None, "10 scores", "Sent again.")]
        assert LogEntry.objects.get().get_admin_url() is None

    def test_when_somebody_else_was_faster_nobody_is_named(self, boss, crowd, monkeypatch):
        page = post(boss, Score, "retry", crowd)
        monkeypatch.setattr(scores, "retry", lambda rows: rows.count() - 1)
        confirm(boss, page)
        assert journal() == [(None, "7 scores", "Sent again.")]

    def test_no_count_goes_on_for_ever(self, boss, crowd, monkeypatch):
        for module in ("decisions", "confirming"):
            monkeypatch.setattr(f"django_lti_ags.admin.{module}.COUNTED", 5)
        with CaptureQueriesContext(connection) as captured:
            page = post(boss, Score, "retry", crowd)
        assert "More than 5 scores are chosen." in page.content.decode()
        assert "It concerns more than 5." in page.content.decode()
        assert [query["sql"] for query in captured if "LIMIT 6" in query["sql"]]
        assert told(confirm(boss, page)) == [("success", "10 scores are due now.")]


def test_retry_lifts_the_block_above(world, boss):
    LineItem.objects.filter(pk=world.line_item.pk).update(block_code="forbidden", blocked_at=NOON)
    Score.objects.filter(pk=world.pending.pk).update(state=SyncState.BLOCKED, code="forbidden")
    decide(boss, PendingScore, "retry", [world.pending])
    assert state(world.pending) == SyncState.PENDING
    assert LineItem.objects.get(pk=world.line_item.pk).block_code == ""


def test_the_time_of_the_question_is_the_databases(world, boss):
    page = post(boss, Score, "retry", [world.pending]).content.decode()
    asked = page.split('name="asked_at" value="')[1].split('"')[0]
    assert abs(datetime.fromisoformat(asked) - timezone.now()) < timedelta(minutes=1)


def test_resume_sends_for_a_registration_again(world, person):
    Registration.objects.filter(pk=world.registration.pk).update(paused_at=NOON, paused_code="client_refused", paused_reason="401")
    viewer = person("view_registration", "change_registration")
    post(viewer, Registration, "resume", [world.registration])
    assert Registration.objects.get(pk=world.registration.pk).is_paused

    keeper = person("view_registration", "pause_registration")
    response = post(keeper, Registration, "resume", [world.registration])
    assert told(response) == [("success", "1 registration resumed.")]
    assert not Registration.objects.get(pk=world.registration.pk).is_paused
    assert "Resumed delivery." in keeper.get(address(Registration, "history", world.registration)).content.decode()

    response = post(keeper, Registration, "resume", [world.registration])
    assert told(response) == [("warning", "0 registrations resumed.")]


def test_pausing_asks_why_first(world, person):
    other = world.add_registration("Other")
    viewer = person("view_registration", "change_registration")
    post(viewer, Registration, "pause", [world.registration], confirmed="yes", reason="x")
    assert not Registration.objects.exclude(paused_at=None).exists()

    keeper = person("view_registration", "pause_registration")
    page = post(keeper, Registration, "pause", [world.registration, other])
    assert page.status_code == 200
    assert not Registration.objects.exclude(paused_at=None).exists()
    hidden = dict(page.context["hidden"])
    chosen = [value for name, value in page.context["hidden"] if name == "_selected_action"]
    assert set(chosen) == {str(other.pk), str(world.registration.pk)}

    page = keeper.post(address(Registration, "changelist"), hidden | {"_selected_action": chosen, "reason": " "})
    assert "errorlist" in page.content.decode()
    response = keeper.post(address(Registration, "changelist"), hidden | {"_selected_action": chosen, "reason": "exam week"})
    assert told(response) == [("success", "2 registrations paused.")]
    row = Registration.objects.get(pk=world.registration.pk)
    assert (row.is_paused, row.paused_code) == (True, "paused_by_hand")
    assert row.paused_reason == "staff1: exam week"
    assert "Paused delivery." in keeper.get(address(Registration, "history", world.registration)).content.decode()

    response = post(keeper, Registration, "pause", [world.registration], confirmed="yes", reason="another")
    assert told(response) == [("warning", "0 registrations paused. What is paused keeps the reason that it has.")]
    assert Registration.objects.get(pk=world.registration.pk).paused_reason == "staff1: exam week"
