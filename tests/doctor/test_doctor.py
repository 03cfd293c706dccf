"""The doctor finds each fault, says what to change and on which side, and changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.apps import apps

from django_lti_ags import encryption, keys, registrations, results
from django_lti_ags.ags import vocabulary
from django_lti_ags.doctor import Side, Status, examine
from django_lti_ags.models import Context, LineItem, Registration, Service, SigningKey, SyncState
from django_lti_ags.testing.platforms.http import Response, Route

pytestmark = pytest.mark.django_db

FAULTLESS = {
    "delivery": "ok",
    "signing_key": "ok",
    "tool_key_set": "skipped",
    "platform_key_set": "ok",
    "audience": "ok",
    "token": "ok",
    "scopes": "ok",
    "line_item": "ok",
    "results": "ok",
    "clock": "ok",
}


@pytest.fixture
def line_item(campus):
    return campus.line_item()


def examined(registration, **options):
    registration = Registration.objects.select_related("signing_key").get(pk=registration.pk)
    found = list(examine(registration, **options))
    for finding in found:
        assert bool(finding.todo) == (finding.status in (Status.WARN, Status.FAIL)), finding
    return {finding.check: finding for finding in found}


def troubles(found):
    return {check: finding.status.value for check, finding in found.items() if finding.status.value != FAULTLESS[check]}


def change(registration, **values):
    Registration.objects.filter(pk=registration.pk).update(**values)


def everything():
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in apps.get_app_config("lti_ags").get_models()}


def test_all_is_well_and_nothing_was_written(campus, line_item):
    before = everything()
    found = examined(campus.registration)
    assert {check: finding.status.value for check, finding in found.items()} == FAULTLESS
    assert "'Quiz', of 10" in found["line_item"].seen
    assert everything() == before
    ledger = campus.platform.ledger
    assert not ledger.of("score")
    assert {entry.method for kind in ("line_item", "results") for entry in ledger.of(kind)} == {"GET"}
    assert len(ledger.of("token")) == 1


def test_before_the_first_launch(campus):
    found = examined(campus.registration)
    assert troubles(found) == {"line_item": "skipped"}
    assert found["scopes"].seen == "By the token (no launch has brought a column yet): score."
    assert "Open the tool's activity" in found["line_item"].seen


def test_a_course_without_a_column_tells_its_scopes(campus, line_item):
    LineItem.objects.all().delete()
    Context.objects.update(scopes=[vocabulary.SCOPE_SCORE, vocabulary.SCOPE_LINE_ITEM, "https://lms.example/other"])
    assert examined(campus.registration)["scopes"].seen.endswith("lineitem, score.")


def test_a_wrong_key(campus, line_item):
    change(campus.registration, signing_key=keys.generate())
    found = examined(campus.registration)
    assert troubles(found) == {"token": "fail", "scopes": "skipped", "line_item": "skipped"}
    kid = SigningKey.objects.first().kid
    assert kid in found["token"].todo
    assert found["token"].side is Side.PLATFORM


def test_a_key_that_was_made_anew_under_its_old_kid(campus, line_item):
    private = keys.generate()
    SigningKey.objects.filter(kid="tests").update(private_key_encrypted=private.private_key_encrypted)
    found = examined(campus.registration)
    assert troubles(found) == {"token": "fail", "scopes": "skipped", "line_item": "skipped"}
    assert "cannot verify with the tool's key tests" in found["token"].todo


@pytest.mark.parametrize(("stored", "said"), [("nonsense", "ENCRYPTION_KEYS"), (None, "not a PEM private key")])
def test_a_key_that_cannot_be_read(campus, line_item, stored, said):
    SigningKey.objects.update(private_key_encrypted=stored or encryption.encrypt("no key"))
    found = examined(campus.registration)
    assert troubles(found) == {"signing_key": "fail", "token": "skipped", "scopes": "skipped", "line_item": "skipped"}
    assert said in found["signing_key"].seen
    assert found["signing_key"].side is Side.TOOL


def test_a_key_that_was_retired(campus, line_item):
    SigningKey.objects.update(retired_at=datetime(2026, 1, 1, tzinfo=UTC))
    found = examined(campus.registration)
    assert troubles(found) == {"signing_key": "fail"}
    assert "--use" in found["signing_key"].todo


def test_a_wrong_client_id(campus, line_item):
    change(campus.registration, client_id="someone")
    found = examined(campus.registration)
    assert troubles(found) == {"token": "fail", "scopes": "skipped", "line_item": "skipped"}
    assert "the client_id is 'someone' here" in found["token"].todo


def test_a_wrong_audience(make_campus):
    campus = make_campus(audience="https://elsewhere.example/token")
    campus.line_item()
    found = examined(campus.registration)
    assert troubles(found) == {"token": "fail", "scopes": "skipped", "line_item": "skipped"}
    assert f"addressed to {campus.platform.token_url}" in found["token"].todo
    assert "--token-audience" in found["token"].todo
    assert found["token"].side is Side.TOOL
    change(campus.registration, token_audience="https://elsewhere.example/token")
    found = examined(campus.registration)
    assert not troubles(found)
    assert "a value of its own: https://elsewhere.example/token" in found["audience"].seen


def test_brightspace_wants_another_audience(campus, line_item):
    change(campus.registration, profile="d2l")
    found = examined(campus.registration)
    assert troubles(found) == {"audience": "warn"}
    assert "https://api.brightspace.com/auth/token" in found["audience"].todo


def test_a_scope_that_was_taken_away(campus, line_item):
    campus.tool.scopes = [vocabulary.SCOPE_RESULT_READONLY, vocabulary.SCOPE_LINE_ITEM]
    found = examined(campus.registration)
    assert troubles(found) == {"token": "fail", "scopes": "fail"}
    assert vocabulary.SCOPE_SCORE in found["token"].todo
    assert vocabulary.SCOPE_RESULT_READONLY not in found["token"].todo
    assert found["scopes"].seen == "By the newest launch and the token: lineitem, result.readonly."
    assert found["scopes"].side is Side.PLATFORM


def test_scopes_that_are_granted_singly_only(campus, line_item):
    campus.platform.faults.add("status", kind="token", count=1, status=400, body='{"error": "invalid_scope"}')
    found = examined(campus.registration)
    assert troubles(found) == {"token": "fail"}
    assert "not together" in found["token"].todo


@pytest.mark.parametrize(
    ("scopes", "said", "more"),
    [
        ([vocabulary.SCOPE_SCORE, vocabulary.SCOPE_LINE_ITEM], "result.readonly", {"results": "skipped"}),
        ([vocabulary.SCOPE_SCORE, vocabulary.SCOPE_RESULT_READONLY], "lineitem.readonly", {"line_item": "skipped"}),
    ],
)
def test_scopes_that_delivery_can_do_without(campus, line_item, scopes, said, more):
    LineItem.objects.update(scopes=scopes)
    found = examined(campus.registration)
    assert troubles(found) == {"scopes": "warn"} | more
    assert said in found["scopes"].seen


def test_a_tool_that_declares_columns_needs_to_make_them(campus, line_item):
    LineItem.objects.update(declared_digest="d" * 64, scopes=[scope for scope in line_item.scopes if not scope.endswith("/lineitem")])
    found = examined(campus.registration)
    assert troubles(found) == {"scopes": "warn"}
    assert "cannot make them" in found["scopes"].seen


def test_a_launch_that_granted_more_than_the_token_does(make_campus):
    campus = make_campus(cut_scopes=True)
    campus.line_item()
    campus.tool.scopes = [vocabulary.SCOPE_LINE_ITEM]
    found = examined(campus.registration)
    assert troubles(found) == {"scopes": "fail", "results": "skipped"}


@pytest.mark.parametrize(
    ("answer", "said", "side"),
    [
        ({"status": 500}, "--jwks-url", Side.TOOL),
        ({"status": 200, "body": "<html>", "content_type": "text/html"}, "--jwks-url", Side.TOOL),
        ({"status": 200, "body": '{"keys": {}}'}, "--jwks-url", Side.TOOL),
        ({"status": 200, "body": "[]"}, "--jwks-url", Side.TOOL),
        ({"status": 200, "body": '{"keys": []}'}, "publishes no key", Side.PLATFORM),
        ({"status": 200, "body": '{"keys": [7, {"kty": "EC", "kid": "a"}, {"kty": "RSA"}]}'}, "publishes no key", Side.PLATFORM),
    ],
)
def test_the_platforms_key_set_is_none(campus, line_item, answer, said, side):
    campus.platform.faults.add("status", kind="jwks", **answer)
    found = examined(campus.registration)
    assert troubles(found) == {"platform_key_set": "fail"}
    assert said in found["platform_key_set"].todo
    assert found["platform_key_set"].side is side


def test_the_platforms_key_set_drops_its_connection(campus, line_item):
    campus.platform.faults.add("drop_before", kind="jwks")
    found = examined(campus.registration)
    assert troubles(found) == {"platform_key_set": "fail"}
    assert found["platform_key_set"].side is Side.PLATFORM


@pytest.mark.parametrize(("seconds", "status"), [(3, "ok"), (-3, "ok"), (30, "warn"), (-30, "warn"), (3600, "fail"), (-200_000, "fail")])
def test_a_skewed_clock(campus, line_item, seconds, status, monkeypatch):
    def date(*args):
        return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)

    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.date_time_string", date)
    found = examined(campus.registration)
    assert found["clock"].status == status
    if status != "ok":
        assert ("ahead of" in found["clock"].seen) == (seconds > 0)
        assert any(f"is {abs(seconds) + off} s" in found["clock"].seen for off in (-1, 0, 1))


def test_a_platform_that_tells_no_time(campus, line_item, monkeypatch):
    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.date_time_string", lambda *args: "soon")
    assert troubles(examined(campus.registration)) == {"clock": "skipped"}


def test_a_column_that_was_deleted(campus, line_item):
    campus.course.line_items.clear()
    found = examined(campus.registration)
    assert troubles(found) == {"line_item": "fail", "results": "fail"}
    assert "was deleted" in found["line_item"].todo
    assert found["line_item"].side is Side.PLATFORM


def test_a_column_that_is_blocked_here(campus, line_item):
    LineItem.objects.update(block_code="forbidden")
    found = examined(campus.registration)
    assert troubles(found) == {"line_item": "warn"}
    assert "blocked (forbidden)" in found["line_item"].seen


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 403, "body": "{}"}, "permissions in the course"),
        ({"status": 500}, "The platform failed"),
        ({"status": 200, "body": "[7]"}, "not what AGS 2.0 says"),
        ({"status": 429}, "asked for a pause"),
    ],
)
def test_results_that_cannot_be_read(campus, line_item, answer, said):
    campus.platform.faults.add("status", kind="results", **answer)
    found = examined(campus.registration)
    assert troubles(found) == {"results": "fail"}
    assert said in found["results"].todo


def test_of_many_results_one_page_is_read(make_campus):
    campus = make_campus(learners=60)
    column = campus.line_item()
    for number in range(1, 61):
        campus.platform.set_result(campus.link.line_item, f"u{number}", 1)
    results.fetch(column)
    before = len(campus.platform.ledger.of("results"))
    assert before > 1
    assert not troubles(examined(campus.registration))
    assert len(campus.platform.ledger.of("results")) == before + 1


def test_a_paused_registration(campus, line_item):
    registrations.pause(campus.registration, reason="Exam week")
    found = examined(campus.registration)
    assert troubles(found) == {"delivery": "fail"}
    assert "Exam week" in found["delivery"].seen
    assert "Resume it" in found["delivery"].todo


def test_a_campus_that_is_down(campus, line_item):
    Service.objects.update(
        closed_until=datetime.now(UTC), failing_since=datetime(2026, 1, 2, 3, 4, tzinfo=UTC), last_failure_code="unreachable"
    )
    found = examined(campus.registration)
    assert troubles(found) == {"delivery": "warn"}
    assert "since 2026-01-02 03:04 UTC (unreachable)" in found["delivery"].seen
    Service.objects.update(failing_since=None)
    assert "since a while ago" in examined(campus.registration)["delivery"].seen


def test_a_platform_that_nobody_reaches(campus, line_item):
    campus.platform.stop()
    found = examined(campus.registration)
    assert troubles(found) == {"platform_key_set": "fail", "token": "fail", "scopes": "skipped", "line_item": "skipped", "clock": "skipped"}
    assert "Nobody answers at 127.0.0.1" in found["token"].todo


def test_a_private_address_that_nobody_allowed(campus, line_item, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"ALLOWED_PRIVATE_HOSTS": []}
    found = examined(campus.registration)
    assert troubles(found) == {"platform_key_set": "fail", "token": "fail", "scopes": "skipped", "line_item": "skipped", "clock": "skipped"}
    for check in ("platform_key_set", "token"):
        assert "ALLOWED_PRIVATE_HOSTS" in found[check].todo
        assert found[check].side is Side.TOOL


@pytest.mark.parametrize(
    ("answer", "said", "side"),
    [
        ({"status": 404}, "no token endpoint", Side.TOOL),
        ({"status": 302, "headers": [("Location", "/login")]}, "no token endpoint", Side.TOOL),
        ({"status": 200, "body": "<html>"}, "no token endpoint", Side.TOOL),
        ({"status": 503}, "Try again later", Side.PLATFORM),
        ({"status": 400, "body": '{"error": "invalid_request", "error_description": "iat lies ahead"}'}, "clocks differ", Side.TOOL),
        ({"status": 401, "body": '{"error": "unauthorized_client"}'}, "Compare with the platform's tool settings", Side.PLATFORM),
    ],
)
def test_a_token_endpoint_that_gives_none(campus, line_item, answer, said, side):
    campus.platform.faults.add("status", kind="token", **answer)
    found = examined(campus.registration)
    assert troubles(found) == {"token": "fail", "scopes": "skipped", "line_item": "skipped"}
    assert said in found["token"].todo
    assert found["token"].side is side


def test_a_hostile_answer_does_nothing_to_the_terminal(campus, line_item):
    campus.platform.faults.add("status", kind="token", status=400, body="\x1b[2J\x07 gone")
    seen = examined(campus.registration)["token"].seen
    assert "gone" in seen
    assert seen.isprintable()


def test_moodle_that_cannot_fetch_the_tools_key_set(campus, line_item):
    change(campus.registration, profile="moodle")
    campus.platform.faults.add("status", kind="token", status=404)
    assert "could not fetch this tool's key set" in examined(campus.registration)["token"].todo


def served(campus, body):
    campus.platform.add_routes([Route("GET", "/lti/jwks.json", lambda request: Response.json(body), "page")])
    return f"{campus.platform.base_url}/lti/"


def test_the_tools_own_key_set(campus, line_item):
    found = examined(campus.registration, tool_url=served(campus, keys.jwks()))
    assert found["tool_key_set"].status is Status.OK
    assert f"{campus.platform.base_url}/lti/jwks.json holds tests" in found["tool_key_set"].seen


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"keys": [{"kid": f"k{number}"} for number in range(7)]}, "k0, k1, k2, k3, k4 and 2 more, not tests"),
        ({"keys": []}, "holds no key, not tests"),
        ({"keys": [{"kid": "tests", "n": "other"}]}, "holds tests, not tests"),
        ({}, "200"),
    ],
)
def test_a_key_set_that_is_not_the_tools(campus, line_item, body, said):
    found = examined(campus.registration, tool_url=served(campus, body))
    assert troubles(found) == {"tool_key_set": "fail"}
    assert said in found["tool_key_set"].seen
    assert found["tool_key_set"].side is Side.TOOL


def test_a_tool_that_nobody_reaches(campus, line_item):
    found = examined(campus.registration, tool_url="http://tool.invalid/lti")
    assert troubles(found) == {"tool_key_set": "fail"}


def test_each_campus_is_asked(campus, line_item):
    other = Service.objects.create(registration=campus.registration, origin="http://localhost:9")
    LineItem.objects.create(
        context=line_item.context, service=other, url="http://localhost:9/1", scopes=line_item.scopes, state=SyncState.DELIVERED
    )
    registration = Registration.objects.get()
    found = [finding for finding in examine(registration) if finding.check == "line_item"]
    assert {finding.status for finding in found} == {Status.OK, Status.FAIL}
    assert any("localhost:9" in finding.seen for finding in found)
