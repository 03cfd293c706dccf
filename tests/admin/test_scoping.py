"""Whose rows a person sees: nothing of another registration, on no page, in no choice, by no action."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from django_lti_ags import api_keys, canvas_credentials, encryption, registrations, webhooks
from django_lti_ags.admin.readonly import KeptAdmin
from django_lti_ags.models import (
    ApiKey,
    CanvasCredential,
    Context,
    DeliveryAttempt,
    Deployment,
    Event,
    LineItem,
    Registration,
    Result,
    Score,
    Service,
    SigningKey,
    SyncSample,
    SyncState,
    WebhookEndpoint,
)
from django_lti_ags.scoping import scoped
from tests.admin.conftest import MODELS, NOON, address, confirm

FOREIGN = "Forbidden City"
LISTED = [model for model in MODELS if model is not SyncSample]
"""The list of samples is the overview, which has tests of its own."""


def own_campus(request):
    """A tool's hook, as ``ADMIN_SCOPE`` names it: everybody sees Campus."""
    return None if request.user.username == "all" else Registration.objects.filter(name="Campus")


@pytest.fixture
def foreign(world, settings):
    """Another registration with a row of every model, all of which carry its name."""
    settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": f"{__name__}.own_campus"}
    Event.objects.update(service=world.service)  # as every event about a score has it
    key = SigningKey.objects.create(name=FOREIGN, kid="k9", private_key_encrypted=encryption.encrypt("x"), public_jwk={})
    registration = world.add_registration(FOREIGN, issuer="https://foreign.example", signing_key=key)
    service = Service.objects.create(registration=registration, origin=f"https://{FOREIGN}.example")
    deployment = Deployment.objects.create(registration=registration, deployment_id=FOREIGN)
    context = Context.objects.create(deployment=deployment, context_id="c9", title=FOREIGN)
    line_item = LineItem.objects.create(
        context=context, service=service, url="https://f.example/1", label=FOREIGN, state=SyncState.DELIVERED, due_at=None
    )
    score = world.add_score("u1", line_item, service=service, state=SyncState.FAILED, due_at=None, code="forbidden", detail=FOREIGN)
    rows = [key, registration, service, deployment, context, line_item, score]
    rows.append(
        DeliveryAttempt.objects.create(score=score, line_item=line_item, service=service, kind="score", started_at=NOON, detail=FOREIGN)
    )
    rows.append(Result.objects.create(line_item=line_item, user_id="u1", read_at=NOON, comment=FOREIGN))
    rows.append(Event.objects.create(name="score_failed", score=score, service=service, created_at=timezone.now(), code=FOREIGN))
    rows.append(SyncSample.objects.create(service=service, taken_at=NOON))
    rows.append(canvas_credentials.store_user_token(registration, base_url="https://foreign.example", access_token="1~theirs"))
    rows.append(api_keys.issue(FOREIGN, [registration])[0])
    rows.append(webhooks.add(rows[-1], f"https://tool.example/{FOREIGN.replace(' ', '-')}")[0])
    rows.append(world.add_message(score, rows[-1], body=FOREIGN, detail=FOREIGN))
    rows.append(world.add_live_assessment(FOREIGN, context=context, service=service))
    return {type(row): row for row in rows}


@pytest.fixture
def boss(person):
    """Allowed everything, within the scope."""
    return person(superuser=True)


def row_of(foreign, model):
    return foreign[model._meta.concrete_model]


def state(score):
    return Score.objects.get(pk=score.pk).state


@pytest.mark.parametrize("model", LISTED)
def test_lists_and_pages(foreign, boss, model):
    row = row_of(foreign, model)
    listed = boss.get(address(model, "changelist"))
    assert str(row.pk) not in [str(shown.pk) for shown in listed.context["cl"].result_list]
    assert listed.context["cl"].result_count >= 1
    assert FOREIGN not in listed.content.decode()
    for page in ("change", "history", "delete"):
        answer = boss.get(address(model, page, row))
        assert answer.status_code in (302, 403)
        assert answer.status_code == 403 or answer.url == reverse("admin:index")


@pytest.mark.parametrize("model", MODELS)
def test_no_own_page_names_the_other(world, foreign, boss, model):
    row = world.row_of(model)
    for page in ("change", "history"):
        assert FOREIGN not in boss.get(address(model, page, row)).content.decode()


@pytest.mark.parametrize("model", [ApiKey, CanvasCredential, Registration, Deployment, WebhookEndpoint])
def test_choices(foreign, boss, model):
    page = boss.get(address(model, "add")).content.decode()
    assert FOREIGN not in page
    assert f'<option value="{row_of(foreign, SigningKey).pk}"' not in page or model is not Registration


def test_choices_where_a_project_has_put_away_our_admin(world, boss, monkeypatch):
    monkeypatch.delitem(admin.site._registry, SigningKey)
    assert str(world.key) in boss.get(address(Registration, "add")).content.decode()


