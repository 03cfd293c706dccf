"""The API's description, OpenAPI 3.1: what every address takes and answers.

Written by hand: an id that is a URL, and a query that another parameter overrides, no generator finds out. The tests hold every
answer that they see against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import JsonResponse
from django.views.generic import View

from django_lti_ags import __version__
from django_lti_ags.api import openapi_schemas as schemas
from django_lti_ags.models import SyncState

if TYPE_CHECKING:
    from django.http import HttpRequest

_INTRODUCTION: Final = """Grades for tools in any language: LTIAAS' surface, and below `/api/sync` what became of scores.

Scores are recorded durably and delivered by a worker; line items and results are asked of the platform while you wait."""
_LTIK: Final = [{"ltik": list[str]()}]
_ANY: Final = [{"ltik": list[str]()}, {"serviceKey": list[str]()}, {"bearer": list[str]()}]


def _parameter(name: str, description: str, schema: dict[str, Any] | None = None, place: str = "query") -> dict[str, Any]:
    told = {"name": name, "in": place, "description": description, "schema": schema or {"type": "string"}}
    return told | ({"required": True} if place == "path" else {})


_ID: Final = _parameter("id", "The line item's id, a URL, percent-encoded as a whole.", {"type": "string", "format": "uri"}, "path")
_UID: Final = _parameter("uid", "The score's uid.", {"type": "string", "format": "uuid"}, "path")
_LIMIT: Final = _parameter("limit", "At most so many; the platform may give fewer.", {"type": "integer", "minimum": 1})
_URL: Final = _parameter(
    "url", "A page that an earlier answer named; every other parameter is ignored.", {"type": "string", "format": "uri"}
)
_USER: Final = _parameter("userId", "Only this learner's: the launch's user id.")
_BEARER: Final = [
    _parameter("registration", "With an API key alone: the registration's uid.", {"type": "string", "format": "uuid"}),
    _parameter("context", "With an API key alone: the course's uid.", {"type": "string", "format": "uuid"}),
]


def _operation(
    summary: str,
    answers: dict[str, dict[str, Any]],
    parameters: list[dict[str, Any]] | None = None,
    body: str = "",
    security: list[dict[str, list[str]]] = _ANY,
) -> dict[str, Any]:
    told: dict[str, Any] = {"summary": summary, "security": security}
    told["parameters"] = [*(parameters or []), *(_BEARER if security is _ANY else [])]
    if body:
        told["requestBody"] = {"required": True, "content": _json(body)}
    told["responses"] = {**answers, "default": {"description": "An error.", "content": _json("Error")}}
    return told


def _json(name: str) -> dict[str, Any]:
    example = schemas.EXAMPLES.get(name)
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"application/json": {"schema": schema} | ({} if example is None else {"example": example})}


def _ok(name: str, description: str, status: str = "200") -> dict[str, dict[str, Any]]:
    return {status: {"description": description, "content": _json(name)}}


_NOTHING: Final = {"204": {"description": "Done; there is nothing to say."}}
_FILTERS: Final = [_parameter(name, f"Only those with this {name}.") for name in ("resourceLinkId", "resourceId", "tag")]
_WAIT: Final = _parameter("wait", "Wait so many seconds for the verdict.", {"type": "number", "minimum": 0, "maximum": 30})
_LINE_ITEM: Final = _parameter("lineItem", "Only this line item's: its id.", {"type": "string", "format": "uri"})
_STATE: Final = _parameter("state", "Only those in this state.", {"type": "string", "enum": list(SyncState.values)})
_CURSOR: Final = _parameter("cursor", "The next of an earlier answer.")
_PATHS: Final = {
    "/api/idtoken": {"get": _operation("The launch", _ok("IdToken", "Who came, and to what."), security=_LTIK)},
    "/api/lineitems": {
        "get": _operation("List line items", _ok("LineItems", "One page."), [*_FILTERS, _LIMIT, _URL]),
        "post": _operation("Create a line item", _ok("LineItem", "What the platform made of it.", "201"), body="NewLineItem"),
    },
    "/api/lineitems/{id}": {
        "get": _operation("Read a line item", _ok("LineItem", "As the platform has it."), [_ID]),
        "put": _operation("Replace a line item", _ok("LineItem", "What the platform made of it."), [_ID], "NewLineItem"),
        "delete": _operation("Delete a line item that the tool made", _NOTHING, [_ID]),
    },
    "/api/lineitems/{id}/scores": {
        "get": _operation("Read what the platform shows", _ok("Scores", "One page."), [_ID, _USER, _LIMIT, _URL]),
        "post": _operation(
            "Record a score",
            _NOTHING | _ok("Pending", "With wait: it is recorded, and there is no verdict yet.", "202"),
            [_ID, _WAIT],
            "NewScore",
        ),
    },
    "/api/sync/registrations": {
        "get": _operation(
            "List the registrations that the key was issued for, or the launch's own; a key alone need not name one",
            _ok("Registrations", "One page, the newest first."),
            [_LIMIT, _CURSOR],
        )
    },
    "/api/sync/lineitems": {
        "get": _operation(
            "List line items with what became of their scores", _ok("Columns", "One page, the newest first."), [_LINE_ITEM, _LIMIT, _CURSOR]
        )
    },
    "/api/sync/status": {"get": _operation("How delivery stands", _ok("Status", "Counts, and what stands in the way."), [_LINE_ITEM])},
    "/api/sync/reconcile": {
        "post": _operation("Compare a line item with its platform", _ok("Reconciliation", "How its learners stand."), body="Reconcile")
    },
    "/api/sync/scores": {
        "get": _operation(
            "List recorded scores",
            _ok("RecordedScores", "One page, the newest first."),
            [_LINE_ITEM, _USER, _STATE, _LIMIT, _CURSOR],
        ),
        "post": _operation("Record many scores", _ok("Summary", "All are recorded."), body="ManyScores"),
    },
    "/api/sync/scores/{uid}": {"get": _operation("One recorded score", _ok("RecordedScoreWithAttempts", "With its exchanges."), [_UID])},
    "/api/sync/scores/{uid}/retry": {"post": _operation("Send it again", _ok("RecordedScore", "It is due."), [_UID])},
    "/api/sync/scores/{uid}/cancel": {"post": _operation("Do not send it", _ok("RecordedScore", "It is cancelled."), [_UID], "Reason")},
}


def _scheme(name: str, shown: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": "Authorization", "description": f"`{name} {shown}`"}


def document(base: str) -> dict[str, Any]:
    """The description of the API at ``base``, without a trailing slash."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "django_lti_ags", "version": __version__, "description": _INTRODUCTION},
        "servers": [{"url": base or "/"}],
        "paths": _PATHS,
        "components": {
            "schemas": schemas.SCHEMAS,
            "securitySchemes": {
                "ltik": _scheme("LTIK-AUTH-V2", "<api key>:<ltik>"),
                "serviceKey": _scheme("SERVICE-AUTH-V1", "<api key>:<service key>"),
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
