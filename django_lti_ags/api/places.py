"""Where a request leads: a course that the caller speaks for, and a line item in it. What others have is not there (404)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote
from uuid import UUID

from django_lti_ags.ags.containment import check_below
from django_lti_ags.ags.urls import check_url
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.api.queries import only
from django_lti_ags.models import Context, LineItem
from django_lti_ags.models.identity import digest

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from django_lti_ags.api.callers import Caller

_ABOVE = "deployment__registration__signing_key"
_QUOTED: Final = re.compile("https?%3A", re.IGNORECASE)
"""LTIAAS' own clients quote a page's address before their HTTP libraries do."""


def courses(caller: Caller, request: Request) -> QuerySet[Context]:
    """The caller's courses; with ``?context=<uid>`` that one.

    Raises:
        ApiError: 400: it is no uid. 404: the caller has no such course.
    """
    named = only(request, "context")
    if named is None:
        return caller.contexts
    try:
        found = caller.contexts.filter(uid=UUID(named))
    except ValueError:
        raise bad({"context": "must be a course's uid"}) from None
    if not found.exists():
        raise ApiError(404, "UNKNOWN_CONTEXT", "There is no such course here.")
    return found


def one(caller: Caller, request: Request) -> Context:
    """The one course that a request is about.

    Raises:
        ApiError: as :func:`courses`; 400: it must be named.
    """
    found = list(courses(caller, request).select_related(_ABOVE).order_by("pk")[:2])
    if len(found) != 1:
        raise bad({"context": "must be named with an API key alone: the uid of one of its courses"})
    return found[0]


def course(caller: Caller, request: Request) -> Context:
    """The one course whose line items a request without a line item is about.

    Raises:
        ApiError: as :func:`one`; 403: the platform granted no line items there.
    """
    found = one(caller, request)
    if not found.line_items_url:
        raise ApiError(403, "NO_LINE_ITEMS", "The platform granted no line items for this course: its launches name no container.")
    return found


def line_item(caller: Caller, request: Request, url: str) -> tuple[Context, LineItem | None]:
    """The course of a line item, and its row; None: it is not known here, but stands below the course's own container.

    Raises:
        ApiError: 404.
    """
    seen = courses(caller, request)
    row = known(seen, url)
    if row is not None:
        return row.context, row
    for context in seen.exclude(line_items_url="").select_related(_ABOVE).order_by("-seen_at", "-pk").iterator(chunk_size=500):
        try:
            check_below(url, context.line_items_url)
        except ValueError:
            continue
        if url.partition("?")[0].rstrip("/") != context.line_items_url.partition("?")[0].rstrip("/"):
            return context, None
    raise unknown()


def known(seen: QuerySet[Context], url: str) -> LineItem | None:
    """The row of a line item in one of these courses; the course that was launched last, where several have it."""
    rows = LineItem.objects.select_related(f"context__{_ABOVE}").filter(context__in=seen, url_digest=digest(url))
    return rows.order_by("-context__seen_at", "-pk").first()


def page_below(request: Request, trusted: str) -> str | None:
    """``?url=``: a page that an earlier answer named; None: the first one is wanted.

    Raises:
        ApiError: 400: it is not below ``trusted``.
    """
    url = only(request, "url")
    if url is None:
        return None
    try:
        url = unquote(url, errors="strict") if _QUOTED.match(url) else url
        check_url(url)
        check_below(url, trusted)
    except ValueError as problem:
        raise bad({"url": f"must be a page that an earlier answer named: {problem}"}, message="INVALID_URL") from None
    return url


def unknown() -> ApiError:
    """The 404, whether it is nowhere or somebody else's."""
    return ApiError(404, "UNKNOWN_LINE_ITEM", "There is no such line item in this course.")
