"""``/api/sync/scores``: what became of scores, and many at once. Ours, not LTIAAS'."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework.response import Response

from django_lti_ags import scores
from django_lti_ags.api import columns, describing, fields, own_schemas, own_shapes, paging, places, queries, scores_seen
from django_lti_ags.api.authentication import KEYS_OR_STAFF
from django_lti_ags.api.describing import CURSOR, LINE_ITEM, ONCE, OUR_LIMIT, PLATFORM, USER, described, path, query
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
_POSITION: Final = re.compile(r"^scores\[(\d+)\]")
_ONE: Final = [path("uid", "The score's uid.", describing.UUID)]
_STATE: Final = query("state", "Only those in this state.", enum=SyncState.values)


class ScoresView(ApiView):
    """List, and record many."""

    authentication_classes: Any = KEYS_OR_STAFF
    most_bytes = 8 * 1_048_576

    @described(
        "listRecordedScores",
        "List recorded scores",
        {200: (own_schemas.RecordedScores, "One page, the newest first.")},
        parameters=[LINE_ITEM, USER, _STATE, OUR_LIMIT, CURSOR],
    )
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

    @described(
        "recordScores",
        "Record many scores",
        {200: (own_schemas.Summary, "All are recorded.")},
        body=own_schemas.ManyScores,
        parameters=[ONCE],
        fails=(*PLATFORM, 409, 422),
    )
    def post(self, request: Request) -> Response:
        """Record many in one line item, all or nothing; what is recorded already changes nothing."""
        url, items = _many(request.data)
        said = _said(items)
        context, row = places.line_item(self.caller, request, url)
        once = Once(request, self.caller, "scores", url)
        return Response(once.known() or _recorded(said, columns.writable(context, row, url), once))


class _OneView(ApiView):
    authentication_classes: Any = KEYS_OR_STAFF

    def row(self, uid: UUID) -> Score:
        """The score.

        Raises:
            Http404: it is nowhere, or somebody else's.
        """
        found = scores_seen.of(self.caller, self.request).filter(uid=uid).first()  # type: ignore[arg-type]
        if found is None:
            raise Http404
        return found


class ScoreView(_OneView):
    """One, with its attempts."""

    @described(
        "readRecordedScore",
        "One recorded score",
        {200: (own_schemas.RecordedScoreWithAttempts, "With its exchanges.")},
        parameters=_ONE,
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """Its state, and every exchange about it that is still kept, the newest first."""
        return Response(own_shapes.with_attempts(self.row(uid)))


class RetryView(_OneView):
    """A person's decision to try again."""

    @described("retryScore", "Send it again", {200: (own_schemas.RecordedScore, "It is due.")}, parameters=_ONE, fails=(409,))
    def post(self, request: Request, uid: UUID) -> Response:
        """Send it again, or at once if it waits."""
        row = self.row(uid)
        if not row.can_retry or not scores.retry(row):
            raise ApiError(409, "CANNOT_RETRY", f"It is {row.state}: only a score that waits or rests can be sent again.")
        row.refresh_from_db()
        return Response(own_shapes.score(row))


class CancelView(_OneView):
    """A person's decision to leave it."""

    @described(
        "cancelScore",
        "Do not send it",
        {200: (own_schemas.RecordedScore, "It is cancelled.")},
        body=own_schemas.Reason,
        parameters=_ONE,
        fails=(409,),
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Do not send it, for a ``reason``."""
        row, body = self.row(uid), request.data
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
        row.refresh_from_db()
        return Response(own_shapes.score(row))


def _many(body: Mapping[str, Any]) -> tuple[str, list[Any]]:
    fields.only_known(body, {"lineItem", "scores"})
    url, items = fields.line_item_id(body), body.get("scores")
    if not isinstance(items, list) or not 1 <= len(items) <= _MOST_SCORES:
        raise bad({"scores": f"must be a list of 1 to {_MOST_SCORES} scores"})
    return url, items


def _said(items: list[Any]) -> list[dict[str, Any]]:
    """The keywords of each.

    Raises:
        ApiError: 400: some are no scores, or hold what no score may; both are told at once.
    """
    said: dict[int, dict[str, Any]] = {}
    errors: dict[str, str] = {}
    for position, item in enumerate(items):
        try:
            if not isinstance(item, dict):
                raise bad({"": "must be an object"})
            said[position] = fields.score(item)
        except ApiError as problem:
            errors |= {f"scores[{position}].{error['field']}".rstrip("."): error["rule"] for error in problem.more["errors"]}
    if errors:
        try:
            # Which maximum the column has makes no score wrong.
            scores.check_many({position: {"score_maximum": 1} | one for position, one in said.items()})
        except ValidationError as problem:
            errors |= _named(problem)
        raise _shortened(errors)
    return list(said.values())


def _shortened(errors: Mapping[str, str]) -> ApiError:
    """In the items' order."""
    ordered = sorted(errors.items(), key=lambda error: int(_POSITION.findall(error[0])[0]))
    more = {"scores": f"… and {len(ordered) - fields.MOST_ERRORS} more"} if len(ordered) > fields.MOST_ERRORS else {}
    return bad(dict(ordered[: fields.MOST_ERRORS]) | more, message="INVALID_SCORE")


def _recorded(said: list[dict[str, Any]], column: LineItem, once: Once) -> dict[str, Any]:
    for item in said:
        if item.get("score_given") is not None and item.get("score_maximum") is None:
            item["score_maximum"] = columns.maximum(column)
    try:
        return once.recorded(lambda: asdict(scores.record_many(column, said)))
    except ValidationError as problem:
        raise bad(_named(problem), message="INVALID_SCORE") from None


def _named(problem: ValidationError) -> dict[str, str]:
    errors: dict[str, str] = {}
    for one in problem.error_list:
        params = dict(one.params or {})
        name = f"scores[{params['position']}]" if "position" in params else "scores"
        if (cause := params.get("cause")) is not None:
            errors[f"{name}.{fields.named(cause.field)}"] = fields.worded(cause.rule)
        else:
            errors[name] = fields.worded(str(params.get("problem", one.messages[0])))
    return errors
