"""Rollups: what a learner, or a whole course, has reached in each outcome; and the scores that a rollup stands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django_lti_ags.ags.reading import number, require_object, text, text_or_none
from django_lti_ags.canvas.reading import container, flag, identifier, links, listed, moment_or_none, words

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRollupScore:
    """What was reached in one outcome. ``score`` None: there is nothing to go by, which is not 0."""

    outcome: str
    score: float | None = None
    count: int | None = None
    """How many results it stands on."""
    title: str = ""
    """Of the last result's assignment."""
    submitted_at: datetime | None = None
    hide_points: bool | None = None

    @classmethod
    def from_json(cls, body: Any) -> OutcomeRollupScore:
        """A score as Canvas sent it.

        Raises:
            ValueError: it is not what Canvas documents; the message names the field.
        """
        require_object(body, "a rollup's score")
        count = number(body, "count")
        return cls(
            outcome=identifier(links(body), "outcome", "a rollup score's links"),
            score=number(body, "score"),
            count=None if count is None else int(count),
            title=words(body, "title"),
            submitted_at=moment_or_none(body, "submitted_at"),
            hide_points=flag(body, "hide_points"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRollupLinks:
    """Whose rollup it is: a course's, or a user's in a section."""

    course: str | None = None
    user: str | None = None
    section: str | None = None
    status: str | None = None
    """The enrolment's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRollup:
    """A learner's outcomes, once per section that the learner is in; or, of an aggregate, the course's."""

    links: OutcomeRollupLinks
    scores: tuple[OutcomeRollupScore, ...] = ()
    name: str = ""

    @classmethod
    def from_json(cls, body: Any) -> OutcomeRollup:
        """A rollup as Canvas sent it.

        Raises:
            ValueError: it is not what Canvas documents; the message names the field.
        """
        require_object(body, "a rollup")
        linked = links(body)
        whose = OutcomeRollupLinks(
            course=text(linked, "course"),
            user=text(linked, "user"),
            section=text(linked, "section"),
            status=text_or_none(linked, "status"),
        )
        if whose.user is None and whose.course is None:
            raise ValueError("a rollup's links name neither a user nor a course")
        return cls(links=whose, scores=listed(body, "scores", OutcomeRollupScore.from_json), name=words(body, "name"))

    def score_of(self, outcome_id: str) -> float | None:
        """The score in an outcome; None: there is none."""
        return next((one.score for one in self.scores if one.outcome == outcome_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributingAlignment:
    """An alignment of the outcome, and what it is."""

    alignment_id: str
    associated_asset_id: str | None = None
    associated_asset_name: str = ""
    associated_asset_type: str = ""

    @classmethod
    def from_json(cls, body: Any) -> ContributingAlignment:
        """An alignment as Canvas sent it.

        Raises:
            ValueError: it is no JSON object, or has no id.
        """
        require_object(body, "an alignment")
        return cls(
            alignment_id=identifier(body, "alignment_id", "an alignment"),
            associated_asset_id=text_or_none(body, "associated_asset_id"),
            associated_asset_name=words(body, "associated_asset_name"),
            associated_asset_type=words(body, "associated_asset_type"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributingScore:
    """A learner's score in one alignment."""

    user_id: str
    alignment_id: str
    score: float | None = None

    @classmethod
    def from_json(cls, body: Any) -> ContributingScore:
        """A score as Canvas sent it.

        Raises:
            ValueError: it is not what Canvas documents; the message names the field.
        """
        require_object(body, "a contributing score")
        return cls(
            user_id=identifier(body, "user_id", "a contributing score"),
            alignment_id=identifier(body, "alignment_id", "a contributing score"),
            score=number(body, "score"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributingScores:
    """Everything that an outcome's rollups stand on."""

    outcome_id: str
    title: str = ""
    alignments: tuple[ContributingAlignment, ...] = field(default_factory=tuple)
    scores: tuple[ContributingScore, ...] = field(default_factory=tuple)

    @classmethod
    def from_json(cls, body: Any) -> ContributingScores:
        """The answer as Canvas sent it.

        Raises:
            ValueError: it is not what Canvas documents; the message names the field.
        """
        scores = container(body, "scores", ContributingScore.from_json)
        outcome = body.get("outcome")
        require_object(outcome, "outcome")
        return cls(
            outcome_id=identifier(outcome, "id", "the outcome"),
            title=words(outcome, "title"),
            alignments=listed(body, "alignments", ContributingAlignment.from_json),
            scores=scores,
        )
