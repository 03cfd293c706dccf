"""Launches that must not be let in: each is a page that says why, and nothing is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.cache.backends.locmem import LocMemCache
from django.core.signals import got_request_exception
from django.test import Client, override_settings
from django.views.debug import ExceptionReporter
from pylti1p3.message_launch import MessageLaunch

from django_lti_ags.exceptions import LaunchRefused
from django_lti_ags.launch import keysets
from django_lti_ags.launch.browser import BrowserTie, PageRequest
from django_lti_ags.models import Context, Deployment, LineItem
from tests.launch.conftest import PREFIX, post
from tests.launch.urls import Quiz

pytestmark = pytest.mark.urls("tests.launch.urls")


class Ago(int):
    """So many seconds before the test runs; below zero: after."""

    def at(self) -> int:
        return int(time.time()) - self


def is_refused(answer, *said):
    page = answer.content.decode()
    assert answer.status_code == 400, page
    assert "This launch was not let in" in page
    for words in said:
        assert words in page
    assert not Deployment.objects.exists()
    assert not Context.objects.exists()
    assert not LineItem.objects.exists()


BAD_CLAIMS = [
    ({"iss": None}, "iss"),
    ({"iss": 7}, "iss"),
    ({"iss": "https://stranger.example"}, "No registration for issuer"),
    ({"sub": None}, "sub"),
    ({"sub": ""}, "sub"),
    ({"sub": "  "}, "sub"),
    ({"sub": "x" * 256}, "longer than 255"),
    ({"sub": "a\x00"}, "sub"),
    ({"sub": {"id": 1}}, "sub"),
    ({"aud": None, "azp": None}, "aud"),
    ({"aud": [], "azp": None}, "aud"),
    ({"aud": [["quiz"]], "azp": None}, "aud"),
    ({"aud": "another", "azp": None}, "No registration for issuer"),
    ({"aud": ["quiz", "another"], "azp": None}, "no azp"),
    ({"aud": ["quiz", "another"], "azp": "third"}, "azp"),
    ({"aud": "quiz", "azp": "another"}, "azp"),
    ({"aud": ["quiz", "another"], "azp": "another"}, "No registration for issuer"),
    ({"nonce": None}, "nonce"),
    ({"nonce": "made up"}, "nonce"),
    ({"nonce": ["x"]}, "nonce"),
    ({"exp": None}, "exp"),
    ({"exp": "tomorrow"}, "exp"),
    ({"exp": True}, "exp"),
    ({"exp": Ago(3600)}, "expired"),
    ({"iat": None}, "iat"),
    ({"iat": "1795244584"}, "iat"),
    ({"iat": Ago(-3600)}, "iat"),
    ({"iat": Ago(2 * 3600), "exp": Ago(-3600)}, "more than an hour ago"),
    ({"nbf": Ago(-3600)}, "nbf"),
    ({"nbf": "soon"}, "nbf"),
    ({PREFIX + "version": None}, "version"),
    ({PREFIX + "version": "1.3"}, "version must be 1.3.0"),
    ({PREFIX + "version": 1.3}, "version"),
    ({PREFIX + "deployment_id": None}, "deployment_id"),
    ({PREFIX + "deployment_id": 1}, "deployment_id"),
    ({PREFIX + "message_type": None}, "message_type"),
    ({PREFIX + "message_type": "ToolProxyRegistrationRequest"}, "ToolProxyRegistrationRequest"),
    ({PREFIX + "roles": None}, "roles"),
    ({PREFIX + "roles": "Learner"}, "roles"),
    ({PREFIX + "roles": [1]}, "roles"),
    ({PREFIX + "resource_link": None}, "resource_link"),
    ({PREFIX + "resource_link": {}}, "resource_link"),
    ({PREFIX + "resource_link": {"id": ""}}, "resource_link"),
    ({PREFIX + "resource_link": "link"}, "resource_link"),
    ({PREFIX + "target_link_uri": 7}, "target_link_uri"),
]


@pytest.mark.parametrize(("changed", "said"), BAD_CLAIMS, ids=lambda value: json.dumps(value)[:60])
def test_bad_claims(desk, client, changed, said):
    is_refused(desk.launch(client, **{name: value.at() if isinstance(value, Ago) else value for name, value in changed.items()}), said)


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, -1], ids=["nan", "infinity", "huge", "negative"])
def test_times_that_are_no_times(desk, client, name, value):
    begun = desk.begin(client)
    text = json.dumps(desk.claims(begun.nonce) | {name: 123454321}).replace("123454321", json.dumps(value))
    is_refused(post(client, begun.state, desk.sign(text.encode())), "")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        rb'{"iss": "\ud800"}',
        b"{}",
    ],
)
def test_bodies_that_are_no_claims(desk, client, body):
    is_refused(post(client, desk.begin(client).state, desk.sign(body)))


def test_a_lone_surrogate_is_refused(desk, client):
    begun = desk.begin(client)
    for name in ("iss", "sub", "aud", PREFIX + "deployment_id"):
        is_refused(post(client, begun.state, desk.sign(json.dumps(desk.claims(begun.nonce, **{name: "\ud800", "azp": None})).encode())))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"alg": "RS256"}, "kid"),
        ({"alg": "RS256", "kid": ""}, "kid"),
        ({"alg": "RS256", "kid": 7}, "kid"),
        ({"alg": "RS256", "kid": "another"}, "no RS256 key with the kid"),
        ({"alg": "RS256", "kid": "right", "crit": ["b64"], "b64": False}, "crit"),
        ({"alg": "RS384", "kid": "right"}, "RS256"),
        ({"alg": "none", "kid": "right"}, "RS256"),
        ({"kid": "right"}, "RS256"),
        ([], "object"),
    ],
)
def test_bad_headers(desk, client, header, said):
    if isinstance(header, dict) and header.get("kid") == "right":
        header["kid"] = desk.platform.launches.kid
    begun = desk.begin(client)
    token = desk.sign(json.dumps(desk.claims(begun.nonce)).encode(), json.dumps(header).encode())
    is_refused(post(client, begun.state, token), said)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_an_unsigned_token(desk, client, algorithm):
    begun = desk.begin(client)
    header = json.dumps({"alg": algorithm, "kid": desk.platform.launches.kid}).encode()
    token = desk.sign(json.dumps(desk.claims(begun.nonce)).encode(), header)
    is_refused(post(client, begun.state, token.rpartition(".")[0] + "."), "RS256")


def test_an_hmac_with_the_public_key(desk, client):
    begun = desk.begin(client)
    public = desk.platform.launches._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = json.dumps({"alg": "HS256", "kid": desk.platform.launches.kid}).encode()
    signed = desk.sign(json.dumps(desk.claims(begun.nonce)).encode(), header).rpartition(".")[0]
    signature = base64.urlsafe_b64encode(hmac.digest(public, signed.encode(), hashlib.sha256)).rstrip(b"=").decode()
    is_refused(post(client, begun.state, f"{signed}.{signature}"), "RS256")


def test_a_strangers_key_under_the_platforms_kid(desk, client):
    begun = desk.begin(client)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = jwt.encode(desk.claims(begun.nonce), stranger, algorithm="RS256", headers={"kid": desk.platform.launches.kid})
    is_refused(post(client, begun.state, token), "Signature verification failed")


def test_a_key_that_the_token_brings_along(desk, client):
    begun = desk.begin(client)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key(), as_dict=True)
    headers = {"kid": desk.platform.launches.kid, "jwk": own, "jku": "https://evil.example/jwks"}
    token = jwt.encode(desk.claims(begun.nonce), stranger, algorithm="RS256", headers=headers)
    is_refused(post(client, begun.state, token), "Signature verification failed")


def test_a_changed_claim_breaks_the_signature(desk, client):
    begun = desk.begin(client)
    header, _, signature = desk.token(begun.nonce).split(".")
    body = base64.urlsafe_b64encode(json.dumps(desk.claims(begun.nonce, sub="u2")).encode()).rstrip(b"=").decode()
    is_refused(post(client, begun.state, f"{header}.{body}.{signature}"), "Signature verification failed")


def test_a_token_that_two_libraries_read_differently(desk, client, monkeypatch):
    """pylti1p3 reads the claims, PyJWT verifies them: they must be the same ones."""
    begun = desk.begin(client)
    read = MessageLaunch.urlsafe_b64decode
    monkeypatch.setattr(MessageLaunch, "urlsafe_b64decode", staticmethod(lambda part: read(part).replace('"sub": "u1"', '"sub": "u2"')))
    is_refused(post(client, begun.state, desk.token(begun.nonce)), "two ways")


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "." * 3, "..", "null.null.null"])
def test_no_token_at_all(desk, client, token):
    is_refused(post(client, desk.begin(client).state, token))


def test_another_platforms_token_for_this_login(desk, client, make_campus):
    """Both are registered, and each signs rightly; the login was for the first."""
    other = make_campus(client_id="other")
    begun = desk.begin(client)
    claims = desk.claims(begun.nonce) | {"iss": other.platform.issuer, "aud": "other", "azp": "other"}
    is_refused(post(client, begun.state, other.platform.launches.sign(claims)), "another registration")


def test_another_platforms_key_for_this_issuer(desk, client, make_campus):
    other = make_campus(client_id="other")
    begun = desk.begin(client)
    is_refused(post(client, begun.state, other.platform.launches.sign(desk.claims(begun.nonce))), "no RS256 key with the kid")


class TestReplay:
    def test_the_same_launch_twice(self, desk, client):
        begun = desk.begin(client)
        token, cookie = desk.token(begun.nonce), begun.cookie.value
        assert post(client, begun.state, token).status_code == 200
        client.cookies["lti_ags_" + begun.state] = cookie
        again = post(client, begun.state, token)
        assert again.status_code == 400
        assert "used already" in again.content.decode()

    def test_the_same_login_with_a_fresh_token(self, desk, client):
        begun = desk.begin(client)
        cookie = begun.cookie.value
        assert post(client, begun.state, desk.token(begun.nonce)).status_code == 200
        client.cookies["lti_ags_" + begun.state] = cookie
        assert post(client, begun.state, desk.token(begun.nonce, iat=Ago(5).at())).status_code == 400

    def test_a_reloaded_page(self, desk, client):
        begun = desk.begin(client)
        token = desk.token(begun.nonce)
        assert post(client, begun.state, token).status_code == 200
        assert post(client, begun.state, token).status_code == 400

    def test_a_refused_launch_uses_nothing_up(self, desk, client):
        begun = desk.begin(client)
        assert post(client, begun.state, desk.token(begun.nonce, exp=Ago(3600).at())).status_code == 400
        assert post(client, begun.state, desk.token(begun.nonce)).status_code == 200

    def test_in_another_browser(self, desk, client):
        begun = desk.begin(client)
        is_refused(post(Client(), begun.state, desk.token(begun.nonce)), "browser")

    def test_one_logins_state_with_anothers_nonce(self, desk, client):
        mine, other = desk.begin(client), desk.begin(client)
        is_refused(post(client, mine.state, desk.token(other.nonce)), "nonce")

    def test_swapped_cookies(self, desk, client):
        mine, other = desk.begin(client), desk.begin(client)
        client.cookies["lti_ags_" + mine.state] = other.cookie.value
        is_refused(post(client, mine.state, desk.token(other.nonce)), "browser")

    def test_made_up_states(self, desk, client):
        begun = desk.begin(client)
        client.cookies["lti_ags_made-up"] = "made-up"
        for state in ("", "made-up", begun.state + "x", "frame"):
            is_refused(post(client, state, desk.token(begun.nonce)))

    def test_an_old_login(self, desk, client, monkeypatch):
        begun = desk.begin(client)
        monkeypatch.setattr("django_lti_ags.launch.browser.LOGIN_SECONDS", -1)
        is_refused(post(client, begun.state, desk.token(begun.nonce)), "browser")

    @pytest.mark.parametrize("backend", ["dummy.DummyCache"])
    def test_a_cache_that_keeps_nothing_lets_nobody_in(self, desk, client, backend):
        with override_settings(CACHES={"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}):
            is_refused(desk.launch(client), "keeps nothing", "LTI_AGS[&#x27;CACHE&#x27;]")

    def test_a_cache_that_does_not_answer_lets_nobody_in(self, desk, client, monkeypatch):
        """As Memcached's clients do when their errors are swallowed."""
        monkeypatch.setattr(LocMemCache, "add", lambda *args, **kwargs: False)
        monkeypatch.setattr(keysets, "public_key", lambda url, kid: desk.platform.launches._key.public_key())
        is_refused(desk.launch(client), "keeps nothing", "LTI_AGS[&#x27;CACHE&#x27;]")

    def test_of_two_at_once_one_is_let_in(self, rf):
        def use(_):
            tie = BrowserTie(PageRequest(rf.post("/")))
            tie.save_nonce("one")
            try:
                tie.use_up()
            except LaunchRefused as refusal:
                return "used already" in str(refusal)
            return None

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(use, range(40)), key=bool) == [None] + [True] * 39


