"""The newest scores of a filter that leaves many, found along the index (state, service, code, key).

Asked for the newest scores of one campus, a database walks back through everybody's until it has enough: for a
campus that has been quiet, through the whole table. In the index, each state of each campus under each code is a
branch of its own with its newest score at the end; the newest of all are among the newest of each.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from django_lti_ags.models import Score

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

MOST_BRANCHES: Final = 70
"""So many (state, service) are looked at one by one; what has more of them is a good part of the table."""


def newest_keys(rows: QuerySet[Score], states: Iterable[str], services: Iterable[int], many: int, *, code: str | None = None) -> list[int]:
    """The keys of the newest ``many`` of ``rows`` in these states at these services, the newest first; with ``code``, of that alone."""
    found: list[int] = []
    for state, service in product(states, services):
        for branch in _codes(state, service) if code is None else [code]:
            found += rows.filter(state=state, service=service, code=branch).order_by("-pk").values_list("pk", flat=True)[:many]
    return sorted(found, reverse=True)[:many]


def _codes(state: str, service: int) -> Iterator[str]:
    """Those of a state at a service. Among all its scores: the first of those that an address leaves may be far inside."""
    every = Score.objects.filter(state=state, service=service).order_by("code").values_list("code", flat=True)
    code = every.first()
    while code is not None:
        yield code
        code = every.filter(code__gt=code).first()
