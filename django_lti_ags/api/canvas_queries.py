"""The parameters of Canvas' outcome lists, under Canvas' own names; lists with or without brackets: ``user_ids[]=1&user_ids[]=2``.

Only how they are written is checked here, and that nothing unknown is asked for: Canvas passes over a filter that it does not know, and
tells of everybody. Which values go together, :mod:`django_lti_ags.canvas` knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.api import queries
from django_lti_ags.api.errors import bad

if TYPE_CHECKING:
    from rest_framework.request import Request

_LISTS: Final = ("user_ids", "outcome_ids", "include")
_SWITCHES: Final = {"true": True, "1": True, "false": False, "0": False}
_NUMBERS: Final = ("per_page", "page")
_OURS: Final = ("registration", "context")
_LONGEST_NUMBER: Final = 9
RESULTS: Final = {"numbers": _NUMBERS, "lists": _LISTS, "switches": ("include_hidden",), "texts": ()}
CONTRIBUTING: Final[dict[str, tuple[str, ...]]] = {
    "numbers": (),  # one answer, without pages
    "lists": ("user_ids",),
    "switches": ("only_assignment_alignments", "show_unpublished_assignments"),
    "texts": (),
}
ROLLUPS: Final = {
    "numbers": _NUMBERS,
    "lists": (*_LISTS, "exclude"),
    "switches": ("include_hidden", "add_defaults", "rating_percents"),
    "texts": ("section_id", "outcome_group_id", "aggregate", "aggregate_stat", "sort_by", "sort_outcome_id", "sort_order"),
}


def asked(request: Request, known: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """What is asked for, as :mod:`django_lti_ags.outcomes` takes it; ``known`` is one of the three above.

    Raises:
        ApiError: 400.
    """
    names = {*known["switches"], *known["texts"], *known["numbers"], *_OURS, *(name + end for name in known["lists"] for end in ("", "[]"))}
    strange = sorted(set(request.query_params) - names)
    if strange:
        raise bad({name[:100]: "is not a parameter here" for name in strange[:20]}, message="UNKNOWN_PARAMETER")
    found: dict[str, Any] = {name: values for name in known["lists"] if (values := _several(request, name)) is not None}
    found |= {name: value for name in known["texts"] if (value := queries.only(request, name)) is not None}
    for name in known["switches"]:
        given = queries.only(request, name)
        if given is not None and given not in _SWITCHES:
            raise bad({name: "must be true or false"})
        found |= {} if given is None else {name: _SWITCHES[given]}
    return found | {name: number for name in known["numbers"] if (number := _number(request, name)) is not None}


def _several(request: Request, name: str) -> list[str] | None:
    values = [*request.query_params.getlist(name), *request.query_params.getlist(f"{name}[]")]
    return values or None


def _number(request: Request, name: str) -> int | None:
    given = queries.only(request, name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST_NUMBER and int(given) >= 1):
        raise bad({name: "must be a whole number from 1 on"})
    return int(given)
