"""The parameters of Canvas' outcome lists, for the API's description; :mod:`~django_lti_ags.api.canvas_queries` reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django_lti_ags.api.describing import path, query
from django_lti_ags.canvas.arguments import EXCLUDES, RESULT_INCLUDES, ROLLUP_INCLUDES

if TYPE_CHECKING:
    from drf_spectacular.utils import OpenApiParameter


def _several(name: str, said: str, known: tuple[str, ...] | None = None) -> OpenApiParameter:
    return query(f"{name}[]", said, many=True, enum=known)


_PAGING: Final = (
    query("per_page", "How many at a time.", {"type": "integer", "minimum": 1, "maximum": 100}),
    query("page", "Which page: the next_page of an earlier answer.", {"type": "integer", "minimum": 1}),
)
_WHICH: Final = (
    _several("user_ids", "Only these students', by Canvas' number or sis_user_id:…."),
    _several("outcome_ids", "Only of these outcomes."),
    query("include_hidden", "Also what is hidden from the learning mastery gradebook.", bool),
)
OF_CONTRIBUTING: Final = (
    path("outcome_id", "The outcome, by Canvas' number."),
    _several("user_ids", "Only these students'."),
    query("only_assignment_alignments", "Leave out what is not an assignment.", bool),
    query("show_unpublished_assignments", "Also assignments that are not published.", bool),
)
OF_RESULTS: Final = (*_WHICH, _several("include", "What stands under linked.", RESULT_INCLUDES), *_PAGING)
OF_ROLLUPS: Final = (
    *_WHICH,
    query("section_id", "Only this section's students; not with user_ids."),
    query("outcome_group_id", "Only this group's outcomes; not with outcome_ids."),
    _several("include", "What stands under linked.", ROLLUP_INCLUDES),
    _several("exclude", "What is left out.", EXCLUDES),
    query("aggregate", "One rollup of all.", enum=("course",)),
    query("aggregate_stat", "Of an aggregate.", enum=("mean", "median")),
    query("sort_by", "Not of an aggregate.", enum=("student", "outcome")),
    query("sort_outcome_id", "Needed to sort by outcome."),
    query("sort_order", "With sort_by.", enum=("asc", "desc")),
    query("add_defaults", "Default colours and mastery levels in the outcomes' ratings.", bool),
    query("rating_percents", "In the included outcomes, how many students are at each level.", bool),
    *_PAGING,
)
