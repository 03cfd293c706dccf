"""Holds an answer against the API's description: enough of JSON Schema for what that uses, and an error for what it would pass over."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django_lti_ags.api.openapi import document

TOLD = document("/lti")
TYPES = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}
FORMATS = {"uri": lambda text: urlsplit(text).scheme in ("http", "https"), "date-time": datetime.fromisoformat, "uuid": UUID}
WORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "format", "description", "$ref", "minimum", "maximum"}
WORDS |= {"exclusiveMinimum", "minItems", "maxItems", "minLength", "anyOf"}
PATHS = [(re.compile("/lti" + re.sub(r"\{\w+\}", "[^?]+?", path)), path) for path in reversed(TOLD["paths"])]


def place(url: str) -> str | None:
    """Which path of the description ``url`` is."""
    return next((path for pattern, path in PATHS if pattern.fullmatch(url.partition("?")[0])), None)


def check_answer(method: str, url: str, answer: Any) -> None:
    """``answer`` is one that the description promises."""
    operation = TOLD["paths"].get(place(url) or "", {}).get(method.lower())
    promised = {"default": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}
    promised = promised if operation is None else operation["responses"]
    status = str(answer.status_code)
    assert status in promised or answer.status_code >= 400, f"{method} {url} → {status} is described nowhere"
    content = promised.get(status, promised["default"]).get("content")
    if content is None:
        assert answer.content == b""
    elif method != "HEAD":
        check(answer.json(), content["application/json"]["schema"], url)


def check(value: Any, schema: Any, where: str) -> None:
    """``value`` is what ``schema`` says."""
    assert set(schema) <= WORDS, f"{where}: the checker does not know {set(schema) - WORDS}"
    if "$ref" in schema:
        return check(value, TOLD["components"]["schemas"][schema["$ref"].rpartition("/")[2]], where)
    if "anyOf" in schema:
        return check_any(value, schema["anyOf"], where)
    types = schema.get("type", list(TYPES))
    assert any(TYPES[name](value) for name in ([types] if isinstance(types, str) else types)), f"{where}: {value!r} is no {types}"
    assert value in schema.get("enum", [value]), f"{where}: {value!r}"
    if isinstance(value, str) and "format" in schema:
        assert FORMATS[schema["format"]](value), f"{where}: {value!r} is no {schema['format']}"
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value), f"{where}: {value!r} lacks a field"
        for name, inner in value.items():
            further = schema.get("additionalProperties", {})
            known = schema.get("properties", {}).get(name, further)
            assert known is not False, f"{where}: {name} is described nowhere"
            check(inner, known, f"{where}.{name}")
    if isinstance(value, list):
        for inner in value:
            check(inner, schema.get("items", {}), f"{where}[]")
    return None


def check_any(value: Any, schemas: list[dict[str, Any]], where: str) -> None:
    """``value`` is what one of them says; what is wrong with it is told of the first."""
    problems: list[AssertionError] = []
    for schema in schemas:
        try:
            return check(value, schema, where)
        except AssertionError as problem:
            problems.append(problem)
    raise problems[0]
