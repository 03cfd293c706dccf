"""Every address of the admin × whoever may ask: none fails, none opens without its permission, none tells who a learner is unasked."""

from __future__ import annotations

import logging

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from django_lti_ags.models import Event, LineItem, Registration, Result, Score
from tests.admin.conftest import MODELS, NOON

LEARNER = "learner-7f31c9"
SECRET = "PRIVATE KEY"
EDITING = ("add", "change", "delete")
OF_DJANGO = ("_add", "_history", "_delete")
"""Pages that open as the row's own does; ``test_permissions.py`` tries them."""


@pytest.fixture
def seen(world, monkeypatch):
    """The learner of every row is one whose id cannot be anything else."""
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)  # of a thousand refusals
    Score.objects.filter(pk=world.score.pk).update(user_id=LEARNER, comment=f"For {LEARNER}", detail=f"about {LEARNER}")
    Score.objects.filter(pk=world.pending.pk).update(user_id=LEARNER + "2", detail=f"no such user {LEARNER}2")
    Result.objects.update(user_id=LEARNER, comment=f"For {LEARNER}", url=f"https://lms.example/results/{LEARNER}")
    world.attempt.request_body = f'{{"userId":"{LEARNER}"}}'
    world.attempt.url = f"https://lms.example/Quiz/results?user_id={LEARNER}"
    world.attempt.save()
    Event.objects.update(payload={"user_id": LEARNER}, service=world.service)
    return world


def addresses(world) -> dict[str, str]:
    """Every named address of the app's admins, by its name, with keys that are there."""
    found = {}
    for model in MODELS:
        owner, row = admin.site._registry[model], world.row_of(model)
        for pattern in owner.get_urls():
            if not pattern.name:
                continue
            name, wanted = pattern.name, pattern.pattern.regex.groupindex if hasattr(pattern.pattern, "regex") else {}
            keys = {"object_id": row.pk, "pk": world.registration.pk, "key": "0" * 64}
            found[name] = reverse(f"admin:{name}", kwargs={key: keys[key] for key in wanted})
    return found | {"app": reverse("admin:app_list", args=["lti_ags"]), "index": reverse("admin:index")}


def caller(*codenames) -> Client:
    user = User.objects.create(username="-".join(codenames) or "nobody", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="lti_ags", codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def codenames() -> list[str]:
    """The permissions that show or decide; those to edit a model are tried in ``test_permissions.py``."""
    every = Permission.objects.filter(content_type__app_label="lti_ags").values_list("codename", flat=True)
    return [codename for codename in every if not codename.startswith(EDITING)]


def crawled(client, pages) -> dict[str, int]:
    """The answer of each; nothing that is asked of it fails, or tells what it must not."""
    answers = {}
    for name, url in pages.items():
        asked = client.get(url)
        for answer in (asked, client.post(url, {})) if asked.status_code in (200, 405) else (asked,):
            assert answer.status_code in (200, 302, 403, 404, 405), (name, answer.status_code)
            text = answer.content.decode() if not answer.streaming else b"".join(answer.streaming_content).decode()
            assert LEARNER not in text, name
            assert SECRET not in text, name
            answers.setdefault(name, answer.status_code)
    return answers


def test_whoever_is_not_staff_gets_to_the_login(seen):
    pages = addresses(seen)
    assert len(pages) > 60
    plain = Client()
    plain.force_login(User.objects.create(username="learner"))
    for client in (Client(), plain):
        for name, url in pages.items():
            answer = client.get(url)
            assert (answer.status_code, answer.url.partition("?")[0]) == (302, reverse("admin:login")), name


def test_no_single_permission_opens_more_than_it_says(seen):
    pages = {name: url for name, url in addresses(seen).items() if not name.endswith(OF_DJANGO)}
    nothing = crawled(caller(), pages)
    assert {status for name, status in nothing.items() if name != "index"} <= {403, 404, 405}
    for codename in codenames():
        answers = crawled(caller(codename), pages)
        action, _, model = codename.partition("_")
        opened = {name for name, status in answers.items() if status == 200 and name not in ("index", "app")}
        allowed = {name for name in pages if name.split("_")[2:3] in ([model], ["pendingscore"] if model == "score" else [model])}
        assert opened <= allowed, codename
        assert opened or action not in ("view", "change"), codename
        assert Registration.objects.get(pk=seen.registration.pk).paused_at is None
        assert not LineItem.objects.exclude(compared_at=None).exists()
        assert set(Score.objects.values_list("state", flat=True)) == {"delivered", "failed"}, codename
    assert seen.event.created_at == NOON
