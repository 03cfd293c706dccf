"""Live assessments: pass or fail, quickly noted, that add up to an outcome's result (Live Assessments API)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django_lti_ags.ags.reading import require_object
from django_lti_ags.ags.types import wire_time
from django_lti_ags.canvas.arguments import check_id, check_moment, check_words
from django_lti_ags.canvas.reading import flag, identifier, links, moment, words
from django_lti_ags.exceptions import InvalidCanvasArgument

if TYPE_CHECKING:
    from datetime import datetime

_LONGEST = 255
"""Of a title or a key: Canvas' ``maximum_string_length``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAssessment:
    """An assessment. To make or find one, leave ``id`` empty; Canvas finds it by its ``key``, and gives it this title.

    Raises:
        InvalidCanvasArgument: ``key`` or ``title`` is blank or too long, or ``outcome`` is no id.
    """

    key: str
    title: str
    outcome: str | int | None = None
    """The id of an outcome that is linked to the course; without one, results count for nothing. Canvas does not tell it again."""
    id: str = ""

    def __post_init__(self) -> None:
        if self.id:
            return  # a platform said so
        check_words("key", self.key, _LONGEST)
        check_words("title", self.title, _LONGEST)
        if self.outcome is not None:
            check_id("outcome", self.outcome)

    def to_json(self) -> dict[str, Any]:
        """The assessment as the wire has it."""
        body: dict[str, Any] = {"key": self.key, "title": self.title}
        return body if self.outcome is None else body | {"links": {"outcome": str(self.outcome)}}

    @classmethod
    def from_json(cls, body: Any) -> LiveAssessment:
        """An assessment as Canvas sent it.

        Raises:
            ValueError: it is no JSON object, or has no id or no key.
        """
        require_object(body, "a live assessment")
        return cls(
            id=identifier(body, "id", "a live assessment"),
            key=identifier(body, "key", "a live assessment"),
            title=words(body, "title"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAssessmentResult:
    """Whether a learner passed, and when. To record one, leave ``id`` empty. **Canvas counts a repeat again.**

    Raises:
        InvalidCanvasArgument: ``passed`` is neither True nor False, ``assessed_at`` is naive or none, or ``user`` is no id.
    """

    user: str | int
    passed: bool
    assessed_at: datetime
    id: str = ""
    assessor: str | None = None
    """Whose token recorded it."""
    assessment: str | None = None

    def __post_init__(self) -> None:
        if self.id:
            return  # a platform said so
        check_id("user", self.user)
        if not isinstance(self.passed, bool):
            raise InvalidCanvasArgument("passed", self.passed, "must be True or False: Canvas answers 422 to anything else")
        check_moment("assessed_at", self.assessed_at)

    def to_json(self) -> dict[str, Any]:
        """The result as the wire has it."""
        return {"passed": self.passed, "assessed_at": wire_time(self.assessed_at), "links": {"user": str(self.user)}}

    @classmethod
    def from_json(cls, body: Any) -> LiveAssessmentResult:
        """A result as Canvas sent it.

        Raises:
            ValueError: it is not what Canvas documents; the message names the field.
        """
        require_object(body, "a live assessment's result")
        linked, passed, assessed_at = links(body), flag(body, "passed"), moment(body, "assessed_at")
        if passed is None or assessed_at is None:
            raise ValueError(f"a live assessment's result has no {'passed' if passed is None else 'assessed_at'}")
        return cls(
            id=identifier(body, "id", "a live assessment's result"),
            user=identifier(linked, "user", "a result's links"),
            passed=passed,
            assessed_at=assessed_at,
            assessor=words(linked, "assessor") or None,
            assessment=words(linked, "assessment") or None,
        )
