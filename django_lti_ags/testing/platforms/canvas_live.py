"""Live assessments of a simulated Canvas: results pile up, and what they come to is an outcome's result."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django_lti_ags.testing.platforms.canvas_errors import messages, rejected
from django_lti_ags.testing.platforms.canvas_outcomes import OutcomeBook
from django_lti_ags.testing.platforms.http import Refused, Request, Response, Route
from django_lti_ags.testing.platforms.moments import read_moment

if TYPE_CHECKING:
    from django_lti_ags.testing.platforms.canvas_rest import CanvasRest

_LIVE = "/api/v1/courses/:course_id/live_assessments"
_RESULTS = f"{_LIVE}/:assessment_id/results"


@dataclass(slots=True, kw_only=True)
class Assessment:
    """An assessment, and what it is aligned with."""

    id: int
    key: str
    title: str
    outcome_id: int | None = None
    results: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class LiveBook:
    """A course's live assessments."""

    outcomes: OutcomeBook
    assessments: dict[int, Assessment] = field(default_factory=dict)

    def found(self, key: str) -> Assessment | None:
        """The assessment of a key."""
        return next((one for one in self.assessments.values() if one.key == key), None)

    def passed(self, assessment: Assessment, user_id: int) -> tuple[int, int]:
        """How many of a user's results are passed, and how many there are."""
        mine = [one["passed"] for one in assessment.results if one["links"]["user"] == str(user_id)]
        return sum(mine), len(mine)

    def tally(self, assessment: Assessment, user_id: int) -> None:
        """What a user's results come to, as a result of the outcome."""
        if assessment.outcome_id is None:
            return
        outcome = self.outcomes.outcomes[assessment.outcome_id]
        passed, possible = self.passed(assessment, user_id)
        times = [datetime.fromisoformat(one["assessed_at"]) for one in assessment.results if one["links"]["user"] == str(user_id)]
        name = f"live_assessments/assessment_{assessment.id}"
        self.outcomes.alignments[name] = (assessment.title, outcome.id)
        self.outcomes.assess(user_id, outcome, name, passed / possible * outcome.points_possible, max(times))


class LiveDesk:
    """Answers for live assessments."""

    def __init__(self, rest: CanvasRest) -> None:
        self._rest = rest

    def routes(self) -> list[Route]:
        """Where it answers."""
        course = r"/api/v1/courses/(?P<course_id>[^/]+)/live_assessments"
        results = course + r"/(?P<assessment_id>[^/]+)/results"
        return [
            Route("GET", course, self.list_assessments, "live_assessments", ordered=True),
            Route("POST", course, self.create, "live_assessments", ordered=True),
            Route("GET", results, self.list_results, "live_results", ordered=True),
            Route("POST", results, self.create_results, "live_results", ordered=True),
        ]

    def list_assessments(self, request: Request, course_id: str) -> Response:
        """All of a course's."""
        book = self._book(request, "GET", _LIVE, course_id)
        shown, headers, meta = self._rest.page(request, [_shown(one) for one in book.assessments.values()])
        return Response.json({**_links(request), "assessments": shown, "meta": meta}, headers=headers)

    def create(self, request: Request, course_id: str) -> Response:
        """Find each by its key, or make it; all or none."""
        book = self._book(request, "POST", _LIVE, course_id)
        wanted = _list(request, "assessments")
        for one in wanted:
            outcome_id = _linked(one, "outcome")
            if outcome_id and int(outcome_id) not in book.outcomes.outcomes:
                raise rejected("outcome must be linked to the context")
            for name in ("title", "key"):
                if not str(one.get(name) or "").strip():
                    raise rejected(f"missing required key :{name}")
        return Response.json({**_links(request), "assessments": [_shown(_made(book, one)) for one in wanted]})

    def list_results(self, request: Request, course_id: str, assessment_id: str) -> Response:
        """All of an assessment's, or one user's."""
        assessment = self._assessment(self._book(request, "GET", _RESULTS, course_id), assessment_id)
        user_id = request.query.get("user_id")
        found = [one for one in assessment.results if user_id in (None, one["links"]["user"])]
        shown, headers, meta = self._rest.page(request, found)
        return Response.json({"results": shown, "meta": meta}, headers=headers)

    def create_results(self, request: Request, course_id: str, assessment_id: str) -> Response:
        """Add results, all or none, user by user: what is sent twice counts twice."""
        book = self._book(request, "POST", _RESULTS, course_id)
        assessment = self._assessment(book, assessment_id)
        wanted = _list(request, "results")
        for one in wanted:
            _check_result(book, one)
        users = list(dict.fromkeys(str(_linked(one, "user")) for one in wanted))
        assessor = self._rest.check(request, f"url:POST|{_RESULTS}").user_id
        made = []
        for one in sorted(wanted, key=lambda one: users.index(str(_linked(one, "user")))):
            links = {"user": str(_linked(one, "user")), "assessor": str(assessor), "assessment": str(assessment.id)}
            result = {
                "id": str(len(assessment.results) + 1),
                "passed": one["passed"],
                "assessed_at": read_moment(one["assessed_at"])[0].isoformat(),
                "links": links,
            }
            assessment.results.append(result)
            made.append(result)
        for user in users:
            book.tally(assessment, int(user))
        return Response.json({"results": made})

    def _book(self, request: Request, verb: str, path: str, course_id: str) -> LiveBook:
        self._rest.book(request, f"url:{verb}|{path}", course_id)
        return self._rest.live[course_id]

    def _assessment(self, book: LiveBook, assessment_id: str) -> Assessment:
        found = book.assessments.get(int(assessment_id)) if assessment_id.isdecimal() else None
        if found is None:
            raise messages(404, "The specified resource does not exist.")
        return found


def _made(book: LiveBook, wanted: dict[str, Any]) -> Assessment:
    assessment = book.found(wanted["key"])
    if assessment is None:
        assessment = Assessment(id=len(book.assessments) + 1, key=wanted["key"], title="")
        book.assessments[assessment.id] = assessment
    assessment.title = wanted["title"]
    outcome_id = _linked(wanted, "outcome")
    if outcome_id:
        assessment.outcome_id = int(outcome_id)
    return assessment


def _check_result(book: LiveBook, wanted: dict[str, Any]) -> None:
    user_id = _linked(wanted, "user")
    if not user_id:
        raise rejected("missing required key :user")
    if int(user_id) not in book.outcomes.students:
        raise rejected("user must be in the context")
    if not isinstance(wanted.get("passed"), bool):
        raise _invalid("passed", "is not included in the list")
    try:
        read_moment(wanted.get("assessed_at"))
    except ValueError:
        raise _invalid("assessed_at", "can't be blank") from None


def _invalid(name: str, text: str) -> Refused:
    problem = {"attribute": name, "type": text, "message": text}
    return Refused.by(Response.json({"errors": {name: [problem]}}, status=422))


def _list(request: Request, name: str) -> list[dict[str, Any]]:
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    found = body.get(name) if isinstance(body, dict) and request.media_type == "application/json" else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise rejected(f"missing required key :{name}")
    return found


def _linked(wanted: dict[str, Any], name: str) -> str:
    links = wanted.get("links")
    value = str(links.get(name) or "") if isinstance(links, dict) else ""
    return value if value.isdecimal() else ""


def _links(request: Request) -> dict[str, Any]:
    return {"links": {"assessments.results": f"http://{request.headers.get('host', '')}{request.path}/{{assessments.id}}/results"}}


def _shown(assessment: Assessment) -> dict[str, Any]:
    return {"id": str(assessment.id), "key": assessment.key, "title": assessment.title}
