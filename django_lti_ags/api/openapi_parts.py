"""What the API's description is put together from: JSON Schema in few words."""

from __future__ import annotations

from typing import Any, Final

TEXT: Final = {"type": "string"}
URI: Final = {"type": "string", "format": "uri"}
UUID: Final = {"type": "string", "format": "uuid"}
TIME: Final = {"type": "string", "format": "date-time"}
MAYBE_TIME: Final = {"type": ["string", "null"], "format": "date-time"}
FLAG: Final = {"type": "boolean"}
FURTHER: Final = {"description": "Further fields of the platform's, each named by a full URL."}


def an_object(properties: dict[str, Any], required: str = "", *, more: Any = None) -> dict[str, Any]:
    """An object; ``required``: names with spaces between; ``more``: what stands under other names, False: there are none."""
    told: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        told["required"] = required.split()
    return told if more is None else told | {"additionalProperties": more}


def list_of(items: dict[str, Any]) -> dict[str, Any]:
    """A list."""
    return {"type": "array", "items": items}


def ref(name: str) -> dict[str, str]:
    """A schema that stands among the components."""
    return {"$ref": f"#/components/schemas/{name}"}
