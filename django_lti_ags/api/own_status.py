"""``/api/sync/status`` and ``/api/sync/reconcile``: how delivery stands, and whether the gradebook shows what the tool said. Ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Min
from rest_framework.response import Response

from django_lti_ags import results
from django_lti_ags.ags.types import wire_time
from django_lti_ags.api import columns, fields, own_schemas, own_shapes, places, queries, scores_seen
from django_lti_ags.api.describing import LINE_ITEM, PLATFORM, described
from django_lti_ags.api.errors import bad
from django_lti_ags.api.platform_errors import told_to
from django_lti_ags.api.views import ApiView
from django_lti_ags.models import DECIDABLE, OPEN, Score, Service, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.sync.profiles import profile_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet
    from rest_framework.request import Request

    from django_lti_ags.models import Registration

_READING_SECONDS: Final = 30.0


class StatusView(ApiView):
    """Counts, and what stands in the way."""

    @described(
        "readStatus",
        "How delivery stands",
        {200: (own_schemas.Status, "Counts, and what stands in the way.")},
        parameters=[LINE_ITEM],
    )
    def get(self, request: Request) -> Response:
        """Of all that the caller sees, or of one line item."""
        rows = scores_seen.of(self.caller, request)
        if (url := queries.only(request, "lineItem")) is not None:
            rows = rows.filter(line_item__url_digest=digest(url))
        registration = self.caller.registration
        return Response({**_scores(rows), "registration": own_shapes.pause(registration), "services": _services(registration)})


class ReconcileView(ApiView):
    """Compare one line item with its platform."""

    @described(
        "reconcile",
        "Compare a line item with its platform",
        {200: (own_schemas.Reconciliation, "How its learners stand.")},
        body=own_schemas.Reconcile,
        fails=PLATFORM,
    )
    def post(self, request: Request) -> Response:
        """Read all results, compare, and with the policy ``resend`` send again what is missing or differs; no teacher's edit is touched."""
        url, policy = _asked(request.data)
        context, row = places.line_item(self.caller, request, url)
        column = columns.found(context, row, url)
        with told_to(profile_of(self.caller.registration)):
            found = results.reconcile(column, policy=policy, deadline_seconds=_READING_SECONDS)
        told = {"read": found.read, "resent": found.resent, "comparedAt": wire_time(found.compared_at), "inOrder": found.is_in_order}
        return Response({"learners": {str(agreement): count for agreement, count in found.counts.items()}, **told})


def _asked(body: Mapping[str, Any]) -> tuple[str, str]:
    fields.only_known(body, {"lineItem", "policy"})
    policy = body.get("policy", results.Policy.REPORT.value)
    if not isinstance(policy, str) or policy not in list(results.Policy):
        raise bad({"policy": f"must be one of {', '.join(results.Policy)}"})
    return fields.line_item_id(body), policy


def _scores(rows: QuerySet[Score]) -> dict[str, Any]:
    counted = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    oldest = rows.filter(state__in=OPEN).aggregate(at=Min("recorded_at"))["at"]
    troubles = rows.filter(state__in=DECIDABLE).exclude(code="").order_by().values_list("code").annotate(Count("pk"))
    return {
        "scores": {state: counted.get(state, 0) for state in SyncState.values},
        "oldestWaitingAt": None if oldest is None else wire_time(oldest),
        "troubles": [{"code": code, "scores": count, "advice": ADVICE.get(code, "")} for code, count in sorted(troubles)],
    }


def _services(registration: Registration) -> list[dict[str, Any]]:
    return [
        {
            "origin": row.origin,
            "failingSince": None if row.failing_since is None else wire_time(row.failing_since),
            "code": row.last_failure_code if row.failing_since else "",
            "advice": ADVICE.get(row.last_failure_code, "") if row.failing_since else "",
        }
        for row in Service.objects.filter(registration=registration).order_by("origin", "pk")
    ]
