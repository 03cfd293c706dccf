"""Which scores a caller sees, and the quickest way to the newest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F

from django_lti_ags.api import paging, places, queries
from django_lti_ags.models import Score, Service, SyncState
from django_lti_ags.sync.newest import MOST_BRANCHES, newest_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from rest_framework.request import Request

    from django_lti_ags.api.callers import Caller


def of(caller: Caller, request: Request) -> QuerySet[Score]:
    """Those of the caller's courses, or of the one that is named, with their columns."""
    rows = Score.objects.select_related("line_item")
    if _of_all(caller, request):
        return rows.filter(service__in=_services(caller))
    return rows.filter(line_item__context__in=places.courses(caller, request))


def found_by(caller: Caller, request: Request, state: str | None) -> Callable[[QuerySet[Score], int], list[int]]:
    """How the keys of the newest of a page's rows are found: not by walking back through everybody's until there are enough."""
    if not _of_all(caller, request) or {"lineItem", "userId"} & set(request.query_params):
        return _sorted
    states = SyncState.values if state is None else [state]
    services = list(_services(caller).order_by().values_list("pk", flat=True)[: MOST_BRANCHES + 1])
    if len(states) * len(services) > MOST_BRANCHES:
        return paging.newest_by_key  # they are a good part of everybody's
    return lambda rows, many: newest_keys(rows, states, services, many)


def _of_all(caller: Caller, request: Request) -> bool:
    return caller.of_all and queries.only(request, "context") is None


def _services(caller: Caller) -> QuerySet[Service]:
    return Service.objects.filter(registration__in=caller.registrations)


def _sorted(rows: QuerySet[Score], many: int) -> list[int]:
    """A course's are few; by a sum, no database thinks of its index of keys."""
    return list(rows.order_by((F("pk") + 0).desc()).values_list("pk", flat=True)[:many])
