"""What a learner reads when a launch does not work is in their language; what the log says is not."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import translation

from tests.launch.conftest import PREFIX, post

pytestmark = [pytest.mark.urls("tests.launch.urls"), pytest.mark.django_db]


@pytest.fixture
def german():
    """A browser that asks for German; the language of its last request would stay this thread's."""
    with translation.override(translation.get_language()):
        yield Client(headers={"accept-language": "de"})


def test_a_refusal_is_in_german_and_logged_in_english(german, caplog):
    answer = post(german, "unknown", "x")
    page = answer.content.decode()
    assert answer.status_code == 400
    assert '<html lang="de">' in page
    for said in (
        "Dieser Aufruf wurde nicht zugelassen",
        "in den letzten 10 Minuten begonnen",
        "hinter einem Proxy setzen Sie",
        "Gehen Sie zurück",
    ):
        assert said in page
    assert "does not answer a login" not in page
    assert "Quiz refused: This launch does not answer a login that this browser began within the last 10 minutes." in caplog.text


def test_a_launch_that_was_used_is_in_german(desk, german, caplog):
    begun = desk.begin(german)
    token = desk.token(begun.nonce)
    assert post(german, begun.state, token).status_code == 200
    german.cookies[begun.cookie.key] = begun.cookie.value
    assert "Ein Aufruf gilt einmal" in post(german, begun.state, token).content.decode()
    assert "This launch was used already" in caplog.text


def test_a_language_that_is_written_from_right_to_left(german):
    german.defaults["HTTP_ACCEPT_LANGUAGE"] = "ar"
    assert '<html lang="ar" dir="rtl">' in post(german, "unknown", "x").content.decode()


WRONG = [
    {"sub": None},
    {"aud": []},
    {"azp": "another"},
    {"exp": "soon"},
    {"exp": 1},
    {"iat": 9_999_999_999},
    {PREFIX + "version": "1.1"},
    {PREFIX + "message_type": "LtiSubmissionReviewRequest"},
    {PREFIX + "deployment_id": "none such"},
    {PREFIX + "roles": None},
    {PREFIX + "resource_link": {}},
    {"nonce": "another"},
]


@pytest.fixture
def pseudo(monkeypatch):
    """A language in which everything that is translated stands in these marks."""
    monkeypatch.setattr(translation._trans, "gettext", lambda message: f"«{message}»")


def reason(answer):
    assert answer.status_code == 400
    return answer.content.decode().split("<p>")[1].split("</p>")[0]


@pytest.mark.parametrize("changed", WRONG, ids=str)
def test_every_reason_can_be_said_in_any_language(desk, client, pseudo, changed):
    desk.campus.registration.accept_new_deployments = False
    desk.campus.registration.save()
    desk.campus.registration.deployments.create(deployment_id=desk.campus.tool.deployment_id)
    told = reason(desk.launch(client, **changed))
    assert told.startswith("«")
    assert "{" not in told


def test_so_can_those_before_a_launch_and_of_a_key_set(desk, client, pseudo):
    assert reason(client.get("/lti/login/")).startswith("«The login has no iss")
    assert reason(client.get("/lti/login/", desk.parameters(iss="https://nobody.example"))).startswith("«No registration for issuer")
    assert reason(client.post("/lti/launch/", {"error": "access_denied"})).startswith("«The platform did not launch")
    desk.platform.faults.add("status", kind="jwks", status=503)
    told = reason(desk.launch(client))
    assert "«The platform&#x27;s key set at http" in told
    assert told.endswith("it answered 503.»»")


def test_what_a_cache_keeps_of_a_failure_is_said_in_each_readers_language(desk, client, pseudo, monkeypatch):
    desk.platform.faults.add("status", kind="jwks", status=503)
    assert "«" in reason(desk.launch(client))
    monkeypatch.setattr(translation._trans, "gettext", lambda message: f"‹{message}›")
    told = reason(desk.launch(client))
    assert "it answered 503" in told
    assert "«" not in told
