"""Secrets at rest: written with the first key, read with any, never told."""

from __future__ import annotations

import logging
import traceback

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags import encryption
from django_lti_ags.exceptions import EncryptionError

# Fixed: test ids must be the same in every process of a parallel run.
OLD, NEW = "pvzNR1pDbOMw9DTE-MC8z26nvIe6F50QjPipZzrSsM4=", "r1Y0YxHbq1pDbOMw9DTE-MC8z26nvIe6F50QjPipZzo="


@pytest.fixture
def use(settings):
    def set_keys(*keys):
        settings.LTI_AGS = {"ENCRYPTION_KEYS": list(keys)}

    return set_keys


@given(st.text())
def test_what_goes_in_comes_out(plain):
    stored = encryption.encrypt(plain)
    assert stored.isascii()
    assert encryption.decrypt(stored) == plain


def test_the_same_secret_never_looks_the_same():
    assert encryption.encrypt("canary") != encryption.encrypt("canary")
    assert "canary" not in encryption.encrypt("canary")


def test_the_first_key_writes_and_every_key_reads(use):
    use(OLD)
    stored = encryption.encrypt("canary")
    use(NEW, OLD)
    assert encryption.decrypt(stored) == "canary"
    assert Fernet(NEW).decrypt(encryption.encrypt("canary")) == b"canary"


def test_rotation_lets_the_old_key_go(use):
    use(OLD)
    stored = encryption.encrypt("canary")
    use(NEW, OLD)
    rotated = encryption.rotate(stored)
    use(NEW)
    assert encryption.decrypt(rotated) == "canary"
    with pytest.raises(EncryptionError):
        encryption.decrypt(stored)
    with pytest.raises(EncryptionError):
        encryption.rotate(stored)


@pytest.mark.parametrize("stored", ["", "nonsense", "gAAAAA", "é", "-----BEGIN PRIVATE KEY-----"])
def test_what_is_no_ciphertext_is_a_clear_error(stored):
    with pytest.raises(EncryptionError, match="ENCRYPTION_KEYS"):
        encryption.decrypt(stored)


def test_no_error_tells_key_or_ciphertext(use, caplog):
    caplog.set_level(logging.DEBUG)
    use(OLD)
    stored = encryption.encrypt("canary")
    use(NEW)
    for call in (encryption.decrypt, encryption.rotate):
        with pytest.raises(EncryptionError) as caught:
            call(stored)
        told = "".join(traceback.format_exception(caught.value)) + caplog.text
        assert caught.value.__suppress_context__
        assert not [secret for secret in (stored, OLD, NEW, "canary") if secret in told]


@pytest.mark.parametrize("bad", ["short", "é" * 44, "x" * 44, OLD[:-2]])
def test_a_malformed_key_is_named_without_being_shown(use, bad):
    use(bad)
    with pytest.raises(ImproperlyConfigured, match=r"generate_key\(\)") as caught:
        encryption.encrypt("canary")
    assert bad not in str(caught.value)


def test_without_keys_one_is_derived_from_the_secret_key(settings):
    settings.LTI_AGS = {}
    settings.SECRET_KEY = "first" * 10
    stored = encryption.encrypt("canary")
    assert encryption.decrypt(stored) == "canary"
    settings.SECRET_KEY = "second" * 10
    with pytest.raises(EncryptionError, match="SECRET_KEY"):
        encryption.decrypt(stored)
