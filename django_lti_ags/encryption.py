"""Secrets at rest: MultiFernet under ``LTI_AGS["ENCRYPTION_KEYS"]``.

The first key encrypts, every key decrypts, so keys can be rotated: put the new one first,
re-encrypt, then drop the old one. Nothing here logs or shows what it handles.
"""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from django_lti_ags import conf
from django_lti_ags.exceptions import EncryptionError


def encrypt(plain: str) -> str:
    """``plain`` as text that only the configured keys can read."""
    return _fernet().encrypt(plain.encode()).decode("ascii")


def decrypt(stored: str) -> str:
    """What :func:`encrypt` was given.

    Raises:
        EncryptionError: no configured key fits; the message says which setting to look at.
    """
    try:
        return _fernet().decrypt(stored.encode()).decode()
    except InvalidToken:
        # `from None`: the cause adds nothing and its frames hold the ciphertext.
        raise EncryptionError(
            'A stored secret cannot be decrypted. Put the key it was written with back into LTI_AGS["ENCRYPTION_KEYS"] '
            "(or, where that is unset, restore the old SECRET_KEY)."
        ) from None


def is_current(stored: str) -> bool:
    """Whether the first key alone can read it: then the others may go."""
    try:
        _build(tuple(conf.get("encryption_keys"))[:1], django_settings.SECRET_KEY).decrypt(stored.encode())
    except InvalidToken:
        return False
    return True


def rotate(stored: str) -> str:
    """The same secret, encrypted with the first key again.

    Raises:
        EncryptionError: no configured key fits.
    """
    try:
        return _fernet().rotate(stored.encode()).decode("ascii")
    except InvalidToken:
        raise EncryptionError('A stored secret cannot be decrypted with any of LTI_AGS["ENCRYPTION_KEYS"].') from None


def _fernet() -> MultiFernet:
    return _build(tuple(conf.get("encryption_keys")), django_settings.SECRET_KEY)


@lru_cache(maxsize=4)
def _build(keys: tuple[str, ...], secret_key: str | bytes) -> MultiFernet:
    if not keys:
        return MultiFernet([Fernet(_derived(secret_key))])
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured(
            'LTI_AGS["ENCRYPTION_KEYS"] must hold Fernet keys: 32 random bytes in URL-safe base64, as `Fernet.generate_key()` makes them.'
        ) from None


def _derived(secret_key: str | bytes) -> bytes:
    secret = secret_key if isinstance(secret_key, bytes) else secret_key.encode()
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"django_lti_ags.encryption").derive(secret)
    return base64.urlsafe_b64encode(derived)
