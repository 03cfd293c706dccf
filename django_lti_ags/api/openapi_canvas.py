"""The description of ``/api/canvas/…``; the shapes of answers are those of the typed ones in :mod:`django_lti_ags.canvas`."""

from __future__ import annotations

from dataclasses import is_dataclass
from datetime import datetime
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from django_lti_ags.api.openapi_live import LIVE_PATHS, LIVE_SCHEMAS
from django_lti_ags.api.openapi_operations import ok, operation, parameter
from django_lti_ags.api.openapi_parts import FLAG, TEXT, TIME, an_object, list_of
from django_lti_ags.canvas import ContributingScores, Linked, OutcomeResult, OutcomeRollup
from django_lti_ags.canvas.arguments import EXCLUDES, RESULT_INCLUDES, ROLLUP_INCLUDES

_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: TEXT,
    bool: FLAG,
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: TIME,
}
_COUNT: Final = {"type": ["integer", "null"]}


def _shape(kind: Any) -> dict[str, Any]:
    """The schema of a type that a typed answer has."""
    if is_dataclass(kind):
        hints = get_type_hints(kind, localns={"datetime": datetime})
        return an_object({name: _shape(hint) for name, hint in hints.items()}, " ".join(hints), more=False)
    if get_origin(kind) is tuple:
        return list_of(_shape(get_args(kind)[0]))
    if NoneType in get_args(kind):
        (one,) = set(get_args(kind)) - {NoneType}
        found = _shape(one)
        return found | {"type": [found["type"], "null"]}
    return _PLAIN[kind]


def _page_of(name: str, kind: Any) -> dict[str, Any]:
    pagination = an_object(
        {"page": {"type": "integer"}, "per_page": {"type": "integer"}, "count": _COUNT, "next_page": _COUNT},
        "page per_page count next_page",
        more=False,
    )
    meta = an_object({"pagination": pagination}, "pagination", more=False)
    return an_object({name: list_of(_shape(kind)), "linked": _shape(Linked), "meta": meta}, f"{name} linked meta", more=False)


def _several(name: str, description: str, known: tuple[str, ...] = ()) -> dict[str, Any]:
    return parameter(f"{name}[]", description, list_of({"type": "string", "enum": list(known)} if known else TEXT))


def _choice(name: str, description: str, *known: str) -> dict[str, Any]:
    return parameter(name, description, {"type": "string", "enum": list(known)})


_PAGING: Final = [
    parameter("per_page", "How many at a time.", {"type": "integer", "minimum": 1, "maximum": 100}),
    parameter("page", "Which page: the next_page of an earlier answer.", {"type": "integer", "minimum": 1}),
]
_WHICH: Final = [
    _several("user_ids", "Only these students', by Canvas' number or sis_user_id:…."),
    _several("outcome_ids", "Only of these outcomes."),
    parameter("include_hidden", "Also what is hidden from the learning mastery gradebook.", FLAG),
]
_OF_ROLLUPS: Final = [
    parameter("section_id", "Only this section's students; not with user_ids."),
    parameter("outcome_group_id", "Only this group's outcomes; not with outcome_ids."),
    _several("include", "What stands under linked.", ROLLUP_INCLUDES),
    _several("exclude", "What is left out.", EXCLUDES),
    _choice("aggregate", "One rollup of all.", "course"),
    _choice("aggregate_stat", "Of an aggregate.", "mean", "median"),
    _choice("sort_by", "Not of an aggregate.", "student", "outcome"),
    parameter("sort_outcome_id", "Needed to sort by outcome."),
    _choice("sort_order", "With sort_by.", "asc", "desc"),
    parameter("add_defaults", "Default colours and mastery levels in the outcomes' ratings.", FLAG),
    parameter("rating_percents", "In the included outcomes, how many students are at each level.", FLAG),
]
SCHEMAS: Final[dict[str, Any]] = {
    "OutcomeResults": _page_of("outcome_results", OutcomeResult),
    "OutcomeRollups": _page_of("rollups", OutcomeRollup),
    "ContributingScores": _shape(ContributingScores),
    **LIVE_SCHEMAS,
}
PATHS: Final[dict[str, Any]] = {
    "/api/canvas/outcome_results": {
        "get": operation(
            "Read the results in a Canvas course's outcomes",
            ok("OutcomeResults", "One page, as Canvas tells it now."),
            [*_WHICH, _several("include", "What stands under linked.", RESULT_INCLUDES), *_PAGING],
        )
    },
    "/api/canvas/outcome_rollups": {
        "get": operation(
            "Read what each learner reached in a Canvas course's outcomes",
            ok("OutcomeRollups", "One page, as Canvas tells it now."),
            [*_WHICH, *_OF_ROLLUPS, *_PAGING],
        )
    },
    "/api/canvas/outcomes/{outcome_id}/contributing_scores": {
        "get": operation(
            "Read what an outcome's rollups stand on",
            ok("ContributingScores", "All of it, as Canvas tells it now."),
            [
                parameter("outcome_id", "The outcome, by Canvas' number.", place="path"),
                _several("user_ids", "Only these students'."),
                parameter("only_assignment_alignments", "Leave out what is not an assignment.", FLAG),
                parameter("show_unpublished_assignments", "Also assignments that are not published.", FLAG),
            ],
        )
    },
    **LIVE_PATHS,
}
