"""What Canvas' REST API is asked with: stored so that a copy of the database gives nothing away, and replaced as a whole."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.db import IntegrityError, transaction
from django.forms.models import model_to_dict

from django_lti_ags import canvas_credentials, encryption, keys
from django_lti_ags.exceptions import EncryptionError, InvalidCanvasArgument
from django_lti_ags.models import CanvasCredential, Registration

pytestmark = pytest.mark.django_db
SCHOOL = "https://school.example"
TOKEN, SECRET, REFRESH = "1~user-token-0123456789", "key-secret-0123456789", "1~refresh-token-0123456789"


@pytest.fixture
def registration():
    return Registration.objects.create(issuer="https://canvas.example", client_id="10", name="Campus", signing_key=keys.generate())


def store_key(registration, **changed):
    given = {"base_url": SCHOOL, "client_id": "100", "client_secret": SECRET, "refresh_token": REFRESH} | changed
    return canvas_credentials.store_developer_key(registration, **given)


def test_secrets_are_stored_encrypted_and_shown_nowhere(registration):
    for stored, secrets in (
        (canvas_credentials.store_user_token(registration, base_url=f"{SCHOOL}/", access_token=TOKEN), [TOKEN]),
        (store_key(registration), [SECRET, REFRESH]),
    ):
        shown = f"{stored!r} {stored} {CanvasCredential.objects.values().get()} {model_to_dict(stored)}"
        assert SCHOOL in shown
        assert list(stored.secret.values()) == secrets
        for secret in secrets:
            assert secret not in shown


def test_a_new_credential_takes_the_place_of_the_old_one(registration):
    first = canvas_credentials.store_user_token(registration, base_url=SCHOOL, access_token=TOKEN)
    second = store_key(registration)
    assert CanvasCredential.objects.get() == first == second
    assert (second.kind, second.client_id, second.changed_at > first.changed_at) == ("developer_key", "100", True)
    assert canvas_credentials.forget(registration) is True
    assert canvas_credentials.forget(registration) is False


@pytest.mark.parametrize("bad", ["", " ", "two words", "line\nbreak", "é", None, 7])
def test_what_no_header_can_carry_is_refused_without_being_quoted(registration, bad):
    stored = store_key(registration)
    for name in ("client_id", "client_secret", "refresh_token"):
        with pytest.raises(InvalidCanvasArgument, match=f"^{name}=") as caught:
            store_key(registration, **{name: bad})
        assert bad in (None, 7, "", " ") or repr(bad) not in str(caught.value)
    with pytest.raises(InvalidCanvasArgument, match=r"^access_token="):
        canvas_credentials.store_user_token(registration, base_url=SCHOOL, access_token=bad)
    assert CanvasCredential.objects.get().secret_encrypted == stored.secret_encrypted


@pytest.mark.parametrize("bad", ["", "school.example", "ftp://school.example", f"{SCHOOL}/api/v1", f"{SCHOOL}?x=1", None])
def test_an_address_that_is_none_is_refused(registration, bad):
    with pytest.raises(InvalidCanvasArgument, match=r"^base_url="):
        store_key(registration, base_url=bad)
    assert not CanvasCredential.objects.exists()


@pytest.mark.parametrize(
    ("base_url", "listed", "taken"),
    [
        ("http://school.example", [], False),
        ("http://school.example", ["other.example"], False),
        ("http://school.example", ["school.example"], True),
        ("http://school.example:3000", ["school.example:3000"], True),
        ("http://school.example:3001", ["school.example:3000"], False),
        ("http://10.1.2.3:3000", ["10.0.0.0/8"], True),
        ("http://10.1.2.3:3000", ["192.168.0.0/16"], False),
        ("http://127.0.0.1:3000", [], False),
        ("https://school.example", [], True),
    ],
)
def test_a_token_goes_over_https_unless_the_host_is_listed(registration, settings, base_url, listed, taken):
    settings.LTI_AGS = settings.LTI_AGS | {"ALLOWED_PRIVATE_HOSTS": listed}
    if taken:
        assert store_key(registration, base_url=base_url).base_url == base_url
        return
    with pytest.raises(InvalidCanvasArgument, match=r"^base_url=.*must begin with https://.*ALLOWED_PRIVATE_HOSTS"):
        store_key(registration, base_url=base_url)
    assert not CanvasCredential.objects.exists()


def test_the_database_holds_a_key_to_its_id(registration):
    stored = store_key(registration)
    for changes in ({"client_id": ""}, {"kind": "user_token"}, {"kind": "else"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CanvasCredential.objects.filter(pk=stored.pk).update(**changes)


def test_the_encryption_key_is_changed_under_them_too(registration, settings):
    store_key(registration)
    old, new = settings.LTI_AGS["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    changed_at = CanvasCredential.objects.get().changed_at
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [new, old]}
    assert keys.rotate_encryption() == keys.Rotated(rotated=2)
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [new]}
    kept = CanvasCredential.objects.get()
    assert encryption.is_current(kept.secret_encrypted)
    assert (kept.secret["refresh_token"], kept.changed_at) == (REFRESH, changed_at)
    assert keys.rotate_encryption() == keys.Rotated(current=2)


def test_one_that_nobody_can_read_is_named_and_left(registration, settings):
    stored = store_key(registration)
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    assert f"{SCHOOL} (100)" in keys.rotate_encryption().unreadable
    assert CanvasCredential.objects.get().secret_encrypted == stored.secret_encrypted
    with pytest.raises(EncryptionError, match="ENCRYPTION_KEYS"):
        _ = stored.secret
