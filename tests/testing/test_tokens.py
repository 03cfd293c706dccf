"""Each refusal of the token endpoint, with the reason it gives: a refusal for another reason would be no check."""

import json
import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms import ALL_SCOPES, Response, Route, SimulatedPlatform, keysets
from tests.conftest import KEY_ID
from tests.testing.conftest import Plain


def sign(plain, *, key=None, alg="RS256", kid=KEY_ID, **changed):
    return jwt.encode(plain.claims(**changed), key or plain.key.private, alg, headers={"kid": kid} if kid else None)


def refusal(answer):
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert set(body) == {"error", "error_description"}
    return answer.status_code, body["error"], body["error_description"]


def handed_out(plain):
    return plain.platform.ledger.of("token", applied=True)


def test_a_granted_token_says_what_it_is_for(plain):
    answer = plain.ask(sign(plain))
    body = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], set(body["scope"].split())) == ("Bearer", 3600, set(ALL_SCOPES))
    assert plain.ask(sign(plain)).json()["access_token"] != body["access_token"]


@pytest.mark.parametrize(
    ("header", "status", "words"),
    [
        ({"key": "x" * 64, "alg": "HS256"}, 400, "must be RS256"),
        ({"alg": "RS512"}, 400, "must be RS256"),
        ({"alg": "none"}, 400, "must be RS256"),
        ({"kid": None}, 400, "name its kid"),
        ({"kid": "other"}, 401, "no such kid"),
    ],
)
def test_headers(plain, header, status, words):
    assertion = jwt.encode(plain.claims(), None, "none", headers={"kid": KEY_ID}) if header.get("alg") == "none" else sign(plain, **header)
    answer = refusal(plain.ask(assertion))
    assert answer[:2] == (status, "invalid_client")
    assert words in answer[2]
    assert handed_out(plain) == []


@pytest.mark.parametrize(
    ("changed", "expected", "words"),
    [
        ({"aud": "https://other.example/token"}, (400, "invalid_client"), "Audience doesn't match"),
        ({"aud": None}, (400, "invalid_client"), 'missing the "aud" claim'),
        ({"exp": None}, (400, "invalid_client"), 'missing the "exp" claim'),
        ({"iat": None}, (400, "invalid_client"), 'missing the "iat" claim'),
        ({"jti": None}, (400, "invalid_client"), 'missing the "jti" claim'),
        ({"iat": "now"}, (400, "invalid_request"), "must be numbers"),
        ({"iat": True}, (400, "invalid_request"), "must be numbers"),
        ({"iat": "1700000000"}, (400, "invalid_request"), "must be numbers"),
        ({"exp": "soon"}, (400, "invalid_client"), "integer"),
        ({"exp": "99999999999"}, (400, "invalid_request"), "must be numbers"),
        ({"iat": float("nan")}, (400, "invalid_request"), "must be numbers"),
        ({"iat": float("inf")}, (400, "invalid_request"), "must be numbers"),
        ({"iat": 10**400}, (400, "invalid_request"), "must be numbers"),
        ({"exp": float("nan")}, (400, "invalid_client"), "integer"),
        ({"exp": float("inf")}, (400, "invalid_client"), "integer"),
        ({"jti": ""}, (400, "invalid_request"), "jti must be text"),
        ({"jti": " "}, (400, "invalid_request"), "jti must be text"),
        ({"iss": "other", "sub": "other"}, (401, "invalid_client"), "unknown client"),
        ({"iss": "other"}, (401, "invalid_client"), "unknown client"),
        ({"sub": "other"}, (401, "invalid_client"), "unknown client"),
        ({"iss": None}, (401, "invalid_client"), "unknown client"),
        ({"sub": None}, (401, "invalid_client"), "unknown client"),
    ],
)
def test_claims(plain, changed, expected, words):
    answer = refusal(plain.ask(raw_sign(plain, changed)))
    assert answer[:2] == expected
    assert words in answer[2]
    assert handed_out(plain) == []


def raw_sign(plain, changed):
    """PyJWT's own ``encode`` refuses claims of a wrong type; a strange tool may send them."""
    return jwt.api_jws.encode(json.dumps(plain.claims(**changed)).encode(), plain.key.private, algorithm="RS256", headers={"kid": KEY_ID})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ({"iat": -120, "exp": -1}, "expired"),
        ({"iat": 60, "exp": 120}, "iat lies ahead"),
        ({"iat": 0, "exp": 3601}, "lives too long"),
        ({"iat": 9, "exp": 6}, "ends before it begins"),
    ],
)
def test_times(plain, seconds, words):
    now = int(time.time())
    answer = refusal(plain.ask(sign(plain, **{name: now + offset for name, offset in seconds.items()})))
    assert answer[0] == 400
    assert words in answer[2]


