"""The newest scores of a filter that leaves many, found along the index (state, service, code, key).

Asked for the newest scores of one campus, a database walks back through everybody's until it has enough: for a
campus that has been quiet, through the whole table. In the index, each state of each campus under each code is a
branch of its own with its newest score at the end; the newest of all are among the newest of each.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from django_lti_ags.admin.filters import is_key
from django_lti_ags.models import OPEN, Score, Service, SyncState
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.scoping import scoped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest

MOST: Final = 70
"""So many (state, service) are looked at one by one; a filter that leaves more of them leaves a good part of the table."""
_PLACES: Final = {"service__id__exact": "pk__in", "service__registration__id__exact": "registration__in"}
_KNOWN: Final = {*_PLACES, "state__exact", "due_at__isnull", "due_at__lte", "delivered_at__gte", "code", "p", "o", "all"}
"""What an address may say for its rows to lie at the ends of branches; anything else may leave only rows in the middle."""


def newest(rows: QuerySet[Score], request: HttpRequest, many: int) -> list[int] | None:
    """The keys of the newest ``many`` of ``rows``, the newest first; None: there is no quicker way than to sort them.

    Args:
        rows: what the address of the list leaves.
        request: for the list.
        many: how many.
    """
    if not set(request.GET) <= _KNOWN:
        return None
    states, services = _states(request), _services(request)
    if services is None or len(states) * len(services) > MOST:
        return None
    asked, found = request.GET.get("code"), list[int]()
    for state, service in product(states, services):
        for code in [asked] if asked in ADVICE else _codes(state, service):
            branch = rows.filter(state=state, service=service, code=code)
            found += branch.order_by("-pk").values_list("pk", flat=True)[:many]
    return sorted(found, reverse=True)[:many]


def _states(request: HttpRequest) -> Sequence[str]:
    asked = request.GET
    given = asked.getlist("state__exact") or SyncState.values
    is_due = "due_at__lte" in asked or asked.getlist("due_at__isnull") == ["0"]
    return [state for state in SyncState.values if state in given and (state in OPEN or not is_due)]


def _services(request: HttpRequest) -> Sequence[int] | None:
    """Those that the address names and that are shown; None: more than are looked at."""
    rows = scoped(Service.objects.order_by(), request, "registration")
    for name, path in _PLACES.items():
        if name in request.GET:
            rows = rows.filter(**{path: [int(value) for value in request.GET.getlist(name) if is_key(value)]})
    found = list(rows.values_list("pk", flat=True)[: MOST + 1])
    return found if len(found) <= MOST else None


def _codes(state: str, service: int) -> Iterator[str]:
    """Those of a state at a service. Among all its scores: the first of those that an address leaves may be far inside."""
    every = Score.objects.filter(state=state, service=service).order_by("code").values_list("code", flat=True)
    code = every.first()
    while code is not None:
        yield code
        code = every.filter(code__gt=code).first()
