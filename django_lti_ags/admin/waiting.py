"""Pages that wait for a platform: behind the admin's login, and in nobody's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connections, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


def waiting(site: AdminSite, view: Callable[..., HttpResponseBase]) -> Any:
    """``view`` of a request and an object's id, outside ATOMIC_REQUESTS: no transaction waits for a platform."""

    def plain(request: HttpRequest, object_id: str) -> HttpResponseBase:
        return view(request, object_id)

    guarded: Any = site.admin_view(plain)
    for alias in connections:
        guarded = transaction.non_atomic_requests(using=alias)(guarded)
    return guarded
