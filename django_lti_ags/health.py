"""Whether this process is there, and whether it can work: for load balancers, Kubernetes and the like.

::

    path("health/", include("django_lti_ags.health"))

gives ``health/live`` and ``health/ready``. Neither asks who is there, and neither tells more than that all is well, or
which of a few things is not. To have lateness reported too, include the view with an age::

    path("health/delivery", ReadyView.as_view(max_oldest_seconds=3600))
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.db import Error, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.http import JsonResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.generic import View

from django_lti_ags import conf
from django_lti_ags.sync import live_report, report
from django_lti_ags.sync.outbox_sql import database_now

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

_APP: Final = "lti_ags"
_TEXTS: Final = {
    "database": "The database cannot be reached.",
    "migrations": "Migrations of lti_ags are not applied: run manage.py migrate.",
    "late": "Scores or live assessments have been due for too long.",
}
_migrated: set[str] = set()
"""Databases that were found migrated: that stays so for as long as this process runs."""


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class LiveView(View):
    """This process answers. Asks nothing else, not even with ``ATOMIC_REQUESTS``."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """200."""
        return _answer([])


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class ReadyView(View):
    """The database answers and is migrated; with ``max_oldest_seconds`` also: nothing has been due for longer.

    Scores and live assessments count; webhooks do not: whether their receivers answer is not for us to mend. Nor do those
    of paused registrations: a restart or another server would not help them.
    Do not give an age where a load balancer asks: late grades are no reason to take web processes away.
    """

    http_method_names = ("get", "head")
    max_oldest_seconds: float | None = None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """200, or 503 with what is wrong."""
        try:
            return _answer(self._problems())
        except Error:
            logger.exception("Not ready: the database does not answer")
            return _answer(["database"])

    def _problems(self) -> list[str]:
        alias: str = conf.get("database")
        now = database_now(alias)
        if not _is_migrated(alias):
            return ["migrations"]
        if self.max_oldest_seconds is None:
            return []
        oldest = max(report.oldest_due_seconds(now) or 0.0, live_report.oldest_due_seconds(now) or 0.0)
        return ["late"] if oldest > self.max_oldest_seconds else []


def _is_migrated(alias: str) -> bool:
    if alias not in _migrated:
        loader = MigrationLoader(connections[alias])
        if not set(loader.graph.leaf_nodes(_APP)) <= loader.applied_migrations.keys():
            return False
        _migrated.add(alias)
    return True


def _answer(problems: list[str]) -> HttpResponse:
    body = {"status": "unavailable" if problems else "ok", "problems": [{"code": code, "detail": _TEXTS[code]} for code in problems]}
    return JsonResponse(body, status=503 if problems else 200, headers={"Cache-Control": "no-store"})


app_name = "lti_ags_health"
urlpatterns = [
    path("live", LiveView.as_view(), name="live"),
    path("ready", ReadyView.as_view(), name="ready"),
]
