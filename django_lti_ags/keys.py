"""The tool's signing keys, and the key set that platforms read.

::

    key = keys.generate("2026")
    keys.jwks()  # what the JWKS view serves
    keys.use(key, Registration.objects.all())  # an hour later: platforms have found it in the key set
    keys.retire(old_key)
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from django.db import transaction

from django_lti_ags import conf, encryption
from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.models import Registration, SigningKey
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.outbox_sql import database_now, locked
from django_lti_ags.sync.reencrypting import Rotated, rotate_encryption

if TYPE_CHECKING:
    from django.db.models import QuerySet

__all__ = [
    "InvalidKey",
    "KeyInUse",
    "KeyTooYoung",
    "Rotated",
    "generate",
    "import_pem",
    "jwks",
    "retire",
    "rotate_encryption",
    "thumbprint",
    "use",
]

SMALLEST_BITS: Final = 2048
PUBLISHED_FIRST_SECONDS: Final = 3600.0
"""So long is a key published before it signs: platforms keep a key set for up to an hour."""
_MOST_SHOWN: Final = 5


class InvalidKey(ValueError):
    """It is no key that LTI 1.3 can sign with."""


class KeyInUse(ValueError):
    """Registrations sign with it: platforms would refuse every token."""


class KeyTooYoung(ValueError):
    """Platforms may not have found it in the key set yet."""


def generate(name: str = "", *, bits: int = SMALLEST_BITS) -> SigningKey:
    """A new RSA key, published from now on.

    Raises:
        InvalidKey: fewer than 2048 bits (RFC 7518, 3.3).
    """
    if bits < SMALLEST_BITS:
        raise InvalidKey(f"An RSA key needs at least {SMALLEST_BITS} bits, not {bits} (RFC 7518, 3.3).")
    return _store(rsa.generate_private_key(public_exponent=65537, key_size=bits), None, name)


def import_pem(pem: str, *, kid: str | None = None, name: str = "") -> SigningKey:
    """Take over an existing private key; the same key again gives the row that is there, and changes nothing.

    Args:
        pem: an unencrypted RSA private key.
        kid: the key id under which platforms know it; by default its thumbprint (RFC 7638).
        name: for people.

    Raises:
        InvalidKey: it is no such key, another key has this ``kid``, or it was retired here.
    """
    try:
        private = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidKey("This is not an unencrypted PEM private key.") from None
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < SMALLEST_BITS:
        raise InvalidKey(f"LTI 1.3 signs with RS256: an RSA key of at least {SMALLEST_BITS} bits is needed.")
    return _store(private, kid, name)


def jwks() -> dict[str, Any]:
    """The public key set (RFC 7517): every key that is not retired, so that a new one is known before it signs."""
    return {"keys": [key.public_jwk for key in SigningKey.objects.filter(retired_at=None)]}


def use(key: SigningKey, registrations: QuerySet[Registration], *, force: bool = False) -> int:
    """Let ``registrations`` sign with ``key`` from now on; returns how many signed with another one.

    Args:
        key: a published key.
        registrations: whose tokens it is to sign for.
        force: also a key that was made within the last hour.

    Raises:
        InvalidKey: it is retired, or cannot be decrypted.
        KeyTooYoung: it was made within the last hour, and platforms may still keep a key set without it.
    """
    alias: str = conf.get("database")
    with transaction.atomic(using=alias):
        key = locked(SigningKey.objects.using(alias).filter(pk=key.pk)).get()
        if key.retired_at is not None:
            raise InvalidKey(f"The key {key.kid!r} is retired: platforms do not find it in the key set.")
        try:
            load_pem_private_key(key.private_key_pem.encode(), password=None)
        except (EncryptionError, ValueError) as problem:
            raise InvalidKey(f"The key {key.kid!r} cannot be used: {problem}") from None
        age = (database_now(alias) - key.created_at).total_seconds()
        if age < PUBLISHED_FIRST_SECONDS and not force:
            left = int((PUBLISHED_FIRST_SECONDS - age) // 60) + 1
            raise KeyTooYoung(f"The key {key.kid!r} was made {max(0, int(age // 60))} minutes ago: wait {left} more.")
        others = registrations.using(alias).exclude(signing_key=key)
        return Registration.objects.using(alias).filter(pk__in=list(others.values_list("pk", flat=True))).update(signing_key=key)


def retire(key: SigningKey) -> bool:
    """Publish ``key`` no longer; False: it was retired before.

    Raises:
        KeyInUse: registrations sign with it; the message names them.
    """
    alias: str = conf.get("database")
    with transaction.atomic(using=alias):
        key = locked(SigningKey.objects.using(alias).filter(pk=key.pk)).get()
        users = Registration.objects.using(alias).filter(signing_key=key)[:_MOST_SHOWN]
        if users:
            raise KeyInUse(f"The key still signs for {', '.join(str(user) for user in users)}: platforms would refuse every token.")
        if key.retired_at is not None:
            return False
        key.retired_at = database_now(alias)
        key.save(using=alias, update_fields=["retired_at"])
    return True


def thumbprint(public: rsa.RSAPublicKey) -> str:
    """The key's JWK thumbprint (RFC 7638): what pylti1p3 takes for its ``kid``."""
    members = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(public))
    canonical = json.dumps({name: members[name] for name in ("e", "kty", "n")}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def _store(private: rsa.RSAPrivateKey, kid: str | None, name: str) -> SigningKey:
    public = private.public_key()
    key_id = kid or thumbprint(public)
    members = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(public))
    public_jwk = {"kty": "RSA", "n": members["n"], "e": members["e"], "kid": key_id, "alg": "RS256", "use": "sig"}
    known = SigningKey.objects.filter(kid_digest=digest(key_id)).first()
    if known is not None:
        if known.public_jwk["n"] != public_jwk["n"]:
            raise InvalidKey(f"Another key has the kid {key_id!r} already.")
        if known.retired_at is not None:
            raise InvalidKey(f"The key with the kid {key_id!r} was retired here; platforms do not find it in the key set any more.")
        return known
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return SigningKey.objects.create(name=name, kid=key_id, private_key_encrypted=encryption.encrypt(pem), public_jwk=public_jwk)
