"""What a person decides: retry, cancel, resume. By POST, with the permission, through the public API."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages

from django_lti_ags.models import Event, PendingScore, Registration, Score, SyncState
from tests.admin.conftest import NOON, address

BOTH = [Score, PendingScore]


def post(browser, model, action, rows, **more):
    form = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0} | more
    return browser.post(address(model, "changelist"), form)


def told(response):
    return [(message.level_tag, str(message)) for message in get_messages(response.wsgi_request)]


def state(score):
    return Score.objects.get(pk=score.pk).state


@pytest.mark.parametrize("model", BOTH)
def test_retry_sends_again(world, person, model):
    browser = person(f"change_{model._meta.model_name}")
    response = post(browser, model, "retry", [world.pending])
    assert told(response) == [("success", "1 score is due now.")]
    row = Score.objects.get(pk=world.pending.pk)
    assert (row.state, row.code, row.tries) == (SyncState.PENDING, "", 0)


def test_retry_says_what_it_left_alone(world, boss):
    response = post(boss, Score, "retry", [world.pending, world.score])
    assert told(response) == [("warning", "1 score is due now. 1 stays as it is: it is settled, or being sent.")]
    assert state(world.score) == SyncState.DELIVERED


@pytest.mark.parametrize("action", ["retry", "cancel"])
@pytest.mark.parametrize("model", BOTH)
def test_who_may_only_look_decides_nothing(world, person, model, action):
    name = model._meta.model_name
    browser = person(f"view_{name}", f"delete_{name}", "change_registration")
    page = browser.get(address(model, "changelist")).content.decode()
    assert f'value="{action}"' not in page
    post(browser, model, action, [world.pending], confirmed="yes", reason="x")
    assert state(world.pending) == SyncState.FAILED


@pytest.mark.parametrize("action", ["retry", "cancel"])
def test_nothing_happens_on_get(world, boss, action):
    form = {"action": action, "_selected_action": world.pending.pk, "index": 0, "confirmed": "yes", "reason": "x"}
    boss.get(address(Score, "changelist"), form)
    assert state(world.pending) == SyncState.FAILED


@pytest.mark.parametrize("model", BOTH)
def test_cancel_asks_why_first(world, boss, model):
    page = post(boss, model, "cancel", [world.pending])
    assert page.status_code == 200
    assert "1 score is chosen." in page.content.decode()
    assert state(world.pending) == SyncState.FAILED

    response = post(boss, model, "cancel", [world.pending], confirmed="yes", reason="wrong quiz")
    assert told(response) == [("success", "1 score will not be sent.")]
    row = Score.objects.get(pk=world.pending.pk)
    assert (row.state, row.detail) == (SyncState.CANCELLED, "staff0: wrong quiz")
    assert Event.objects.filter(name="score_cancelled", score=row).exists()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_cancel_without_a_reason_asks_again(world, boss, reason):
    page = post(boss, Score, "cancel", [world.pending], confirmed="yes", reason=reason)
    assert "errorlist" in page.content.decode()
    assert state(world.pending) == SyncState.FAILED


def test_the_question_carries_the_choice_on(world, boss):
    for number in range(60):
        world.add_score(f"m{number}")
    listed = address(Score, "changelist") + "?state__exact=pending"
    form = {"action": "cancel", "_selected_action": [world.add_score("last").pk], "select_across": "1", "index": 0}
    page = boss.post(listed, form)
    assert "61 scores are chosen." in page.content.decode()
    again = {name: page.context[name] for name in ("select_across",)} | {page.context["checkbox_name"]: page.context["checked"]}
    boss.post(listed, again | {"action": "cancel", "index": 0, "confirmed": "yes", "reason": "all of them"})
    assert Score.objects.filter(state=SyncState.CANCELLED).count() == 61
    assert (state(world.score), state(world.pending)) == (SyncState.DELIVERED, SyncState.FAILED)


def test_resume_sends_for_a_registration_again(world, person):
    Registration.objects.filter(pk=world.registration.pk).update(paused_at=NOON, paused_code="client_refused", paused_reason="401")
    viewer = person("view_registration")
    post(viewer, Registration, "resume", [world.registration])
    assert Registration.objects.get(pk=world.registration.pk).is_paused

    keeper = person("change_registration")
    response = post(keeper, Registration, "resume", [world.registration])
    assert told(response) == [("success", "1 registration resumed.")]
    assert not Registration.objects.get(pk=world.registration.pk).is_paused
    assert "Resumed delivery." in keeper.get(address(Registration, "history", world.registration)).content.decode()

    response = post(keeper, Registration, "resume", [world.registration])
    assert told(response) == [("warning", "0 registrations resumed.")]
