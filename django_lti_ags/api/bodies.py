"""A request's body: a JSON object of a bounded size, and nothing that JSON has not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, Final, NoReturn

from rest_framework.parsers import BaseParser

from django_lti_ags.api.errors import ApiError, bad

MOST_BYTES: Final = 1_048_576
"""More than the longest comment and the longest extensions take, however they are escaped."""


class ObjectParser(BaseParser):
    """``application/json``."""

    media_type: Any = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The object.

        Raises:
            ApiError: 413 or 400.
        """
        most = getattr((parser_context or {}).get("view"), "most_bytes", MOST_BYTES)
        data = stream.read(most + 1)
        if len(data) > most:
            raise ApiError(413, "BODY_TOO_LARGE", f"The body must have at most {most} bytes.")
        try:
            parsed = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise bad({"body": "must be JSON in UTF-8, without NaN and infinities"}, message="INVALID_JSON") from None
        if not isinstance(parsed, dict):
            raise bad({"body": f"must be a JSON object, not {type(parsed).__name__}"}, message="INVALID_JSON")
        return parsed


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
