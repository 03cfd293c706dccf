"""Outcome results and rollups as flat records, for tables and files: one for each learner and outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from django_lti_ags.canvas import Linked, Outcome, OutcomeRating, OutcomeResult, OutcomeRollup, OutcomeRollupScore, Page

ROLLUP_COLUMNS: Final = (
    "course_id",
    "section_id",
    "user_id",
    "learner",
    "outcome_id",
    "outcome",
    "score",
    "points_possible",
    "mastery_points",
    "mastery",
    "level",
    "count",
    "last_title",
    "submitted_at",
)
RESULT_COLUMNS: Final = (
    "id",
    "user_id",
    "learner",
    "outcome_id",
    "outcome",
    "alignment_id",
    "alignment",
    "assignment_id",
    "score",
    "possible",
    "percent",
    "mastery",
    "hidden",
    "submitted_or_assessed_at",
)


def rollup_records(page: Page[OutcomeRollup], name: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    """A page of rollups, with its included outcomes; ``name`` says what a learner is called by their id.

    A learner without any score has one record too, without an outcome: nobody is left out.
    """
    outcomes = {outcome.id: outcome for outcome in page.linked.outcomes}
    for rollup in page.items:
        links = rollup.links
        whose = (links.course, links.section, links.user, name(links.user) if links.user else "")
        for score in rollup.scores:
            yield dict(zip(ROLLUP_COLUMNS, (*whose, *_reached(outcomes.get(score.outcome), score)), strict=True))
        if not rollup.scores:
            yield dict.fromkeys(ROLLUP_COLUMNS) | dict(zip(ROLLUP_COLUMNS, whose, strict=False))


def _reached(outcome: Outcome | None, score: OutcomeRollupScore) -> tuple[Any, ...]:
    return (
        score.outcome,
        title(outcome),
        score.score,
        outcome.points_possible if outcome else None,
        outcome.mastery_points if outcome else None,
        is_mastered(outcome, score.score),
        level(outcome, score.score),
        score.count,
        score.title,
        _moment(score.submitted_at),
    )


def result_records(page: Page[OutcomeResult], name: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    """A page of results, with its included outcomes and alignments."""
    outcomes = {outcome.id: outcome for outcome in page.linked.outcomes}
    alignments = {alignment.id: alignment.name for alignment in page.linked.alignments}
    for result in page.items:
        values = (
            result.id,
            result.user,
            name(result.user),
            result.learning_outcome,
            title(outcomes.get(result.learning_outcome)),
            result.alignment,
            alignments.get(result.alignment or "", ""),
            result.assignment,
            result.score,
            result.possible,
            result.percent,
            result.mastery,
            result.hidden,
            _moment(result.submitted_or_assessed_at),
        )
        yield dict(zip(RESULT_COLUMNS, values, strict=True))


def title(outcome: Outcome | None) -> str:
    """What an outcome is called; blank: Canvas has not told."""
    return "" if outcome is None else outcome.display_name or outcome.title


def is_mastered(outcome: Outcome | None, score: float | None) -> bool | None:
    """Whether ``score`` reaches the outcome's mastery; None: one of both is not known."""
    if outcome is None or outcome.mastery_points is None or score is None:
        return None
    return score >= outcome.mastery_points


def level(outcome: Outcome | None, score: float | None) -> str:
    """In the words of the outcome's scale; blank: it has none, or none so low."""
    rating = rating_of(outcome, score)
    return "" if rating is None else rating.description


def rating_of(outcome: Outcome | None, score: float | None) -> OutcomeRating | None:
    """The highest level of the outcome's scale that ``score`` reaches."""
    if outcome is None or score is None:
        return None
    reached = [rating for rating in outcome.ratings if rating.points is not None and rating.points <= score]
    return max(reached, key=lambda rating: rating.points or 0.0, default=None)


def names_of(linked: Linked) -> dict[str, str]:
    """What Canvas calls the learners that it included."""
    return {user.id: user.name or user.display_name for user in linked.users}


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
