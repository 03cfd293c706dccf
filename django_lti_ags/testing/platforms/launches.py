"""The launch side of a platform: OIDC third-party login with a signed id token (LTI 1.3, 5.1; Security Framework, 5.1)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms.gradebook import Gradebook
from django_lti_ags.testing.platforms.http import Refused, Request, Response, Route, auto_submitted_form
from django_lti_ags.testing.platforms.state import Course, ResourceLink, State, User
from django_lti_ags.testing.platforms.tokens import Tool

_ID_TOKEN_SECONDS = 60
_ROLES = {
    "learner": "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner",
    "instructor": "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor",
}


@dataclass(frozen=True, slots=True)
class Intent:
    """Somebody is about to launch something."""

    user: User
    course: Course
    link: ResourceLink


class LaunchDesk:
    """Starts launches, and answers the tool's authentication request with an id token."""

    def __init__(self, state: State, tools: dict[str, Tool], gradebook: Gradebook, base_url: Callable[[], str]) -> None:
        self._state = state
        self._tools = tools
        self._gradebook = gradebook
        self._base_url = base_url
        self._made: rsa.RSAPrivateKey | None = None
        self.kid = secrets.token_hex(8)
        self._intents: dict[str, Intent] = {}
        self.session_user: Callable[[Request], User | None] = lambda request: None
        """Who is logged in at the platform's pages; a site with pages sets it. The launch must be theirs."""

    @property
    def _key(self) -> rsa.RSAPrivateKey:
        """Made when it is first needed: most tests launch nothing, and a key takes longer than all else that they do."""
        with self._state.lock:
            if self._made is None:
                self._made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            return self._made

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [
            Route("GET", "/jwks", self._jwks, "jwks"),
            Route("GET", "/oidc/auth", self._authenticate, "launch"),
            Route("POST", "/oidc/auth", self._authenticate, "launch"),
        ]

    def initiation(self, user: User, course: Course, link: ResourceLink) -> tuple[str, dict[str, str]]:
        """The tool's login URL, and the parameters that start a launch (LTI 1.3, 5.1.1.1)."""
        tool = self._tools[link.client_id]
        hint = secrets.token_urlsafe(16)
        with self._state.lock:
            self._intents[hint] = Intent(user, course, link)
        return tool.login_url, {
            "iss": self._base_url(),
            "client_id": tool.client_id,
            "lti_deployment_id": tool.deployment_id,
            "target_link_uri": tool.target_link_uri,
            "login_hint": user.id,
            "lti_message_hint": hint,
        }

    def initiation_url(self, user: User, course: Course, link: ResourceLink) -> str:
        """The same as one URL, for a GET."""
        url, parameters = self.initiation(user, course, link)
        return f"{url}?{urlencode(parameters)}"

    def id_token(self, tool: Tool, intent: Intent, nonce: str, **changed: Any) -> str:
        """A signed id token; ``changed`` claims replace the right ones (None leaves a claim out)."""
        claims = self.claims(tool, intent, nonce) | changed
        return self.sign({name: value for name, value in claims.items() if value is not None})

    def sign(self, claims: dict[str, Any], *, kid: str | None = None) -> str:
        """Sign ``claims`` with the platform's key."""
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": kid or self.kid})

    def claims(self, tool: Tool, intent: Intent, nonce: str) -> dict[str, Any]:
        """A resource link launch's claims (LTI 1.3, 5.3)."""
        now = int(time.time())
        prefix = vocabulary.LTI_CLAIM_PREFIX
        return {
            "iss": self._base_url(),
            "aud": tool.client_id,
            "azp": tool.client_id,
            "sub": intent.user.id,
            "iat": now,
            "exp": now + _ID_TOKEN_SECONDS,
            "nonce": nonce,
            "name": intent.user.name,
            prefix + "message_type": "LtiResourceLinkRequest",
            prefix + "version": "1.3.0",
            prefix + "deployment_id": tool.deployment_id,
            prefix + "target_link_uri": tool.target_link_uri,
            prefix + "resource_link": {"id": intent.link.id, "title": intent.link.title},
            prefix + "roles": [_ROLES[intent.user.role]],
            prefix + "context": {
                "id": intent.course.id,
                "title": intent.course.title,
                "label": intent.course.id,
                "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"],
            },
            prefix + "tool_platform": self._platform(),
            vocabulary.AGS_ENDPOINT_CLAIM: self.endpoint_claim(tool, intent),
        }

    def _platform(self) -> dict[str, str]:
        family = self._gradebook.product_family_code
        return {"guid": self._base_url(), "name": "Simulated LMS", "product_family_code": family}

    def endpoint_claim(self, tool: Tool, intent: Intent) -> dict[str, Any]:
        """What the tool may do with grades, and where (AGS 2.0, 3.1)."""
        claim: dict[str, Any] = {"scope": list(tool.scopes), "lineitems": self._gradebook.container_url(intent.course)}
        columns = [
            item
            for item in list(intent.course.line_items.values())
            if item.resource_link_id == intent.link.id and item.owner == tool.client_id
        ]
        if len(columns) == 1:
            claim["lineitem"] = self._gradebook.line_item_url(intent.course, columns[0])
        return claim

    def _jwks(self, request: Request) -> Response:
        entry = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return Response.json({"keys": [{**entry, "kid": self.kid, "use": "sig", "alg": "RS256"}]})

    def _authenticate(self, request: Request) -> Response:
        form = request.form
        tool = self._tools.get(form.get("client_id", ""))
        if tool is None or form.get("redirect_uri") not in tool.redirect_uris:
            raise Refused(400, "unknown client_id, or a redirect_uri that is not registered")
        wanted = {"scope": "openid", "response_type": "id_token", "response_mode": "form_post", "prompt": "none"}
        for name, value in wanted.items():
            if form.get(name) != value:
                raise Refused(400, f"{name} must be {value}")
        if not form.get("state") or not form.get("nonce"):
            raise Refused(400, "state and nonce must be there")
        with self._state.lock:
            intent = self._intents.pop(form.get("lti_message_hint", ""), None)
        if intent is None or intent.user.id != form.get("login_hint") or intent.link.client_id != tool.client_id:
            raise Refused(400, "no such launch was begun, or it was used already")
        somebody = self.session_user(request)
        if somebody is not None and somebody.id != intent.user.id:
            raise Refused(403, "somebody else is logged in")
        fields = {"state": form["state"], "id_token": self.id_token(tool, intent, form["nonce"])}
        return Response.html(auto_submitted_form(form["redirect_uri"], fields, title=intent.link.title))
