"""``lti_ags_keys``: a private key never comes out of it."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags import keys
from django_lti_ags.models import Registration, SigningKey

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("lti_ags_keys", *arguments, stdout=out)
    assert "PRIVATE" not in out.getvalue()
    return out.getvalue()


@pytest.fixture
def used():
    """A key that a registration signs with."""
    key = keys.generate("used")
    Registration.objects.create(issuer="https://lms.example", client_id="quiz", name="Campus", signing_key=key)
    return key


def test_without_a_key_it_says_how_to_make_one():
    assert "--generate" in run()
    assert json.loads(run("--jwks")) == {"keys": []}


def test_generate():
    said = run("--generate", "--name", "2026")
    key = SigningKey.objects.get()
    assert key.name == "2026"
    assert str(key.uid) in said
    assert key.kid in said


def test_generate_a_longer_one():
    run("--generate", "--bits", "3072")
    assert len(SigningKey.objects.get().public_jwk["n"]) == 512


def test_the_longest_name():
    run("--generate", "--name", "n" * 200)
    assert SigningKey.objects.get().name == "n" * 200


def test_list(used):
    other = keys.generate("other")
    for said in (run(), run("--list")):
        first, second = said.splitlines()
        assert first.startswith(str(other.uid))
        assert "0 registrations" in first
        assert second.startswith(str(used.uid))
        assert "published" in second
        assert "1 registrations" in second
        assert second.endswith("used")


def test_jwks(used):
    assert json.loads(run("--jwks")) == {"keys": [used.public_jwk]}


def test_retire():
    key = keys.generate()
    assert "no longer in the key set" in run("--retire", str(key.uid))
    assert keys.jwks() == {"keys": []}
    retired_at = SigningKey.objects.get().retired_at
    assert "retired" in run("--list")
    run("--retire", str(key.uid))
    assert SigningKey.objects.get().retired_at == retired_at


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--generate", "--bits", "1024"], "--bits: An RSA key needs at least 2048 bits"),
        (["--generate", "--bits", "0"], "--bits: An RSA key needs at least 2048 bits, not 0"),
        (["--generate", "--bits", "-4096"], "--bits: An RSA key needs at least 2048 bits"),
        (["--generate", "--bits", "1000000"], "--bits: at most 16384"),
        (["--generate", "--name", "n" * 201], "--name: at most 200 characters, not 201"),
        (["--generate", "--name", "a\x00"], "--name: .* NUL"),
        (["--generate", "--name", "a\udc80"], "--name: .* surrogate"),
        (["--bits", "0"], "belong to --generate"),
        (["--retire", "x"], "There is no key 'x'"),
        (["--retire", "00000000-0000-4000-8000-000000000000"], "There is no key"),
        (["--name", "x"], "belong to --generate"),
        (["--list", "--bits", "4096"], "belong to --generate"),
        (["--list", "--jwks"], "not allowed with"),
    ],
)
def test_mistakes_are_named_and_store_nothing(arguments, said):
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    assert not SigningKey.objects.exists()


def test_a_key_that_signs_is_not_retired(used):
    with pytest.raises(CommandError, match="still signs for Campus"):
        run("--retire", str(used.uid))
    assert SigningKey.objects.get().retired_at is None
