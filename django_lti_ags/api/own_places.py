"""``/api/sync/registrations`` and ``/api/sync/lineitems``: what the caller may ask about, and how each column stands. Ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from django.db.models import Count, Max
from rest_framework.response import Response

from django_lti_ags.api import own_schemas, own_shapes, paging, places, queries
from django_lti_ags.api.authentication import KEY_ALONE_OR_STAFF, KEYS_OR_STAFF
from django_lti_ags.api.describing import CURSOR, LINE_ITEM, OUR_LIMIT, described
from django_lti_ags.api.views import ApiView
from django_lti_ags.models import LineItem, Score
from django_lti_ags.models.identity import digest

if TYPE_CHECKING:
    from datetime import datetime

    from rest_framework.request import Request

    from django_lti_ags.api.callers import Caller, KeyHolder, StaffMember

_PAGE: Final = 25
"""The scores of each column are counted."""


class RegistrationsView(ApiView):
    """The platforms that the key was issued for; within a launch or a course, its own."""

    authentication_classes: Any = KEY_ALONE_OR_STAFF

    @described(
        "listRegistrations",
        "List the registrations that the key was issued for, or the launch's own",
        {200: (own_schemas.Registrations, "One page, the newest first.")},
        parameters=[OUR_LIMIT, CURSOR],
    )
    def get(self, request: Request) -> Response:
        """The newest first, a page at a time. A key alone needs no ``registration`` here: this is where it learns their uids."""
        rows, more = paging.page(request, cast("Caller | KeyHolder | StaffMember", request.user).registrations)
        return Response({"registrations": [own_shapes.registration(row) for row in rows], **more})


class ColumnsView(ApiView):
    """The caller's columns, each with what became of its scores."""

    authentication_classes: Any = KEYS_OR_STAFF

    @described(
        "listColumns",
        "List line items with what became of their scores",
        {200: (own_schemas.Columns, "One page, the newest first.")},
        parameters=[LINE_ITEM, OUR_LIMIT, CURSOR],
    )
    def get(self, request: Request) -> Response:
        """The newest first, a page at a time; also those that the platform does not have yet."""
        seen = LineItem.objects.select_related("context").filter(context__in=places.courses(self.caller, request))
        rows = seen
        if (url := queries.only(request, "lineItem")) is not None:
            rows = rows.filter(url_digest=digest(url))
        found, more = paging.page(request, seen, rows, size=_PAGE)
        counted = _counted(found)
        return Response({"lineItems": [own_shapes.column(row, *counted.get(row.pk, ({}, None))) for row in found], **more})


def _counted(rows: list[LineItem]) -> dict[int, tuple[dict[str, int], datetime | None]]:
    """For each row's key how many scores are in which state, and the last delivery; nothing for a column without scores."""
    scores = Score.objects.filter(line_item__in=[row.pk for row in rows]).order_by()
    told: dict[int, tuple[dict[str, int], datetime | None]] = {}
    for key, state, count, at in scores.values_list("line_item", "state").annotate(Count("pk"), Max("delivered_at")):
        counts, last = told.get(key, ({}, None))
        told[key] = (counts | {state: count}, max(filter(None, (last, at)), default=None))
    return told
