"""What tools send: read, and refused wherever the standard forbids it."""

from __future__ import annotations

import json
import math
from datetime import datetime
from fractions import Fraction
from typing import Any, TypeGuard

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress
from django_lti_ags.testing.platforms.http import Refused, Request
from django_lti_ags.testing.platforms.moments import read_moment
from django_lti_ags.testing.platforms.state import Held

_LINE_ITEM_KEYS = {
    "id",
    "label",
    "scoreMaximum",
    "resourceLinkId",
    "resourceId",
    "tag",
    "startDateTime",
    "endDateTime",
    "gradesReleased",
    "submissionReview",
}
_SCORE_KEYS = {
    "userId",
    "scoreGiven",
    "scoreMaximum",
    "comment",
    "timestamp",
    "activityProgress",
    "gradingProgress",
    "submission",
    "scoringUserId",
}


def read_line_item(request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """A column's JSON, and its fields by the names that they have here.

    Raises:
        Refused: it is none.
    """
    body = _object(request, vocabulary.MEDIA_LINE_ITEM, _LINE_ITEM_KEYS)
    if not isinstance(body.get("label"), str) or not body["label"].strip():
        raise Refused(400, "label must not be blank")
    maximum = body.get("scoreMaximum")
    if not is_number(maximum) or maximum <= 0:
        raise Refused(400, "scoreMaximum must be a number above zero")
    _check_texts(body, "resourceLinkId", "resourceId", "tag")
    _check_dates(body, "startDateTime", "endDateTime")
    if not isinstance(body.get("gradesReleased", True), bool):
        raise Refused(400, "gradesReleased must be true or false")
    if not isinstance(body.get("submissionReview", {}), dict):
        raise Refused(400, "submissionReview must be an object")
    known = {"label", "scoreMaximum", "resourceLinkId", "resourceId", "tag", "id"}
    return body, {
        "label": body["label"],
        "score_maximum": float(maximum),
        "resource_link_id": body.get("resourceLinkId"),
        "resource_id": body.get("resourceId"),
        "tag": body.get("tag"),
        "extra": {key: value for key, value in body.items() if key not in known},
    }


def read_score(request: Request) -> tuple[dict[str, Any], str, Held]:
    """A score's JSON, whose it is, and what is held of it.

    Raises:
        Refused: it is none.
    """
    body = _object(request, vocabulary.MEDIA_SCORE, _SCORE_KEYS)
    return body, _required_text(body, "userId"), _read_score(body)


def _object(request: Request, media_type: str, known: set[str]) -> dict[str, Any]:
    if request.media_type != media_type:
        raise Refused(415, f"Content-Type must be {media_type}")
    try:
        # Decoded here: the parser would take UTF-16 as well.
        body = json.loads(request.body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as problem:
        raise Refused(400, f"not JSON: {problem}") from None
    if not isinstance(body, dict):
        raise Refused(400, "not a JSON object")
    strange = [key for key in body if key not in known and "://" not in key]
    if strange:
        raise Refused(400, f"unknown fields: {', '.join(strange)}")
    return body


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) < len(pairs):
        raise ValueError("a key stands there twice")
    return body


def _read_score(body: dict[str, Any]) -> Held:
    _required_text(body, "timestamp")
    timestamp, finer = _moment(body, "timestamp", with_fraction=True)
    activity, grading = _required_text(body, "activityProgress"), _required_text(body, "gradingProgress")
    if activity not in list(ActivityProgress) or grading not in list(GradingProgress):
        raise Refused(400, "activityProgress or gradingProgress is not a word of the standard")
    given, maximum = _points(body)
    _check_texts(body, "comment", "scoringUserId")
    if body.get("scoringUserId") is not None and not body["scoringUserId"].strip():
        raise Refused(400, "scoringUserId must not be empty")
    if "submission" in body:
        _check_submission(body["submission"])
    return Held(
        timestamp=timestamp,
        finer=finer,
        given=given,
        maximum=maximum,
        comment=body.get("comment"),
        scoring_user_id=body.get("scoringUserId"),
        activity_progress=activity,
        grading_progress=grading,
    )


def _points(body: dict[str, Any]) -> tuple[float | None, float | None]:
    given, maximum = body.get("scoreGiven"), body.get("scoreMaximum")
    if given is not None and (not is_number(given) or given < 0):
        raise Refused(400, "scoreGiven must be a number, zero or more")
    if maximum is not None and (not is_number(maximum) or maximum <= 0):
        raise Refused(400, "scoreMaximum must be a number above zero")
    if given is not None and maximum is None:
        raise Refused(400, "scoreGiven needs a scoreMaximum above zero")
    return given, maximum


def _check_submission(submission: Any) -> None:
    if not isinstance(submission, dict):
        raise Refused(400, "submission must be an object")
    worked = [_moment(submission, name) for name in ("startedAt", "submittedAt") if name in submission]
    if worked != sorted(worked):
        raise Refused(400, "submittedAt must not be before startedAt")


def _check_dates(body: dict[str, Any], *names: str) -> None:
    """Null or blank is a date that is not set."""
    for name in names:
        value = body.get(name)
        if value is not None and not (isinstance(value, str) and not value.strip()):
            _moment(body, name)


def _moment(body: dict[str, Any], name: str, *, with_fraction: bool = False) -> tuple[datetime, Fraction]:
    try:
        return read_moment(body[name], with_fraction=with_fraction)
    except ValueError as problem:
        raise Refused(400, f"{name} {problem}") from None


def _check_texts(body: dict[str, Any], *names: str) -> None:
    for name in names:
        if not isinstance(body.get(name), str | None):
            raise Refused(400, f"{name} must be text")


def _required_text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, f"{name} is missing")
    return value


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
