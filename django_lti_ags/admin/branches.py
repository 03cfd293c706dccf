"""Lists of scores, the newest first, whose filters leave many: which of them lie at the ends of an index's branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django_lti_ags.admin.filters import is_key
from django_lti_ags.models import OPEN, Service, SyncState
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.scoping import scoped
from django_lti_ags.sync.newest import MOST_BRANCHES, newest_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from django_lti_ags.models import Score

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
    if services is None or len(states) * len(services) > MOST_BRANCHES:
        return None
    asked = request.GET.get("code")
    return newest_keys(rows, states, services, many, code=asked if asked in ADVICE else None)


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
    found = list(rows.values_list("pk", flat=True)[: MOST_BRANCHES + 1])
    return found if len(found) <= MOST_BRANCHES else None
