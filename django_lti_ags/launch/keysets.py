"""The platforms' public keys: fetched over HTTP with a deadline and a limit, and kept for an hour.

An unknown ``kid`` means that the platform changed its keys: the set is fetched again, but not more
than once a minute, so that made-up ids cost the platform nothing.

A platform that hangs must not hold up the tool's web server: one launch at a time fetches a set, and
gives up after four seconds; the others use the older set if there is one, else wait a second and are
refused. A failure is remembered for some seconds.
"""

from __future__ import annotations

import logging
from typing import Any, Final, Self

import jwt
from django.core.cache import caches
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_noop as _

from django_lti_ags import conf
from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.transport import Transport
from django_lti_ags.launch.reasons import one_line, told
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.waiting import wait_until

logger = logging.getLogger(__name__)

FRESH_SECONDS: Final = 3600
KEPT_SECONDS: Final = 2 * 3600
"""How long a set may serve while a newer one cannot be had; a key that a platform withdraws is believed no longer than that."""
ASKED_AGAIN_SECONDS: Final = 60
FAILURE_SECONDS: Final = 15
DEADLINE_SECONDS: Final = 4.0
PATIENCE_SECONDS: Final = 1.0
"""How long a launch waits for the set that another one fetches: when a class begins, thirty come at once."""

_FETCHING_SECONDS: Final = 10
"""Longer than a fetch; whoever dies in one holds the others up no longer."""
_PREFIX: Final = "lti_ags:jwks:"

KeySet = list[dict[str, str]]


class KeyNotFound(Exception):
    """The platform's key set has no usable key for a token; the message says why, and may be shown to anybody.

    Args:
        text: the message in English, marked to be translated.
        facts: what stands for its words in braces; plain values, since a cache keeps them.
    """

    def __init__(self, text: str, **facts: Any) -> None:
        self.said = (text, facts)
        super().__init__(told(gettext_lazy(text), **facts))

    @classmethod
    def again(cls, said: tuple[str, dict[str, Any]]) -> Self:
        """What an earlier one said, from a cache."""
        text, facts = said
        return cls(text, **facts)


def public_key(url: str, kid: str) -> Any:
    """The platform's RSA key with this ``kid``.

    Raises:
        KeyNotFound: the set cannot be fetched or read, or has no such key.
    """
    found = _Kept(url).entry(kid)
    if found is None:
        raise KeyNotFound(_("The platform's key set at {url} has no RS256 key with the kid {kid}."), url=url, kid=repr(kid[:200]))
    try:
        return jwt.PyJWK(found, algorithm="RS256").key
    except (jwt.PyJWTError, ValueError):
        raise KeyNotFound(_("The key {kid} in the platform's key set at {url} cannot be read."), kid=repr(kid[:200]), url=url) from None


class _Kept:
    """What the cache holds of one key set, and who may fetch it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cache = caches[conf.get("cache")]
        self._name = _PREFIX + digest(url)

    def entry(self, kid: str) -> dict[str, str] | None:
        """The key's entry; None: the set, as new as may be, has none."""
        listed = self._cache.get(self._name)
        found = _chosen(listed, kid)
        if found is not None:
            return found if self._cache.get(f"{self._name}:fresh") else _chosen(self._renewed(listed, kid), kid)
        if listed is None or self._cache.add(f"{self._name}:asked", True, ASKED_AGAIN_SECONDS):
            return _chosen(self._renewed(None, kid), kid)
        # Somebody asked a moment ago: for this very key, if the platform has just changed them.
        return _chosen(self._awaited(kid), kid) if self._is_fetching() else None

    def _renewed(self, older: KeySet | None, kid: str) -> KeySet:
        """The set as it is now, or the ``older`` one where that cannot be had."""
        try:
            failure = self._cache.get(f"{self._name}:failure")
            if failure is not None:
                raise KeyNotFound.again(failure)
            if self._cache.add(f"{self._name}:fetching", True, _FETCHING_SECONDS):
                return self._fetched()
            if older is None:
                return self._awaited(kid)
        except KeyNotFound:
            # Who asked for a new key has not got an answer: the next launch may ask again.
            self._cache.delete(f"{self._name}:asked")
            if older is None:
                raise
        return older

    def _fetched(self) -> KeySet:
        try:
            listed = _fetch(self._url)
            self._cache.set(self._name, listed, KEPT_SECONDS)
            self._cache.set(f"{self._name}:fresh", True, FRESH_SECONDS)
        except KeyNotFound as problem:
            self._cache.set(f"{self._name}:failure", problem.said, FAILURE_SECONDS)
            raise
        finally:
            self._cache.delete(f"{self._name}:fetching")
        return listed

    def _awaited(self, kid: str) -> KeySet:
        """The set that another launch is fetching, if it comes soon."""
        if not wait_until(lambda: not self._is_fetching(), PATIENCE_SECONDS):
            raise KeyNotFound(
                _("The platform's key set is being fetched just now, and takes long. Open the activity again in a few seconds.")
            )
        listed: KeySet | None = self._cache.get(self._name)
        failure = self._cache.get(f"{self._name}:failure")
        if failure is not None and _chosen(listed, kid) is None:
            raise KeyNotFound.again(failure)
        return listed or []

    def _is_fetching(self) -> bool:
        return bool(self._cache.get(f"{self._name}:fetching"))


