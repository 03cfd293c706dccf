"""Every page × every caller; nothing changes on GET, and nothing without a CSRF token."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_lti_ags.models import ApiKey, CanvasCredential, Deployment, Registration, Score, SigningKey, SyncState, WebhookEndpoint
from tests.admin.conftest import MODELS, address

# PendingScore has no permissions of its own: they are those of Score.
EDITABLE = [CanvasCredential, Deployment, Registration, SigningKey]
ADDABLE = [ApiKey, CanvasCredential, Deployment, Registration, WebhookEndpoint]

ALLOWED, DENIED, TO_LOGIN = 200, 403, 302


def names(*actions):
    return [f"{action}_{model._meta.model_name}" for action in actions for model in MODELS if model._meta.default_permissions]


@pytest.fixture
def callers(person, client, db):
    plain = Client()
    plain.force_login(User.objects.create(username="learner"))
    return {
        "anonymous": client,
        "no staff": plain,
        "staff without permissions": person(),
        "view only": person(*names("view")),
        "every permission": person(*names("view", "add", "change", "delete")),
        "superuser": person(superuser=True),
    }


OUTSIDE = {"anonymous": TO_LOGIN, "no staff": TO_LOGIN, "staff without permissions": DENIED}
SEEING = OUTSIDE | dict.fromkeys(["view only", "every permission", "superuser"], ALLOWED)


def answers(callers, url):
    return {who: browser.get(url).status_code for who, browser in callers.items()}


def test_every_model_has_its_admin():
    ours = {model for model in admin.site._registry if model._meta.app_label == "lti_ags"}
    assert ours == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_who_sees_rows(world, callers, model):
    row = world.row_of(model)
    for page in (address(model, "changelist"), address(model, "change", row), address(model, "history", row)):
        assert answers(callers, page) == SEEING


@pytest.mark.parametrize("model", MODELS)
def test_who_adds_rows(world, callers, model):
    some = ALLOWED if model in ADDABLE else DENIED
    expected = OUTSIDE | {"view only": DENIED, "every permission": some, "superuser": some}
    assert answers(callers, address(model, "add")) == expected


@pytest.mark.parametrize("model", [model for model in MODELS if model is not CanvasCredential])
def test_nobody_deletes_what_scores_hang_on(world, callers, model):
    row = world.row_of(model)
    expected = {who: TO_LOGIN if code == TO_LOGIN else DENIED for who, code in SEEING.items()}
    for browser in callers.values():
        browser.post(address(model, "delete", row), {"post": "yes"})
    assert answers(callers, address(model, "delete", row)) == expected
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", MODELS)
def test_only_what_may_be_edited_has_a_form(world, callers, model):
    row = world.row_of(model)
    for who in ("view only", "every permission", "superuser"):
        page = callers[who].get(address(model, "change", row)).content.decode()
        assert ('name="_save"' in page) == (model in EDITABLE and who != "view only")


@pytest.mark.parametrize("model", [model for model in MODELS if model not in EDITABLE])
def test_what_is_read_only_refuses_a_post(world, boss, model):
    row = world.row_of(model)
    before = type(row).objects.filter(pk=row.pk).values().get()
    assert boss.post(address(model, "change", row), {"user_id": "x", "state": "delivered", "_save": "Save"}).status_code == DENIED
    assert type(row).objects.filter(pk=row.pk).values().get() == before


def test_what_nothing_was_sent_for_may_be_deleted(world, person):
    key = SigningKey.objects.create(kid="k2", private_key_encrypted="x", public_jwk={})
    registration = world.add_registration("Typo")
    deployment = Deployment.objects.create(registration=registration, deployment_id="d2")
    line_item = world.add_line_item("empty")
    browser = person(*names("view", "delete"))
    for row in (line_item, deployment, registration, key):
        assert browser.get(address(type(row), "delete", row)).status_code == ALLOWED
        assert type(row).objects.filter(pk=row.pk).exists()
        assert browser.post(address(type(row), "delete", row), {"post": "yes"}).status_code == TO_LOGIN
        assert not type(row).objects.filter(pk=row.pk).exists()


def test_history_below_keeps_a_line_item_too(world, boss):
    line_item = world.add_line_item("read")
    world.result.line_item = line_item
    world.result.save()
    page = boss.get(address(type(line_item), "delete", line_item)).content.decode()
    assert "your account doesn't have permission to delete" in page
    assert boss.post(address(type(line_item), "delete", line_item), {"post": "yes"}).status_code == DENIED


@pytest.mark.parametrize("model", MODELS)
def test_deletion_in_bulk_is_not_offered(world, boss, model):
    page = boss.get(address(model, "changelist")).content.decode()
    assert "delete_selected" not in page
    row = world.row_of(model)
    boss.post(address(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes", "index": 0})
    assert type(row).objects.filter(pk=row.pk).exists()


BESIDE = {  # a page beside the lists of scores → the permissions that open it
    "score_errors": {"view_score"},
    "score_export": {"view_score", "export_score"},
    "pendingscore_export": {"view_score", "export_score"},
    "score_retry_since": {"view_score", "retry_score"},
    "score_retry_group": {"view_score", "retry_score"},
}
GRANTS = [set(), {"view_score"}, {"retry_score"}, {"export_score"}, {"view_score", "retry_score"}, {"view_score", "export_score"}]


@pytest.mark.parametrize("page", BESIDE)
def test_who_opens_the_pages_beside_the_lists(world, callers, person, page):
    url = reverse(f"admin:lti_ags_{page}", args=["x"] if page.endswith("group") else [])
    granted = {who: browser.get(url).status_code for who, browser in callers.items() if who not in ("view only", "every permission")}
    assert granted == OUTSIDE | {"superuser": ALLOWED}
    for codenames in GRANTS:
        answer = person(*codenames).get(url).status_code
        assert answer == (ALLOWED if BESIDE[page] <= codenames else DENIED), codenames


@pytest.mark.parametrize("page", BESIDE)
def test_the_pages_beside_refuse_a_post_without_a_token(world, page):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create(username="boss", is_staff=True, is_superuser=True))
    url = reverse(f"admin:lti_ags_{page}", args=["x"] if page.endswith("group") else [])
    form = {
        "confirmed": "yes",
        "format": "csv",
        "since": "2026-01-01T00:00",
        "after": 0,
        "done": 0,
        "asked_at": "2027-01-01T00:00:00+00:00",
    }
    assert strict.post(url, form).status_code == DENIED


def test_a_post_without_the_pages_token_is_refused(world):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create(username="boss", is_staff=True, is_superuser=True))
    form = {"action": "retry", "_selected_action": [world.pending.pk], "index": 0}
    assert strict.post(address(Score, "changelist"), form).status_code == DENIED
    assert strict.post(address(SigningKey, "change", world.key), {"name": "x"}).status_code == DENIED
    assert Score.objects.get(pk=world.pending.pk).state == SyncState.FAILED


def test_a_filter_does_not_spell_out_a_secret(world, person):
    viewer = person("view_signingkey", "view_registration")
    for model, field in ((SigningKey, "private_key_encrypted"), (Registration, "signing_key__private_key_encrypted")):
        assert viewer.get(address(model, "changelist"), {f"{field}__startswith": "g"}).status_code == 400
    assert viewer.get(address(SigningKey, "changelist"), {"retired_at__isempty": "1"}).status_code == ALLOWED
