"""AGS 2.0's three objects: line item, score, result. Names are Python's here and the wire's in JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.ags import reading
from django_lti_ags.ags.rules import check_extensions, check_number, check_time, validate_score
from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress
from django_lti_ags.exceptions import InvalidLineItem, InvalidScore

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["UNSET", "LineItem", "Result", "Score", "compact_json", "validate_score", "wire_number", "wire_time"]


class _Unset:
    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = _Unset()
"""The field is absent: for dates, the platform does not support it (AGS 2.0, 3.2.9), where None is "supported, not set"."""


def compact_json(value: Any) -> bytes:
    """JSON without a blank or a newline: Moodle answers 200 to a refused score that came with newlines."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def wire_number(value: float | Decimal) -> int | float:
    """A JSON number; integral values without ``.0``, which some platforms refuse."""
    number = float(value)
    return int(number) if number.is_integer() else number


def wire_time(moment: datetime) -> str:
    """ISO 8601 in UTC, with microseconds and ``Z`` (AGS 2.0, 3.4.9: sub-second digits and a zone)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the tool says of one learner in one line item (AGS 2.0, 3.4).

    Raises:
        InvalidScore: a field breaks a rule of the standard.
    """

    user_id: str
    timestamp: datetime
    score_given: float | Decimal | None = None
    score_maximum: float | Decimal | None = None
    activity_progress: str = ActivityProgress.COMPLETED.value
    grading_progress: str = GradingProgress.FULLY_GRADED.value
    comment: str | None = None
    started_at: datetime | None = None
    submitted_at: datetime | None = None
    scoring_user_id: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.timestamp is None:
            raise InvalidScore("timestamp", None, "is needed (AGS 2.0, 3.4.9)")
        check_time("timestamp", self.timestamp)
        validate_score(**{item.name: getattr(self, item.name) for item in fields(self) if item.name != "timestamp"})

    def to_json(self) -> dict[str, Any]:
        """The score as the wire has it."""
        body: dict[str, Any] = {
            "userId": self.user_id,
            "activityProgress": str(self.activity_progress),
            "gradingProgress": str(self.grading_progress),
            "timestamp": wire_time(self.timestamp),
        }
        if self.score_given is not None and self.score_maximum is not None:
            body["scoreGiven"] = wire_number(self.score_given)
        if self.score_maximum is not None:
            body["scoreMaximum"] = wire_number(self.score_maximum)
        if self.comment is not None:
            body["comment"] = self.comment
        if self.scoring_user_id is not None:
            body["scoringUserId"] = self.scoring_user_id
        worked = {"startedAt": self.started_at, "submittedAt": self.submitted_at}
        submission = {name: wire_time(moment) for name, moment in worked.items() if moment is not None}
        if submission:
            body["submission"] = submission
        return body | dict(self.extensions or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """A gradebook column (AGS 2.0, 3.2). ``to_json(from_json(x))`` gives back what ``x`` said.

    Strict in what is made and sent, lenient in what is read: a teacher's column that AGS 2.0 does not
    allow must not make a whole course's listing unreadable. Such a one has a blank label, or None as its
    maximum, and cannot be sent as it is.

    Raises:
        InvalidLineItem: a blank label, or a maximum that is not above zero.
    """

    label: str
    score_maximum: float | Decimal | None
    id: str | None = None
    resource_link_id: str | None = None
    resource_id: str | None = None
    tag: str | None = None
    start_date_time: str | datetime | _Unset | None = UNSET
    end_date_time: str | datetime | _Unset | None = UNSET
    grades_released: bool | None = None
    submission_review: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    as_read: bool = field(default=False, repr=False, compare=False)
    """Whether a platform said so: it is checked when it is sent, not before."""

    def __post_init__(self) -> None:
        if not self.as_read:
            self._check()

    def _check(self) -> None:
        """Whether everything may be sent."""
        if not isinstance(self.label, str) or not self.label.strip():
            raise InvalidLineItem("label", self.label, "must not be blank (AGS 2.0, 3.2.5)")
        maximum = self.score_maximum
        if maximum is None:
            raise InvalidLineItem("score_maximum", maximum, "must be a number above zero (AGS 2.0, 3.2.8)")
        try:
            check_number("score_maximum", maximum)
            check_extensions(self.extensions)
        except InvalidScore as problem:
            raise InvalidLineItem(problem.field, problem.value, problem.rule) from None
        if float(maximum) <= 0:
            raise InvalidLineItem("score_maximum", maximum, "must be a number above zero (AGS 2.0, 3.2.8)")

    def to_json(self) -> dict[str, Any]:
        """The line item as the wire has it; what is None or UNSET is left out, but a date that is None is sent as null.

        Raises:
            InvalidLineItem: it was read from a platform, and AGS 2.0 does not allow to send it.
        """
        self._check()
        return self.as_shown()

    def as_shown(self) -> dict[str, Any]:
        """The same for whoever looks: a column that AGS 2.0 does not allow has a blank label, or no maximum, there."""
        optional = {
            "id": self.id,
            "resourceLinkId": self.resource_link_id,
            "resourceId": self.resource_id,
            "tag": self.tag,
            "gradesReleased": self.grades_released,
            "submissionReview": None if self.submission_review is None else dict(self.submission_review),
        }
        body: dict[str, Any] = {} if self.score_maximum is None else {"scoreMaximum": wire_number(self.score_maximum)}
        body["label"] = self.label
        body |= {name: value for name, value in optional.items() if value is not None}
        for name, moment in (("startDateTime", self.start_date_time), ("endDateTime", self.end_date_time)):
            if not isinstance(moment, _Unset):
                body[name] = wire_time(moment) if isinstance(moment, datetime) else moment
        return body | dict(self.extensions)

    @classmethod
    def from_json(cls, body: Any) -> LineItem:
        """A line item as a platform sent it; what it says oddly of the column is read as not said.

        Raises:
            ValueError: it is no JSON object.
        """
        reading.require_object(body, "a line item")
        released, review = body.get("gradesReleased"), body.get("submissionReview")
        return cls(
            label=reading.text_or_none(body, "label") or "",
            score_maximum=reading.number_or_none(body, "scoreMaximum"),
            id=reading.text_or_none(body, "id"),
            resource_link_id=reading.text_or_none(body, "resourceLinkId"),
            resource_id=reading.text_or_none(body, "resourceId"),
            tag=reading.text_or_none(body, "tag"),
            start_date_time=reading.text_or_none(body, "startDateTime") if "startDateTime" in body else UNSET,
            end_date_time=reading.text_or_none(body, "endDateTime") if "endDateTime" in body else UNSET,
            grades_released=released if isinstance(released, bool) else None,
            submission_review=review if isinstance(review, dict) and reading.can_be_kept(review) else None,
            extensions=reading.extensions(body),
            as_read=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the platform shows of one learner in one line item (AGS 2.0, 3.3)."""

    user_id: str
    id: str | None = None
    score_of: str | None = None
    result_score: float | None = None
    """None: the platform shows no grade; never the same as 0."""
    result_maximum: float = 1.0
    comment: str | None = None
    scoring_user_id: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, body: Any) -> Result:
        """A result as a platform sent it; ``extensions`` that no database can store are left out.

        Those are: NaN and infinite numbers, NUL characters and lone surrogates, names that are not text,
        and what is nested too deep or too large (see :func:`~django_lti_ags.ags.rules.check_extensions`).
        In a comment, which is only shown, such characters are replaced.

        Raises:
            ValueError: it is not what AGS 2.0 says, or an id holds a character that cannot be stored; the message names the field.
        """
        reading.require_object(body, "a result")
        user_id = reading.text(body, "userId")
        if not user_id:
            raise ValueError("a result has no userId")
        maximum = reading.number(body, "resultMaximum")
        return cls(
            user_id=user_id,
            id=reading.text(body, "id"),
            score_of=reading.text(body, "scoreOf"),
            result_score=reading.number(body, "resultScore"),
            result_maximum=1.0 if maximum is None else maximum,  # AGS 2.0, 3.3.4: absent means 1
            comment=reading.shown(body, "comment"),
            scoring_user_id=reading.text(body, "scoringUserId"),
            extensions=reading.extensions(body),
        )
