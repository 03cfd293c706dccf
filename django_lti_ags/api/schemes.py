"""The ways to show who calls, as the API's description tells them."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from django_lti_ags.api import authentication

ONLY_LTIK: Final = [{"ltik": list[str]()}]


class _Ltik(OpenApiAuthenticationExtension):
    target_class = authentication.LtikAuthentication
    name = "ltik"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return _header("LTIK-AUTH-V2 <api key>:<ltik>")


class _ServiceKey(OpenApiAuthenticationExtension):
    target_class = authentication.ServiceKeyAuthentication
    name = "serviceKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return _header("SERVICE-AUTH-V1 <api key>:<service key>")


class _Bearer(OpenApiAuthenticationExtension):
    target_class = authentication.BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        said = "An API key; needs `registration`, but where registrations are listed."
        return {"type": "http", "scheme": "bearer", "description": said}


class _Key(OpenApiAuthenticationExtension):
    """The same scheme, defined above."""

    target_class = authentication.KeyAuthentication
    name: Any = ()

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[Any]]:
        return {"bearer": []}

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return []


class _Staff(OpenApiAuthenticationExtension):
    target_class = authentication.StaffAuthentication
    name = "session"

    def get_security_requirement(self, auto_schema: Any) -> Any:
        """To read only."""
        return super().get_security_requirement(auto_schema) if auto_schema.method == "GET" else None

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        said = "The admin's: staff who may view scores, line items, registrations and learners."
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": said}


class _Nobody(OpenApiAuthenticationExtension):
    """No way in."""

    target_class = authentication.NoAuthentication
    name: Any = ()

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return None

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return []


def _header(shown: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": "Authorization", "description": f"`{shown}`"}