def _fetch(url: str) -> KeySet:
    settings = conf.load()
    # Its own: the shared one waits as long as a worker may, and a set is fetched too seldom to keep connections for it.
    transport = Transport(
        deadline_seconds=min(DEADLINE_SECONDS, settings.send_deadline_seconds),
        max_body_bytes=settings.max_body_bytes,
        allowed_private_hosts=settings.allowed_private_hosts,
        pool_size=1,
    )
    try:
        exchange = transport.send("jwks", "GET", url, headers={"Accept": "application/json"})
    finally:
        transport.close()
    if not exchange.ok:
        logger.warning("A platform's key set cannot be fetched: %s", one_line(exchange.summary()))
        raise _unfetched(exchange, url, transport.deadline_seconds)
    try:
        entries = exchange.json()["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise KeyNotFound(_("What the platform serves at {url} is no key set (RFC 7517)."), url=url)
    return [{member: entry[member] for member in ("kty", "kid", "n", "e")} for entry in entries if _is_signing_key(entry)]


def _unfetched(exchange: Exchange, url: str, deadline: float) -> KeyNotFound:
    """Why there is no set, for the page that anybody may see: no addresses of the tool's network, nothing that the platform wrote."""
    if exchange.failure is Failure.ADDRESS_REFUSED:
        return KeyNotFound(
            _(
                "The platform's key set cannot be fetched: the platform is at a private address, where this tool does not look unasked. "
                "The people who run the tool can list its host in LTI_AGS['ALLOWED_PRIVATE_HOSTS']."
            )
        )
    if exchange.failure is None:
        return KeyNotFound(_("The platform's key set at {url} cannot be fetched: it answered {status}."), url=url, status=exchange.status)
    if exchange.failure is not Failure.NO_ANSWER:
        text = _("The platform's key set at {url} cannot be fetched: {failure} (the tool's log has the details).")
        return KeyNotFound(text, url=url, failure=exchange.failure.value.replace("_", " "))
    if exchange.duration_ms < deadline * 1000:
        text = _("The platform's key set at {url} cannot be fetched: the connection broke off before a whole answer came.")
        return KeyNotFound(text, url=url)
    text = _("The platform's key set at {url} cannot be fetched: no whole answer within {seconds} s.")
    return KeyNotFound(text, url=url, seconds=format(deadline, "g"))


def _is_signing_key(entry: Any) -> bool:
    """Whether it can have signed an id token: RSA, and not said to be for something else (RFC 7517, 4)."""
    if not isinstance(entry, dict) or entry.get("kty") != "RSA":
        return False
    texts = all(isinstance(entry.get(member), str) for member in ("kid", "n", "e"))
    return texts and (entry.get("alg") or "RS256") == "RS256" and (entry.get("use") or "sig") == "sig"


def _chosen(listed: KeySet | None, kid: str) -> dict[str, str] | None:
    return next((entry for entry in listed or [] if entry["kid"] == kid), None)
