"""What the known platforms' registrations look like: data only.

``{site}`` is the platform's own address, ``{client_id}`` and ``{id}`` what it shows for the tool.
Sources: the platforms' own documentation for tool makers; Open edX: xblock-lti-consumer, ``plugin/urls.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PAGE: Final = re.compile(r"\.(php|html?|aspx?|jsp|cgi)$", re.IGNORECASE)
_URL_PART: Final = re.compile(r"(?!\.+$)[A-Za-z0-9._~:@!$&'()*+,;=-]+")
"""What a path takes as it stands (RFC 3986, 3.3), but for dots alone, which lead elsewhere."""


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
            ValueError: a part that the URLs need is not given, one is given that they have no place for, or it would bend them.
        """
        self._check_site(site)
        self._check_ids(client_id, platform_id)
        place = (site or self.site).rstrip("/")
        names = ("issuer", "auth_login_url", "token_url", "jwks_url", "token_audience")
        return {name: getattr(self, name).format(site=place, client_id=client_id, id=platform_id) for name in names}

    def _check_site(self, site: str) -> None:
        if site and not self.has_site:
            raise ValueError("this platform is one cloud for everybody: leave --platform-url out")
        if self.has_site and not (site or self.site):
            raise ValueError("this platform has an address of its own at each institution: give it with --platform-url")
        segments = urlsplit(site).path.strip("/").split("/")
        # The preset's own pages: what people see after they logged in, and copy.
        own = self.auth_login_url.removeprefix("{site}/").partition("/")[0]
        if _PAGE.search(segments[-1]) or own in segments or "?" in site or "#" in site:
            raise ValueError(f"--platform-url must be the platform's own address, as in https://lms.example, not a page of it: {site!r}")

    def _check_ids(self, client_id: str, platform_id: str) -> None:
        if self.needs_id and not platform_id:
            raise ValueError("this platform's URLs carry the id that it shows with the tool: give it with --platform-id")
        if platform_id and not self.needs_id:
            raise ValueError("this platform's URLs carry no id: leave --platform-id out")
        carried = f"{self.auth_login_url} {self.token_url} {self.jwks_url}"
        for name, mark, value in (("--client-id", "{client_id}", client_id), ("--platform-id", "{id}", platform_id)):
            if mark in carried and not _URL_PART.fullmatch(value):
                raise ValueError(f"{name} {value!r} cannot be a part of a URL: give the bare id that the platform shows")


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
        "A self-hosted Canvas: --platform-url with its own address, and --issuer if its security.yml names another than "
        "https://canvas.instructure.com. Instructure's beta and test clouds are issuers of their own: "
        "--platform-url https://sso.beta.canvaslms.com --issuer https://canvas.beta.instructure.com (or test for beta).",
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
