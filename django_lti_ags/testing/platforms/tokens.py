"""The token endpoint: every check that a strict platform makes (RFC 7523; 1EdTech Security Framework 1.1, 4.1)."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import jwt

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms import keysets
from django_lti_ags.testing.platforms.bodies import is_number
from django_lti_ags.testing.platforms.http import Refused, Request, Response

ALL_SCOPES = (
    vocabulary.SCOPE_LINE_ITEM,
    vocabulary.SCOPE_LINE_ITEM_READONLY,
    vocabulary.SCOPE_SCORE,
    vocabulary.SCOPE_RESULT_READONLY,
)
_CLOCK_LEEWAY_SECONDS = 10
_LONGEST_ASSERTION_SECONDS = 3600


@dataclass(slots=True, kw_only=True)
class Tool:
    """A tool that is registered at the platform."""

    client_id: str
    deployment_id: str = "1"
    jwks_url: str = ""
    public_jwks: dict[str, Any] | None = None
    login_url: str = ""
    redirect_uris: Collection[str] = ()
    target_link_uri: str = ""
    scopes: Collection[str] = ALL_SCOPES

    def key(self, kid: str) -> Any:
        """The tool's public key of this id.

        Raises:
            Refused: its key set has none, or cannot be read.
        """
        try:
            for entry in self._keys():
                if entry.get("kid") == kid:
                    return jwt.PyJWK(entry, algorithm="RS256").key
        except (keysets.NoKeySet, jwt.PyJWTError) as problem:
            raise Refused(401, f"invalid_client: the tool's key set cannot be read ({problem})") from None
        raise Refused(401, "invalid_client: no such kid in the tool's key set")

    def _keys(self) -> list[dict[str, Any]]:
        if self.public_jwks is None:
            return keysets.fetch(self.jwks_url)
        keys: list[dict[str, Any]] = self.public_jwks.get("keys", [])
        return keys


@dataclass(slots=True)
class Grant:
    """An access token that was handed out."""

    client_id: str
    scopes: frozenset[str]
    expires_at: float


@dataclass(slots=True)
class TokenDesk:
    """Hands out tokens, and knows them again."""

    tools: dict[str, Tool]
    audience: str = ""
    lifetime_seconds: float = 3600.0
    cut_scopes: bool = False
    """Grant what may be granted, instead of refusing the whole request."""
    _grants: dict[str, Grant] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Response:
        """The token endpoint."""
        try:
            return self._grant(request)
        except Refused as refused:
            message = json.loads(refused.response.body)["error"]
            code, _, description = message.partition(": ")
            return Response.json({"error": code, "error_description": description}, status=refused.response.status)

    def _grant(self, request: Request) -> Response:
        if request.media_type != "application/x-www-form-urlencoded":
            raise Refused(400, "invalid_request: the form must be application/x-www-form-urlencoded")
        form = request.form
        if form.get("grant_type") != vocabulary.GRANT_TYPE:
            raise Refused(400, "unsupported_grant_type: client_credentials only")
        if form.get("client_assertion_type") != vocabulary.CLIENT_ASSERTION_TYPE:
            raise Refused(400, "invalid_request: client_assertion_type must be jwt-bearer")
        tool = self._check_assertion(form.get("client_assertion", ""))
        asked = frozenset(form.get("scope", "").split())
        granted = asked & frozenset(tool.scopes)
        if not granted or (granted != asked and not self.cut_scopes):
            raise Refused(400, "invalid_scope: a scope is not granted to this tool")
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._grants[token] = Grant(tool.client_id, granted, time.time() + self.lifetime_seconds)
        body = {"access_token": token, "token_type": "Bearer", "expires_in": int(self.lifetime_seconds), "scope": " ".join(sorted(granted))}
        return Response.json(body, headers=[("Cache-Control", "no-store")])

    def _check_assertion(self, assertion: str) -> Tool:
        try:
            header = jwt.get_unverified_header(assertion)
            unverified = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError as problem:
            raise Refused(400, f"invalid_request: the assertion is no JWT ({problem})") from None
        if header.get("alg") != "RS256" or not header.get("kid"):
            raise Refused(400, "invalid_client: the assertion must be RS256 and name its kid")
        tool = self.tools.get(str(unverified.get("iss")))
        if tool is None or unverified.get("sub") != tool.client_id:
            raise Refused(401, "invalid_client: unknown client")
        try:
            claims = jwt.decode(
                assertion,
                tool.key(header["kid"]),
                algorithms=["RS256"],
                audience=self.audience,
                leeway=0,
                options={"require": ["exp", "iat", "jti", "aud", "iss", "sub"], "verify_iat": False},
            )
        except (jwt.InvalidTokenError, OverflowError) as problem:
            raise Refused(400, f"invalid_client: {problem}") from None
        self._check_times(claims)
        self._use_up(claims["jti"])
        return tool

    def _check_times(self, claims: dict[str, Any]) -> None:
        if not is_number(claims["exp"]) or not is_number(claims["iat"]):
            raise Refused(400, "invalid_request: exp and iat must be numbers")
        now = time.time()
        if claims["iat"] > now + _CLOCK_LEEWAY_SECONDS or claims["exp"] - claims["iat"] > _LONGEST_ASSERTION_SECONDS:
            raise Refused(400, "invalid_request: iat lies ahead, or the assertion lives too long")
        if claims["exp"] < claims["iat"]:
            raise Refused(400, "invalid_request: the assertion ends before it begins")

    def _use_up(self, jti: Any) -> None:
        if not isinstance(jti, str) or not jti.strip():
            raise Refused(400, "invalid_request: jti must be text")
        with self._lock:
            if jti in self._seen:
                raise Refused(400, "invalid_request: the jti was used before")
            self._seen.add(jti)

    def check(self, request: Request, *scopes: str) -> str:
        """The client of the request's token, if it carries one of ``scopes``.

        Raises:
            Refused: 401 without a valid token, 403 without the scope.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            grant = self._grants.get(token) if scheme == "Bearer" else None
        if grant is None or grant.expires_at <= time.time():
            raise Refused(401, "the access token is missing, unknown or expired", [("WWW-Authenticate", 'Bearer error="invalid_token"')])
        if not grant.scopes & set(scopes):
            raise Refused(403, f"the access token lacks the scope {scopes[0]}")
        return grant.client_id

    def client_of(self, request: Request) -> str:
        """Who sent the request, for the ledger; "" if nobody known."""
        with self._lock:
            grant = self._grants.get(request.headers.get("authorization", "").partition(" ")[2])
        return grant.client_id if grant else ""

    def revoke_all(self) -> None:
        """Every token that was handed out is worthless from now on."""
        with self._lock:
            self._grants.clear()


def fingerprint(authorization: str) -> str:
    """What the ledger keeps of a token."""
    return "Bearer #" + hashlib.sha256(authorization.encode()).hexdigest()[:12]
