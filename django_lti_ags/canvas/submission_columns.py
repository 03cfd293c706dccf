"""What Canvas adds to a column: how its assignment takes submissions, and where it is launched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.canvas.submission import check_web_address
from django_lti_ags.exceptions import InvalidScore

if TYPE_CHECKING:
    from collections.abc import Mapping

SUBMISSION_TYPE: Final = "https://canvas.instructure.com/lti/submission_type"
LAUNCH_URL: Final = "https://canvas.instructure.com/lti/launch_url"
COLUMN_EXTENSIONS: Final = frozenset({SUBMISSION_TYPE, LAUNCH_URL})
_TYPES: Final = ("none", "external_tool")
_FIELDS: Final = frozenset({"type", "external_tool_url"})


def check_column_extensions(extensions: Mapping[str, Any]) -> None:
    """Accept what a column may be made with.

    Raises:
        InvalidScore: Canvas would refuse it, or pass over it.
    """
    if LAUNCH_URL in extensions:
        raise InvalidScore(LAUNCH_URL, extensions[LAUNCH_URL], "is what Canvas tells of a column; it cannot be set")
    if SUBMISSION_TYPE not in extensions:
        return
    told = extensions[SUBMISSION_TYPE]
    if not isinstance(told, dict) or set(told) - _FIELDS:
        raise InvalidScore(SUBMISSION_TYPE, told, "must be an object with type and external_tool_url")
    if told.get("type") not in _TYPES:
        raise InvalidScore(SUBMISSION_TYPE, told.get("type"), f"its type must be one of {', '.join(_TYPES)}")
    if "external_tool_url" not in told:
        return
    if told["type"] == "none":
        raise InvalidScore(SUBMISSION_TYPE, told, "has no external_tool_url with the type none")
    check_web_address(SUBMISSION_TYPE, told["external_tool_url"])
