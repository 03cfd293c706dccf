"""The tool's signing keys, and the key set that platforms read.

::

    key = keys.generate("2026")
    keys.jwks()  # what the JWKS view serves
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from django_lti_ags import encryption
from django_lti_ags.models import SigningKey
from django_lti_ags.models.identity import digest

__all__ = ["InvalidKey", "generate", "import_pem", "jwks", "thumbprint"]

SMALLEST_BITS: Final = 2048


class InvalidKey(ValueError):
    """It is no key that LTI 1.3 can sign with."""


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
