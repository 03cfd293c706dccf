"""An admin site of a project's own: every page works there, and every link and form stays there."""

from __future__ import annotations

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import resolve, reverse

from django_lti_ags import registrations
from django_lti_ags.models import LineItem, Registration, Score, SyncState
from tests.admin.conftest import MODELS, confirm

pytestmark = pytest.mark.urls("tests.admin.own_site")


def there(model, page, row=None):
    return reverse(f"staff:lti_ags_{model._meta.model_name}_{page}", args=[row.pk] if row is not None else [])


def pages(world):
    for model in MODELS:
        yield there(model, "changelist")
        yield there(model, "change", world.row_of(model))
    for page in ("score_errors", "score_export", "score_retry_since"):
        yield reverse(f"staff:lti_ags_{page}")
    for decision in ("pause", "resume"):
        yield reverse(f"staff:lti_ags_registration_{decision}", args=[world.registration.pk])


def test_every_page_is_there_and_leads_nowhere_else(world, boss):
    for url in pages(world):
        page = boss.get(url)
        assert page.status_code == 200, url
        targets = re.findall(r'(?:href|action)="(/[^"]*)"', page.content.decode())
        assert [target for target in targets if target.startswith("/admin/")] == [], url
        assert any(target.startswith("/staff/") for target in targets), url


def test_decisions_lead_back_there(world, boss):
    listed = there(Score, "changelist")
    done = confirm(boss, boss.post(listed, {"action": "retry", "_selected_action": [world.pending.pk], "index": 0}))
    assert done.url == listed
    assert Score.objects.get(pk=world.pending.pk).state == SyncState.PENDING
    paused = boss.post(reverse("staff:lti_ags_registration_pause", args=[world.registration.pk]), {"reason": "They move house"})
    assert paused.url.startswith("/staff/")
    assert Registration.objects.get().is_paused
    registrations.resume(Registration.objects.get())
    Score.objects.update(state=SyncState.FAILED, due_at=None)
    column = boss.post(there(LineItem, "retry", world.line_item), {"confirmed": "yes"})
    assert column.url == there(LineItem, "change", world.line_item)
    assert [str(message) for message in get_messages(column.wsgi_request)][-1] == "2 scores are due now."


def test_what_makes_no_sense_is_answered_there(world, boss):
    for url in (there(Score, "changelist"), reverse("staff:lti_ags_score_export")):
        answer = boss.get(url, {"due_at__lte": "0001-01-01"})
        assert (answer.status_code, answer.url) == (302, f"{there(Score, 'changelist')}?e=1")
    gone = boss.get(reverse("staff:lti_ags_score_change", args=[10**9]))
    assert resolve(gone.url).namespace == "staff"
