"""``/api/canvas/live_assessments``: who passed, recorded durably; Canvas counts each result once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404
from rest_framework.response import Response

from django_lti_ags import live_assessments
from django_lti_ags.api import (
    canvas_live_shapes,
    canvas_live_waiting,
    canvas_schemas,
    describing,
    fields,
    own_schemas,
    paging,
    places,
    queries,
)
from django_lti_ags.api.canvas_errors import told_by_canvas
from django_lti_ags.api.describing import CURSOR, ONCE, OUR_LIMIT, described, path, query, wait
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.api.once import Once, reused
from django_lti_ags.api.views import ApiView
from django_lti_ags.models import LiveAssessment, LiveResult
from django_lti_ags.models.identity import digest
from django_lti_ags.models.live import RESULT_STATES
from django_lti_ags.sync.canvas_clients import credential_of
from django_lti_ags.sync.canvas_courses import course_of
from django_lti_ags.sync.live_recording import named_uids

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.db.models import QuerySet
    from rest_framework.request import Request

_MOST_RESULTS: Final = 10_000
_OF_RESULT: Final = ("user_id", "passed", "assessed_at")
_ONE: Final = [path("uid", "The live assessment's uid.", describing.UUID)]
_OF_ROWS: Final = [
    query("user_id", "Only this learner's: Canvas' number."),
    query("state", "Only those in this state.", enum=RESULT_STATES),
]
_WAIT: Final = wait("Wait so many seconds for Canvas.")


def _of(view: ApiView) -> QuerySet[LiveAssessment]:
    rows = LiveAssessment.objects.filter(context__in=places.courses(view.caller, view.request))  # type: ignore[arg-type]
    return rows.select_related("context")


def _row(view: ApiView, uid: UUID) -> LiveAssessment:
    found = _of(view).filter(uid=uid).first()
    if found is None:
        raise Http404
    return found


def _told(*rows: LiveAssessment) -> list[dict[str, Any]]:
    counted: dict[int, dict[str, int]] = {row.pk: {} for row in rows}
    results = LiveResult.objects.filter(assessment__in=list(counted)).order_by()
    for key, state, count in results.values_list("assessment", "state").annotate(Count("pk")):
        counted[key][state] = count
    return [canvas_live_shapes.assessment(row, counted[row.pk]) for row in rows]


class AssessmentsView(ApiView):
    """List, and declare."""

    @described(
        "listLiveAssessments",
        "List live assessments",
        {200: (canvas_schemas.LiveAssessments, "One page, the newest first.")},
        parameters=[OUR_LIMIT, CURSOR],
    )
    def get(self, request: Request) -> Response:
        """The newest first, a page at a time."""
        rows, more = paging.page(request, _of(self))
        return Response({"assessments": _told(*rows), **more})

    @described(
        "declareLiveAssessment",
        "Declare a live assessment",
        {200: (canvas_schemas.LiveAssessment, "With wait: Canvas has it."), 202: (canvas_schemas.LiveAssessment, "Canvas will be told.")},
        body=canvas_schemas.NewLiveAssessment,
        parameters=[_WAIT],
        fails=(403, 409, 422),
    )
    def post(self, request: Request) -> Response:
        """Declare one in the caller's own course, to be found or made at Canvas; the same again changes nothing."""
        body = request.data
        fields.only_known(body, {"key", "title", "outcome"})
        missing = {name: "is needed" for name in ("key", "title") if body.get(name) is None}
        if missing:
            raise bad(missing, message="INVALID_LIVE_ASSESSMENT")
        seconds, context = queries.wait_seconds(request), places.course(self.caller, request)
        with told_by_canvas(self.caller.registration):
            course = course_of(context)
            course.check(credential_of(course.registration))
            wanted = {"key": body["key"], "title": body["title"], "outcome": body.get("outcome")}
            row = live_assessments.declare(context, course_id=course.course_id, **wanted)
        status = 202 if seconds is None else canvas_live_waiting.of_assessment(row, seconds)
        return Response(_told(row)[0], status=status)


class AssessmentView(ApiView):
    """One."""

    @described("readLiveAssessment", "One live assessment", {200: (canvas_schemas.LiveAssessment, "How it stands.")}, parameters=_ONE)
    def get(self, request: Request, uid: UUID) -> Response:
        """How it stands."""
        return Response(_told(_row(self, uid))[0])


class AssessmentRetryView(ApiView):
    """A person's decision to try again."""

    @described("retryLiveAssessment", "Send it again", {200: (canvas_schemas.LiveAssessment, "It is due.")}, parameters=_ONE, fails=(409,))
    def post(self, request: Request, uid: UUID) -> Response:
        """Send it again, or at once, with the results that were set aside."""
        row = _row(self, uid)
        if not row.can_retry or not live_assessments.retry(row):
            raise ApiError(409, "CANNOT_RETRY", f"It is {row.state}: only what waits or rests can be sent again.")
        row.refresh_from_db()
        return Response(_told(row)[0])