def test_a_choice_that_is_not_offered_is_refused(foreign, boss):
    form = {"registration": row_of(foreign, Registration).pk, "deployment_id": "mine"}
    assert "errorlist" in boss.post(address(Deployment, "add"), form).content.decode()
    assert not Deployment.objects.filter(deployment_id="mine").exists()


@pytest.mark.parametrize("model", [model for model in LISTED if model is not Event])
def test_search(foreign, boss, model):
    row = row_of(foreign, model)
    for term in (FOREIGN, "u1", str(getattr(row, "uid", FOREIGN)), str(foreign[Score].uid), str(foreign[LineItem].uid)):
        found = boss.get(address(model, "changelist"), {"q": term}).context["cl"].result_list
        assert str(row.pk) not in [str(shown.pk) for shown in found]


@pytest.mark.parametrize(
    ("model", "lookup", "owner"),
    [
        (Score, "service__registration__id__exact", Registration),
        (Score, "service__id__exact", Service),
        (Score, "line_item__id__exact", LineItem),
        (Score, "line_item__context__id__exact", Context),
        (Result, "line_item__id__exact", LineItem),
        (DeliveryAttempt, "score__id__exact", Score),
        (DeliveryAttempt, "line_item__id__exact", LineItem),
        (Event, "score__id__exact", Score),
    ],
)
def test_filters(foreign, boss, model, lookup, owner):
    answer = boss.get(address(model, "changelist"), {lookup: foreign[owner].pk})
    assert answer.context["cl"].result_count == 0
    assert FOREIGN not in answer.content.decode()


@pytest.mark.parametrize("across", ["0", "1"])
@pytest.mark.parametrize("action", ["deliver", "retry", "cancel"])
def test_actions(world, foreign, boss, action, across):
    theirs = foreign[Score]
    Score.objects.filter(pk=world.pending.pk).update(state=SyncState.PENDING, due_at=NOON)
    form = {"action": action, "_selected_action": [theirs.pk, world.pending.pk], "select_across": across, "index": 0}
    confirm(boss, boss.post(address(Score, "changelist"), form), reason="x")
    assert state(theirs) == SyncState.FAILED


def test_errors_by_kind(world, foreign, boss, person):
    url = reverse("admin:lti_ags_score_errors")
    assert FOREIGN not in boss.get(url).content.decode()
    group = next(group for group in everything(person, url).groups if str(group.registration) == FOREIGN)
    page = boss.get(reverse("admin:lti_ags_score_retry_group", args=[group.key]))
    assert "0 scores are chosen." in page.content.decode()


def everything(person, url):
    """What somebody sees whom nothing is hidden from."""
    browser = person(superuser=True)
    user = browser.get(url).wsgi_request.user
    user.username = "all"
    user.save()
    return browser.get(url).context["found"]


def test_retry_since(foreign, boss):
    url = reverse("admin:lti_ags_score_retry_since")
    assert FOREIGN not in boss.get(url).content.decode()
    page = boss.post(url, {"since": "2020-01-01T00:00"})
    assert "0 scores are chosen." in page.content.decode()
    page = boss.post(url, {"since": "2020-01-01T00:00", "registration": foreign[Registration].pk})
    assert "errorlist" in page.content.decode()


def test_export(world, foreign, boss):
    told = b"".join(boss.post(reverse("admin:lti_ags_score_export"), {"format": "jsonl"})).decode()
    assert str(world.score.uid) in told
    assert str(foreign[Score].uid) not in told
    form = {"action": "export", "_selected_action": [foreign[Score].pk], "index": 0, "format": "csv"}
    assert FOREIGN not in b"".join(boss.post(address(Score, "changelist"), form)).decode()


def test_completions(foreign, boss):
    query = {"term": FOREIGN, "app_label": "lti_ags", "model_name": "lineitem", "field_name": "context"}
    answer = boss.get(reverse("admin:autocomplete"), query)
    assert FOREIGN not in answer.content.decode()


def test_every_admin_says_whose_its_rows_are():
    for model in MODELS:
        owner = admin.site._registry[model]
        assert isinstance(owner, KeptAdmin)
        assert type(owner).get_queryset is not admin.ModelAdmin.get_queryset
        assert owner.registration_paths


