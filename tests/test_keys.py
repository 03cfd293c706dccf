"""The tool's signing keys: made, taken over, published, and stored so that a copy of the database gives none away."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat
from pylti1p3.registration import Registration as LibraryRegistration

from django_lti_ags import keys
from django_lti_ags.models import SigningKey

pytestmark = pytest.mark.django_db


def pem_of(private, encryption=None) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encryption or NoEncryption()).decode()


@pytest.fixture(scope="module")
def private():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_a_new_key_signs_what_its_public_half_verifies():
    key = keys.generate("2026")
    assert key.name == "2026"
    token = jwt.encode({"a": 1}, key.private_key_pem, algorithm="RS256", headers={"kid": key.kid})
    [published] = keys.jwks()["keys"]
    assert jwt.decode(token, jwt.PyJWK(published).key, algorithms=["RS256"]) == {"a": 1}
    assert (published["kid"], published["use"], published["alg"], published["kty"]) == (key.kid, "sig", "RS256", "RSA")
    assert set(published) == {"kty", "n", "e", "kid", "alg", "use"}


def test_the_private_half_is_stored_encrypted():
    key = keys.generate()
    stored = json.dumps(SigningKey.objects.values().get(), default=str)
    assert "PRIVATE KEY" not in stored
    assert key.private_key_pem.splitlines()[1] not in stored
    assert "PRIVATE" not in repr(key) + str(key)


@pytest.mark.parametrize("bits", [512, 1024, 2047])
def test_short_keys_are_refused(bits):
    with pytest.raises(keys.InvalidKey, match="at least 2048 bits"):
        keys.generate(bits=bits)
    assert not SigningKey.objects.exists()


def test_longer_keys_may_be_made():
    assert jwt.PyJWK(keys.generate(bits=3072).public_jwk).key.key_size == 3072


def test_a_key_that_is_taken_over_keeps_the_kid_that_pylti1p3_gives_it(private):
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = keys.import_pem(pem_of(private), name="old.key")
    assert key.public_jwk == LibraryRegistration.get_jwk(public)
    assert key.kid == LibraryRegistration().set_tool_public_key(public).get_kid()


def test_a_kid_of_ones_own(private):
    assert keys.import_pem(pem_of(private), kid="mine").kid == "mine"


def test_the_same_key_again_changes_nothing(private):
    first = keys.import_pem(pem_of(private), name="first")
    assert keys.import_pem(pem_of(private), name="second").pk == first.pk
    assert SigningKey.objects.get().name == "first"


def test_another_key_under_a_kid_that_is_taken(private):
    keys.generate()
    keys.import_pem(pem_of(private), kid="taken")
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(keys.InvalidKey, match="'taken' already"):
        keys.import_pem(pem_of(other), kid="taken")


def test_kids_are_told_apart_byte_for_byte(private):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert keys.import_pem(pem_of(private), kid="Key").pk != keys.import_pem(pem_of(other), kid="key ").pk


def test_a_retired_key_is_not_taken_over_again(private):
    key = keys.import_pem(pem_of(private))
    SigningKey.objects.update(retired_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert keys.jwks() == {"keys": []}
    with pytest.raises(keys.InvalidKey, match=f"{key.kid}.*retired"):
        keys.import_pem(pem_of(private))


def test_what_is_no_key_for_rs256(private):
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for pem, said in (
        ("", "not an unencrypted PEM private key"),
        ("é", "not an unencrypted PEM private key"),
        (public, "not an unencrypted PEM private key"),
        (pem_of(private, BestAvailableEncryption(b"secret")), "not an unencrypted PEM private key"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "RS256"),
        (pem_of(short), "at least 2048 bits"),
    ):
        with pytest.raises(keys.InvalidKey, match=said) as caught:
            keys.import_pem(pem)
        assert "BEGIN" not in str(caught.value)
    assert not SigningKey.objects.exists()


def test_the_newest_key_is_published_first():
    old, new = keys.generate("old"), keys.generate("new")
    assert [entry["kid"] for entry in keys.jwks()["keys"]] == [new.kid, old.kid]
