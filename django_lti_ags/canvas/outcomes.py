"""Outcomes, and each learner's results in them (Outcome Results API). Names are Canvas'; its ids are text here, whatever it sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django_lti_ags.ags.reading import number, number_or_none, require_object, text, text_or_none
from django_lti_ags.canvas.reading import flag, flag_or_none, identifier, links, moment, readable, words

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is to be learned, and from how many points on it is mastered."""

    id: str
    title: str = ""
    display_name: str = ""
    points_possible: float | None = None
    mastery_points: float | None = None
    calculation_method: str = ""
    alignments: tuple[str, ...] = ()
    """Ids of :class:`OutcomeAlignment`."""
    ratings: tuple[OutcomeRating, ...] = ()

    @classmethod
    def from_json(cls, body: Any) -> Outcome:
        """An outcome as Canvas sent it; what it says oddly of it is read as not said.

        Raises:
            ValueError: it is no JSON object, or has no id.
        """
        require_object(body, "an outcome")
        aligned = body.get("alignments")
        return cls(
            id=identifier(body, "id", "an outcome"),
            title=words(body, "title"),
            display_name=words(body, "display_name"),
            points_possible=number_or_none(body, "points_possible"),
            mastery_points=number_or_none(body, "mastery_points"),
            calculation_method=words(body, "calculation_method"),
            alignments=tuple(one for one in aligned if isinstance(one, str)) if isinstance(aligned, list) else (),
            ratings=readable(body, "ratings", OutcomeRating.from_json),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRating:
    """One level of an outcome's scale."""

    description: str = ""
    points: float | None = None
    percent: float | None = None
    """How many of the course's learners are at this level, of 100; only with ``rating_percents``."""
    mastery: bool | None = None
    color: str = ""

    @classmethod
    def from_json(cls, body: Any) -> OutcomeRating:
        """A rating as Canvas sent it.

        Raises:
            ValueError: it is no JSON object.
        """
        require_object(body, "a rating")
        return cls(
            description=words(body, "description"),
            points=number_or_none(body, "points"),
            percent=number_or_none(body, "percent"),
            mastery=flag_or_none(body, "mastery"),
            color=words(body, "color"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeGroup:
    """A folder of outcomes."""

    id: str
    title: str = ""
    parent_id: str | None = None

    @classmethod
    def from_json(cls, body: Any) -> OutcomeGroup:
        """A group as Canvas sent it.

        Raises:
            ValueError: it is no JSON object, or has no id.
        """
        require_object(body, "an outcome group")
        parent = body.get("parent_outcome_group")
        return cls(
            id=identifier(body, "id", "an outcome group"),
            title=words(body, "title"),
            parent_id=text_or_none(parent, "id") if isinstance(parent, dict) else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLink:
    """Where an outcome stands in a course's groups."""

    outcome_id: str
    outcome_group_id: str | None = None
    url: str = ""

    @classmethod
    def from_json(cls, body: Any) -> OutcomeLink:
        """A link as Canvas sent it.

        Raises:
            ValueError: it is no JSON object, or names no outcome.
        """
        require_object(body, "an outcome link")
        outcome, group = body.get("outcome"), body.get("outcome_group")
        require_object(outcome, "an outcome link's outcome")
        return cls(
            outcome_id=identifier(outcome, "id", "an outcome link's outcome"),
            outcome_group_id=text_or_none(group, "id") if isinstance(group, dict) else None,
            url=words(body, "url"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeAlignment:
    """An asset, such as a quiz, that an outcome is measured by."""

    id: str
    """Such as ``quiz_3``."""
    name: str = ""
    html_url: str | None = None

    @classmethod
    def from_json(cls, body: Any) -> OutcomeAlignment:
        """An alignment as Canvas sent it.

        Raises:
            ValueError: it is no JSON object, or has no id.
        """
        require_object(body, "an alignment")
        return cls(id=identifier(body, "id", "an alignment"), name=words(body, "name"), html_url=text_or_none(body, "html_url"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePathPart:
    """An outcome, or a group that it stands in."""

    name: str

    @classmethod
    def from_json(cls, body: Any) -> OutcomePathPart:
        """A part as Canvas sent it.

        Raises:
            ValueError: it is no JSON object.
        """
        require_object(body, "a part of a path")
        return cls(name=words(body, "name"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePath:
    """The groups down to an outcome, and its own title last."""

    id: str
    """The outcome's."""
    parts: tuple[OutcomePathPart, ...] = ()

    @classmethod
    def from_json(cls, body: Any) -> OutcomePath:
        """A path as Canvas sent it.

        Raises:
            ValueError: it is no JSON object, or has no id.
        """
        require_object(body, "an outcome path")
        return cls(id=identifier(body, "id", "an outcome path"), parts=readable(body, "parts", OutcomePathPart.from_json))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeResult:
    """One learner's result of one alignment."""

    id: str
    user: str
    learning_outcome: str
    alignment: str | None = None
    assignment: str | None = None
    score: float | None = None
    possible: float | None = None
    percent: float | None = None
    """Of 1, scaled to the outcome's own mastery level."""
    mastery: bool | None = None
    hidden: bool | None = None
    hide_points: bool | None = None
    submitted_or_assessed_at: datetime | None = None

    @classmethod
    def from_json(cls, body: Any) -> OutcomeResult:
        """A result as Canvas sent it.

        Raises:
            ValueError: it is not what Canvas documents; the message names the field.
        """
        require_object(body, "an outcome result")
        linked = links(body)
        return cls(
            id=identifier(body, "id", "an outcome result"),
            user=identifier(linked, "user", "an outcome result's links"),
            learning_outcome=identifier(linked, "learning_outcome", "an outcome result's links"),
            alignment=text(linked, "alignment"),
            assignment=text(linked, "assignment"),
            score=number(body, "score"),
            possible=number(body, "possible"),
            percent=number(body, "percent"),
            mastery=flag(body, "mastery"),
            hidden=flag(body, "hidden"),
            hide_points=flag(body, "hide_points"),
            submitted_or_assessed_at=moment(body, "submitted_or_assessed_at"),
        )