def test_who_sees_several_registrations_of_a_key_sees_it_once(world, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": f"{__name__}.own_campus"}
    world.add_registration("Campus", client_id="second")
    request = RequestFactory().get("/")
    request.user = type("Somebody", (), {"username": "x"})()
    assert list(scoped(SigningKey.objects.all(), request, "registrations")) == [world.key]


def test_an_api_key_that_sees_another_registration_too_is_not_shown(world, foreign, boss):
    world.add_registration("Campus", client_id="second")
    own, _ = api_keys.issue("own", Registration.objects.filter(name="Campus"))
    listed = boss.get(address(ApiKey, "changelist")).context["cl"].result_list
    assert list(listed) == [own, world.api_key], "each once, though two of its registrations are shown"
    both, _ = api_keys.issue("both", [world.registration, foreign[Registration]])
    webhooks.add(both, "https://tool.example/of-both")
    assert "of-both" not in boss.get(address(WebhookEndpoint, "changelist")).content.decode()
    made = boss.post(address(WebhookEndpoint, "add"), {"api_key": both.pk, "url": "https://tool.example/", "kinds": ["score.failed"]})
    assert "Select a valid choice" in errors_of(made)
    assert "both" not in boss.get(address(ApiKey, "changelist")).content.decode()
    form = {"action": "revoke", "_selected_action": [both.pk, foreign[ApiKey].pk], "index": 0, "confirmed": "yes"}
    boss.post(address(ApiKey, "changelist"), form)
    assert not ApiKey.objects.exclude(revoked_at=None).exists()
    made = boss.post(address(ApiKey, "add"), {"name": "x", "registrations": [foreign[Registration].pk], "contexts": []})
    assert "Select a valid choice" in errors_of(made)
    made = boss.post(address(ApiKey, "add"), {"name": "x", "registrations": [world.registration.pk], "contexts": [foreign[Context].pk]})
    assert "Select a valid choice" in errors_of(made)


def test_a_registration_signs_with_a_key_that_is_shown(foreign, world, boss):
    key = foreign[SigningKey]
    change = address(Registration, "change", world.registration)
    offered = boss.get(change).context["adminform"].form.fields["signing_key"].queryset
    assert list(offered) == [world.registration.signing_key]
    assert FOREIGN not in boss.get(address(Registration, "add")).content.decode()
    shown = boss.get(change).context["adminform"].form
    form = {name: shown[name].value() or "" for name in shown.fields} | {"signing_key": key.pk}
    assert "Select a valid choice" in boss.post(change, form).content.decode()
    world.registration.refresh_from_db()
    assert world.registration.signing_key != key


def errors_of(answer):
    assert answer.status_code == 200
    return str(answer.context["adminform"].form.errors.as_json())


def test_no_error_names_what_is_not_shown(world, foreign, boss, person):
    theirs = foreign[Registration]
    form = {"name": "Mine", "issuer": theirs.issuer, "client_id": theirs.client_id, "signing_key": world.key.pk}
    told = errors_of(boss.post(address(Registration, "add"), form))
    assert "It is registered already." in told
    assert FOREIGN not in told
    own = {"issuer": world.registration.issuer, "client_id": world.registration.client_id}
    assert "It is registered already: Campus." in errors_of(boss.post(address(Registration, "add"), form | own))


def test_a_key_that_others_sign_with_is_not_retired_and_they_are_not_named(world, foreign, boss):
    Registration.objects.filter(pk=foreign[Registration].pk).update(signing_key=world.key)
    form = {"name": "", "retired_at_0": "2026-03-01", "retired_at_1": "12:00"}
    told = errors_of(boss.post(address(SigningKey, "change", world.key), form))
    assert "It still signs for Campus: give them" in told
    other = SigningKey.objects.create(name="new", kid="k2", private_key_encrypted="x", public_jwk={})
    second = world.add_registration("Campus", client_id="second", signing_key=world.key)
    assert "It still signs for Campus, Campus: give them" in errors_of(boss.post(address(SigningKey, "change", world.key), form))
    Registration.objects.filter(name="Campus").update(signing_key=other)
    Registration.objects.filter(pk=second.pk).update(signing_key=other)
    form_class = admin.site._registry[SigningKey].get_form(request_of("x"))
    checked = form_class({"name": "", "retired_at_0": "2026-03-01", "retired_at_1": "12:00"}, instance=world.key)
    assert "not shown to you" in str(checked.errors)
    assert FOREIGN not in str(checked.errors)


def request_of(username):
    request = RequestFactory().get("/")
    request.user = type("Somebody", (), {"username": username, "has_perm": lambda self, name, row=None: True})()
    return request


def test_what_happened_to_a_registration_is_shown_to_whom_it_is_shown(world, foreign, boss):
    Event.objects.all().delete()
    for registration in (world.registration, foreign[Registration]):
        registrations.pause(registration, reason="They move house")
        registrations.resume(registration)
    listed = boss.get(address(Event, "changelist"))
    assert [row.name for row in listed.context["cl"].result_list] == ["registration_resumed", "registration_paused"]
    assert FOREIGN not in listed.content.decode()
    assert "Campus" in listed.content.decode()
    theirs = Event.objects.get(name="registration_paused", registration=foreign[Registration])
    assert boss.get(address(Event, "change", theirs)).status_code == 302
    own = Event.objects.get(name="registration_paused", registration=world.registration)
    assert "They move house" in boss.get(address(Event, "change", own)).content.decode()