@pytest.mark.parametrize("seconds", [{"iat": 5, "exp": 60}, {"iat": -1, "exp": 3599}, {"iat": -0.5, "exp": 59.5}])
def test_times_within_the_leeway(plain, seconds):
    now = int(time.time())
    assert plain.ask(sign(plain, **{name: now + offset for name, offset in seconds.items()})).status_code == 200


def test_a_jti_is_good_once_even_in_another_assertion(plain):
    assert plain.ask(sign(plain, jti="same")).status_code == 200
    again = refusal(plain.ask(sign(plain, jti="same", exp=int(time.time()) + 90)))
    assert again == (400, "invalid_request", "the jti was used before")


def test_a_refused_assertion_does_not_use_up_its_jti(plain):
    assert plain.ask(sign(plain, jti="same", aud="https://other.example")).status_code == 400
    assert plain.ask(sign(plain, jti="same")).status_code == 200


def test_a_strangers_signature(plain):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert refusal(plain.ask(sign(plain, key=stranger))) == (400, "invalid_client", "Signature verification failed")


def test_the_audience_can_be_another(tool_key):
    with SimulatedPlatform(audience="https://aud.example") as platform:
        plain = Plain(platform, tool_key)
        assert plain.ask(sign(plain)).status_code == 400
        assert plain.ask(sign(plain, aud="https://aud.example")).status_code == 200
        plain.session.close()


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"client_assertion_type": "other"}, "invalid_request"),
        ({"assertion": "nonsense"}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"headers": {"Content-Type": "application/json"}}, "invalid_request"),
    ],
)
def test_forms(plain, changed, error):
    assert refusal(plain.ask(**changed))[:2] == (400, error)


def test_scopes_are_granted_all_or_none(plain):
    plain.tool.scopes = [vocabulary.SCOPE_SCORE, vocabulary.SCOPE_RESULT_READONLY]
    both = f"{vocabulary.SCOPE_SCORE} {vocabulary.SCOPE_LINE_ITEM}"
    assert refusal(plain.ask(scope=both))[:2] == (400, "invalid_scope")
    assert plain.ask(scope=vocabulary.SCOPE_SCORE).json()["scope"] == vocabulary.SCOPE_SCORE


def test_scopes_can_be_cut(tool_key):
    with SimulatedPlatform(cut_scopes=True) as platform:
        plain = Plain(platform, tool_key)
        plain.tool.scopes = [vocabulary.SCOPE_SCORE]
        assert plain.ask().json()["scope"] == vocabulary.SCOPE_SCORE
        assert refusal(plain.ask(scope=vocabulary.SCOPE_LINE_ITEM))[:2] == (400, "invalid_scope")
        plain.session.close()


def test_a_jwks_url_is_asked_and_obeyed(plain, tool_key):
    published = []
    routes = [Route("GET", "/keys", lambda request: Response.json({"keys": published}), "jwks")]
    with SimulatedPlatform(routes=routes) as site:
        plain.tool.public_jwks, plain.tool.jwks_url = None, f"{site.base_url}/keys"
        assert refusal(plain.ask())[:2] == (401, "invalid_client")
        published.append(tool_key.jwk)
        assert plain.ask().status_code == 200
        assert [entry.path for entry in site.ledger.of("jwks")] == ["/keys", "/keys"]


def test_a_short_life_is_announced_and_kept(tool_key):
    with SimulatedPlatform(token_lifetime_seconds=0) as platform:
        plain = Plain(platform, tool_key)
        assert plain.ask().json()["expires_in"] == 0
        answer = plain.call("GET", plain.container)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
        plain.session.close()


def test_revoked_tokens_are_worthless_and_new_ones_are_not(plain):
    first, second = plain.token(), plain.token()
    plain.platform.desk.revoke_all()
    assert [plain.call("GET", plain.container, token=token).status_code for token in (first, second)] == [401, 401]
    assert plain.call("GET", plain.container).status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer unknown", "Basic {token}", "bearer {token}", "{token}"])
def test_what_is_no_bearer_token(plain, authorization):
    headers = {} if authorization is None else {"Authorization": authorization.format(token=plain.token())}
    prepared = requests.Request("GET", plain.container, headers=headers).prepare()
    assert plain.session.send(prepared, timeout=10).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "enough"),
    [
        ("GET", "", {vocabulary.SCOPE_LINE_ITEM, vocabulary.SCOPE_LINE_ITEM_READONLY}),
        ("POST", "", {vocabulary.SCOPE_LINE_ITEM}),
        ("GET", "/1", {vocabulary.SCOPE_LINE_ITEM, vocabulary.SCOPE_LINE_ITEM_READONLY}),
        ("PUT", "/1", {vocabulary.SCOPE_LINE_ITEM}),
        ("DELETE", "/1", {vocabulary.SCOPE_LINE_ITEM}),
        ("POST", "/1/scores", {vocabulary.SCOPE_SCORE}),
        ("GET", "/1/results", {vocabulary.SCOPE_RESULT_READONLY}),
        ("GET", "/1/results/u1", {vocabulary.SCOPE_RESULT_READONLY}),
    ],
)
def test_each_endpoint_asks_for_its_scope(plain, method, path, enough):
    allowed = {
        scope for scope in ALL_SCOPES if plain.call(method, plain.container + path, token=plain.token(scope=scope)).status_code != 403
    }
    assert allowed == enough


