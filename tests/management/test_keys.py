"""``lti_ags_keys``: a private key never comes out of it."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from django_lti_ags import encryption, keys
from django_lti_ags.models import Registration, SigningKey
from django_lti_ags.models.identity import digest
from django_lti_ags.sync import reencrypting
from django_lti_ags.sync.clock import DatabaseClock

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
        (["--use", "x"], "There is no key 'x'"),
        (["--force"], "--registration and --force belong to --use"),
        (["--generate", "--registration", "x"], "--registration and --force belong to --use"),
        (["--rotate-encryption", "--jwks"], "not allowed with"),
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


def older(key, **age):
    SigningKey.objects.filter(pk=key.pk).update(created_at=DatabaseClock().now() - timedelta(**age))
    return key


def signers(key):
    return sorted(Registration.objects.filter(signing_key=key).values_list("client_id", flat=True))


@pytest.fixture
def campuses(used):
    Registration.objects.create(issuer="https://lms.example", client_id="second", name="Second", signing_key=used)


def test_published_first_used_later_retired_last(used, campuses):
    new = keys.generate("new")
    with pytest.raises(CommandError, match=r"made 0 minutes ago: wait 60 more\. .* --force"):
        run(f"--use={new.kid}")
    older(new, minutes=58, seconds=30)
    with pytest.raises(CommandError, match="made 58 minutes ago: wait 2 more"):
        run(f"--use={new.kid}")
    assert signers(new) == []
    older(new, minutes=61)
    assert "1 registrations sign with" in run(f"--use={new.kid}", "--registration", "Second")
    assert (signers(used), signers(new)) == (["quiz"], ["second"])
    with pytest.raises(CommandError, match=r"still signs for Campus: .* lti_ags_keys --use"):
        run(f"--retire={used.kid}")
    assert "1 registrations sign with" in run("--use", str(new.uid))
    assert signers(new) == ["quiz", "second"]
    assert {entry["kid"] for entry in keys.jwks()["keys"]} == {new.kid, used.kid}
    run(f"--retire={used.kid}")
    assert [entry["kid"] for entry in keys.jwks()["keys"]] == [new.kid]


def test_a_young_key_signs_if_somebody_insists(used, campuses):
    new = keys.generate()
    assert json.loads(run(f"--use={new.kid}", "--force", "--json")) == {"kid": new.kid, "changed": 2}
    assert "0 registrations sign with" in run(f"--use={new.kid}", "--force")


def test_a_key_that_cannot_sign_is_not_used(used):
    new = older(keys.generate(), hours=2)
    run(f"--retire={new.kid}")
    with pytest.raises(CommandError, match="is retired"):
        run(f"--use={new.kid}")
    unreadable = older(keys.generate(), hours=2)
    SigningKey.objects.filter(pk=unreadable.pk).update(private_key_encrypted=Fernet(Fernet.generate_key()).encrypt(b"x").decode())
    with pytest.raises(CommandError, match=r"cannot be used: .*ENCRYPTION_KEYS"):
        run(f"--use={unreadable.kid}")
    SigningKey.objects.filter(pk=unreadable.pk).update(private_key_encrypted=encryption.encrypt("no key"))
    with pytest.raises(CommandError, match="cannot be used"):
        run(f"--use={unreadable.kid}")
    assert signers(used) == ["quiz"]


def test_an_unknown_registration_changes_nothing(used, campuses):
    new = older(keys.generate(), hours=2)
    with pytest.raises(CommandError, match="no registration 'nowhere'"):
        run(f"--use={new.kid}", "--registration", "Second", "--registration", "nowhere")
    assert signers(new) == []


def test_every_answer_for_programs(used):
    assert [key["registrations"] for key in json.loads(run("--json"))["keys"]] == [1]
    made = json.loads(run("--generate", "--json"))
    assert SigningKey.objects.filter(kid=made["kid"], uid=made["uid"]).exists()
    assert json.loads(run("--retire", made["uid"], "--json")) == {"kid": made["kid"], "changed": True}
    assert json.loads(run("--retire", made["uid"], "--json")) == {"kid": made["kid"], "changed": False}


OLD, NEW = "pvzNR1pDbOMw9DTE-MC8z26nvIe6F50QjPipZzrSsM4=", "r1Y0YxHbq1pDbOMw9DTE-MC8z26nvIe6F50QjPipZzo="


def use_encryption(settings, *given):
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": list(given)}


def test_the_encryption_key_is_changed_under_ten_thousand_keys(settings, django_assert_max_num_queries):
    use_encryption(settings, OLD)
    made = keys.generate("first")
    copies = [
        SigningKey(kid=f"k{number}", kid_digest=digest(f"k{number}"), private_key_encrypted=made.private_key_encrypted, public_jwk={})
        for number in range(9_999)
    ]
    SigningKey.objects.bulk_create(copies, batch_size=500)
    pem = made.private_key_pem
    use_encryption(settings, NEW, OLD)
    with django_assert_max_num_queries(1000):
        assert "10000 secrets re-encrypted" in run("--rotate-encryption")
    use_encryption(settings, NEW)
    stored = list(SigningKey.objects.values_list("private_key_encrypted", flat=True))
    assert len(set(stored)) == 10_000
    assert all(encryption.is_current(one) for one in stored)
    assert SigningKey.objects.get(pk=made.pk).private_key_pem == pem
    assert json.loads(run("--rotate-encryption", "--json")) == {"rotated": 0, "current": 10_000, "unreadable": []}


def test_a_re_encryption_that_was_stopped_goes_on(settings, monkeypatch):
    monkeypatch.setattr(reencrypting, "_WINDOW", 2)
    use_encryption(settings, OLD)
    for _ in range(5):
        keys.generate()
    use_encryption(settings, NEW, OLD)

    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keys.rotate_encryption(stop)
    assert keys.rotate_encryption() == keys.Rotated(rotated=3, current=2)


def test_a_key_that_nobody_can_read_is_named_and_left(settings):
    use_encryption(settings, OLD)
    lost = keys.generate("lost")
    use_encryption(settings, NEW)
    keys.generate("kept")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("lti_ags_keys", "--rotate-encryption", stdout=out)
    assert ended.value.code == 3
    assert f"1 cannot be read with any of them: {lost.kid}" in out.getvalue()
    assert SigningKey.objects.get(pk=lost.pk).private_key_encrypted == lost.private_key_encrypted


def test_without_encryption_keys_the_derived_one_is_current(settings):
    use_encryption(settings)
    keys.generate()
    assert "0 secrets re-encrypted with the newest encryption key; 1 were already." in run("--rotate-encryption")
