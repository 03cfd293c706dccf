"""``/api/canvas/outcome_results``, ``…/outcome_rollups``, ``…/contributing_scores``: what learners reached, read through and not kept."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rest_framework.response import Response

from django_lti_ags import outcomes
from django_lti_ags.ags.types import wire_number, wire_time
from django_lti_ags.api import canvas_parameters, canvas_queries, canvas_schemas, places
from django_lti_ags.api.canvas_errors import told_by_canvas
from django_lti_ags.api.describing import PLATFORM, described
from django_lti_ags.api.views import ApiView
from django_lti_ags.canvas.client import PER_PAGE

if TYPE_CHECKING:
    from rest_framework.request import Request

    from django_lti_ags.canvas import Page

_PATIENCE_SECONDS: Final = 10.0


class ResultsView(ApiView):
    """Each result of each alignment."""

    @described(
        "listOutcomeResults",
        "Read the results in a Canvas course's outcomes",
        {200: (canvas_schemas.OutcomeResults, "One page, as Canvas tells it now.")},
        parameters=canvas_parameters.OF_RESULTS,
        fails=(*PLATFORM, 409),
    )
    def get(self, request: Request) -> Response:
        """One page; which learners are in it is up to the parameters, and to what the stored credential's user may see."""
        asked = canvas_queries.asked(request, canvas_queries.RESULTS)
        context = places.one(self.caller, request)
        with told_by_canvas(self.caller.registration):
            page = next(outcomes.results(context, patience_seconds=_PATIENCE_SECONDS, **asked).pages())
        return Response(_told("outcome_results", page, asked))


class RollupsView(ApiView):
    """What each learner, or with ``aggregate=course`` the course, has reached in each outcome."""

    @described(
        "listOutcomeRollups",
        "Read what each learner reached in a Canvas course's outcomes",
        {200: (canvas_schemas.OutcomeRollups, "One page, as Canvas tells it now.")},
        parameters=canvas_parameters.OF_ROLLUPS,
        fails=(*PLATFORM, 409),
    )
    def get(self, request: Request) -> Response:
        """One page, likewise."""
        asked = canvas_queries.asked(request, canvas_queries.ROLLUPS)
        context = places.one(self.caller, request)
        with told_by_canvas(self.caller.registration):
            page = next(outcomes.rollups(context, patience_seconds=_PATIENCE_SECONDS, **asked).pages())
        return Response(_told("rollups", page, asked))


class ContributingView(ApiView):
    """What an outcome's rollups stand on: its alignments, and each learner's score in each."""

    @described(
        "readContributingScores",
        "Read what an outcome's rollups stand on",
        {200: (canvas_schemas.ContributingScores, "All of it, as Canvas tells it now.")},
        parameters=canvas_parameters.OF_CONTRIBUTING,
        fails=(*PLATFORM, 409),
    )
    def get(self, request: Request, outcome_id: str) -> Response:
        """All of it: Canvas has no pages of it."""
        asked = canvas_queries.asked(request, canvas_queries.CONTRIBUTING)
        context = places.one(self.caller, request)
        with told_by_canvas(self.caller.registration):
            found = outcomes.contributing_scores(context, outcome_id, patience_seconds=_PATIENCE_SECONDS, **asked)
        return Response(_plain(found))


def _told(name: str, page: Page[Any], asked: dict[str, Any]) -> dict[str, Any]:
    number, size = asked.get("page", 1), asked.get("per_page", PER_PAGE)
    # Of a listing that Canvas does not count, a full page may be followed by another one.
    more = len(page.items) >= size if page.count is None else number * size < page.count
    if "aggregate" in asked:
        more = False  # one rollup of all: of any page Canvas answers the same
    pagination = {"page": number, "per_page": size, "count": page.count, "next_page": number + 1 if more else None}
    return {name: _plain(page.items), "linked": _plain(page.linked), "meta": {"pagination": pagination}}


def _plain(value: Any) -> Any:
    """What JSON has for a typed answer."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return wire_time(value)
    return wire_number(value) if isinstance(value, float) else value