def test_a_jwks_url_where_nothing_answers_is_a_refusal(plain):
    with SimulatedPlatform(routes=[Route("GET", "/no-keys", lambda request: Response.html("<h1>Hello</h1>"))]) as site:
        for path in ("/nowhere", "/no-keys"):
            plain.tool.public_jwks, plain.tool.jwks_url = None, site.base_url + path
            assert refusal(plain.ask())[:2] == (401, "invalid_client")
    assert refusal(plain.ask())[:2] == (401, "invalid_client")  # nobody listens there any more


def test_a_published_key_that_is_none_is_a_refusal(plain):
    for keys in ([{"kid": KEY_ID, "kty": "RSA"}], [{"kid": KEY_ID, "kty": "unknown"}]):
        plain.tool.public_jwks = {"keys": keys}
        assert refusal(plain.ask())[:2] == (401, "invalid_client")


@pytest.mark.parametrize("changed", [{"jti": ["a"]}, {"jti": 5}, {"sub": ["quiz"]}, {"iss": {"a": 1}}, {"aud": 5}])
def test_claims_of_another_type(plain, changed):
    assert refusal(plain.ask(raw_sign(plain, changed)))[0] in (400, 401)


@pytest.fixture
def proxied(monkeypatch):
    """Requests that obey the environment go to a proxy where nobody is."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_jwks_is_fetched_without_the_environments_proxy(plain, tool_key, proxied):
    routes = [Route("GET", "/keys", lambda request: Response.json({"keys": [tool_key.jwk]}), "jwks")]
    with SimulatedPlatform(routes=routes) as site:
        plain.tool.public_jwks, plain.tool.jwks_url = None, f"{site.base_url}/keys?version=1"
        assert plain.ask().status_code == 200
        assert [entry.query for entry in site.ledger.of("jwks")] == ["version=1"]


def key_site(tool_key, **values):
    """A tool's site whose key set is right but for what is said."""
    right = {"body": json.dumps({"keys": [tool_key.jwk]}).encode()} | values
    return SimulatedPlatform(routes=[Route("GET", "/keys", lambda request: Response(**right), "jwks")])


@pytest.mark.parametrize("fault", [{"effect": "slow", "seconds": 30}, {"effect": "drip", "seconds": 0.05}])
def test_a_jwks_that_takes_for_ever_is_given_up(plain, tool_key, fault, monkeypatch):
    monkeypatch.setattr(keysets, "DEADLINE_SECONDS", 0.5)
    with key_site(tool_key) as site:
        site.faults.add(**fault)
        plain.tool.public_jwks, plain.tool.jwks_url = None, f"{site.base_url}/keys"
        started = time.monotonic()
        assert refusal(plain.ask())[:2] == (401, "invalid_client")
        assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "values",
    [
        {"status": 500},
        {"status": 302, "headers": [("Location", "/other")]},
        {"body": b" " * 2_000_000},
        {"body": b"[]"},
        {"body": b"null"},
        {"body": b'{"keys": 5}'},
        {"body": b'{"keys": [5]}'},
        {"body": b"[" * 200_000},
        {"body": b"\xff"},
    ],
)
def test_a_jwks_that_is_none_is_a_refusal(plain, tool_key, values):
    with key_site(tool_key, **values) as site:
        plain.tool.public_jwks, plain.tool.jwks_url = None, f"{site.base_url}/keys"
        assert refusal(plain.ask())[:2] == (401, "invalid_client")


@pytest.mark.parametrize("url", ["", "file:///etc/hostname", "/keys", "http://", "http://[", "http://127.0.0.1:99999/"])
def test_a_jwks_url_that_is_none_is_a_refusal(plain, url):
    plain.tool.public_jwks, plain.tool.jwks_url = None, url
    assert refusal(plain.ask())[:2] == (401, "invalid_client")


def test_a_jwks_url_may_be_https(plain, platform):
    """Nobody speaks TLS there; that it was tried is what shows."""
    plain.tool.public_jwks, plain.tool.jwks_url = None, platform.base_url.replace("http:", "https:")
    answer = refusal(plain.ask())
    assert answer[:2] == (401, "invalid_client")
    assert "SSL" in answer[2]
