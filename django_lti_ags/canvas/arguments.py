"""What Canvas' REST API takes: checked before anything is sent, and written as it is sent.

Each rule is one that Canvas documents or enforces; the error names the argument, its value and the rule.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from django_lti_ags.ags.rules import check_text, check_time
from django_lti_ags.ags.urls import MAX_LENGTH, origin
from django_lti_ags.exceptions import InvalidCanvasArgument, InvalidScore

if TYPE_CHECKING:
    from collections.abc import Iterable

Pairs = list[tuple[str, str]]

_ID: Final = re.compile(r"[1-9][0-9]{0,18}(?:~[1-9][0-9]{0,18})?")
"""With a tilde it is another shard's."""
_LONGEST_SIS_ID: Final = 255
_MOST_PER_PAGE: Final = 100

RESULT_INCLUDES: Final = ("alignments", "outcomes", "outcomes.alignments", "outcome_groups", "outcome_links", "outcome_paths", "users")
ROLLUP_INCLUDES: Final = ("courses", *RESULT_INCLUDES)
EXCLUDES: Final = ("missing_user_rollups", "missing_outcome_results", "")


def check_id(field: str, value: Any) -> str:
    """An id as text: a whole number above zero, or its digits."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**19:
        return str(value)
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise InvalidCanvasArgument(field, value, "must be a Canvas id: a whole number above zero, or its digits")


def check_known_id(field: str, value: Any, prefix: str) -> str:
    """An id, or with ``prefix`` the one that the institution's own system has."""
    if not isinstance(value, str) or not value.startswith(prefix):
        return check_id(field, value)
    check_words(field, value, _LONGEST_SIS_ID)
    if len(value.strip()) == len(prefix):
        raise InvalidCanvasArgument(field, value, f"must name something after {prefix}")
    return value


def path_id(field: str, value: Any, prefix: str = "sis_course_id:") -> str:
    """An id as a part of a path, which it cannot leave."""
    return quote(check_known_id(field, value, prefix), safe="~:").replace(".", "%2E")


def check_base_url(value: Any) -> str:
    """Where Canvas is, without a trailing slash."""
    try:
        found = origin(value)
    except (ValueError, TypeError) as problem:
        raise InvalidCanvasArgument("base_url", value, str(problem)) from None
    if value.count("/") > len("//") + value.endswith("/") or "?" in value or "#" in value:
        raise InvalidCanvasArgument("base_url", value, f"must be Canvas' address alone, such as {found}")
    return found


def check_words(field: str, value: Any, longest: int) -> None:
    """Accept text that is not blank, and that JSON and every database can carry."""
    try:
        check_text(field, value, longest)
    except InvalidScore as problem:
        raise InvalidCanvasArgument(problem.field, problem.value, problem.rule) from None
    if not value.strip():
        raise InvalidCanvasArgument(field, value, "must not be blank")


def check_moment(field: str, value: Any) -> None:
    """Accept an aware datetime."""
    try:
        check_time(field, value)
    except InvalidScore as problem:
        raise InvalidCanvasArgument(problem.field, problem.value, problem.rule) from None
    if not isinstance(value, datetime):
        raise InvalidCanvasArgument(field, value, "is needed")


def ids(field: str, values: Any, prefix: str = "") -> Pairs:
    """``user_ids[]=1&user_ids[]=2``; nothing for None."""
    check = partial(check_known_id, prefix=prefix) if prefix else check_id
    found = [(f"{field}[]", check(field, value)) for value in _several(field, values)]
    if values is not None and not found:
        raise InvalidCanvasArgument(field, values, "is empty, which Canvas reads as all: leave it out to ask for all")
    return found


def some_of(field: str, values: Any, known: Iterable[str]) -> Pairs:
    """``include[]=users``; nothing for None."""
    found = []
    for value in _several(field, values):
        if not isinstance(value, str) or value not in known:
            raise InvalidCanvasArgument(field, value, f"must be some of {', '.join(name or 'the empty text' for name in known)}")
        found.append((f"{field}[]", value))
    return found


def one_of(field: str, value: Any, known: Iterable[str]) -> Pairs:
    """``sort_by=student``; nothing for None."""
    if value is None:
        return []
    if not isinstance(value, str) or value not in known:
        raise InvalidCanvasArgument(field, value, f"must be one of {', '.join(known)}")
    return [(field, value)]


def one_id(field: str, value: Any) -> Pairs:
    """``section_id=7``; nothing for None."""
    return [] if value is None else [(field, check_id(field, value))]


def switch(field: str, value: Any) -> Pairs:
    """``include_hidden=true``; nothing for False, which is every switch's default: some of Canvas' take any text for true."""
    if not isinstance(value, bool):
        raise InvalidCanvasArgument(field, value, "must be True or False")
    return [(field, "true")] if value else []


def page_size(value: Any) -> Pairs:
    """``per_page=50``."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _MOST_PER_PAGE:
        raise InvalidCanvasArgument("per_page", value, f"must be a whole number from 1 to {_MOST_PER_PAGE}")
    return [("per_page", str(value))]


def check_length(url: str) -> str:
    """``url``, unless too many ids made it too long to be requested."""
    if len(url) > MAX_LENGTH:
        raise InvalidCanvasArgument("url", url, f"is longer than {MAX_LENGTH} characters: ask for fewer users or outcomes at a time")
    return url


def _several(field: str, values: Any) -> list[Any]:
    if values is None:
        return []
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise InvalidCanvasArgument(field, values, "must be a list")
    return list(values)
