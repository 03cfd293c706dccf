"""``?wait=``: the verdict on a score that was just recorded, if it comes in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rest_framework.response import Response

from django_lti_ags import conf
from django_lti_ags.api.errors import ApiError
from django_lti_ags.models import OPEN, Score, SyncState
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.sync.waiting import wait_until

if TYPE_CHECKING:
    from django.db.models import QuerySet

_STATUS: Final = {SyncState.FAILED: 422}
"""A score that the platform refuses for good; any other rests until somebody does something, or was overtaken."""


def verdict(score: int, version: int, seconds: float) -> Response:
    """Of a score, by its key and version. 204: the platform has it. 202: it is recorded, and will be delivered; nobody knows more yet.

    Raises:
        ApiError: it is recorded, but was refused (422), or rests or was overtaken (409); the message is the verdict's code.
    """
    rows: QuerySet[Score] = Score.objects.using(conf.get("database")).filter(pk=score)
    found: dict[str, Any] = {}

    def settled() -> bool:
        found.update(
            rows.values("state", "code", "detail", "delivered_version").first() or {"state": SyncState.CANCELLED, "code": "forgotten"}
        )
        return found["state"] not in OPEN or _arrived(found, version)

    wait_until(settled, seconds)
    if _arrived(found, version):
        return Response(status=204)
    if found["state"] in OPEN:
        return Response({"state": found["state"], "code": found["code"]}, status=202)
    code = found["code"]
    advice = ADVICE.get(code, "")
    more = {"state": found["state"], "detail": found.get("detail", "")}
    raise ApiError(_STATUS.get(found["state"], 409), code.upper() or "NOT_DELIVERED", advice or "The score was not delivered.", more=more)


def _arrived(found: dict[str, Any], version: int) -> bool:
    return found["state"] == SyncState.DELIVERED or (found.get("delivered_version") or 0) >= version
