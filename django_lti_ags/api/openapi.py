"""The API's description, OpenAPI 3.1: what every address takes and answers.

Written by hand: an id that is a URL, and a query that another parameter overrides, no generator finds out. The tests hold every
answer that they see against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import JsonResponse
from django.views.generic import View

from django_lti_ags import __version__
from django_lti_ags.api import openapi_canvas
from django_lti_ags.api import openapi_schemas as schemas
from django_lti_ags.api.openapi_operations import ANY_OR_STAFF, LTIK, ONCE, ok, operation, parameter
from django_lti_ags.models import SyncState

if TYPE_CHECKING:
    from django.http import HttpRequest

_INTRODUCTION: Final = """Grades for tools in any language: LTIAAS' surface, and below `/api/sync` what became of scores.

Scores are recorded durably and delivered by a worker; line items and results are asked of the platform while you wait."""
_ID: Final = parameter("id", "The line item's id, a URL, percent-encoded as a whole.", {"type": "string"}, "path")
_UID: Final = parameter("uid", "The score's uid.", {"type": "string", "format": "uuid"}, "path")
_LIMIT: Final = parameter("limit", "At most so many; the platform may give fewer.", {"type": "integer", "minimum": 1})
_URL: Final = parameter(
    "url", "A page that an earlier answer named; every other parameter is ignored.", {"type": "string", "format": "uri"}
)
_USER: Final = parameter("userId", "Only this learner's: the launch's user id.")
_NOTHING: Final = {"204": {"description": "Done; there is nothing to say."}}
_FILTERS: Final = [parameter(name, f"Only those with this {name}.") for name in ("resourceLinkId", "resourceId", "tag")]
_WAIT: Final = parameter("wait", "Wait so many seconds for the verdict.", {"type": "number", "minimum": 0, "maximum": 30})
_LINE_ITEM: Final = parameter("lineItem", "Only this line item's: its id.", {"type": "string", "format": "uri"})
_STATE: Final = parameter("state", "Only those in this state.", {"type": "string", "enum": list(SyncState.values)})
_CURSOR: Final = parameter("cursor", "The next of an earlier answer.")
_RAW: Final = parameter("raw", "The platform's claims as they came.", {"type": "boolean"})
_PATHS: Final = {
    "/api/idtoken": {
        "get": operation("The launch", ok("AnyIdToken", "Who came, and to what."), [_RAW], security=LTIK),
    },
    "/api/lineitems": {
        "get": operation("List line items", ok("LineItems", "One page."), [*_FILTERS, _LIMIT, _URL]),
        "post": operation("Create a line item", ok("LineItem", "What the platform made of it.", "201"), [ONCE], "NewLineItem"),
    },
    "/api/lineitems/{id}": {
        "get": operation("Read a line item", ok("LineItem", "As the platform has it."), [_ID]),
        "put": operation("Replace a line item", ok("LineItem", "What the platform made of it."), [_ID], "NewLineItem"),
        "delete": operation("Delete a line item that the tool made", _NOTHING, [_ID]),
    },
    "/api/lineitems/{id}/scores": {
        "get": operation("Read what the platform shows", ok("Scores", "One page."), [_ID, _USER, _LIMIT, _URL]),
        "post": operation(
            "Record a score",
            _NOTHING | ok("Pending", "With wait: it is recorded, and there is no verdict yet.", "202"),
            [_ID, _WAIT, ONCE],
            "NewScore",
        ),
    },
    "/api/sync/registrations": {
        "get": operation(
            "List the registrations that the key was issued for, or the launch's own; a key alone need not name one",
            ok("Registrations", "One page, the newest first."),
            [_LIMIT, _CURSOR],
            security=ANY_OR_STAFF,
        )
    },
    "/api/sync/lineitems": {
        "get": operation(
            "List line items with what became of their scores",
            ok("Columns", "One page, the newest first."),
            [_LINE_ITEM, _LIMIT, _CURSOR],
            security=ANY_OR_STAFF,
        )
    },
    "/api/sync/status": {"get": operation("How delivery stands", ok("Status", "Counts, and what stands in the way."), [_LINE_ITEM])},
    "/api/sync/reconcile": {
        "post": operation("Compare a line item with its platform", ok("Reconciliation", "How its learners stand."), body="Reconcile")
    },
    "/api/sync/scores": {
        "get": operation(
            "List recorded scores",
            ok("RecordedScores", "One page, the newest first."),
            [_LINE_ITEM, _USER, _STATE, _LIMIT, _CURSOR],
            security=ANY_OR_STAFF,
        ),
        "post": operation("Record many scores", ok("Summary", "All are recorded."), [ONCE], "ManyScores"),
    },
    "/api/sync/scores/{uid}": {
        "get": operation("One recorded score", ok("RecordedScoreWithAttempts", "With its exchanges."), [_UID], security=ANY_OR_STAFF)
    },
    "/api/sync/scores/{uid}/retry": {"post": operation("Send it again", ok("RecordedScore", "It is due."), [_UID])},
    "/api/sync/scores/{uid}/cancel": {"post": operation("Do not send it", ok("RecordedScore", "It is cancelled."), [_UID], "Reason")},
}


def _scheme(name: str, shown: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": "Authorization", "description": f"`{name} {shown}`"}


def document(base: str) -> dict[str, Any]:
    """The description of the API at ``base``, without a trailing slash."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "django_lti_ags", "version": __version__, "description": _INTRODUCTION},
        "servers": [{"url": base or "/"}],
        "paths": _PATHS | openapi_canvas.PATHS,
        "components": {
            "schemas": schemas.SCHEMAS | openapi_canvas.SCHEMAS,
            "securitySchemes": {
                "ltik": _scheme("LTIK-AUTH-V2", "<api key>:<ltik>"),
                "serviceKey": _scheme("SERVICE-AUTH-V1", "<api key>:<service key>"),
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": settings.SESSION_COOKIE_NAME,
                    "description": "The admin's: staff who may view scores, line items, registrations and learners.",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key; needs `registration`, but where registrations are listed.",
                },
            },
        },
    }


class OpenApiView(View):
    """``api/openapi.json``: for everybody, since it tells nothing that is not in the documentation."""

    def get(self, request: HttpRequest) -> JsonResponse:
        """The description, of the API at this address."""
        return JsonResponse(document(request.path.removesuffix("/api/openapi.json")))
