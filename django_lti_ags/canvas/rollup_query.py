"""The parameters of ``outcome_rollups``, as Canvas lets them be combined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_lti_ags.canvas import arguments
from django_lti_ags.exceptions import InvalidCanvasArgument

if TYPE_CHECKING:
    from django_lti_ags.canvas.arguments import Pairs


def rollup_pairs(given: dict[str, Any]) -> Pairs:
    """The query of a request for rollups.

    Raises:
        InvalidCanvasArgument: the first parameter that Canvas would refuse.
    """
    return [
        *_whose(given["user_ids"], given["section_id"]),
        *which_outcomes(given["outcome_ids"], given["outcome_group_id"]),
        *_includes(given["include"], given["aggregate"]),
        *arguments.some_of("exclude", given["exclude"], arguments.EXCLUDES),
        *_aggregate(given["aggregate"], given["aggregate_stat"]),
        *_sorting(given["sort_by"], given["sort_outcome_id"], given["sort_order"], given["aggregate"]),
        *(
            pair
            for name in ("include_hidden", "add_defaults", "contributing_scores", "rating_percents")
            for pair in arguments.switch(name, given[name])
        ),
    ]


def which_outcomes(outcome_ids: Any, outcome_group_id: Any) -> Pairs:
    """Some outcomes, or one group's."""
    if outcome_ids is not None and outcome_group_id is not None:
        raise InvalidCanvasArgument(
            "outcome_group_id", outcome_group_id, "cannot be combined with outcome_ids: Canvas filters by one of them"
        )
    return [*arguments.ids("outcome_ids", outcome_ids), *arguments.one_id("outcome_group_id", outcome_group_id)]


def _whose(user_ids: Any, section_id: Any) -> Pairs:
    if user_ids is not None and section_id is not None:
        raise InvalidCanvasArgument("section_id", section_id, "cannot be combined with user_ids: Canvas filters by one of them")
    return [*arguments.ids("user_ids", user_ids, "sis_user_id:"), *arguments.one_id("section_id", section_id)]


def _includes(include: Any, aggregate: Any) -> Pairs:
    pairs = arguments.some_of("include", include, arguments.ROLLUP_INCLUDES)
    if ("include[]", "courses") in pairs and aggregate is None:
        raise InvalidCanvasArgument("include", "courses", "needs aggregate='course'")
    if ("include[]", "users") in pairs and aggregate is not None:
        raise InvalidCanvasArgument("include", "users", "cannot be combined with aggregate: an aggregate has no users")
    return pairs


def _aggregate(aggregate: Any, stat: Any) -> Pairs:
    pairs = arguments.one_of("aggregate", aggregate, ("course",))
    if stat is not None and not pairs:
        raise InvalidCanvasArgument("aggregate_stat", stat, "needs aggregate='course'")
    return pairs + arguments.one_of("aggregate_stat", stat, ("mean", "median"))


def _sorting(sort_by: Any, outcome_id: Any, order: Any, aggregate: Any) -> Pairs:
    pairs = arguments.one_of("sort_by", sort_by, ("student", "outcome"))
    if pairs and aggregate is not None:
        raise InvalidCanvasArgument("sort_by", sort_by, "cannot be combined with aggregate, which is one rollup")
    if sort_by == "outcome" and outcome_id is None:
        raise InvalidCanvasArgument("sort_outcome_id", outcome_id, "is needed with sort_by='outcome'")
    if sort_by != "outcome" and outcome_id is not None:
        raise InvalidCanvasArgument("sort_outcome_id", outcome_id, "needs sort_by='outcome'")
    if order is not None and not pairs:
        raise InvalidCanvasArgument("sort_order", order, "needs sort_by")
    return [*pairs, *arguments.one_id("sort_outcome_id", outcome_id), *arguments.one_of("sort_order", order, ("asc", "desc"))]
