"""Holds an answer against the API's description."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker

from django_lti_ags.api.openapi import document

TOLD = document("/lti")
PATHS = [(re.compile("/lti" + re.sub(r"\{\w+\}", "[^?]+?", path)), path) for path in sorted(TOLD["paths"], key=len, reverse=True)]
ERROR = {"default": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}
UNSAID = {"405", "406", "500"}
"""Of a client that asks for something else than is described; and of a fault here."""
FORMATS = FormatChecker(formats=())


@FORMATS.checks("uri")
def _uri(value: Any) -> bool:
    return not isinstance(value, str) or urlsplit(value).scheme in ("http", "https")


@FORMATS.checks("date-time", ValueError)
def _time(value: Any) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


@FORMATS.checks("uuid", ValueError)
def _uuid(value: Any) -> bool:
    return not isinstance(value, str) or bool(UUID(value))


def place(url: str) -> str | None:
    """Which path of the description ``url`` is."""
    return next((path for pattern, path in PATHS if pattern.fullmatch(url.partition("?")[0])), None)


def check_answer(method: str, url: str, answer: Any) -> None:
    """``answer`` is one that the description promises."""
    operation = TOLD["paths"].get(place(url) or "", {}).get(method.lower())
    promised = ERROR if operation is None else operation["responses"]
    status = str(answer.status_code)
    assert status in promised or operation is None or status in UNSAID, f"{method} {url} → {status} is described nowhere"
    said = promised.get(status, promised["default"])
    content = resolved(said).get("content")
    if content is None:
        assert answer.content == b""
    elif method != "HEAD":
        check(answer.json(), content["application/json"]["schema"], url)


def resolved(said: dict[str, Any]) -> dict[str, Any]:
    """An answer, or what it refers to."""
    return TOLD["components"]["responses"][said["$ref"].rpartition("/")[2]] if "$ref" in said else said


def check(value: Any, schema: Any, where: str) -> None:
    """``value`` is what ``schema`` says."""
    found = Draft202012Validator(schema | {"components": TOLD["components"]}, format_checker=FORMATS).iter_errors(value)
    problems = [f"{where}{one.json_path.removeprefix('$')}: {one.message}" for one in found]
    assert problems == [], "\n".join(problems)
