"""What the known platforms' registrations look like: data only.

``{site}`` is the platform's own address, ``{client_id}`` and ``{id}`` what it shows for the tool.
Sources: the platforms' own documentation for tool makers; Open edX: xblock-lti-consumer, ``plugin/urls.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Where a platform answers, and what an operator has to know."""

    profile: str
    issuer: str
    auth_login_url: str
    token_url: str
    jwks_url: str
    token_audience: str = ""
    site: str = ""
    """The address, where no other is given; blank: each institution has one."""
    needs_id: bool = False
    """Whether the URLs carry an id that the platform shows with the tool."""
    hint: str = ""

    @property
    def has_site(self) -> bool:
        """Whether an installation of the platform can have an address of its own."""
        return "{site}" in self.auth_login_url

    def urls(self, *, site: str, client_id: str, platform_id: str = "") -> dict[str, str]:
        """The registration's fields.

        Raises:
            ValueError: a part that the URLs need is not given, or one is given that they have no place for.
        """
        place = (site or self.site).rstrip("/")
        if site and not self.has_site:
            raise ValueError("this platform is one cloud for everybody: leave --platform-url out")
        if self.has_site and not place:
            raise ValueError("this platform has an address of its own at each institution: give it with --platform-url")
        if self.needs_id and not platform_id:
            raise ValueError("this platform's URLs carry the id that it shows with the tool: give it with --platform-id")
        names = ("issuer", "auth_login_url", "token_url", "jwks_url", "token_audience")
        return {name: getattr(self, name).format(site=place, client_id=client_id, id=platform_id) for name in names}


CUSTOM: Final = "custom"
"""A platform that no preset knows: every address is given one by one."""

PRESETS: Final[dict[str, Preset]] = {
    "canvas": Preset(
        profile="canvas",
        site="https://sso.canvaslms.com",
        issuer="https://canvas.instructure.com",
        auth_login_url="{site}/api/lti/authorize_redirect",
        token_url="{site}/login/oauth2/token",
        jwks_url="{site}/api/lti/security/jwks",
        hint="Admin → Developer Keys → + LTI Key, method 'Manual Entry'. The client_id is the number under 'Details'. "
        "A self-hosted Canvas: --platform-url with its own address.",
    ),
    "moodle": Preset(
        profile="moodle",
        issuer="{site}",
        auth_login_url="{site}/mod/lti/auth.php",
        token_url="{site}/mod/lti/token.php",
        jwks_url="{site}/mod/lti/certs.php",
        hint="Site administration → Plugins → External tool → Manage tools → configure a tool manually, LTI 1.3, 'Keyset URL'. "
        "Services: 'Use this service for grade sync and column management'.",
    ),
    "blackboard": Preset(
        profile="blackboard",
        issuer="https://blackboard.com",
        auth_login_url="https://developer.blackboard.com/api/v1/gateway/oidcauth",
        token_url="https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken",
        jwks_url="https://developer.blackboard.com/api/v1/management/applications/{client_id}/jwks.json",
        hint="Register the tool at developer.blackboard.com; the client_id is its application id. Each institution then adds it by that id.",
    ),
    "d2l": Preset(
        profile="d2l",
        issuer="{site}",
        auth_login_url="{site}/d2l/lti/authenticate",
        token_url="https://auth.brightspace.com/core/connect/token",
        jwks_url="{site}/d2l/.well-known/jwks",
        token_audience="https://api.brightspace.com/auth/token",
        hint="Admin Tools → Manage Extensibility → LTI Advantage → Register Tool, with the extension 'Assignment and Grade Services'.",
    ),
    "sakai": Preset(
        profile="sakai",
        issuer="{site}",
        auth_login_url="{site}/imsoidc/lti13/oidc_auth",
        token_url="{site}/imsblis/lti13/token/{id}",
        jwks_url="{site}/imsblis/lti13/keyset",
        needs_id=True,
        hint="Administration Workspace → External Tools → Install LTI 1.x Tool. The id is the number at the end of the token URL that it shows.",
    ),
    "schoology": Preset(
        profile="schoology",
        issuer="https://schoology.schoology.com",
        auth_login_url="https://lti-service.svc.schoology.com/lti-service/authorize-redirect",
        token_url="https://lti-service.svc.schoology.com/lti-service/access-token",
        jwks_url="https://lti-service.svc.schoology.com/lti-service/.well-known/jwks",
        hint="Register the app at app.schoology.com/publisher with the LTI 1.3 type.",
    ),
    "openedx": Preset(
        profile="openedx",
        issuer="{site}",
        auth_login_url="{site}/api/lti_consumer/v1/launch/",
        token_url="{site}/api/lti_consumer/v1/token/{id}",
        jwks_url="{site}/api/lti_consumer/v1/public_keysets/{id}",
        needs_id=True,
        hint="Studio → unit → Advanced → LTI Consumer, LTI 1.3. The id is the one at the end of the token URL that the block shows.",
    ),
}
