"""``/api/lineitems/:id`` and ``/api/lineitems/:id/scores``: two views behind one, since an id may end like the other."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from django.core.exceptions import ValidationError
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.response import Response

from django_lti_ags import conf, scores
from django_lti_ags.api import addressing, columns, fields, places, queries, schemas, shapes, waiting
from django_lti_ags.api.describing import LIMIT, ONCE, PAGE, PLATFORM, USER, described, path, wait
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.api.once import Once
from django_lti_ags.api.platform_errors import told_to
from django_lti_ags.api.views import ApiView
from django_lti_ags.sync.gradebook import Gradebook
from django_lti_ags.sync.outbox_sql import database_now

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

    from django_lti_ags.models import Context, LineItem

_ID: Final = path("id", "The line item's id, a URL, percent-encoded as a whole.")
_WAIT: Final = wait("Wait so many seconds for the verdict.")


class _AddressedView(ApiView):
    """One of the two that an address below ``api/lineitems/`` can mean. Both are asked through :class:`EitherView`."""

    methods: ClassVar[tuple[str, ...]]
    ending: ClassVar[str] = ""
    """Of the address, behind the id."""
    address: addressing.Address

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The callback of a route; it is described as this view's."""
        callback = EitherView.as_view(ending=cls.ending, **initkwargs)
        callback.cls = cls
        return callback

    @cached_property
    def found(self) -> tuple[Context, LineItem | None]:
        """The course, and what is known here of the column; None: nothing yet."""
        return places.line_item(self.caller, cast("Request", self.request), self.address.url)

    @cached_property
    def gradebook(self) -> Gradebook:
        """The gradebook that it is in."""
        return Gradebook(self.found[0])


class LineItemView(_AddressedView):
    """One column."""

    methods = ("GET", "HEAD", "PUT", "DELETE")

    @described("readLineItem", "Read a line item", {200: (schemas.LineItem, "As the platform has it.")}, parameters=[_ID], fails=PLATFORM)
    def get(self, request: Request) -> Response:
        """The column, as the platform has it now."""
        with told_to(self.gradebook.profile):
            item = self.gradebook.column(self.address.url)
        return Response(shapes.line_item(replace(item, id=self.address.url)))

    @described(
        "replaceLineItem",
        "Replace a line item",
        {200: (schemas.LineItem, "What the platform made of it.")},
        body=schemas.NewLineItem,
        parameters=[_ID],
        fails=(*PLATFORM, 409),
    )
    def put(self, request: Request) -> Response:
        """Replace the column, all of it but what never changes."""
        wanted = fields.line_item(request.data)
        if request.data.get("id") not in (None, self.address.url):
            raise bad({"id": "must not change (AGS 2.0, 3.2.6)"}, message="INVALID_LINE_ITEM")
        columns.check_running(self.found[0])
        with told_to(self.gradebook.profile):
            there = self.gradebook.column(self.address.url)
            if wanted.resource_link_id not in (None, there.resource_link_id):
                raise bad({"resourceLinkId": "must not change (AGS 2.0, 3.2.6)"}, message="INVALID_LINE_ITEM")
            row = self.found[1] or self.gradebook.row_of(there, self.address.url)
            applied = self.gradebook.change(row, replace(wanted, id=row.url, resource_link_id=there.resource_link_id))
        return Response(shapes.line_item(replace(applied, id=self.address.url)))

    @described(
        "deleteLineItem",
        "Delete a line item that the tool made",
        {204: (None, "Done; there is nothing to say.")},
        parameters=[_ID],
        fails=(*PLATFORM, 409),
    )
    def delete(self, request: Request) -> Response:
        """Delete the column there, if the tool made it: some platforms delete the teacher's own with a link's (Moodle)."""
        columns.check_running(self.found[0])
        with told_to(self.gradebook.profile):
            there = self.gradebook.column(self.address.url)
            row = self.found[1] or self.gradebook.row_of(there, self.address.url)
            if there.resource_link_id and not row.made_by_tool:
                description = "This line item is a resource link's own. Only its teacher can delete it, with the activity."
                raise ApiError(409, "LINE_ITEM_OF_A_LINK", description)
            self.gradebook.delete(row)
        self.gradebook.forget(row)
        return Response(status=204)


