"""The few forms: what would fail later, at a launch or a send, is refused here."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_lti_ags import encryption
from django_lti_ags.models import Deployment, Registration, SigningKey
from django_lti_ags.models.identity import digest
from tests.admin.conftest import NOON, address

ADDED = 302


@pytest.fixture
def entry(world):
    return {
        "name": "New",
        "issuer": "https://new.example",
        "client_id": "c-9",
        "profile": "canvas",
        "signing_key": world.key.pk,
        "accept_new_deployments": "on",
        "auth_login_url": "https://new.example/auth",
        "token_url": "https://new.example/token",
        "token_audience": "",
        "jwks_url": "https://new.example/jwks",
    }


def errors(response):
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def test_a_registration_is_added(boss, entry):
    assert boss.post(address(Registration, "add"), entry).status_code == ADDED
    row = Registration.objects.get(client_id="c-9")
    assert (row.issuer, row.profile, row.accept_new_deployments) == ("https://new.example", "canvas", True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("token_url", "ftp://new.example/"),
        ("token_url", "new.example/token"),
        ("auth_login_url", "https://user:secret@new.example/"),
        ("jwks_url", "https://new.example/ä"),
        ("jwks_url", ""),
        ("issuer", ""),
        ("client_id", " "),
        ("profile", "canvass"),
        ("signing_key", ""),
    ],
)
def test_a_registration_that_could_not_work_is_refused(boss, entry, field, value):
    assert list(errors(boss.post(address(Registration, "add"), entry | {field: value}))) == [field]
    assert Registration.objects.count() == 1


def test_nobody_is_registered_twice(boss, entry):
    boss.post(address(Registration, "add"), entry)
    refused = errors(boss.post(address(Registration, "add"), entry | {"name": "Again"}))
    assert refused == {"client_id": ["It is registered already: New."]}
    assert boss.post(address(Registration, "add"), entry | {"client_id": "C-9"}).status_code == ADDED


def test_what_a_registration_is_known_by_stays(world, boss, entry):
    changed = entry | {"name": "Renamed", "issuer": "https://evil.example", "client_id": "evil", "profile": ""}
    assert boss.post(address(Registration, "change", world.registration), changed).status_code == ADDED
    row = Registration.objects.get(pk=world.registration.pk)
    assert (row.name, row.issuer, row.client_id, row.token_url) == (
        "Renamed",
        "https://campus.example",
        "quiz",
        "https://new.example/token",
    )


def test_what_delivery_writes_is_not_in_the_form(world, boss, entry):
    boss.post(
        address(Registration, "change", world.registration),
        entry | {"paused_at_0": "2026-01-01", "paused_at_1": "10:00", "paused_code": "x"},
    )
    assert Registration.objects.get(pk=world.registration.pk).paused_code == ""


def test_profiles_of_the_project_and_the_rows_own_are_offered(world, boss, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"PROFILES": {"campus": "django_lti_ags.profiles.base.Profile"}}
    Registration.objects.filter(pk=world.registration.pk).update(profile="old")
    page = boss.get(address(Registration, "change", world.registration)).content.decode()
    assert 'value="campus"' in page
    assert 'value="old" selected' in page
    assert 'value="moodle"' in page


def test_a_retired_key_is_not_offered(world, boss, entry):
    retired = SigningKey.objects.create(kid="k2", private_key_encrypted="x", public_jwk={}, retired_at=NOON)
    assert list(errors(boss.post(address(Registration, "add"), entry | {"signing_key": retired.pk}))) == ["signing_key"]


def test_a_deployment_is_listed_once(world, boss):
    entry = {"registration": world.registration.pk, "deployment_id": "D1"}
    assert boss.post(address(Deployment, "add"), entry).status_code == ADDED
    assert list(errors(boss.post(address(Deployment, "add"), entry))) == ["deployment_id"]
    assert list(errors(boss.post(address(Deployment, "add"), {"deployment_id": "D1"}))) == ["registration"]
    row = Deployment.objects.get(deployment_digest=digest("D1"))
    assert boss.post(address(Deployment, "change", row), {"deployment_id": "D2"}).status_code == ADDED
    assert Deployment.objects.get(pk=row.pk).deployment_id == "D1"


def retire(browser, key, when):
    local = timezone.localtime(when)
    form = {"name": "renamed", "retired_at_0": f"{local:%Y-%m-%d}", "retired_at_1": f"{local:%H:%M:%S}"}
    return browser.post(address(SigningKey, "change", key), form)


def test_a_key_is_renamed_and_nothing_else(world, boss):
    form = {"name": "renamed", "retired_at_0": "", "retired_at_1": "", "kid": "x", "private_key_encrypted": "x", "public_jwk": "{}"}
    assert boss.post(address(SigningKey, "change", world.key), form).status_code == ADDED
    key = SigningKey.objects.get(pk=world.key.pk)
    assert (key.name, key.kid, key.private_key_encrypted) == ("renamed", "k1", world.key.private_key_encrypted)
    assert encryption.decrypt(key.private_key_encrypted).startswith("-----BEGIN")


def test_a_key_in_use_is_not_retired(world, boss):
    assert "It still signs for Campus" in str(errors(retire(boss, world.key, NOON)))
    assert SigningKey.objects.get(pk=world.key.pk).retired_at is None


def test_a_key_is_retired_now_and_not_ahead_of_time(world, boss):
    key = SigningKey.objects.create(kid="k2", private_key_encrypted="x", public_jwk={})
    assert "future" in str(errors(retire(boss, key, timezone.now() + timedelta(days=1))))
    assert retire(boss, key, NOON).status_code == ADDED
    assert SigningKey.objects.get(pk=key.pk).retired_at == NOON


def test_rows_are_saved_where_the_tables_are(world, boss, entry, monkeypatch):
    saved = []
    real = Registration.save
    monkeypatch.setattr(Registration, "save", lambda self, **kwargs: (saved.append(kwargs), real(self, **kwargs)))
    boss.post(address(Registration, "add"), entry)
    assert saved == [{"using": "default"}]


def test_registrations_by_kind(world, boss):
    world.add_registration("North", profile="canvas")
    listed = {
        kind: boss.get(address(Registration, "changelist"), {"kind": kind}).context["cl"].result_count
        for kind in ("strict", "canvas", "none such")
    }
    assert listed == {"strict": 1, "canvas": 1, "none such": 0}
    assert boss.get(address(Registration, "changelist")).context["cl"].result_count == 2
