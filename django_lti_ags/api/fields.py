"""What a client sends, as the names of the wire; every mistake names the field as the client wrote it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from django_lti_ags.ags.reading import can_be_kept
from django_lti_ags.ags.rules import check_extensions, check_text, check_time
from django_lti_ags.ags.types import LineItem as WireLineItem
from django_lti_ags.ags.urls import check_url
from django_lti_ags.api import canvas_fields
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.canvas.submission import EXTENSION
from django_lti_ags.canvas.submission_columns import check_column_extensions
from django_lti_ags.exceptions import InvalidLineItem, InvalidScore

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCORE: Final = {
    "userId": "user_id",
    "scoreGiven": "score_given",
    "scoreMaximum": "score_maximum",
    "activityProgress": "activity_progress",
    "gradingProgress": "grading_progress",
    "comment": "comment",
    "scoringUserId": "scoring_user_id",
}
_NEEDED: Final = ("userId", "activityProgress", "gradingProgress")
_SUBMISSION: Final = {"startedAt": "started_at", "submittedAt": "submitted_at"}
_TEXTS: Final = {"label": "label", "resourceLinkId": "resource_link_id", "resourceId": "resource_id", "tag": "tag"}
_TIMES: Final = {"startDateTime": "start_date_time", "endDateTime": "end_date_time"}
MOST_ERRORS: Final = 20
_LONGEST_TEXT: Final = 4096
_OURS: Final = {ours: theirs for names in (_SCORE, _SUBMISSION, _TEXTS, _TIMES) for theirs, ours in names.items()}
_PYTHONS_TYPES: Final = ": int, float or Decimal"
_PYTHON: Final = re.compile(rf"\b(?:{'|'.join(sorted(_OURS, key=len, reverse=True))})\b")


def score(body: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of ``scores.record``. Passed over are ``timestamp``, which the server sets when it sends, and ``scoreOf``.

    Raises:
        ApiError: 400.
    """
    only_known(body, {*_SCORE, "submission", "timestamp", "scoreOf"}, further=True)
    missing = {name: "is needed" for name in _NEEDED if body.get(name) is None}
    if missing:
        raise bad(missing, message="INVALID_SCORE")
    if body["activityProgress"] == "Initiated":  # as LTIAAS' reference spells it
        body = {**body, "activityProgress": "Initialized"}
    values = {ours: body[theirs] for theirs, ours in _SCORE.items() if body.get(theirs) is not None}
    submission = body.get("submission")
    if submission is not None:
        if not isinstance(submission, dict) or set(submission) - set(_SUBMISSION):
            raise bad({"submission": f"must be an object with {' and '.join(_SUBMISSION)}"}, message="INVALID_SCORE")
        values |= {ours: moment(f"submission.{theirs}", submission.get(theirs)) for theirs, ours in _SUBMISSION.items()}
    values["extensions"] = _extensions({name: value for name, value in body.items() if name != EXTENSION})
    if body.get(EXTENSION) is not None:
        try:
            values["submission"] = canvas_fields.submission(body[EXTENSION], moment)
        except InvalidScore as problem:
            raise bad({named(problem.field): worded(problem.rule)}, message="INVALID_SCORE") from None
    return values


def line_item(body: Mapping[str, Any]) -> WireLineItem:
    """A line item to make, or to put in place of another.

    Raises:
        ApiError: 400.
    """
    only_known(body, {"id", "scoreMaximum", "gradesReleased", "submissionReview", *_TEXTS, *_TIMES}, further=True)
    missing = {name: "is needed" for name in ("label", "scoreMaximum") if body.get(name) is None}
    if missing:
        raise bad(missing, message="INVALID_LINE_ITEM")
    released, review = body.get("gradesReleased"), body.get("submissionReview")
    if review is not None and not (isinstance(review, dict) and can_be_kept(review)):
        raise bad({"submissionReview": "must be an object that can be kept"}, message="INVALID_LINE_ITEM")
    if released is not None and not isinstance(released, bool):
        raise bad({"gradesReleased": "must be true or false"}, message="INVALID_LINE_ITEM")
    try:
        for name in _TEXTS:
            if body.get(name) is not None:
                check_text(name, body[name], _LONGEST_TEXT)
        further = _extensions(body)
        check_column_extensions(further)
        values: dict[str, Any] = {ours: body[theirs] for theirs, ours in _TEXTS.items() if body.get(theirs) is not None}
        values |= {ours: moment(theirs, body[theirs]) for theirs, ours in _TIMES.items() if theirs in body}
        values |= {"score_maximum": body["scoreMaximum"], "grades_released": released, "submission_review": review}
        return WireLineItem(extensions=further, **values)
    except (InvalidScore, InvalidLineItem) as problem:
        raise bad({named(problem.field): worded(problem.rule)}, message="INVALID_LINE_ITEM") from None


def only_known(body: Mapping[str, Any], known: set[str], *, further: bool = False) -> None:
    """Refuse what is no field; ``further``: others may be there, if they are named by a full URL."""
    rule = "is not a field here" + ("; further ones must be named by a full URL" if further else "")
    strange = sorted(name for name in body if name not in known and not (further and "://" in name))
    if strange:
        raise bad({name[:100]: rule for name in strange[:MOST_ERRORS]}, message="UNKNOWN_FIELD")


def line_item_id(body: Mapping[str, Any]) -> str:
    """Its ``lineItem``: a line item's id."""
    url = body.get("lineItem")
    try:
        check_url(url)  # type: ignore[arg-type]
    except ValueError as problem:
        raise bad({"lineItem": f"must be a line item's URL: {problem}"}, message="INVALID_LINE_ITEM_ID") from None
    return str(url)


def refused(problem: ValidationError) -> ApiError:
    """What ``scores.record`` says, in the wire's names."""
    cause = problem.__cause__
    if isinstance(cause, InvalidScore):
        return bad({named(cause.field): worded(cause.rule)}, message="INVALID_SCORE")
    return bad({"body": " ".join(problem.messages)}, message="INVALID_SCORE")


def worded(rule: str) -> str:
    """A rule that names fields, in the wire's names and without Python's."""
    return _PYTHON.sub(lambda found: _OURS[found[0]], rule.partition(_PYTHONS_TYPES)[0])


def named(field: str) -> str:
    """A field as the client knows it."""
    if field == "submission" or field.startswith("submission."):
        return EXTENSION + field.removeprefix("submission")
    return _OURS.get(field, field)


def _extensions(body: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in body.items() if "://" in name}
    try:
        check_extensions(found)
    except InvalidScore as problem:
        raise bad({problem.field: problem.rule}, message="INVALID_EXTENSION") from None
    return found


def moment(name: str, value: Any) -> datetime | None:
    """A time with a zone; None: none is given.

    Raises:
        ApiError: 400.
    """
    if value is None:
        return None
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
        check_time(name, found)
    except (ValueError, InvalidScore):
        found = None
    if found is None:
        raise bad({name: "must be a time with a zone, such as 2026-03-01T12:00:00Z (ISO 8601)"}, message="INVALID_TIME")
    return found
