"""The platforms' public keys: fetched over HTTP with a deadline and a limit, and kept for an hour.

An unknown ``kid`` means that the platform changed its keys: the set is fetched again, but not more
than once a minute, so that made-up ids cost the platform nothing. A set that could not be fetched is
not asked for again for some seconds, so that a dead platform does not hold up the tool's web server.
"""

from __future__ import annotations

from typing import Any, Final

import jwt
from django.core.cache import caches

from django_lti_ags import conf
from django_lti_ags.models.identity import digest
from django_lti_ags.sync import clients

KEPT_SECONDS: Final = 3600
ASKED_AGAIN_SECONDS: Final = 60
FAILURE_SECONDS: Final = 5

_PREFIX: Final = "lti_ags:jwks:"


class KeyNotFound(Exception):
    """The platform's key set has no usable key for a token; the message says why."""


def public_key(url: str, kid: str) -> Any:
    """The platform's RSA key with this ``kid``.

    Raises:
        KeyNotFound: the set cannot be fetched or read, or has no such key.
    """
    cache, name = caches[conf.get("cache")], _PREFIX + digest(url)
    listed = cache.get(name)
    found = _chosen(listed, kid)
    if found is None and (listed is None or cache.add(f"{name}:asked", True, ASKED_AGAIN_SECONDS)):
        listed = _fetched(cache, name, url)
        found = _chosen(listed, kid)
    if found is None:
        raise KeyNotFound(f"The platform's key set at {url} has no RS256 key with the kid {kid[:200]!r}.")
    try:
        return jwt.PyJWK(found, algorithm="RS256").key
    except (jwt.PyJWTError, ValueError):
        raise KeyNotFound(f"The key {kid[:200]!r} in the platform's key set at {url} cannot be read.") from None


def _fetched(cache: Any, name: str, url: str) -> list[dict[str, str]]:
    failure = cache.get(f"{name}:failure")
    if failure is None:
        try:
            listed = _fetch(url)
        except KeyNotFound as problem:
            cache.set(f"{name}:failure", str(problem), FAILURE_SECONDS)
            raise
        cache.set(name, listed, KEPT_SECONDS)
        return listed
    raise KeyNotFound(failure)


def _fetch(url: str) -> list[dict[str, str]]:
    exchange = clients.shared().transport.send("jwks", "GET", url, headers={"Accept": "application/json"})
    if not exchange.ok:
        raise KeyNotFound(f"The platform's key set cannot be fetched: {exchange.summary()}")
    try:
        entries = exchange.json()["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise KeyNotFound(f"What the platform serves at {url} is no key set (RFC 7517).")
    return [{member: entry[member] for member in ("kty", "kid", "n", "e")} for entry in entries if _is_signing_key(entry)]


def _is_signing_key(entry: Any) -> bool:
    """Whether it can have signed an id token: RSA, and not said to be for something else (RFC 7517, 4)."""
    if not isinstance(entry, dict) or entry.get("kty") != "RSA":
        return False
    texts = all(isinstance(entry.get(member), str) for member in ("kid", "n", "e"))
    return texts and (entry.get("alg") or "RS256") == "RS256" and (entry.get("use") or "sig") == "sig"


def _chosen(listed: list[dict[str, str]] | None, kid: str) -> dict[str, str] | None:
    return next((entry for entry in listed or [] if entry["kid"] == kid), None)
