"""A login inside an LMS's page, in browsers that let the tool's cookies in there and in browsers that do not."""

from __future__ import annotations

import pytest
from django.test import Client

from example_project.demo.surfer import Page
from tests.launch.conftest import Begun, post

pytestmark = pytest.mark.urls("tests.launch.urls")

FRAMED = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
IN_A_TAB = FRAMED | {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}


def test_where_cookies_work_the_login_goes_on_after_one_question(desk, client):
    parameters = desk.parameters()
    asked = client.get("/lti/login/", parameters, headers=FRAMED, secure=True)
    assert asked.status_code == 302
    assert asked["Location"].startswith("/lti/login/?")
    cookie = asked.cookies["lti_ags_frame"]
    assert (cookie["samesite"], bool(cookie["secure"]), cookie["httponly"], cookie["max-age"]) == ("None", True, True, "")
    begun = Begun(client.get(asked["Location"], headers=FRAMED, secure=True))
    assert begun.asked["lti_message_hint"] == parameters["lti_message_hint"]
    assert post(client, begun.state, desk.token(begun.nonce), headers=FRAMED, secure=True).status_code == 200


def test_the_next_login_is_not_asked_again(desk, client):
    client.get("/lti/login/", desk.parameters(), headers=FRAMED, secure=True)
    assert Begun(client.get("/lti/login/", desk.parameters(), headers=FRAMED, secure=True)).state


def test_a_login_by_post_is_asked_too(desk, client):
    asked = client.post("/lti/login/", desk.parameters(), headers=FRAMED, secure=True)
    assert Begun(client.get(asked["Location"], headers=FRAMED, secure=True)).asked["login_hint"] == "u1"


def test_where_cookies_are_blocked_a_button_opens_a_window_of_its_own(desk, db):
    parameters = desk.parameters(lti_message_hint='"><script>alert(1)</script>')
    asked = Client().get("/lti/login/", parameters, headers=FRAMED, secure=True)
    blocked = Client().get(asked["Location"], headers=FRAMED, secure=True)
    assert blocked.status_code == 200
    text = blocked.content.decode()
    assert 'target="_blank"' in text
    assert "<script>" not in text
    assert not blocked.cookies
    form = Page("https://testserver/lti/login/", text).forms[0]
    assert form.fields == parameters
    window = Client()
    begun = Begun(window.get(form.action, form.fields, headers=IN_A_TAB, secure=True))
    assert post(window, begun.state, desk.token(begun.nonce), secure=True).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        IN_A_TAB,
        FRAMED | {"Sec-Fetch-Site": "same-site"},
        FRAMED | {"Sec-Fetch-Dest": "document"},
    ],
)
def test_nobody_else_is_asked(desk, client, headers):
    assert client.get("/lti/login/", desk.parameters(), headers=headers, secure=True)["Location"].startswith(desk.platform.auth_url)


def test_a_bad_login_is_refused_before_it_is_asked(client, db):
    assert client.get("/lti/login/", {"iss": "https://stranger.example", "login_hint": "x"}, headers=FRAMED, secure=True).status_code == 400


def test_only_a_logins_own_parameters_are_carried_on(desk, client):
    asked = client.get("/lti/login/", desk.parameters() | {"next": "https://evil.example/"}, headers=FRAMED, secure=True)
    assert "evil" not in asked["Location"]
