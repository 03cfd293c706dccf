"""Canvas' live assessments: how far their results have come, and what was set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from django.contrib import admin
from django.db.models import Case, Count, IntegerField, Q, Value, When
from django.utils.translation import gettext_lazy as _

from django_lti_ags import conf
from django_lti_ags.admin.concealing import Concealer
from django_lti_ags.admin.confirming import Question
from django_lti_ags.admin.filters import CodeFilter, RegistrationFilter
from django_lti_ags.admin.learners import Learner, shown
from django_lti_ags.admin.lists import NamesLearners
from django_lti_ags.admin.live_decisions import LIVE_DECISIONS
from django_lti_ags.admin.prospects import next_step
from django_lti_ags.admin.readonly import ADVICE_LABEL, ReadOnlyAdmin, advice_for
from django_lti_ags.admin.score_views import carried_by
from django_lti_ags.admin.timeline import ENTRIES, story
from django_lti_ags.models import LiveAssessment, LiveResult, SyncState
from django_lti_ags.sync.outbox_sql import database_now

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

RESULTS: Final = 100
"""So many results the page shows: what was set aside first, then what waits, then the newest."""
_FIRST: Final = Case(
    When(state=SyncState.FAILED, then=Value(0)),
    When(state=SyncState.PENDING, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


class Shown(NamedTuple):
    """A result, as the page shows it."""

    learner: str
    result: LiveResult


@admin.register(LiveAssessment)
class LiveAssessmentAdmin(NamesLearners, ReadOnlyAdmin):
    """Every live assessment."""

    registration_paths = ("service__registration",)
    list_display = ("__str__", "context", "course_id", "state", "code", "waiting", "aside", "due_at", "recorded_at")
    sortable_by = ()
    list_select_related = ("context", "service__registration")
    search_fields = ("title", "key", "course_id")
    list_filter = (("state", admin.ChoicesFieldListFilter), ("service__registration", RegistrationFilter), CodeFilter)
    lookups: ClassVar = {"state__exact", "state__isnull", "code", "service__registration__id__exact", "context__id__exact"}
    change_form_template = "admin/lti_ags/live_assessment.html"
    actions = ("retry", "cancel")
    fieldsets = (
        (None, {"fields": ("title", "context", "service", "course_id", "key", "outcome_id")}),
        (_("Delivery"), {"fields": ("state", "code", "advice", "detail", "due_at", "tries", "unsettled", "delivered_at")}),
        (
            _("More"),
            {"classes": ("collapse",), "fields": ("uid", "canvas_id", "declared_at", "created_at", "recorded_at", "aged_from", "version")},
        ),
    )

    class Media:
        css: ClassVar = {"all": ["lti_ags/scores.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what a page tells of the places above."""
        return super().get_queryset(request).select_related("context", "service__registration")

    def people_of(self, row: Any) -> list[Learner]:
        """Nobody in particular: an assessment is of many."""
        return []

    def named(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        """Also knowing how many of their results wait, and how many were set aside; one query for all."""
        counted = LiveResult.objects.filter(assessment__in=[row.pk for row in rows], state__in=(SyncState.PENDING, SyncState.FAILED))
        totals = {
            found["assessment"]: found
            for found in counted.order_by()
            .values("assessment")
            .annotate(waiting=Count("pk", filter=Q(state=SyncState.PENDING)), aside=Count("pk", filter=Q(state=SyncState.FAILED)))
        }
        for row in rows:
            row.totals = totals.get(row.pk, {"waiting": 0, "aside": 0})
        return super().named(request, rows)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Who may send again, or sooner."""
        return bool(request.user.has_perm("lti_ags.retry_liveassessment"))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Who may take back."""
        return bool(request.user.has_perm("lti_ags.cancel_liveassessment"))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """The page of one assessment, with its results and its story."""
        row: LiveAssessment = context["original"]
        newest = list(LiveResult.objects.filter(assessment=row.pk).order_by(_FIRST, "-pk")[: RESULTS + 1])
        learners = {result.pk: Learner(row.registration.issuer, result.user_id) for result in newest}
        names = shown(request, learners.values())
        now = database_now(conf.get("database"))
        context |= {
            "results": [Shown(names[learners[result.pk]], result) for result in newest[:RESULTS]],
            "most_results": RESULTS,
            "has_more_results": len(newest) > RESULTS,
            "next_step": next_step(row, now),
            "now": now,
            "story": story(row, Concealer(request, list(learners.values()))),
            "most_entries": ENTRIES,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("waiting"))
    def waiting(self, row: Any) -> int:
        """How many results Canvas does not have yet."""
        return int(row.totals["waiting"])

    @admin.display(description=_("set aside"))
    def aside(self, row: Any) -> int:
        """How many results Canvas refused."""
        return int(row.totals["aside"])

    @admin.display(description=ADVICE_LABEL)
    def advice(self, row: LiveAssessment) -> str:
        """What a person can do."""
        return advice_for(row.code)

    @admin.action(description=_("Send again …"), permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[LiveAssessment]) -> HttpResponse:
        """Send what rests or waits at once."""
        return self._decide(request, chosen, "retry")

    @admin.action(description=_("Do not send …"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[LiveAssessment]) -> HttpResponse:
        """Take back what nobody is sending just now, once a reason is given."""
        return self._decide(request, chosen, "cancel")

    def _decide(self, request: HttpRequest, chosen: QuerySet[LiveAssessment], name: str) -> HttpResponse:
        return Question(self, chosen, LIVE_DECISIONS[name], carried_by(request, name)).answer(request, back=request.get_full_path())