class LineItemScoresView(_AddressedView):
    """The scores in it."""

    methods = ("GET", "HEAD", "POST")
    ending = "/scores"

    @described(
        "listScores",
        "Read what the platform shows",
        {200: (schemas.Scores, "One page.")},
        parameters=[_ID, USER, LIMIT, PAGE],
        fails=PLATFORM,
    )
    def get(self, request: Request) -> Response:
        """What the platform shows in the column, a page at a time."""
        url = places.page_below(request, self.address.url)
        user_id, limit = (None, None) if url is not None else (queries.only(request, "userId"), queries.limit(request))
        row = columns.found(*self.found, self.address.url)
        with told_to(self.gradebook.profile):
            if user_id is not None:
                found, others = self.gradebook.results_of(row, user_id), {}
            else:
                page = self.gradebook.results(row, limit=limit, url=url or "")
                found, others = page.items, dict(page.others)
        now = database_now(conf.get("database"))
        return Response(shapes.scores(row, found, others, self.gradebook.profile, now))

    @described(
        "recordScore",
        "Record a score",
        {
            204: (None, "It is recorded; with wait: the platform has it."),
            202: (schemas.Pending, "With wait: it is recorded, and there is no verdict yet."),
        },
        body=schemas.NewScore,
        parameters=[_ID, _WAIT, ONCE],
        fails=(*PLATFORM, 409, 422),
    )
    def post(self, request: Request) -> Response:
        """Record a score, durably; with ``?wait=`` see what becomes of it."""
        said, seconds = fields.score(request.data), queries.wait_seconds(request)
        found, once = self.found, Once(request, self.caller, "score", self.address.url)
        told = once.known() or _recorded(said, columns.writable(*found, self.address.url), once)
        return Response(status=204) if seconds is None else waiting.verdict(told["score"], told["version"], seconds)


def _recorded(said: dict[str, Any], row: LineItem, once: Once) -> dict[str, Any]:
    if said.get("score_given") is not None and said.get("score_maximum") is None:
        said["score_maximum"] = columns.maximum(row)

    def act() -> dict[str, Any]:
        score = scores.record(row, **said)
        return {"score": score.pk, "version": score.version}

    try:
        return once.recorded(act)
    except ValidationError as problem:
        raise fields.refused(problem) from None


class EitherView(ApiView):
    """Who asks, and which of the two is meant: an id may end like the address of scores, and only its owner's columns tell."""

    schema = None
    ending = ""
    meant: LineItemView | LineItemScoresView | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Recognise the caller, then what is meant.

        Raises:
            MethodNotAllowed: it is a line item's method on scores, or the other way round.
        """
        super().initial(request, *args, **kwargs)
        django_request = request._request  # noqa: SLF001 - DRF has no public name for it
        found = addressing.address(django_request, kwargs["id"] + self.ending)
        if found.otherwise and places.known(self.caller.contexts, found.otherwise) is not None:
            found = addressing.Address(found.otherwise, of_scores=False)
        self.meant = (LineItemScoresView if found.of_scores else LineItemView)(address=found)
        self.meant.setup(cast("HttpRequest", request))
        self.headers = self.default_response_headers  # which name its methods
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))

    @property
    def allowed_methods(self) -> list[str]:
        """Those of what is meant."""
        return list((self.meant or LineItemView).methods)

    def get(self, request: Request, **_: str) -> Response:
        """What is meant answers."""
        answer = getattr(self.meant, str(request.method).lower())(request)
        return cast("Response", answer)

    put = delete = post = get