def test_a_platform_at_a_private_address_is_a_page_for_the_operator(desk, client):
    with override_settings(LTI_AGS={"ALLOWED_PRIVATE_HOSTS": []}):
        answer = desk.launch(client)
    is_refused(answer, "private address", "LTI_AGS[&#x27;ALLOWED_PRIVATE_HOSTS&#x27;]")
    assert "127.0.0.1" not in answer.content.decode()


def test_a_key_set_that_fails_shows_nothing_of_what_the_platform_wrote(desk, client):
    desk.platform.faults.add("status", kind="jwks", status=500, body="canary")
    answer = desk.launch(client)
    is_refused(answer, "it answered 500")
    assert "canary" not in answer.content.decode()


def test_over_plain_http_the_page_says_what_may_be_wrong(desk, client):
    is_refused(post(client, "unknown", "x"), "SECURE_PROXY_SSL_HEADER")
    secure = post(client, "unknown", "x", secure=True)
    assert "SECURE_PROXY_SSL_HEADER" not in secure.content.decode()


def test_a_platforms_own_error_is_shown(client, db):
    """Moodle's answer to somebody who may not launch."""
    answer = client.post("/lti/launch/", {"error": "access_denied", "error_description": "<b>Not</b>\nenrolled" + "x" * 1000, "state": "s"})
    is_refused(answer, "access_denied &lt;b&gt;Not&lt;/b&gt; enrolled")
    assert len(answer.content) < 2000


