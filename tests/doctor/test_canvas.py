"""The doctor and Canvas' REST API: whether the stored credential works, what it lacks, and nothing changed by looking."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from django_lti_ags import canvas_credentials
from django_lti_ags.canvas import SCOPES
from django_lti_ags.doctor import Side, Status, examine
from django_lti_ags.models import CanvasCredential, Registration
from django_lti_ags.testing.platforms import Effect

pytestmark = pytest.mark.django_db


def examined(school):
    registration = Registration.objects.select_related("signing_key").get(pk=school.registration.pk)
    return [finding for finding in examine(registration) if finding.check.startswith("canvas")]


def shown(findings):
    return [(finding.check, finding.status.value) for finding in findings]


ALL_WELL = [("canvas_token", "ok"), ("canvas_scopes", "ok"), ("canvas_course", "ok")]


def test_without_a_credential_nothing_is_said(school):
    assert examined(school) == []


@pytest.mark.parametrize("kind", ["token", "key", "key with scopes"])
def test_one_that_works(school, kind):
    school.context()
    if kind == "token":
        school.store_token()
    else:
        school.store_key(scopes=SCOPES if "scopes" in kind else None)
    found = examined(school)
    assert shown(found) == ALL_WELL
    assert "can be read" in found[-1].seen


def test_looking_changes_nothing_at_canvas(school):
    school.context()
    school.store_token()
    before = repr(school.book) + repr(school.rest.live)
    examined(school)
    assert repr(school.book) + repr(school.rest.live) == before
    posted = [entry for entry in school.campus.platform.ledger.entries if entry.method == "POST" and "/api/v1/" in entry.path]
    assert len(posted) == 4
    assert all("/courses/0/" in entry.path or entry.path.endswith("/enqueue_outcome_rollup_calculation") for entry in posted)


def test_each_missing_scope_is_named_with_what_to_change(school):
    granted = [scope for scope in SCOPES if scope.startswith("url:GET") and "live" not in scope]
    school.context()
    school.store_key(scopes=granted)
    found = examined(school)
    missing = [finding for finding in found if finding.check == "canvas_scopes"]
    assert [finding.seen.removeprefix("Not granted: ") for finding in missing] == [scope for scope in SCOPES if scope not in granted]
    assert {(finding.status, finding.side) for finding in missing} == {(Status.WARN, Side.PLATFORM)}
    assert "Add the scope to the developer key" in missing[0].todo
    assert shown(found)[-1] == ("canvas_course", "ok")


@pytest.mark.parametrize(
    ("spoil", "seen", "todo"),
    [
        (lambda school: school.store_token("1~unknown"), "Invalid access token.", "lti_ags_canvas_credential"),
        (lambda school: school.store_token(school.rest.issue_token(lifetime_seconds=-1)), "Expired access token.", "new access token"),
        (lambda school: school.rest.register_key("100"), "invalid client", "let the user authorise the tool again"),
    ],
)
def test_one_that_does_not(school, spoil, seen, todo):
    school.store_key()
    spoil(school)
    [found] = examined(school)
    assert (found.check, found.status, found.side) == ("canvas_token", Status.FAIL, Side.TOOL)
    assert seen in found.seen
    assert todo in found.todo


def test_an_address_that_is_no_canvas(school):
    canvas_credentials.store_user_token(school.registration, base_url="http://127.0.0.1:9", access_token="1~token")
    [found] = examined(school)
    assert (found.status, "127.0.0.1" in found.todo) == (Status.FAIL, True)
    school.store_token()
    school.campus.platform.faults.add(Effect.STATUS, kind="outcome_results", status=500)
    [found] = examined(school)
    assert "Is this the address of your Canvas?" in found.todo


def test_one_that_cannot_be_decrypted(school):
    school.store_token()
    CanvasCredential.objects.update(secret_encrypted=Fernet(Fernet.generate_key()).encrypt(b"x").decode())
    [found] = examined(school)
    assert (found.check, found.status) == ("canvas_token", Status.FAIL)
    assert "ENCRYPTION_KEYS" in found.seen


def test_a_user_who_may_not_see_the_course(school):
    school.context()
    school.store_token(school.rest.issue_token(teaches=False))
    found = examined(school)
    assert shown(found)[-1] == ("canvas_course", "warn")
    assert "user not authorized" in found[-1].seen
    assert "token of someone who may see" in found[-1].todo


def test_courses_that_are_not_known(school):
    school.store_token()
    assert shown(examined(school))[-1] == ("canvas_course", "skipped")
    school.campus.line_item()
    found = examined(school)
    assert shown(found)[-1] == ("canvas_course", "warn")
    assert "canvas_course_id=$Canvas.course.id" in found[-1].seen
