"""``api/openapi.json``: the API's description, OpenAPI 3.1, as :mod:`~django_lti_ags.api.generating` made it from the views."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import JsonResponse
from django.views.generic import View

from django_lti_ags import __version__

if TYPE_CHECKING:
    from django.http import HttpRequest


@cache
def kept() -> dict[str, Any]:
    """What was generated."""
    told: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))
    return told


def document(base: str) -> dict[str, Any]:
    """The description of the API at ``base``, without a trailing slash."""
    told = kept()
    components = told["components"]
    schemes = components["securitySchemes"]
    session = schemes["session"] | {"name": settings.SESSION_COOKIE_NAME}
    return told | {
        "info": told["info"] | {"version": __version__},
        "servers": [{"url": base or "/"}],
        "components": components | {"securitySchemes": schemes | {"session": session}},
    }


class OpenApiView(View):
    """For everybody, since it tells nothing that is not in the documentation."""

    def get(self, request: HttpRequest) -> JsonResponse:
        """The description, of the API at this address."""
        return JsonResponse(document(request.path.removesuffix("/api/openapi.json")))
