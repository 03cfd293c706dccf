"""Scores, and those that the platform does not hold yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags import scores
from django_lti_ags.admin.filters import CodeFilter, LearnerSearch
from django_lti_ags.admin.readonly import ADVICE_LABEL, ReadOnlyAdmin, ReadOnlyInline, advice_for, pretty
from django_lti_ags.models import OPEN, DeliveryAttempt, PendingScore, Score

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class AttemptInline(ReadOnlyInline):
    """What was told and answered, newest first."""

    model = DeliveryAttempt
    fk_name = "score"
    fields = ("started_at", "kind", "status", "failure", "code", "detail", "duration_ms")
    ordering = ("-pk",)
    verbose_name_plural = _("newest delivery attempts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the bodies: they are on the attempt's own page."""
        return super().get_queryset(request).defer("request_body", "response_body", "request_headers", "response_headers")


class ReasonForm(forms.Form):
    """Why scores are not to be sent."""

    reason = forms.CharField(max_length=500, label=_("Reason"), help_text=_("Kept with each score: it is what the next person reads."))


class _ScoreAdmin(LearnerSearch, ReadOnlyAdmin):
    list_display = ("user_id", "line_item", "points", "state", "code", "tries", "due_at", "recorded_at")
    list_filter = ("state", CodeFilter, "service__registration")
    list_select_related = ("line_item",)
    inlines = (AttemptInline,)
    actions = ("retry", "cancel")
    fieldsets = (
        (None, {"fields": ("user_id", "line_item", "service", "points", "comment", "activity_progress", "grading_progress")}),
        (_("Delivery"), {"fields": ("state", "code", "advice", "detail", "waits_for", "due_at", "tries", "unsettled", "all_attempts")}),
        (_("On the wire"), {"fields": ("version", "wire_version", "wire_timestamp")}),
        (_("Delivered"), {"fields": ("delivered_version", "delivered_points", "delivered_comment", "delivered_at", "result_url")}),
        (_("More"), {"fields": ("uid", "started_at", "submitted_at", "scoring_user_id", "more", "created_at", "recorded_at", "aged_from")}),
    )

    @admin.display(description=_("score"))
    def points(self, score: Score) -> str:
        """Given of maximum."""
        return _fraction(score.score_given, score.score_maximum)

    @admin.display(description=_("delivered score"))
    def delivered_points(self, score: Score) -> str:
        """Given of maximum, as last delivered."""
        return "" if score.delivered_version is None else _fraction(score.delivered_given, score.delivered_maximum)

    @admin.display(description=ADVICE_LABEL)
    def advice(self, score: Score) -> str:
        """What a person can do."""
        return advice_for(score.code)

    @admin.display(description=_("waits for"))
    def waits_for(self, score: Score) -> str:
        """What stands above an open score and keeps it from being sent."""
        if score.state not in OPEN:
            return ""
        registration = score.registration
        if registration.is_paused:
            return gettext("The registration %(name)s is paused. ") % {"name": registration} + advice_for(registration.paused_code)
        if score.line_item.standing_block:
            return gettext("The line item or its course is blocked. ") + advice_for(score.line_item.standing_block)
        return ""

    @admin.display(description=_("all attempts"))
    def all_attempts(self, score: Score) -> str:
        """Also those that the table below has no room for."""
        address = reverse(f"{self.admin_site.name}:lti_ags_deliveryattempt_changelist")
        return format_html('<a href="{}?score__id__exact={}">{}</a>', address, score.pk, _("Every attempt at this score"))

    @admin.display(description=_("extensions"))
    def more(self, score: Score) -> str:
        """Fields beyond the standard."""
        return pretty(score.extensions)

    @admin.action(description=_("Send again now"), permissions=["decide"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Score]) -> None:
        """Send the resting ones again, the waiting ones at once."""
        total, count = chosen.count(), scores.retry(chosen)
        told = ngettext("%(count)d score is due now.", "%(count)d scores are due now.", count) % {"count": count}
        self._tell(request, told, count, total)

    @admin.action(description=_("Do not send …"), permissions=["decide"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Score]) -> HttpResponse | None:
        """Take back what nobody is sending just now, once a reason is given."""
        form = ReasonForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._ask_why(request, chosen, form)
        total = chosen.count()
        count = scores.cancel(chosen, reason=f"{request.user}: {form.cleaned_data['reason']}")
        told = ngettext("%(count)d score will not be sent.", "%(count)d scores will not be sent.", count) % {"count": count}
        self._tell(request, told, count, total)
        return None

    def _ask_why(self, request: HttpRequest, chosen: QuerySet[Score], form: ReasonForm) -> HttpResponse:
        return TemplateResponse(
            request,
            "admin/lti_ags/cancel_scores.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Do not send"),
                "opts": self.opts,
                "media": self.media,
                "form": form,
                "count": chosen.count(),
                "checkbox_name": ACTION_CHECKBOX_NAME,
                "checked": request.POST.getlist(ACTION_CHECKBOX_NAME),
                "select_across": request.POST.get("select_across", "0"),
            },
        )

    def _tell(self, request: HttpRequest, told: str, count: int, total: int) -> None:
        left = total - count
        if left:
            told += " " + ngettext(
                "%(left)d stays as it is: it is settled, or being sent.",
                "%(left)d stay as they are: they are settled, or being sent.",
                left,
            ) % {"left": left}
        self.message_user(request, told, messages.WARNING if left else messages.SUCCESS)


@admin.register(Score)
class ScoreAdmin(_ScoreAdmin):
    """Every score."""


@admin.register(PendingScore)
class PendingScoreAdmin(_ScoreAdmin):
    """What the platforms do not hold yet."""


def _fraction(given: float | None, maximum: float | None) -> str:
    return gettext("cleared") if given is None else f"{_number(given)} / {_number(maximum)}"


def _number(value: float | None) -> str:
    """Every digit that tells: rounding would show 99.99999 as a full score."""
    return "" if value is None else repr(value).removesuffix(".0")
