"""How the API's description tells an address: its parameters, what it takes, and what it answers."""

from __future__ import annotations

from typing import Any, Final

from django_lti_ags.api import openapi_schemas as schemas

LTIK: Final = [{"ltik": list[str]()}]
ANY: Final = [{"ltik": list[str]()}, {"serviceKey": list[str]()}, {"bearer": list[str]()}]
ANY_OR_STAFF: Final = [*ANY, {"session": list[str]()}]


def parameter(name: str, description: str, schema: dict[str, Any] | None = None, place: str = "query") -> dict[str, Any]:
    """A parameter, a text unless ``schema`` says otherwise."""
    told = {"name": name, "in": place, "description": description, "schema": schema or {"type": "string"}}
    return told | ({"required": True} if place == "path" else {})


ONCE: Final = parameter(
    "Idempotency-Key",
    "A text of your own for this request: repeated with it, the request is answered alike and not carried out again.",
    {"type": "string", "maxLength": 255},
    "header",
)
_BEARER: Final = [
    parameter("registration", "With an API key alone: the registration's uid.", {"type": "string", "format": "uuid"}),
    parameter("context", "With an API key alone: the course's uid.", {"type": "string", "format": "uuid"}),
]


def operation(
    summary: str,
    answers: dict[str, dict[str, Any]],
    parameters: list[dict[str, Any]] | None = None,
    body: str = "",
    security: list[dict[str, list[str]]] = ANY,
) -> dict[str, Any]:
    """A method of an address; ``body``: the schema's name, blank: it takes none."""
    told: dict[str, Any] = {"summary": summary, "security": security}
    told["parameters"] = [*(parameters or []), *(_BEARER if security in (ANY, ANY_OR_STAFF) else [])]
    if body:
        told["requestBody"] = {"required": True, "content": _json(body)}
    told["responses"] = {**answers, "default": {"description": "An error.", "content": _json("Error")}}
    return told


def _json(name: str) -> dict[str, Any]:
    example = schemas.EXAMPLES.get(name)
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"application/json": {"schema": schema} | ({} if example is None else {"example": example})}


def ok(name: str, description: str, status: str = "200") -> dict[str, dict[str, Any]]:
    """An answer; ``name`` is its schema's."""
    return {status: {"description": description, "content": _json(name)}}
