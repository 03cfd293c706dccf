"""Outcome results and rollups of a simulated Canvas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django_lti_ags.testing.platforms.canvas_errors import messages, rejected
from django_lti_ags.testing.platforms.canvas_outcomes import Outcome, OutcomeBook, Result, Student
from django_lti_ags.testing.platforms.canvas_query import Asked, read_query
from django_lti_ags.testing.platforms.http import Request, Response, Route

if TYPE_CHECKING:
    from django_lti_ags.testing.platforms.canvas_rest import CanvasRest

_COURSE = "/api/v1/courses/:course_id"
_ENQUEUE = "/api/v1/enqueue_outcome_rollup_calculation"


class ResultsDesk:
    """Answers for outcome results."""

    def __init__(self, rest: CanvasRest) -> None:
        self._rest = rest

    def routes(self) -> list[Route]:
        """Where it answers."""
        course = r"/api/v1/courses/(?P<course_id>[^/]+)"
        contributing = course + r"/outcomes/(?P<outcome_id>[^/]+)/contributing_scores"
        return [
            Route("GET", course + "/outcome_results", self.results, "outcome_results", ordered=True),
            Route("GET", course + "/outcome_rollups", self.rollups, "outcome_rollups", ordered=True),
            Route("GET", contributing, self.contributing, "outcome_results", ordered=True),
            Route("POST", course + "/assign_outcome_order", self.assign_order, "outcome_order", ordered=True),
            Route("POST", _ENQUEUE, self.enqueue, "outcome_rollups", ordered=True),
        ]

    def results(self, request: Request, course_id: str) -> Response:
        """Each result; the pages are in the ``Link`` header only."""
        book = self._rest.book(request, f"url:GET|{_COURSE}/outcome_results", course_id)
        asked = read_query(request, book)
        found = _results(book, asked)
        shown, headers, _ = self._rest.page(request, [_result_json(book, one) for one in found])
        return Response.json({"outcome_results": shown, **_linked(book, course_id, asked, asked.students)}, headers=headers)

    def rollups(self, request: Request, course_id: str) -> Response:
        """Each student's rollup, once per section, paged by student; or the course's."""
        book = self._rest.book(request, f"url:GET|{_COURSE}/outcome_rollups", course_id)
        asked = read_query(request, book)
        found = _results(book, asked)
        if "missing_outcome_results" in asked.excludes:
            asked.outcomes = [outcome for outcome in asked.outcomes if any(one.outcome_id == outcome.id for one in found)]
        by_student = {student.id: [one for one in found if one.user_id == student.id] for student in asked.students}
        if "aggregate" in asked.one:
            rollup = _aggregate(book, course_id, asked, by_student)
            return Response.json({"rollups": [rollup], **_linked(book, course_id, asked, [])})
        if "missing_user_rollups" in asked.excludes:
            asked.students = [student for student in asked.students if by_student[student.id]]
        students, headers, meta = self._rest.page(request, _sorted(book, asked, by_student))
        rows = [row for student in students for row in _rows(book, asked, student, by_student[student.id])]
        return Response.json({"rollups": rows, **_linked(book, course_id, asked, students), "meta": meta}, headers=headers)

    def contributing(self, request: Request, course_id: str, outcome_id: str) -> Response:
        """What an outcome's rollups stand on."""
        scope = f"url:GET|{_COURSE}/outcomes/:outcome_id/contributing_scores"
        book = self._rest.book(request, scope, course_id)
        outcome = book.outcomes.get(int(outcome_id)) if outcome_id.isdecimal() else None
        if outcome is None:
            raise messages(404, "The specified resource does not exist.")
        asked = read_query(request, book)
        only = asked.one.get("only_assignment_alignments") == "true"
        alignments = [
            {"alignment_id": name, "associated_asset_id": name.rpartition("_")[2], "associated_asset_name": title}
            | {"associated_asset_type": "Assignment" if name.startswith("assignment_") else "AssessmentQuestionBank"}
            for name, (title, of) in book.alignments.items()
            if of == outcome.id and (name.startswith("assignment_") or not only)
        ]
        names, users = {one["alignment_id"] for one in alignments}, {student.id for student in asked.students}
        scores = [
            {"user_id": str(one.user_id), "alignment_id": one.alignment, "score": one.percent * outcome.points_possible}
            for one in book.results
            if one.outcome_id == outcome.id and one.alignment in names and one.user_id in users
        ]
        return Response.json({"outcome": {"id": str(outcome.id), "title": outcome.title}, "alignments": alignments, "scores": scores})

    def assign_order(self, request: Request, course_id: str) -> Response:
        """Keep the order."""
        book = self._rest.book(request, f"url:POST|{_COURSE}/assign_outcome_order", course_id)
        try:
            wanted = sorted((one["position"], one["outcome_id"]) for one in json.loads(request.body))
        except (ValueError, TypeError, KeyError):
            raise rejected("outcomes must be a list of outcome_id and position") from None
        if any(outcome_id not in book.outcomes for _, outcome_id in wanted):
            raise rejected("can only include id's of outcomes in the outcome context")
        book.order = [outcome_id for _, outcome_id in wanted]
        return Response(status=204)

    def enqueue(self, request: Request) -> Response:
        """Note that a calculation was asked for."""
        book = self._rest.book(request, f"url:POST|{_ENQUEUE}", request.form.get("course_id", ""))
        book.calculations.append(request.form.get("student_uuid", ""))
        return Response.json({"status": "queued"})


