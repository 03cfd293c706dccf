"""The AGS 2.0 endpoints of a strict platform: whatever the standard forbids is refused, and says why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms.bodies import read_line_item, read_score
from django_lti_ags.testing.platforms.http import Refused, Request, Response, Route
from django_lti_ags.testing.platforms.state import Course, Held, LineItem, State
from django_lti_ags.testing.platforms.tokens import TokenDesk

_PAGE = 10
_READ = (vocabulary.SCOPE_LINE_ITEM, vocabulary.SCOPE_LINE_ITEM_READONLY)


class Gradebook:
    """Line items, scores and results of every course. Behaviour that platforms differ in stands in small methods."""

    page_size = _PAGE
    product_family_code = "simulated"
    """What launches call the platform."""

    def __init__(self, state: State, desk: TokenDesk, base_url: Callable[[], str], line_item_query: str = "") -> None:
        self._state = state
        self._desk = desk
        self._base_url = base_url
        self._query = line_item_query

    def routes(self) -> list[Route]:
        """Where it answers."""
        container = r"/ags/(?P<course_id>[^/]+)/lineitems"
        item = container + r"/(?P<item_id>[^/]+)"
        return [
            Route("GET", container, self.list_line_items, "line_item", ordered=True),
            Route("POST", container, self.create_line_item, "line_item", ordered=True),
            Route("GET", item, self.get_line_item, "line_item", ordered=True),
            Route("PUT", item, self.replace_line_item, "line_item", ordered=True),
            Route("DELETE", item, self.delete_line_item, "line_item", ordered=True),
            Route("POST", item + "/scores", self.post_score, "score", ordered=True),
            Route("GET", item + "/results", self.list_results, "results", ordered=True),
            Route("GET", item + r"/results/(?P<user_id>[^/]+)", self.get_result, "results", ordered=True),
        ]

    def container_url(self, course: Course) -> str:
        """Where a course's line items are listed and made."""
        return f"{self._base_url()}/ags/{quote(course.id, safe='')}/lineitems"

    def line_item_url(self, course: Course, item: LineItem) -> str:
        """A line item's id."""
        return f"{self.container_url(course)}/{item.id}" + (f"?{self._query}" if self._query else "")

    def list_line_items(self, request: Request, course_id: str) -> Response:
        """AGS 2.0, 3.2.4."""
        client_id = self._desk.check(request, *_READ)
        self._check_accept(request, vocabulary.MEDIA_LINE_ITEM_CONTAINER)
        course, query = self._course(course_id), request.query
        items = [
            item
            for item in list(course.line_items.values())
            if item.owner == client_id
            and query.get("resource_link_id", item.resource_link_id) == item.resource_link_id
            and query.get("resource_id", item.resource_id) == item.resource_id
            and query.get("tag", item.tag) == item.tag
        ]
        return self._page(request, [self._shown(course, item) for item in items], vocabulary.MEDIA_LINE_ITEM_CONTAINER)

    def create_line_item(self, request: Request, course_id: str) -> Response:
        """AGS 2.0, 3.2.6."""
        client_id = self._desk.check(request, vocabulary.SCOPE_LINE_ITEM)
        course = self._course(course_id)
        _, values = read_line_item(request)
        link = values["resource_link_id"]
        if link is not None and (link not in course.links or course.links[link].client_id != client_id):
            raise Refused(404, "no such resource link")
        self.check_line_item(values)
        with self._state.lock:
            item = self._state.add_line_item(course, owner=client_id, **values)
        return Response.json(self._shown(course, item), status=201, content_type=vocabulary.MEDIA_LINE_ITEM)

    def get_line_item(self, request: Request, course_id: str, item_id: str) -> Response:
        """AGS 2.0, 3.2.5."""
        course, item = self._item(request, course_id, item_id, *_READ)
        self._check_accept(request, vocabulary.MEDIA_LINE_ITEM)
        return Response.json(self._shown(course, item), content_type=vocabulary.MEDIA_LINE_ITEM)

    def replace_line_item(self, request: Request, course_id: str, item_id: str) -> Response:
        """AGS 2.0, 3.2.7: what is left out is gone; ``id`` and ``resourceLinkId`` stay."""
        course, item = self._item(request, course_id, item_id, vocabulary.SCOPE_LINE_ITEM)
        body, values = read_line_item(request)
        if values["resource_link_id"] != item.resource_link_id:
            raise Refused(400, "resourceLinkId must not change")
        if body.get("id") not in (None, self.line_item_url(course, item)):
            raise Refused(400, "id must not change")
        with self._state.lock:
            for name, value in values.items():
                setattr(item, name, value)
        return Response.json(self._shown(course, item), content_type=vocabulary.MEDIA_LINE_ITEM)

    def delete_line_item(self, request: Request, course_id: str, item_id: str) -> Response:
        """AGS 2.0, 3.2.8."""
        course, item = self._item(request, course_id, item_id, vocabulary.SCOPE_LINE_ITEM)
        with self._state.lock:
            course.line_items.pop(item.id, None)
        return Response(status=204)

    def post_score(self, request: Request, course_id: str, item_id: str) -> Response:
        """AGS 2.0, 3.4."""
        course, item = self._item(request, course_id, item_id, vocabulary.SCOPE_SCORE)
        body, user_id, held = read_score(request)
        user = course.users.get(user_id)
        if user is None or not user.is_learner:
            raise self.not_a_learner()
        with self._state.lock:
            self.check_score(item, user_id, held, body)
            self.keep_score(item, user_id, held, body)
        return self.scored(course, item, user_id, body)

    def not_a_learner(self) -> Refused:
        """The refusal of a score for somebody who cannot be graded."""
        return Refused(422, "userId is nobody who can be graded in this course")

    def check_line_item(self, values: dict[str, Any]) -> None:
        """Whether a column may be made as it is asked for.

        Raises:
            Refused: it may not.
        """

    def check_score(self, item: LineItem, user_id: str, held: Held, body: dict[str, Any]) -> None:
        """Whether a good score may take the place of the one before.

        Raises:
            Refused: it is not later.
        """
        before = item.scores.get(user_id)
        if before is not None and before.moment >= held.moment:
            raise Refused(409, "a score with this timestamp or a later one is held already")

    def keep_score(self, item: LineItem, user_id: str, held: Held, body: dict[str, Any]) -> None:
        """Let it take that place."""
        item.scores[user_id] = held

    def scored(self, course: Course, item: LineItem, user_id: str, body: dict[str, Any]) -> Response:
        """The answer to a score that was applied."""
        return Response.json({"resultUrl": self._result_url(course, item, user_id)})

    def concluded(self) -> Refused:
        """The refusal of every call to a course that is over."""
        return Refused(403, "this course has concluded")

    def list_results(self, request: Request, course_id: str, item_id: str) -> Response:
        """AGS 2.0, 3.3."""
        course, item = self._item(request, course_id, item_id, vocabulary.SCOPE_RESULT_READONLY)
        self._check_accept(request, vocabulary.MEDIA_RESULT_CONTAINER)
        wanted = request.query.get("user_id")
        with self._state.lock:
            rows = [
                self._result(course, item, user_id, held)
                for user_id, held in list(item.scores.items())
                if self.lists(held) and wanted in (None, user_id)
            ]
        return self._page(request, rows, vocabulary.MEDIA_RESULT_CONTAINER)

    def lists(self, held: Held) -> bool:
        """Whether a result is listed (AGS 2.0, 3.3: those without a score may be left out)."""
        return held.given is not None

    def get_result(self, request: Request, course_id: str, item_id: str, user_id: str) -> Response:
        """One result by its id."""
        course, item = self._item(request, course_id, item_id, vocabulary.SCOPE_RESULT_READONLY)
        held = item.scores.get(user_id)
        if held is None:
            raise Refused(404, "no such result")
        return Response.json(self._result(course, item, user_id, held), content_type=vocabulary.MEDIA_RESULT_CONTAINER)

    def set_result(self, item: LineItem, user_id: str, given: float) -> None:
        """A teacher's edit in the gradebook: on the column's scale; the score's timestamp does not move."""
        with self._state.lock:
            before = item.scores.get(user_id)
            stamp = before.timestamp if before else datetime.now(UTC) - timedelta(days=1)
            item.scores[user_id] = Held(timestamp=stamp, given=given, maximum=item.score_maximum)

    def _course(self, course_id: str) -> Course:
        course = self._state.courses.get(course_id)
        if course is None:
            raise Refused(404, "no such course")
        if course.concluded:
            raise self.concluded()
        return course

    def _item(self, request: Request, course_id: str, item_id: str, *scopes: str) -> tuple[Course, LineItem]:
        client_id = self._desk.check(request, *scopes)
        course = self._course(course_id)
        item = course.line_items.get(item_id)
        if item is None:
            raise Refused(404, "no such line item")
        if item.owner != client_id:
            raise Refused(403, "another tool's line item")
        sent = parse_qsl(request.query_string, keep_blank_values=True)
        if any(parameter not in sent for parameter in parse_qsl(self._query, keep_blank_values=True)):
            raise Refused(400, f"the URL lost its query {self._query}")
        return course, item

    def _shown(self, course: Course, item: LineItem) -> dict[str, Any]:
        body: dict[str, Any] = {"id": self.line_item_url(course, item), "label": item.label, "scoreMaximum": item.score_maximum}
        optional = {"resourceLinkId": item.resource_link_id, "resourceId": item.resource_id, "tag": item.tag}
        return body | {key: value for key, value in optional.items() if value is not None} | item.extra

    def _result_url(self, course: Course, item: LineItem, user_id: str) -> str:
        path, mark, query = self.line_item_url(course, item).partition("?")
        return f"{path}/results/{quote(user_id, safe='')}{mark}{query}"

    def _result(self, course: Course, item: LineItem, user_id: str, held: Held) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": self._result_url(course, item, user_id),
            "scoreOf": self.line_item_url(course, item),
            "userId": user_id,
        }
        score = held.scaled(item.score_maximum)
        if score is not None:
            body |= {"resultScore": score, "resultMaximum": item.score_maximum}
        optional = {"comment": held.comment, "scoringUserId": held.scoring_user_id}
        return body | {key: value for key, value in optional.items() if value is not None}

    def _page(self, request: Request, rows: list[dict[str, Any]], media_type: str) -> Response:
        query = request.query
        try:
            size, start = int(query.get("limit", self.page_size)), int(query.get("from", "0"))
        except ValueError:
            raise Refused(400, "limit and from must be whole numbers") from None
        if size < 1 or start < 0:
            raise Refused(400, "limit must be above zero, and from must not be below it")
        headers = []
        if start + size < len(rows):
            following = urlencode({**query, "from": start + size})
            headers.append(("Link", f'<{self._base_url()}{request.path}?{following}>; rel="next"'))
        return Response.json(rows[start : start + size], content_type=media_type, headers=headers)

    def _check_accept(self, request: Request, media_type: str) -> None:
        if not request.accepts(media_type):
            raise Refused(406, f"Accept must be {media_type}")
