"""How a tool proves itself: a signed assertion (1EdTech Security Framework 1.1, 4.1; RFC 7523)."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if TYPE_CHECKING:
    from collections.abc import Iterable

_ASSERTION_SECONDS: Final = 300
_BACK_DATED_SECONDS: Final = 5
"""Moodle refuses an ``iat`` that is even three seconds ahead of its clock."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a tool proves itself at a platform's token endpoint. The key is kept out of every ``repr``.

    Args:
        token_url: the platform's token endpoint.
        client_id: the tool's, at this platform.
        private_key: an RSA key; PEM text is parsed once (it takes 30 ms).
        key_id: the ``kid`` under which the tool's JWKS publishes it.
        audience: the assertion's ``aud``; None: the token URL. Brightspace wants another.

    Raises:
        ValueError: the key is not an RSA private key.
    """

    token_url: str
    client_id: str
    private_key: RSAPrivateKey | str = field(repr=False)
    key_id: str
    audience: str | None = None

    def __post_init__(self) -> None:
        key: Any = self.private_key
        if isinstance(key, str):
            try:
                key = load_pem_private_key(key.encode(), password=None)
            except (ValueError, TypeError):
                # `from None`: the cause's frames hold the key.
                raise ValueError("private_key is not an unencrypted PEM private key") from None
            object.__setattr__(self, "private_key", key)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("private_key must be an RSA key: LTI 1.3 signs with RS256")

    def token_key(self, scopes: Iterable[str]) -> str:
        """What a token is kept under. Never the issuer: the tenants of one cloud share it."""
        parts = [self.token_url, self.client_id, self.audience or self.token_url, *sorted(scopes)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def assertion(self, now: float) -> str:
        """A signed JWT for one token request; every time a number, every ``jti`` new."""
        issued_at = int(now) - _BACK_DATED_SECONDS
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience or self.token_url,
            "iat": issued_at,
            "exp": issued_at + _ASSERTION_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(claims, self.private_key, algorithm="RS256", headers={"kid": self.key_id})
