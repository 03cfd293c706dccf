"""What is measured on: the databases of one run, a registered tool, and columns to send scores to."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.db import connections

from django_lti_ags import encryption, line_items
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import LineItem, Registration, SigningKey
from django_lti_ags.profiles.base import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

SCOPES = [vocabulary.SCOPE_SCORE]
CLIENT_ID = "bench"
_columns = count(1)


class Wide(Profile):
    """Strict AGS, and as much in flight as is asked for."""

    key = "bench"
    max_concurrency = 64


def settings_for(**changed: Any) -> dict[str, Any]:
    """``LTI_AGS`` with some values ``changed``."""
    return {**settings.LTI_AGS, **changed}


@contextmanager
def databases(*aliases: str) -> Iterator[None]:
    """Empty, migrated databases; a child process finds them by ``BENCH_RUN``."""
    made: list[str] = []
    try:
        for alias in aliases:
            connections[alias].creation.create_test_db(verbosity=0, autoclobber=True)
            made.append(alias)
        os.environ["BENCH_RUN"] = str(os.getpid())
        yield
    finally:
        os.environ.pop("BENCH_RUN", None)
        for alias in made:
            connections[alias].creation.destroy_test_db("postgres", verbosity=0)


@lru_cache(maxsize=1)
def private_key() -> str:
    """The tool's key, as PEM: how tools keep it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def register(origin: str, latency_ms: int) -> Registration:
    """The tool's registration at a platform with this latency, in ``LTI_AGS["DATABASE"]``."""
    issuer = f"{origin}/{latency_ms}"
    key, _ = SigningKey.objects.get_or_create(
        kid="bench", defaults={"private_key_encrypted": encryption.encrypt(private_key()), "public_jwk": _public_jwk()}
    )
    urls = {"auth_login_url": f"{issuer}/auth", "token_url": f"{issuer}/token", "jwks_url": f"{issuer}/jwks"}
    values = {**urls, "signing_key": key, "profile": Wide.key}
    return Registration.objects.get_or_create(issuer=issuer, client_id=CLIENT_ID, defaults=values)[0]


def _public_jwk() -> dict[str, Any]:
    public = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).prepare_key(private_key()).public_key()
    return json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(public)) | {"kid": "bench"}


def new_column(registration: Registration) -> LineItem:
    """One more column of the course, as a launch brings it."""
    number, prefix = next(_columns), vocabulary.LTI_CLAIM_PREFIX
    service = {"scope": SCOPES, "lineitem": f"{registration.issuer}/line_items/{number}"}
    return line_items.from_launch(
        {
            "iss": registration.issuer,
            "aud": CLIENT_ID,
            "sub": "u1",
            prefix + "deployment_id": "1",
            prefix + "context": {"id": "course"},
            prefix + "resource_link": {"id": f"link-{number}"},
            vocabulary.AGS_ENDPOINT_CLAIM: service,
        }
    )


def statements(many: int) -> list[dict[str, Any]]:
    """What ``scores.record_many`` is told of a class."""
    return [{"user_id": f"learner-{number}", "score_given": number % 10, "score_maximum": 10} for number in range(many)]
