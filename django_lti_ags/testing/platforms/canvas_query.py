"""The query of a request to a simulated Canvas for outcome results: read in Canvas' order, and refused in its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django_lti_ags.testing.platforms.canvas_errors import rejected
from django_lti_ags.testing.platforms.canvas_outcomes import Outcome, OutcomeBook, Student
from django_lti_ags.testing.platforms.http import Request

_INCLUDES = {"alignments", "outcomes", "outcomes.alignments", "outcome_groups", "outcome_links", "outcome_paths", "users", "courses"}


@dataclass(slots=True, kw_only=True)
class Asked:
    """Whom and what a request is about."""

    students: list[Student]
    outcomes: list[Outcome]
    includes: list[str]
    excludes: list[str]
    one: dict[str, str]
    """The parameters that are there once."""


def read_query(request: Request, book: OutcomeBook) -> Asked:
    """Everything that a request asks for.

    Raises:
        Refused: Canvas would.
    """
    pairs = parse_qsl(request.query_string, keep_blank_values=True)
    one = {name: value for name, value in pairs if not name.endswith("[]")}

    def several(name: str) -> list[str]:
        return list(dict.fromkeys(value for key, value in pairs if key == f"{name}[]"))

    _check_words(one)
    includes = several("include")
    _check_includes(includes, one)
    if several("outcome_ids") and "outcome_group_id" in one:
        raise rejected("can't filter by both outcome_ids and outcome_group_id")
    if several("user_ids") and "section_id" in one:
        raise rejected("cannot specify both user_ids and section_id")
    return Asked(
        students=_students(book, several("user_ids"), one),
        outcomes=_outcomes(book, several("outcome_ids"), one),
        includes=includes,
        excludes=several("exclude"),
        one=one,
    )


def _check_words(one: dict[str, Any]) -> None:
    if one.get("aggregate", "course") != "course":
        raise rejected("invalid aggregate parameter value")
    if one.get("aggregate_stat", "mean") not in ("mean", "median"):
        raise rejected("invalid aggregate_stat parameter value")
    if "sort_by" not in one:
        return
    if one["sort_by"] not in ("student", "outcome"):
        raise rejected("invalid sort_by parameter value")
    if one["sort_by"] == "outcome" and "sort_outcome_id" not in one:
        raise rejected("missing required sort_outcome_id parameter value")
    if one["sort_by"] == "outcome" and not one["sort_outcome_id"].isdecimal():
        raise rejected("invalid sort_outcome_id parameter value")
    if one.get("sort_order", "asc") not in ("asc", "desc"):
        raise rejected("invalid sort_order parameter value")


def _check_includes(includes: list[str], one: dict[str, str]) -> None:
    for name in includes:
        if name not in _INCLUDES:
            raise rejected(f"invalid include: {name}")
        if name == "courses" and one.get("aggregate") != "course":
            raise rejected("can't include courses unless aggregate is 'course'")
        if name == "users" and "aggregate" in one:
            raise rejected("can't include users unless aggregate is not set")


def _students(book: OutcomeBook, user_ids: list[str], one: dict[str, str]) -> list[Student]:
    everybody = list(book.students.values())
    if user_ids:
        found = [student for student in everybody if str(student.id) in user_ids or f"sis_user_id:{student.sis_user_id}" in user_ids]
        if len(found) != len(user_ids):
            raise rejected("can only include id's of users in the outcome context")
        return found
    if "section_id" in one:
        section = one["section_id"]
        found = [student for student in everybody if section in map(str, student.sections)]
        if not found:
            raise rejected("invalid section id")
        return found
    return everybody


def _outcomes(book: OutcomeBook, outcome_ids: list[str], one: dict[str, str]) -> list[Outcome]:
    everything = list(book.outcomes.values())
    if outcome_ids:
        found = [outcome for outcome in everything if str(outcome.id) in outcome_ids]
        if len(found) != len(outcome_ids):
            raise rejected("can only include id's of outcomes in the outcome context")
        return found
    if "outcome_group_id" in one:
        if one["outcome_group_id"] not in map(str, book.groups):
            raise rejected("can only include an outcome group id in the outcome context")
        return [outcome for outcome in everything if str(outcome.group_id) == one["outcome_group_id"]]
    return everything