def _results(book: OutcomeBook, asked: Asked) -> list[Result]:
    users, outcomes = {student.id for student in asked.students}, {outcome.id for outcome in asked.outcomes}
    hidden = asked.one.get("include_hidden") == "true"
    return [one for one in book.results if one.user_id in users and one.outcome_id in outcomes and (hidden or not one.hidden)]


def _result_json(book: OutcomeBook, result: Result) -> dict[str, Any]:
    outcome = book.outcomes[result.outcome_id]
    score = result.percent * outcome.points_possible
    return {
        "id": result.id,
        "score": score,
        "possible": outcome.points_possible,
        "percent": result.percent,
        "mastery": score >= outcome.mastery_points,
        "hidden": result.hidden,
        "hide_points": False,
        "submitted_or_assessed_at": result.assessed_at.isoformat(),
        "links": {"user": str(result.user_id), "learning_outcome": str(outcome.id), "alignment": result.alignment}
        | ({"assignment": result.alignment} if result.alignment.startswith("assignment_") else {}),
    }


def _rows(book: OutcomeBook, asked: Asked, student: Student, results: list[Result]) -> list[dict[str, Any]]:
    scores = [score for outcome in asked.outcomes if (score := book.rollup(results, outcome)) is not None]
    wanted = asked.one.get("section_id")
    return [
        {"scores": scores, "links": {"user": str(student.id), "section": str(section), "status": "active"}}
        for section in student.sections
        if wanted in (None, str(section))
    ]


def _aggregate(book: OutcomeBook, course_id: str, asked: Asked, by_student: dict[int, list[Result]]) -> dict[str, Any]:
    stat = asked.one.get("aggregate_stat", "mean")
    scores = [
        score
        for outcome in asked.outcomes
        if (score := book.aggregate([book.rollup(results, outcome) for results in by_student.values()], outcome, stat)) is not None
    ]
    return {"scores": scores, "links": {"course": course_id}}


def _sorted(book: OutcomeBook, asked: Asked, by_student: dict[int, list[Result]]) -> list[Student]:
    """By id; by name; or by an outcome's score, where those without one come last either way."""
    descending = asked.one.get("sort_order") == "desc"
    if asked.one.get("sort_by") == "student":
        return sorted(asked.students, key=lambda student: student.sortable_name, reverse=descending)
    if asked.one.get("sort_by") != "outcome":
        return sorted(asked.students, key=lambda student: student.id)
    outcome = book.outcomes.get(int(asked.one["sort_outcome_id"]), Outcome(id=0, title=""))

    def place(student: Student) -> tuple[bool, float, str]:
        rollup = book.rollup(by_student[student.id], outcome)
        score = 0.0 if rollup is None else rollup["score"]
        return (rollup is None) is not descending, score, student.sortable_name

    return sorted(asked.students, key=place, reverse=descending)


def _linked(book: OutcomeBook, course_id: str, asked: Asked, students: list[Student]) -> dict[str, Any]:
    if not asked.includes:
        return {}
    outcomes = {outcome.id: outcome for outcome in asked.outcomes}
    aligned = [{"id": name, "name": title} for name, (title, of) in book.alignments.items() if of in outcomes]
    used = {one.alignment for one in _results(book, asked)}
    have: dict[str, Any] = {
        "outcomes": [_outcome_json(book, outcome, asked) for outcome in outcomes.values()],
        "users": [{"id": str(one.id), "name": one.name, "display_name": one.name, "sortable_name": one.sortable_name} for one in students],
        "courses": [{"id": course_id, "name": book.name}],
        "outcome_groups": [
            {"id": group.id, "title": group.title}
            | (
                {}
                if group.parent_id is None
                else {"parent_outcome_group": {"id": group.parent_id, "title": book.groups[group.parent_id].title}}
            )
            for group in book.groups.values()
        ],
        "outcome_links": [
            {"outcome": {"id": one.id, "title": one.title}, "outcome_group": {"id": one.group_id}} for one in outcomes.values()
        ],
        "outcome_paths": [{"id": one.id, "parts": [*_parts(book, one.group_id), {"name": one.title}]} for one in outcomes.values()],
        "alignments": [one for one in aligned if one["id"] in used],
        "outcomes.alignments": aligned,
    }
    return {"linked": {name: have[name] for name in asked.includes}}


def _parts(book: OutcomeBook, group_id: int) -> list[dict[str, str]]:
    """The groups down to this one; the course's own is not named."""
    group = book.groups[group_id]
    return [] if group.parent_id is None else [*_parts(book, group.parent_id), {"name": group.title}]


def _outcome_json(book: OutcomeBook, outcome: Outcome, asked: Asked) -> dict[str, Any]:
    ratings: list[dict[str, Any]] = [
        {"description": "Mastery", "points": outcome.mastery_points},
        {"description": "Below Mastery", "points": 0.0},
    ]
    if asked.one.get("rating_percents") == "true":
        rollups = [book.rollup([one for one in book.results if one.user_id == user_id], outcome) for user_id in book.students]
        reached = [rollup["score"] >= outcome.mastery_points for rollup in rollups if rollup is not None]
        share = round(100 * sum(reached) / len(reached)) if reached else 0
        ratings[0]["percent"], ratings[1]["percent"] = share, 100 - share if reached else 0
    if asked.one.get("add_defaults") == "true":
        ratings[0] |= {"mastery": True, "color": "0B874B"}
        ratings[1] |= {"mastery": False, "color": "E0061F"}
    return {
        "id": outcome.id,
        "title": outcome.title,
        "points_possible": outcome.points_possible,
        "mastery_points": outcome.mastery_points,
        "calculation_method": outcome.calculation_method,
        "ratings": ratings,
        "alignments": [name for name, (_, of) in book.alignments.items() if of == outcome.id],
    }
