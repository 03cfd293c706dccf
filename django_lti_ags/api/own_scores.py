"""``/api/sync/scores``: what became of scores, and many at once. Ours, not LTIAAS'."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework.response import Response

from django_lti_ags import scores
from django_lti_ags.api import columns, fields, own_shapes, paging, places, queries, scores_seen
from django_lti_ags.api.authentication import KEYS_OR_STAFF
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.api.once import Once
from django_lti_ags.api.views import ApiView
from django_lti_ags.models import Score, SyncState
from django_lti_ags.models.identity import digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from rest_framework.request import Request

    from django_lti_ags.models import LineItem

_MOST_SCORES: Final = 10_000


class ScoresView(ApiView):
    """List, and record many."""

    authentication_classes: Any = KEYS_OR_STAFF
    most_bytes = 8 * 1_048_576

    def get(self, request: Request) -> Response:
        """The newest first, a page at a time; ``cursor`` is the ``next`` of an earlier answer."""
        seen = scores_seen.of(self.caller, request)
        rows = seen
        if (url := queries.only(request, "lineItem")) is not None:
            rows = rows.filter(line_item__url_digest=digest(url))
        if (user_id := queries.only(request, "userId")) is not None:
            rows = rows.filter(user_digest=digest(user_id))
        if (state := queries.only(request, "state")) is not None:
            if state not in SyncState.values:
                raise bad({"state": f"must be one of {', '.join(SyncState.values)}"})
            rows = rows.filter(state=state)
        page, more = paging.page(request, seen, rows, scores_seen.found_by(self.caller, request, state))
        return Response({"scores": [own_shapes.score(row) for row in page], **more})

    def post(self, request: Request) -> Response:
        """Record many in one line item, all or nothing; what is recorded already changes nothing."""
        url, items = _many(request.data)
        said = _said(items)
        context, row = places.line_item(self.caller, request, url)
        once = Once(request, self.caller, "scores", url)
        return Response(once.known() or _recorded(said, columns.writable(context, row, url), once))


class ScoreView(ApiView):
    """One, with its attempts; and what a person may decide about it."""

    authentication_classes: Any = KEYS_OR_STAFF

    def get(self, request: Request, uid: UUID) -> Response:
        """Its state, and every exchange about it that is still kept, the newest first."""
        return Response(own_shapes.with_attempts(self._row(uid)))

    def post(self, request: Request, uid: UUID, decision: str) -> Response:
        """``retry``: send it again, or at once. ``cancel``: do not send it, for a ``reason``."""
        row = self._row(uid)
        if decision == "retry":
            if not row.can_retry or not scores.retry(row):
                raise ApiError(409, "CANNOT_RETRY", f"It is {row.state}: only a score that waits or rests can be sent again.")
        else:
            self._cancel(row, request.data)
        row.refresh_from_db()
        return Response(own_shapes.score(row))

    def _cancel(self, row: Score, body: Mapping[str, Any]) -> None:
        fields.only_known(body, {"reason"})
        reason = body.get("reason")
        try:
            if not isinstance(reason, str):
                raise bad({"reason": "is needed: it is what the next person reads"})
            done = row.can_cancel and scores.cancel(row, reason=reason)
        except ValidationError:
            raise bad({"reason": "must be a text that is not blank, and can be stored"}) from None
        if not done:
            raise ApiError(409, "CANNOT_CANCEL", f"It is {row.state}: only a score that waits or rests can be taken back.")

    def _row(self, uid: UUID) -> Score:
        found = scores_seen.of(self.caller, self.request).filter(uid=uid).first()  # type: ignore[arg-type]
        if found is None:
            raise Http404
        return found


def _many(body: Mapping[str, Any]) -> tuple[str, list[Any]]:
    fields.only_known(body, {"lineItem", "scores"})
    url, items = fields.line_item_id(body), body.get("scores")
    if not isinstance(items, list) or not 1 <= len(items) <= _MOST_SCORES:
        raise bad({"scores": f"must be a list of 1 to {_MOST_SCORES} scores"})
    return url, items


def _said(items: list[Any]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    errors: dict[str, str] = {}
    for position, item in enumerate(items):
        try:
            if not isinstance(item, dict):
                raise bad({"": "must be an object"})
            said.append(fields.score(item))
        except ApiError as problem:
            errors |= {f"scores[{position}].{error['field']}".rstrip("."): error["rule"] for error in problem.more["errors"]}
        if len(errors) >= fields.MOST_ERRORS:
            break
    if errors:
        raise bad(errors, message="INVALID_SCORE")
    return said


def _recorded(said: list[dict[str, Any]], column: LineItem, once: Once) -> dict[str, Any]:
    for item in said:
        if item.get("score_given") is not None and item.get("score_maximum") is None:
            item["score_maximum"] = columns.maximum(column)
    try:
        return once.recorded(lambda: asdict(scores.record_many(column, said)))
    except ValidationError as problem:
        raise _refused(problem) from None


def _refused(problem: ValidationError) -> ApiError:
    errors: dict[str, str] = {}
    for one in problem.error_list:
        params = dict(one.params or {})
        name = f"scores[{params['position']}]" if "position" in params else "scores"
        if (cause := params.get("cause")) is not None:
            errors[f"{name}.{fields.named(cause.field)}"] = fields.worded(cause.rule)
        else:
            errors[name] = fields.worded(str(params.get("problem", one.messages[0])))
    return bad(errors, message="INVALID_SCORE")
