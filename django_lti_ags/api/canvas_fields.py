"""Canvas' submission extension of a score, as a client writes it on the wire: checked, and handed on as the Python API takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.canvas import File, Submission
from django_lti_ags.canvas.submission import EXTENSION
from django_lti_ags.exceptions import InvalidScore

if TYPE_CHECKING:
    from datetime import datetime

_FLAGS: Final = ("preserve_score", "prioritize_non_tool_grade")
_OTHERS: Final = ("new_submission", "submission_type", "submission_data")
_OF_FILE: Final = frozenset({"type", "url", "title", "media_type"})


def submission(said: Any, read_time: Callable[[str, Any], datetime | None]) -> Submission:
    """What ``said`` under :data:`EXTENSION` means; ``read_time`` reads a time, given its name and value.

    Raises:
        InvalidScore: Canvas would refuse it, or pass over a part of it.
    """
    known = {*_FLAGS, *_OTHERS, "submitted_at", "content_items"}
    if not isinstance(said, Mapping) or set(said) - known:
        raise InvalidScore("submission", said, f"must be an object with some of {', '.join(sorted(known))}")
    items = said.get("content_items")
    if items is not None and not isinstance(items, list):
        raise InvalidScore("submission.content_items", items, "must be a list")
    values: dict[str, Any] = {name: said[name] for name in (*_FLAGS, *_OTHERS) if said.get(name) is not None}
    at = read_time(f"{EXTENSION}.submitted_at", said.get("submitted_at"))
    return Submission(submitted_at=at, content_items=[_file(item) for item in items or ()], **values)


def _file(item: Any) -> File:
    if not isinstance(item, Mapping) or set(item) - _OF_FILE or item.get("type") != "file":
        raise InvalidScore("submission.content_items", item, 'must be objects with "type": "file", a url, and perhaps title and media_type')
    return File(url=item.get("url", ""), title=item.get("title"), media_type=item.get("media_type"))
