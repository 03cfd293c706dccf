"""How a tool proves itself, and where its tokens are kept."""

import threading
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_lti_ags.ags.tokens import Credentials, MemoryTokenStore, Token
from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM, SCOPE_SCORE

URL = "https://lms.example/token"


SCOPES = frozenset({SCOPE_SCORE, SCOPE_LINE_ITEM})


NOW = 1_800_000_000.5


SECONDS = 10


def token(text="t0ken", expires_at=NOW + 100):
    return Token(text, SCOPES, expires_at)


def test_a_store_keeps_replaces_and_forgets():
    store = MemoryTokenStore()
    assert store.get("a") is None
    store.set("a", token("one"))
    store.set("b", token("two"))
    store.set("a", token("three"))
    assert store.get("a").access_token == "three"
    store.delete("a", token("three"))
    assert store.get("a") is None
    assert store.get("b").access_token == "two"
    store.delete("a", token("three"))


def test_a_newer_token_is_not_forgotten():
    store = MemoryTokenStore()
    store.set("a", token("new"))
    store.delete("a", token("old"))
    assert store.get("a").access_token == "new"


def test_a_lock_holds_its_key_and_no_other():
    store = MemoryTokenStore()
    entered = threading.Event()

    def enter(key):
        with store.lock(key):
            entered.set()

    with store.lock("a"):
        other = threading.Thread(target=enter, args=("b",))
        other.start()
        assert entered.wait(SECONDS)
        other.join()
        entered.clear()
        same = threading.Thread(target=enter, args=("a",))
        same.start()
        assert not entered.wait(0.05)
    assert entered.wait(SECONDS)
    same.join()


def test_a_lock_is_free_again_after_an_error():
    store = MemoryTokenStore()
    with pytest.raises(KeyError), store.lock("a"):
        raise KeyError
    with store.lock("a"):
        assert store.get("a") is None


def test_the_claims_of_an_assertion(credentials, tool_key):
    text = credentials.assertion(NOW)
    assert jwt.get_unverified_header(text) == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
    claims = jwt.decode(text, tool_key.private.public_key(), ["RS256"], audience=URL, options={"verify_exp": False, "verify_iat": False})
    jti = claims.pop("jti")
    assert claims == {"iss": "quiz", "sub": "quiz", "aud": URL, "iat": int(NOW) - 5, "exp": int(NOW) + 295}
    again = jwt.decode(credentials.assertion(NOW), options={"verify_signature": False})
    assert isinstance(jti, str)
    assert again["jti"] != jti


def test_the_audience_can_be_another(credentials):
    text = replace(credentials, audience="https://api.brightspace.com/auth/token").assertion(NOW)
    assert jwt.decode(text, options={"verify_signature": False})["aud"] == "https://api.brightspace.com/auth/token"


def test_a_key_as_text_is_parsed_once(tool_key):
    credentials = Credentials(URL, "quiz", tool_key.pem, "kid-1")
    assert isinstance(credentials.private_key, rsa.RSAPrivateKey)
    assert credentials.private_key.private_numbers() == tool_key.private.private_numbers()


def test_no_repr_shows_a_secret(tool_key):
    key_line = tool_key.pem.splitlines()[1]
    for shown in (repr(Credentials(URL, "quiz", tool_key.pem, "kid-1")), str(Credentials(URL, "quiz", tool_key.private, "kid-1"))):
        assert "quiz" in shown
        assert "private_key" not in shown
        assert "RSA" not in shown
        assert key_line not in shown
    assert "t0ken" not in repr(token("t0ken"))
    assert str(NOW + 100) in repr(token("t0ken"))


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def test_a_key_that_cannot_sign_is_refused_without_showing_it(tool_key):
    curve = ec.generate_private_key(ec.SECP256R1())
    public = tool_key.private.public_key()
    wrong = [pem(tool_key.private, BestAvailableEncryption(b"pass")), tool_key.pem[:400], "", "ä", pem(curve), curve, public, None, b"x"]
    for key in wrong:
        with pytest.raises(ValueError, match="private_key") as caught:
            Credentials(URL, "quiz", key, "kid-1")
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        assert tool_key.pem.splitlines()[1] not in str(caught.value)


def test_the_key_of_a_token(credentials):
    key = credentials.token_key(SCOPES)
    assert key == credentials.token_key([SCOPE_SCORE, SCOPE_LINE_ITEM]) == credentials.token_key([SCOPE_LINE_ITEM, SCOPE_SCORE])
    assert key == replace(credentials, audience=URL).token_key(SCOPES)
    assert key == replace(credentials, key_id="kid-2").token_key(SCOPES)
    others = [
        credentials.token_key([SCOPE_SCORE]),
        credentials.token_key([]),
        replace(credentials, token_url=URL + "?tenant=2").token_key(SCOPES),
        replace(credentials, client_id="quiz2").token_key(SCOPES),
        replace(credentials, audience="other").token_key(SCOPES),
    ]
    assert len({key, *others}) == 6
    assert len(key) == 64


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=4), min_size=4, max_size=4), st.lists(st.text(max_size=4), min_size=4, max_size=4))
def test_different_things_have_different_keys(credentials, one, two):
    def key(values):
        return replace(credentials, token_url=values[0], client_id=values[1], audience=values[2] or None).token_key(values[3:])

    def meant(values):
        return [*values[:2], values[2] or values[0], values[3]]

    assert (key(one) == key(two)) == (meant(one) == meant(two))
