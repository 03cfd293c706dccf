"""Parameters of a query, each with its rule; others are passed over, as LTIAAS does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from django_lti_ags.ags.rules import check_text
from django_lti_ags.api.errors import bad
from django_lti_ags.exceptions import InvalidScore

if TYPE_CHECKING:
    from rest_framework.request import Request

_LONGEST: Final = 8192
_MOST_LIMIT: Final = 10_000
MOST_WAIT_SECONDS: Final = 30.0


def only(request: Request, name: str) -> str | None:
    """A parameter; None: it is not there.

    Raises:
        ApiError: 400: it is there twice, or holds what no platform could be asked for.
    """
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise bad({name: "must be given once"})
    if not values:
        return None
    try:
        check_text(name, values[0], _LONGEST)
    except InvalidScore as problem:
        raise bad({name: problem.rule}) from None
    return str(values[0])


def limit(request: Request) -> int | None:
    """``?limit=``, a whole number from 1 on; of a very large one, as much as platforms are asked for."""
    given = only(request, "limit")
    if given is None:
        return None
    digits = given.lstrip("0")
    if not (given.isascii() and given.isdigit() and digits):
        raise bad({"limit": "must be a whole number from 1 on"})
    return _MOST_LIMIT if len(digits) > len(str(_MOST_LIMIT)) else min(int(digits), _MOST_LIMIT)


def wait_seconds(request: Request) -> float | None:
    """``?wait=``, seconds."""
    given = only(request, "wait")
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MOST_WAIT_SECONDS:
        raise bad({"wait": f"must be a number of seconds from 0 to {MOST_WAIT_SECONDS:g}"})
    return seconds