class AssessmentCancelView(ApiView):
    """A person's decision not to send it."""

    @described(
        "cancelLiveAssessment",
        "Do not send what Canvas has not",
        {200: (canvas_schemas.LiveAssessment, "It is cancelled.")},
        body=own_schemas.Reason,
        parameters=_ONE,
        fails=(409,),
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Do not send what Canvas has not, for a reason that the next person reads."""
        row = _row(self, uid)
        _cancel(row, request.data)
        row.refresh_from_db()
        return Response(_told(row)[0])


class LiveResultsView(ApiView):
    """The results of one: list, and record."""

    most_bytes = 8 * 1_048_576

    @described(
        "listLiveResults",
        "List recorded results",
        {200: (canvas_schemas.LiveResults, "One page, the newest first.")},
        parameters=[*_ONE, *_OF_ROWS, OUR_LIMIT, CURSOR],
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """The newest first, a page at a time; those that Canvas has go after a while."""
        seen = LiveResult.objects.filter(assessment=_row(self, uid))
        rows = seen
        if (user_id := queries.only(request, "user_id")) is not None:
            rows = rows.filter(user_digest=digest(user_id))
        if (state := queries.only(request, "state")) is not None:
            if state not in RESULT_STATES:
                raise bad({"state": f"must be one of {', '.join(RESULT_STATES)}"})
            rows = rows.filter(state=state)
        found, more = paging.page(request, seen, rows)
        return Response({"results": [canvas_live_shapes.result(row) for row in found], **more})

    @described(
        "recordLiveResults",
        "Record results; each counts",
        {
            200: (canvas_schemas.LiveSummary, "With wait: Canvas has them."),
            202: (canvas_schemas.LiveSummary, "All are recorded; Canvas will be told."),
        },
        body=canvas_schemas.NewLiveResults,
        parameters=[*_ONE, _WAIT, ONCE],
        fails=(409, 422),
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Record some, all or nothing. Each is counted, but for those that were recorded under the same ``Idempotency-Key``."""
        once, row, items = Once(request, self.caller, "live results", str(uid)), _row(self, uid), _items(request.data)
        once.said = [(str(item["user_id"]), item["passed"], item["assessed_at"] and int(item["assessed_at"].timestamp())) for item in items]
        seconds = queries.wait_seconds(request)
        # So that they are found again, while somebody waits.
        name = once.name or ("" if seconds is None else uuid4().hex)
        told = once.known() or _recorded(row, items, once, name)
        if seconds is None:
            return Response(told, status=202)
        status, counts = canvas_live_waiting.of_results(row, named_uids(row, name, len(items)), seconds)
        return Response(told | {"results": counts}, status=status)


def _recorded(row: LiveAssessment, items: list[dict[str, Any]], once: Once, name: str) -> dict[str, Any]:
    def act() -> dict[str, Any]:
        created = live_assessments.record_many(row, items, once=name)
        return {"created": created, "unchanged": len(items) - created}

    try:
        return once.recorded(act)
    except LiveAssessment.DoesNotExist:
        raise Http404 from None
    except ValidationError as problem:
        raise _refused(problem) from None


def _cancel(row: LiveAssessment, body: Mapping[str, Any]) -> None:
    fields.only_known(body, {"reason"})
    reason = body.get("reason")
    try:
        if not isinstance(reason, str):
            raise bad({"reason": "is needed: it is what the next person reads"})
        done = row.can_cancel and live_assessments.cancel(row, reason=reason)
    except ValidationError:
        raise bad({"reason": "must be a text that is not blank, and can be stored"}) from None
    if not done:
        raise ApiError(409, "CANNOT_CANCEL", f"It is {row.state}: only what waits or rests can be taken back.")


def _items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    fields.only_known(body, {"results"})
    items = body.get("results")
    if not isinstance(items, list) or not 1 <= len(items) <= _MOST_RESULTS:
        raise bad({"results": f"must be a list of 1 to {_MOST_RESULTS} results"})
    found: list[dict[str, Any]] = []
    for position, item in enumerate(items):
        name = f"results[{position}]"
        if not isinstance(item, dict) or set(item) != set(_OF_RESULT):
            raise bad({name: f"must be an object with {', '.join(_OF_RESULT)}, each of them and no other"}, message="INVALID_LIVE_RESULT")
        found.append(item | {"assessed_at": fields.moment(f"{name}.assessed_at", item["assessed_at"])})
    return found


def _refused(problem: ValidationError) -> ApiError:
    errors: dict[str, str] = {}
    for one in problem.error_list:
        if one.code == "reused":
            return reused()
        params = dict(one.params or {})
        name = f"results[{params['position']}]" if "position" in params else "results"
        errors[name] = str(params.get("problem", one.messages[0]))
    return bad(errors, message="INVALID_LIVE_RESULT")
