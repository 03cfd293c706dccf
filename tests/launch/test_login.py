"""The login: what the platform is asked for, and what the browser keeps."""

from __future__ import annotations

import pytest
from django.core import signing
from django.test import Client

from django_lti_ags.launch.browser import LOGINS_AT_ONCE
from django_lti_ags.models import Registration
from tests.launch.conftest import TOOL, Begun, post

pytestmark = pytest.mark.urls("tests.launch.urls")


def test_the_platform_is_asked_as_the_standard_says(desk, client):
    begun = desk.begin(client)
    assert begun.answer["Location"].startswith(desk.platform.auth_url + "?")
    asked = begun.asked
    assert len(asked.pop("state")) > 20
    assert len(asked.pop("nonce")) > 20
    assert asked.pop("lti_message_hint")
    assert asked == {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": "quiz",
        "redirect_uri": TOOL + "launch/",
        "login_hint": "u1",
    }


def test_post_begins_a_login_too(desk, client):
    answer = client.post("/lti/login/", desk.parameters())
    begun = Begun(answer)
    assert post(client, begun.state, desk.token(begun.nonce)).status_code == 200


def test_state_and_nonce_are_new_each_time(desk, client):
    begun = [desk.begin(client) for _ in range(3)]
    assert len({one.state for one in begun} | {one.nonce for one in begun}) == 6


@pytest.mark.parametrize(("secure", "same_site"), [(True, "None"), (False, "")])
def test_the_cookie_works_in_frames_over_https_and_on_plain_localhost(desk, client, secure, same_site):
    cookie = desk.begin(client, secure=secure).cookie
    assert (cookie["samesite"], bool(cookie["secure"])) == (same_site, secure)
    assert (cookie["httponly"], cookie["path"], cookie["max-age"]) == (True, "/", 600)


def test_the_redirect_uri_is_https_where_the_tool_is(desk, client):
    assert desk.begin(client, secure=True).asked["redirect_uri"] == "https://testserver/lti/launch/"


def test_the_target_that_a_login_names_is_not_followed(desk, client):
    answer = client.get("/lti/login/", desk.parameters(target_link_uri="https://evil.example/"))
    assert Begun(answer).asked["redirect_uri"] == TOOL + "launch/"
    assert "evil" not in answer["Location"]


def test_each_namespace_has_its_own_launch(desk, client):
    assert desk.begin(client, "/other/login/").asked["redirect_uri"] == "http://testserver/other/launch/"


def test_an_endpoint_with_a_query_keeps_it(desk, client):
    Registration.objects.update(auth_login_url="https://lms.example/auth?tenant=7")
    location = desk.begin(client).answer["Location"]
    assert location.startswith("https://lms.example/auth?tenant=7&scope=openid&")
    assert location.count("?") == 1


def test_without_a_client_id_the_issuers_only_registration_is_meant(desk, client):
    answer = client.get("/lti/login/", desk.parameters(client_id=None))
    begun = Begun(answer)
    assert begun.asked["client_id"] == "quiz"
    assert post(client, begun.state, desk.token(begun.nonce)).status_code == 200


def test_without_a_client_id_two_registrations_are_one_too_many(desk, client):
    first = Registration.objects.get()
    Registration.objects.create(
        issuer=first.issuer,
        client_id="another",
        signing_key=first.signing_key,
        auth_login_url="https://x.example/a",
        token_url="https://x.example/t",
        jwks_url="https://x.example/j",
    )
    answer = client.get("/lti/login/", desk.parameters(client_id=None))
    assert answer.status_code == 400
    assert "2 registrations have the issuer" in answer.content.decode()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"iss": None}, "no iss"),
        ({"iss": ""}, "no iss"),
        ({"login_hint": None}, "no login_hint"),
        ({"iss": "https://stranger.example"}, "manage.py lti_ags_register"),
        ({"iss": "https://stranger.example", "client_id": None}, "manage.py lti_ags_register"),
        ({"client_id": "QUIZ"}, "manage.py lti_ags_register"),
        ({"client_id": "quiz "}, "manage.py lti_ags_register"),
        ({"client_id": "q\x00"}, "client_id is nothing that a platform sends"),
        ({"iss": "h\x00", "client_id": None}, "iss is nothing that a platform sends"),
        ({"iss": "h" * 3000}, "iss is nothing that a platform sends"),
    ],
)
def test_bad_logins_are_refused_with_a_clear_page(desk, client, changed, said):
    answer = client.get("/lti/login/", desk.parameters(**changed))
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not answer.cookies


def test_what_a_stranger_sends_is_escaped_and_stays_on_one_line(client, db, caplog):
    answer = client.get("/lti/login/", {"iss": "<script>alert(1)</script>\r\nFAKE LOG LINE", "login_hint": "x"})
    assert b"<script>" not in answer.content
    assert b"&lt;script&gt;" in answer.content
    assert [record.getMessage().count("\n") for record in caplog.records if record.name.startswith("django_lti_ags")] == [0]


def test_logins_in_a_loop_do_not_fill_the_browser(desk):
    jar, begun = {}, []
    for _ in range(LOGINS_AT_ONCE + 5):
        # The test client sorts its cookies; browsers send the oldest first.
        begun.append(desk.begin(Client(), headers={"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}))
        jar |= {name: cookie.value for name, cookie in begun[-1].answer.cookies.items()}
        jar = {name: value for name, value in jar.items() if value}
    assert list(jar) == ["lti_ags_" + one.state for one in begun[5:]]


def test_the_cookie_tells_nothing_secret_and_cannot_be_made_up(desk, client):
    begun = desk.begin(client)
    tied = signing.loads(begun.cookie.value, salt="django_lti_ags.launch")
    assert set(tied) == {"state", "nonce", "registration"}
    client.cookies["lti_ags_" + begun.state] = signing.dumps(tied, salt="another")
    assert post(client, begun.state, desk.token(begun.nonce)).status_code == 400
