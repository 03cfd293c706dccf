"""What Canvas is asked with, in the admin: written, never shown, and never sent to an address that somebody else put in."""

from __future__ import annotations

import pytest

from django_lti_ags.models import CanvasCredential, SyncState
from tests.admin.conftest import address

SAVED = 302
SCHOOL, TOKEN = "https://school.example", "1~canary-of-a-users-token"
KEY = {"kind": "developer_key", "client_id": "100", "client_secret": "canary-secret", "refresh_token": "1~canary-refresh"}


@pytest.fixture
def stored(world):
    return world.canvas_credential


def change(browser, row, **fields):
    return browser.post(address(CanvasCredential, "change", row), {"base_url": SCHOOL, "kind": "user_token"} | fields)


def errors(response):
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def secret():
    return CanvasCredential.objects.get().secret


def test_one_is_added(world, boss):
    world.canvas_credential.delete()
    form = {"registration": world.registration.pk, "base_url": f"{SCHOOL}/"} | KEY
    assert boss.post(address(CanvasCredential, "add"), form).status_code == SAVED
    row = CanvasCredential.objects.get()
    assert (row.base_url, row.client_id) == (SCHOOL, "100")
    assert row.secret == {"client_secret": "canary-secret", "refresh_token": "1~canary-refresh"}
    assert errors(boss.post(address(CanvasCredential, "add"), form)).keys() == {"registration"}


def test_no_page_shows_a_secret(stored, boss):
    change(boss, stored, **KEY)
    refused = change(boss, stored, **(KEY | {"base_url": "nowhere"}))
    pages = [refused] + [boss.get(address(CanvasCredential, page, stored)) for page in ("change", "history", "delete")]
    for page in [*pages, boss.get(address(CanvasCredential, "changelist"))]:
        text = page.content.decode()
        assert page.status_code == 200
        assert "canary" not in text
        assert CanvasCredential.objects.get().secret_encrypted[:30] not in text


def test_without_a_new_one_the_stored_secret_stays(stored, boss):
    assert change(boss, stored).status_code == SAVED
    assert secret() == {"access_token": TOKEN}
    assert change(boss, stored, access_token="1~newer").status_code == SAVED
    assert secret() == {"access_token": "1~newer"}


def test_live_assessments_that_rest_for_want_of_one_go_on(world, stored, boss):
    row = world.add_live_assessment("spelling", state=SyncState.FAILED, code="canvas_token_refused")
    change(boss, stored)
    row.refresh_from_db()
    assert row.state == SyncState.FAILED, "nothing was entered"
    change(boss, stored, access_token="1~newer")
    row.refresh_from_db()
    assert (row.state, row.code, row.due_at is not None) == (SyncState.PENDING, "", True)


@pytest.mark.parametrize("fields", [{"base_url": "https://elsewhere.example"}, KEY | {"client_secret": "", "refresh_token": ""}])
def test_a_secret_does_not_follow_a_changed_address_or_kind(stored, boss, fields):
    assert set(errors(change(boss, stored, **fields))) <= {"access_token", "client_secret", "refresh_token"}
    row = CanvasCredential.objects.get()
    assert (row.base_url, row.kind, row.secret) == (SCHOOL, "user_token", {"access_token": TOKEN})


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        (KEY | {"client_id": ""}, {"client_id"}),
        (KEY | {"refresh_token": ""}, {"refresh_token"}),
        (KEY | {"client_secret": "two words"}, {"client_secret"}),
        ({"access_token": "é"}, {"access_token"}),
        ({"base_url": f"{SCHOOL}/api/v1", "access_token": "1~new"}, {"base_url"}),
        ({"base_url": "http://school.example", "access_token": "1~new"}, {"base_url"}),
        ({"kind": "else"}, {"kind"}),
    ],
)
def test_what_could_not_work_is_refused(stored, boss, fields, wrong):
    assert set(errors(change(boss, stored, **fields))) == wrong
    assert secret() == {"access_token": TOKEN}


def test_a_users_token_has_no_key_id(stored, boss):
    assert change(boss, stored, client_id="100", access_token="1~new").status_code == SAVED
    assert CanvasCredential.objects.get().client_id == ""


def test_who_only_looks_has_nothing_to_enter(stored, person):
    page = person("view_canvascredential").get(address(CanvasCredential, "change", stored)).content.decode()
    assert SCHOOL in page
    assert 'type="password"' not in page


def test_it_may_be_deleted_though_there_are_scores(stored, person):
    browser = person("view_canvascredential", "delete_canvascredential")
    assert browser.post(address(CanvasCredential, "delete", stored), {"post": "yes"}).status_code == SAVED
    assert not CanvasCredential.objects.exists()


def test_nobody_spells_a_secret_out_by_filters(stored, boss):
    answer = boss.get(address(CanvasCredential, "changelist"), {"secret_encrypted__startswith": "g"})
    assert answer.status_code in (302, 400)
