"""Scores, and those that the platform does not hold yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from django_lti_ags import conf
from django_lti_ags.admin import api_links
from django_lti_ags.admin.branches import newest
from django_lti_ags.admin.columns import fraction
from django_lti_ags.admin.confirming import Question
from django_lti_ags.admin.decisions import DECISIONS
from django_lti_ags.admin.file_views import FileViews
from django_lti_ags.admin.filters import (
    AgeFilter,
    ContextFilter,
    LineItemFilter,
    PendingStateFilter,
    RegistrationFilter,
    ScoreCodeFilter,
    WaitingFilter,
)
from django_lti_ags.admin.handed_in import earlier_submissions, files_of
from django_lti_ags.admin.learners import Learner
from django_lti_ags.admin.lists import FindsNewest, NamesLearners
from django_lti_ags.admin.prospects import prospect, waits_for
from django_lti_ags.admin.readonly import ADVICE_LABEL, ReadOnlyAdmin, advice_for, pretty
from django_lti_ags.admin.score_views import ScoreExport, TroubleViews, carried_by
from django_lti_ags.admin.searching import LearnerSearch
from django_lti_ags.admin.timeline import ENTRIES, messages_shown, story
from django_lti_ags.models import PendingScore, Score, Service
from django_lti_ags.sync.outbox_sql import database_now

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class _ScoreAdmin(FileViews, LearnerSearch, NamesLearners, FindsNewest, ScoreExport, ReadOnlyAdmin):
    registration_paths = ("service__registration",)
    list_display = ("learner", "line_item_link", "course_link", "points", "state", "code", "tries", "due_at", "recorded_at")
    sortable_by = ("recorded_at",)
    list_select_related = ("line_item__context", "service__registration")
    change_list_template = "admin/lti_ags/scores.html"
    change_form_template = "admin/lti_ags/score.html"
    actions = ("deliver", "retry", "cancel", "follow_files", "export")

    class Media:
        css: ClassVar = {"all": ["lti_ags/scores.css"]}

    lookups: ClassVar = {
        "state__exact",
        "state__isnull",
        # What the overview's numbers lead to.
        "due_at__isnull",
        "due_at__lte",
        "delivered_at__gte",
        "code",
        "age",
        "service__id__exact",
        "service__registration__id__exact",
        "line_item__id__exact",
        "line_item__context__id__exact",
    }
    fieldsets = (
        (None, {"fields": ("learner", "line_item", "service", "points", "told_comment", "activity_progress", "grading_progress")}),
        (_("Delivery"), {"fields": ("state", "code", "advice", "told_detail", "waits_for", "due_at", "tries", "unsettled")}),
        (_("On the wire"), {"classes": ("collapse",), "fields": ("version", "wire_version", "wire_timestamp")}),
        (_("Delivered"), {"fields": ("delivered_version", "delivered_points", "told_delivered_comment", "delivered_at", "result")}),
        (
            _("More"),
            {
                "classes": ("collapse",),
                "fields": ("uid", "started_at", "submitted_at", "grader", "more", "created_at", "recorded_at", "aged_from"),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what a page tells of the places above."""
        rows = super().get_queryset(request).select_related("line_item__context", "service__registration")
        if "delivered_at__gte" in request.GET:
            # The index that has this time begins with the service.
            rows = rows.filter(service__in=list(Service.objects.values_list("pk", flat=True)))
        return rows

    def get_ordering(self, request: HttpRequest) -> Any:
        """What was recorded lately by when that was, as its index has it; else newest first."""
        lately = request.GET.get(AgeFilter.parameter_name) in ("hour", "day", "week")
        return ("-recorded_at", "-pk") if lately else super().get_ordering(request)

    def newest_keys(self, rows: QuerySet[Any], request: HttpRequest, many: int) -> list[int] | None:
        """Along the index of states, services and codes."""
        return newest(rows, request, many) if rows.query.where else None

    def people_of(self, row: Score) -> list[Learner]:
        """The learner, and whoever graded."""
        return [Learner(row.registration.issuer, user_id) for user_id in (row.user_id, row.scoring_user_id) if user_id]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A pending score is a score: one permission shows both."""
        return bool(request.user.has_perm("lti_ags.view_score"))

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Who may send again, or sooner."""
        return bool(request.user.has_perm("lti_ags.retry_score"))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Who may take back."""
        return bool(request.user.has_perm("lti_ags.cancel_score"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The list, with the way to the pages beside it."""
        links = {"may_retry": self.has_retry_permission(request), "may_export": self.has_export_permission(request)}
        return super().changelist_view(request, {**links, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """The page of one score, with its story."""
        score = context["original"]
        context["story"] = story(score, score.concealer, messages_shown(request))
        context["earlier"] = earlier_submissions(score, score.concealer)
        context["files"] = files_of(score, score.concealer)
        context["follow_files"] = self.follow_files_address(request, score) if context["files"] else ""
        context["prospect"] = prospect(score, score.now, score.concealer)
        context["now"] = score.now
        context["in_api"] = api_links.of_score(request, score)
        context["most_entries"] = ENTRIES
        return super().render_change_form(request, context, *args, **kwargs)

    def named(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        """Also knowing the time, by the clock that leases and tries go by."""
        now = database_now(conf.get("database"))
        for row in rows:
            row.now = now
        return super().named(request, rows)

    @admin.display(description=_("line item"))
    def line_item_link(self, score: Score) -> str:
        """The line item, and the way to its scores."""
        return format_html('<a href="?line_item__id__exact={}">{}</a>', score.line_item_id, score.line_item)

    @admin.display(description=_("course"))
    def course_link(self, score: Score) -> str:
        """The course, and the way to its scores."""
        context = score.line_item.context
        return format_html('<a href="?line_item__context__id__exact={}">{}</a>', context.pk, context)

    @admin.display(description=_("score"))
    def points(self, score: Score) -> str:
        """Given of maximum."""
        return fraction(score.score_given, score.score_maximum)

    @admin.display(description=_("delivered score"))
    def delivered_points(self, score: Score) -> str:
        """Given of maximum, as last delivered."""
        return "" if score.delivered_version is None else fraction(score.delivered_given, score.delivered_maximum)

    @admin.display(description=ADVICE_LABEL)
    def advice(self, score: Score) -> str:
        """What a person can do."""
        return advice_for(score.code)

    @admin.display(description=_("waits for"))
    def waits_for(self, score: Any) -> str:
        """What keeps it from the gradebook, whatever that is."""
        return waits_for(score, score.now, score.concealer)

    @admin.display(description=_("comment"))
    def told_comment(self, score: Any) -> str:
        """What the tool tells the learner."""
        return str(score.concealer.free(score.comment))

    @admin.display(description=_("delivered comment"))
    def told_delivered_comment(self, score: Any) -> str:
        """What the platform was given to tell the learner."""
        return str(score.concealer.free(score.delivered_comment))

    @admin.display(description=_("detail"))
    def told_detail(self, score: Any) -> str:
        """What the platform said, or why a person decided so."""
        return str(score.concealer.text(score.detail))

    @admin.display(description=_("result"))
    def result(self, score: Any) -> str:
        """Where the platform keeps it."""
        return str(score.concealer.address(score.result_url))

    @admin.display(description=_("extensions"))
    def more(self, score: Any) -> str:
        """Fields beyond the standard."""
        return pretty(score.concealer.value(score.extensions))

    @admin.action(description=_("Deliver now …"), permissions=["retry"])
    def deliver(self, request: HttpRequest, chosen: QuerySet[Score]) -> HttpResponse:
        """Send the waiting ones at once."""
        return self._decide(request, chosen, "deliver")

    @admin.action(description=_("Send again …"), permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Score]) -> HttpResponse:
        """Send the resting ones again, the waiting ones at once."""
        return self._decide(request, chosen, "retry")

    @admin.action(description=_("Do not send …"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Score]) -> HttpResponse:
        """Take back what nobody is sending just now, once a reason is given."""
        return self._decide(request, chosen, "cancel")

    def _decide(self, request: HttpRequest, chosen: QuerySet[Score], name: str) -> HttpResponse:
        return Question(self, chosen, DECISIONS[name], carried_by(request, name)).answer(request, back=request.get_full_path())


@admin.register(Score)
class ScoreAdmin(TroubleViews, _ScoreAdmin):
    """Every score."""

    list_filter = (
        ("state", admin.ChoicesFieldListFilter),
        AgeFilter,
        ("service__registration", RegistrationFilter),
        ContextFilter,
        LineItemFilter,
        ScoreCodeFilter,
    )


@admin.register(PendingScore)
class PendingScoreAdmin(_ScoreAdmin):
    """What the platforms do not hold yet."""

    list_filter = (
        ("state", PendingStateFilter),
        WaitingFilter,
        ("service__registration", RegistrationFilter),
        ContextFilter,
        LineItemFilter,
        ScoreCodeFilter,
    )

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The score's: the journal knows no proxies."""
        if self.get_object(request, object_id) is None:
            return super().history_view(request, object_id, extra_context)
        return ScoreAdmin(Score, self.admin_site).history_view(request, object_id, extra_context)
