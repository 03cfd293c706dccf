"""Outcomes of a simulated Canvas' courses: what is learned, by whom, and how it adds up."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_DECAYING_WEIGHT = 0.65


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What is to be learned."""

    id: int
    title: str
    group_id: int = 1
    points_possible: float = 5.0
    mastery_points: float = 3.0
    calculation_method: str = "highest"
    """``highest``, ``latest``, ``average`` or ``decaying_average``."""


@dataclass(slots=True, kw_only=True)
class Group:
    """A folder of outcomes."""

    id: int
    title: str
    parent_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Student:
    """A learner, by the number that the REST API knows them by."""

    id: int
    name: str
    sortable_name: str = ""
    sis_user_id: str = ""
    sections: tuple[int, ...] = (1,)


@dataclass(slots=True, kw_only=True)
class Result:
    """What a student reached in an alignment."""

    id: int
    user_id: int
    outcome_id: int
    alignment: str
    percent: float
    """Of 1."""
    assessed_at: datetime
    title: str = ""
    hidden: bool = False


@dataclass(slots=True)
class OutcomeBook:
    """A course's outcomes and results, behind the platform's lock."""

    name: str
    students: dict[int, Student] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=lambda: {1: Group(id=1, title="Course")})
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    alignments: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The name of each, and its outcome."""
    results: list[Result] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    """As ``assign_outcome_order`` said."""
    calculations: list[str] = field(default_factory=list)
    """For whom a calculation was asked: a student's uuid, or "" for all."""

    def add_student(self, user_id: int, name: str, **values: Any) -> Student:
        """A new learner."""
        words = name.split()
        values.setdefault("sortable_name", f"{words[-1]}, {' '.join(words[:-1])}" if len(words) > 1 else name)
        student = self.students[user_id] = Student(id=user_id, name=name, **values)
        return student

    def add_outcome(self, title: str, **values: Any) -> Outcome:
        """A new outcome, linked to the course."""
        outcome = Outcome(id=len(self.outcomes) + 1, title=title, **values)
        self.outcomes[outcome.id] = outcome
        return outcome

    def add_group(self, title: str, parent_id: int = 1) -> Group:
        """A new folder."""
        group = Group(id=len(self.groups) + 1, title=title, parent_id=parent_id)
        self.groups[group.id] = group
        return group

    def assess(
        self,
        user_id: int,
        outcome: Outcome,
        alignment: str,
        score: float,
        assessed_at: datetime,
        *,
        hidden: bool = False,
    ) -> Result:
        """Store what a student reached, in points of the outcome; again, if the alignment was assessed before."""
        self.alignments.setdefault(alignment, (alignment.replace("_", " ").title(), outcome.id))
        kept = next((one for one in self.results if (one.user_id, one.outcome_id, one.alignment) == (user_id, outcome.id, alignment)), None)
        result = Result(
            id=kept.id if kept else len(self.results) + 1,
            user_id=user_id,
            outcome_id=outcome.id,
            alignment=alignment,
            percent=score / outcome.points_possible,
            assessed_at=assessed_at,
            title=self.alignments[alignment][0],
            hidden=hidden,
        )
        if kept:
            self.results[self.results.index(kept)] = result
        else:
            self.results.append(result)
        return result

    def rollup(self, results: list[Result], outcome: Outcome) -> dict[str, Any] | None:
        """One student's score in an outcome; None: there is no result."""
        mine = sorted((one for one in results if one.outcome_id == outcome.id), key=lambda one: (one.assessed_at, one.id))
        if not mine:
            return None
        scores = [one.percent * outcome.points_possible for one in mine]
        return {
            "score": round(_calculated(outcome.calculation_method, scores), 2),
            "title": mine[-1].title,
            "submitted_at": mine[-1].assessed_at.isoformat(),
            "count": len(mine),
            "hide_points": False,
            "links": {"outcome": str(outcome.id)},
        }

    def aggregate(self, rollups: list[dict[str, Any] | None], outcome: Outcome, stat: str) -> dict[str, Any] | None:
        """The course's score in an outcome, of its students' scores."""
        scores = [rollup["score"] for rollup in rollups if rollup is not None]
        if not scores:
            return None
        value = statistics.median(scores) if stat == "median" else statistics.fmean(scores)
        return {
            "score": round(value, 2),
            "count": len(scores),
            "hide_points": False,
            "links": {"outcome": str(outcome.id)},
        }


def _calculated(method: str, scores: list[float]) -> float:
    """The newest stands last."""
    if method == "latest":
        return scores[-1]
    if method == "average":
        return statistics.fmean(scores)
    if method == "decaying_average" and len(scores) > 1:
        return statistics.fmean(scores[:-1]) * (1 - _DECAYING_WEIGHT) + scores[-1] * _DECAYING_WEIGHT
    return max(scores) if method != "decaying_average" else scores[-1]
