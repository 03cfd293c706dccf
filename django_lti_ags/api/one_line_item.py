"""``/api/lineitems/:id`` and ``/api/lineitems/:id/scores``: one address to Django, since an id may hold anything."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ValidationError
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.response import Response

from django_lti_ags import conf, scores
from django_lti_ags.api import addressing, columns, fields, places, queries, shapes, waiting
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.api.once import Once
from django_lti_ags.api.platform_errors import told_to
from django_lti_ags.api.views import ApiView
from django_lti_ags.sync.gradebook import Gradebook
from django_lti_ags.sync.outbox_sql import database_now

if TYPE_CHECKING:
    from rest_framework.request import Request

    from django_lti_ags.models import Context, LineItem

_OF_ITEM = ("GET", "HEAD", "PUT", "DELETE")
_OF_SCORES = ("GET", "HEAD", "POST")


class LineItemView(ApiView):
    """One column, and the scores in it."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Recognise the caller, then what is meant.

        Raises:
            MethodNotAllowed: it is a line item's method on scores, or the other way round.
        """
        super().initial(request, *args, **kwargs)
        found = addressing.address(request._request, kwargs["given"])  # noqa: SLF001 - DRF has no public name for Django's request
        if found.otherwise and places.known(self.caller.contexts, found.otherwise) is not None:
            found = addressing.Address(found.otherwise, of_scores=False)
        self.address = found
        self.headers["Allow"] = ", ".join(self.allowed_methods)
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))

    @property
    def allowed_methods(self) -> list[str]:
        """Those of what is meant."""
        found: addressing.Address | None = getattr(self, "address", None)
        return [*(_OF_SCORES if found is not None and found.of_scores else _OF_ITEM)]

    def get(self, request: Request, given: str) -> Response:
        """The column; or what the platform shows in it."""
        if self.address.of_scores:
            return self._results(request)
        with told_to(self.gradebook.profile):
            item = self.gradebook.column(self.address.url)
        return Response(shapes.line_item(replace(item, id=self.address.url)))

    def put(self, request: Request, given: str) -> Response:
        """Replace the column, all of it but what never changes."""
        wanted = fields.line_item(request.data)
        if request.data.get("id") not in (None, self.address.url):
            raise bad({"id": "must not change (AGS 2.0, 3.2.6)"}, message="INVALID_LINE_ITEM")
        columns.check_running(self._found[0])
        with told_to(self.gradebook.profile):
            there = self.gradebook.column(self.address.url)
            if wanted.resource_link_id not in (None, there.resource_link_id):
                raise bad({"resourceLinkId": "must not change (AGS 2.0, 3.2.6)"}, message="INVALID_LINE_ITEM")
            row = self.row or self.gradebook.row_of(there, self.address.url)
            applied = self.gradebook.change(row, replace(wanted, id=row.url, resource_link_id=there.resource_link_id))
        return Response(shapes.line_item(replace(applied, id=self.address.url)))

    def delete(self, request: Request, given: str) -> Response:
        """Delete the column there, if the tool made it: some platforms delete the teacher's own with a link's (Moodle)."""
        columns.check_running(self._found[0])
        with told_to(self.gradebook.profile):
            there = self.gradebook.column(self.address.url)
            row = self.row or self.gradebook.row_of(there, self.address.url)
            if there.resource_link_id and not row.made_by_tool:
                description = "This line item is a resource link's own. Only its teacher can delete it, with the activity."
                raise ApiError(409, "LINE_ITEM_OF_A_LINK", description)
            self.gradebook.delete(row)
        self.gradebook.forget(row)
        return Response(status=204)

    def post(self, request: Request, given: str) -> Response:
        """Record a score, durably; with ``?wait=`` see what becomes of it."""
        said, seconds = fields.score(request.data), queries.wait_seconds(request)
        found, once = self._found, Once(request, self.caller, "score", self.address.url)
        told = once.known() or self._record(said, columns.writable(*found, self.address.url), once)
        return Response(status=204) if seconds is None else waiting.verdict(told["score"], told["version"], seconds)

    def _record(self, said: dict[str, Any], row: LineItem, once: Once) -> dict[str, Any]:
        if said.get("score_given") is not None and said.get("score_maximum") is None:
            said["score_maximum"] = columns.maximum(row)

        def act() -> dict[str, Any]:
            score = scores.record(row, **said)
            return {"score": score.pk, "version": score.version}

        try:
            return once.recorded(act)
        except ValidationError as problem:
            raise fields.refused(problem) from None

    def _results(self, request: Request) -> Response:
        url = places.page_below(request, self.address.url)
        user_id, limit = (None, None) if url is not None else (queries.only(request, "userId"), queries.limit(request))
        row = columns.found(*self._found, self.address.url)
        with told_to(self.gradebook.profile):
            if user_id is not None:
                found, others = self.gradebook.results_of(row, user_id), {}
            else:
                page = self.gradebook.results(row, limit=limit, url=url or "")
                found, others = page.items, dict(page.others)
        now = database_now(conf.get("database"))
        return Response(shapes.scores(row, found, others, self.gradebook.profile, now))

    @cached_property
    def _found(self) -> tuple[Context, LineItem | None]:
        return places.line_item(self.caller, cast("Request", self.request), self.address.url)

    @property
    def row(self) -> LineItem | None:
        """What is known here of the column; None: nothing yet."""
        return self._found[1]

    @cached_property
    def gradebook(self) -> Gradebook:
        """The gradebook that it is in."""
        return Gradebook(self._found[0])
