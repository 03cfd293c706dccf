"""``/api/lineitems``: a course's columns, at its platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.response import Response

from django_lti_ags.ags.urls import with_query
from django_lti_ags.api import columns, fields, places, queries, schemas, shapes
from django_lti_ags.api.describing import LIMIT, ONCE, PAGE, PLATFORM, described, query
from django_lti_ags.api.errors import bad
from django_lti_ags.api.once import Once
from django_lti_ags.api.platform_errors import told_to
from django_lti_ags.api.views import ApiView
from django_lti_ags.sync.gradebook import Gradebook

if TYPE_CHECKING:
    from rest_framework.request import Request

_FILTERS = {"resourceLinkId": "resource_link_id", "resourceId": "resource_id", "tag": "tag"}
_ASKED = [*(query(name, f"Only those with this {name}.") for name in _FILTERS), LIMIT, PAGE]


class LineItemsView(ApiView):
    """List and create."""

    @described("listLineItems", "List line items", {200: (schemas.LineItems, "One page.")}, parameters=_ASKED, fails=PLATFORM)
    def get(self, request: Request) -> Response:
        """One page; ``url`` names another than the first, and then nothing else counts."""
        context = places.course(self.caller, request)
        url = places.page_below(request, context.line_items_url)
        wanted: dict[str, str] = {}
        limit = None
        if url is None:
            wanted = {ours: given for theirs, ours in _FILTERS.items() if (given := queries.only(request, theirs)) is not None}
            limit = queries.limit(request)
        paging = {} if limit is None else {"limit": str(limit)}
        gradebook = Gradebook(context)
        with told_to(gradebook.profile):
            page = gradebook.columns(url or with_query(context.line_items_url, (wanted | paging).items()))
        # Some platforms pass over a filter that they do not know.
        found = [item for item in page.items if all(getattr(item, name) == value for name, value in wanted.items())]
        return Response(shapes.line_items(found, page.others))

    @described(
        "createLineItem",
        "Create a line item",
        {201: (schemas.LineItem, "What the platform made of it.")},
        body=schemas.NewLineItem,
        parameters=[ONCE],
        fails=(*PLATFORM, 409, 422),
    )
    def post(self, request: Request) -> Response:
        """Make one, at once: its id is in the answer."""
        wanted = fields.line_item(request.data)
        context = places.course(self.caller, request)
        if request.data.get("id") is not None:
            raise bad({"id": "must be left out: the platform gives it"}, message="INVALID_LINE_ITEM")
        gradebook, once = Gradebook(context), Once(request, self.caller, "line item", str(context.uid))
        if (told := once.known()) is None:
            columns.check_running(context)
            with told_to(gradebook.profile):
                told = once.asked(lambda: shapes.line_item(gradebook.make(wanted)))
        return Response(told, status=201)