def test_no_token_reaches_the_page_or_the_log(desk, client, caplog):
    caplog.set_level("DEBUG")
    for changed in (
        {"sub": "canary-user", "exp": Ago(9999).at()},
        {"sub": "canary-user", PREFIX + "version": "canary"},
        {"nonce": "canary"},
    ):
        begun = desk.begin(client)
        token = desk.token(begun.nonce, **changed)
        page = post(client, begun.state, token).content.decode()
        for secret in (token, token.split(".")[1], "canary", begun.nonce, begun.cookie.value):
            assert secret not in page
            assert secret not in caplog.text
    assert "LaunchView" in caplog.text or "Quiz refused" in caplog.text


@pytest.mark.parametrize("failing", ["launched", "refused_by_cache"])
def test_an_error_report_holds_no_token(desk, client, monkeypatch, failing):
    """What Django mails to the admins when the tool itself fails."""
    reports = []

    def report(sender, request, **kwargs):
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    def fail(*args):
        raise ZeroDivisionError

    if failing == "launched":
        monkeypatch.setattr(Quiz, "launched", fail)
    else:
        monkeypatch.setattr(BrowserTie, "use_up", fail)
    client.raise_request_exception = False
    begun = desk.begin(client)
    token = desk.token(begun.nonce, name="Canary Person")
    got_request_exception.connect(report)
    try:
        assert post(client, begun.state, token).status_code == 500
    finally:
        got_request_exception.disconnect(report)
    assert "ZeroDivisionError" in reports[0]
    for secret in (token, token.rpartition(".")[2], "Canary Person"):
        assert secret not in reports[0]
