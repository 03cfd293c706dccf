"""What AGS 2.0 allows a score to be: checked before anything is stored or sent."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress
from django_lti_ags.exceptions import InvalidScore

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_USER_ID: Final = 255
"""LTI 1.3 (5.3.6.1): a sub has at most 255 characters."""
MAX_COMMENT: Final = 65_536
"""Ours: no platform shows more, and every score is sent whole."""
MAX_EXTENSIONS: Final = 65_536
"""Ours, in bytes of JSON: they travel with every score."""
MAX_EXTENSION_DEPTH: Final = 20
_EARLIEST_YEAR: Final = 1970
_LATEST_YEAR: Final = 9998
"""So that every zone's end of it can be written."""
_WORDS: Final = {words: frozenset(word.value for word in words) for words in (ActivityProgress, GradingProgress)}
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""In JSON; after an escaped backslash, ``u0000`` is plain text."""


def validate_score(
    *,
    user_id: Any,
    score_given: Any = None,
    score_maximum: Any = None,
    activity_progress: Any = ActivityProgress.COMPLETED,
    grading_progress: Any = GradingProgress.FULLY_GRADED,
    comment: Any = None,
    started_at: Any = None,
    submitted_at: Any = None,
    scoring_user_id: Any = None,
    extensions: Any = None,
) -> None:
    """Accept the fields of a score (AGS 2.0, 3.4), all but its timestamp.

    Raises:
        InvalidScore: the first field that breaks a rule, with its value and the rule.
    """
    _check_user("user_id", user_id)
    if scoring_user_id is not None:
        _check_user("scoring_user_id", scoring_user_id)
    _check_numbers(score_given, score_maximum)
    _check_word("activity_progress", activity_progress, ActivityProgress)
    _check_word("grading_progress", grading_progress, GradingProgress)
    if comment is not None:
        check_text("comment", comment, MAX_COMMENT)
    check_time("started_at", started_at)
    check_time("submitted_at", submitted_at)
    if started_at is not None and submitted_at is not None and submitted_at < started_at:
        raise InvalidScore("submitted_at", submitted_at, "must not lie before started_at (AGS 2.0, 3.4.11)")
    check_extensions({} if extensions is None else extensions)


def _check_user(field: str, value: Any) -> None:
    check_text(field, value, MAX_USER_ID)
    if not value.strip():
        raise InvalidScore(field, value, "must not be blank: it is the launch's sub")


def check_text(field: str, value: Any, longest: int) -> None:
    """Accept text that JSON and every database can carry."""
    if not isinstance(value, str):
        raise InvalidScore(field, value, "must be a string")
    if len(value) > longest:
        raise InvalidScore(field, value, f"must have at most {longest} characters, it has {len(value)}")
    if "\x00" in value:
        raise InvalidScore(field, value, "must not hold a NUL character")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidScore(field, value, "must not hold a lone surrogate, which is no character")


def _check_numbers(given: Any, maximum: Any) -> None:
    for field, value in (("score_given", given), ("score_maximum", maximum)):
        if value is not None:
            check_number(field, value)
    if given is not None and given < 0:
        raise InvalidScore("score_given", given, "must not be negative (AGS 2.0, 3.4.5)")
    if given is not None and maximum is None:
        raise InvalidScore("score_maximum", maximum, "is needed with score_given (AGS 2.0, 3.4.5)")
    if maximum is not None and float(maximum) <= 0:
        raise InvalidScore("score_maximum", maximum, "must be above zero (AGS 2.0, 3.4.5)")


def check_number(field: str, value: Any) -> None:
    """Accept an int, a float or a Decimal that a JSON number can be."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise InvalidScore(field, value, "must be a number: int, float or Decimal")
    try:
        finite = math.isfinite(value)
    except (OverflowError, ValueError):  # an int beyond every float, a signalling NaN
        finite = False
    if not finite or math.isinf(float(value)):
        raise InvalidScore(field, value, "must be a finite number; JSON has no NaN and no infinity")


def _check_word(field: str, value: Any, words: type[ActivityProgress | GradingProgress]) -> None:
    if not isinstance(value, str) or value not in _WORDS[words]:
        raise InvalidScore(field, value, f"must be one of {', '.join(word.value for word in words)}")


def check_time(field: str, value: Any) -> None:
    """Accept an aware datetime, or none."""
    if value is None:
        return
    if not isinstance(value, datetime):
        raise InvalidScore(field, value, "must be a datetime")
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidScore(field, value, "must be aware: a time without a zone means something else on every platform")
    try:
        # In UTC, as it is sent: 1970 or the year 9999 in one zone is another year there.
        year = value.astimezone(UTC).year
    except (OverflowError, ValueError):
        year = _LATEST_YEAR + 1 if value.year > _EARLIEST_YEAR else _EARLIEST_YEAR - 1
    if year < _EARLIEST_YEAR:
        raise InvalidScore(field, value, "lies before 1970")
    if year > _LATEST_YEAR:
        raise InvalidScore(field, value, f"lies after {_LATEST_YEAR}")


def check_extensions(extensions: Mapping[str, Any]) -> None:
    """Accept further fields: each under a full URL (AGS 2.0, 3.1.1), each value JSON that a database can keep.

    That is: names are strings, at most ``MAX_EXTENSION_DEPTH`` lists and objects within one another (MariaDB
    takes 32), and together at most ``MAX_EXTENSIONS`` bytes.
    """
    if not hasattr(extensions, "items"):
        raise InvalidScore("extensions", extensions, "must be a mapping")
    if sum(extension_size(key, value) for key, value in extensions.items()) > MAX_EXTENSIONS:
        raise InvalidScore("extensions", list(extensions), f"all together they must have at most {MAX_EXTENSIONS} bytes of JSON")


def extension_size(key: Any, value: Any) -> int:
    """How many bytes of JSON a further field takes.

    Raises:
        InvalidScore: it is not named by a full URL, or its value is not JSON that can be kept.
    """
    if not isinstance(key, str) or "://" not in key:
        raise InvalidScore("extensions", key, "each field must be named by a full URL (AGS 2.0, 3.1.1)")
    problem = json_problem(value)
    if problem:
        raise InvalidScore("extensions", key, f"its value is not JSON that can be kept: {problem}")
    try:
        text = json.dumps([key, value], allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidScore("extensions", key, f"its value is not JSON: {error}") from None
    if _NUL.search(text):
        raise InvalidScore("extensions", key, "its value holds a NUL character")
    return size


def json_problem(value: Any) -> str:
    """Why ``value`` is not JSON, or too deep to be kept; empty: nothing is wrong with its shape.

    Without recursion, and without following a list into itself for ever.
    """
    todo: list[tuple[Any, int]] = [(value, 1)]
    left = MAX_EXTENSIONS
    while todo:
        part, depth = todo.pop()
        if part is None or isinstance(part, (str, int, float)):
            continue
        if not isinstance(part, (list, tuple, dict)):
            return f"it holds a {type(part).__name__}"
        if depth > MAX_EXTENSION_DEPTH:
            return f"it is nested more than {MAX_EXTENSION_DEPTH} deep"
        if isinstance(part, dict) and not all(isinstance(name, str) for name in part):
            return "a name in it is not a string"
        left -= len(part) + 1
        if left < 0:
            return "it has too many parts"
        todo += [(inner, depth + 1) for inner in (part.values() if isinstance(part, dict) else part)]
    return ""
