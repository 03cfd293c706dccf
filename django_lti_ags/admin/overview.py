"""The page "Grade sync": how delivery stands at every campus, the worst first, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin import beside, pausing
from django_lti_ags.admin.charts import DAY, WEEK, charts, history
from django_lti_ags.admin.readonly import ReadOnlyAdmin, advice_for
from django_lti_ags.durations import spoken
from django_lti_ags.models import Registration, Score, Service, SyncSample
from django_lti_ags.scoping import allowed, scoped
from django_lti_ags.sync import report
from django_lti_ags.sync.report import COUNTED_TO, Condition, ServiceReport, SyncReport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

REFRESH_SECONDS: Final = 30
_COUNTS: Final = {
    "waiting": _("Waiting"),
    "due": _("Due"),
    "sending": _("Being sent"),
    "blocked": _("Blocked"),
    "failed": _("Failed"),
    "delivered": _("Delivered in 24 h"),
}
_LATE_SECONDS: Final = 900.0


@dataclass(frozen=True, slots=True)
class Number:
    """A count as the page shows it, and the list of what was counted."""

    name: str
    label: str
    text: str
    url: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A service as the page shows it."""

    report: ServiceReport
    numbers: Sequence[Number]
    oldest: str
    is_late: bool
    p50: str
    p95: str
    condition: str
    since: datetime | None
    is_well: bool
    details: str
    advice: str


@admin.register(SyncSample)
class OverviewAdmin(ReadOnlyAdmin):
    """Samples are read as charts: their list is the overview."""

    registration_paths = ("service__registration",)
    lookups: ClassVar = frozenset[str]()
    list_select_related = ("service",)

    class Media:
        css: ClassVar = {"all": ["lti_ags/overview.css"]}
        js = ("lti_ags/overview.js",)

    def get_urls(self) -> list[URLPattern]:
        """With the questions before a pause and its end."""
        wrap = self.admin_site.admin_view
        own = [
            path("registrations/<int:pk>/pause/", wrap(self.pause_view), name="lti_ags_registration_pause"),
            path("registrations/<int:pk>/resume/", wrap(self.resume_view), name="lti_ags_registration_resume"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The overview."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        known = list(scoped(Registration.objects.all(), request, "pk"))
        chosen = _chosen(request, known)
        services = scoped(Service.objects.all(), request, "registration")
        measured = report.measure(services.filter(registration=chosen) if chosen else services)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Grade sync"),
            "opts": self.opts,
            "media": self.media,
            "refresh_seconds": REFRESH_SECONDS,
            "report": measured,
            "known": known,
            "chosen": chosen,
            "may_pause": pausing.may_pause(request),
            "rows": [self._row(request, one, measured) for one in measured.services],
            "totals": self._totals(request, measured, chosen),
            "beside": beside.lines(request, measured, chosen, self.admin_site.name),
            "oldest": _spoken(measured.oldest_due_seconds),
            "counts": _COUNTS.values(),
            "next_step": next_step(known, measured),
            "without_launch": _without_launch(known, measured, chosen),
            "charts": self._charts(request, measured, chosen) if measured.sampled_at else [],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/lti_ags/overview.html", context)

    def pause_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, then stop."""
        registration, back = self._asked_about(request, pk)
        form = pausing.PauseForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return pausing.ask(self, request, [registration], form=form, back=back)
        pausing.pause(self, request, [registration], form.cleaned_data["reason"])
        return HttpResponseRedirect(back)

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then go on."""
        registration, back = self._asked_about(request, pk)
        if request.method != "POST":
            return pausing.ask(self, request, [registration], form=None, back=back)
        pausing.resume(self, request, [registration])
        return HttpResponseRedirect(back)

    def _asked_about(self, request: HttpRequest, pk: int) -> tuple[Registration, str]:
        if not (pausing.may_pause(request) and self.has_view_permission(request)):
            raise PermissionDenied
        registration = get_object_or_404(scoped(Registration.objects.all(), request, "pk"), pk=pk)
        return registration, reverse(f"{self.admin_site.name}:lti_ags_syncsample_changelist")

    def _row(self, request: HttpRequest, one: ServiceReport, whole: SyncReport) -> Row:
        where = {"service__registration__id__exact": one.registration_id, "service__id__exact": one.service_id}
        condition, since, details = _condition(one)
        return Row(
            report=one,
            numbers=[
                self._number(request, name, min(value := getattr(one, name), COUNTED_TO), whole.at, where, more=value > COUNTED_TO)
                for name in _COUNTS
            ],
            oldest=_spoken(one.oldest_due_seconds),
            is_late=(one.oldest_due_seconds or 0.0) > _LATE_SECONDS,
            p50=_spoken(one.p50_seconds),
            p95=_spoken(one.p95_seconds),
            condition=condition,
            since=since,
            is_well=one.condition is Condition.WELL,
            details=details,
            advice=advice_for(one.paused_code or (one.last_failure_code if one.failing_since else "")),
        )

    def _totals(self, request: HttpRequest, whole: SyncReport, chosen: Registration | None) -> list[Number]:
        where = {"service__registration__id__exact": chosen.pk} if chosen else {}
        return [self._number(request, name, whole.total(name), whole.at, where, more=whole.is_more(name)) for name in _COUNTS]

    def _number(self, request: HttpRequest, name: str, value: int, at: datetime, where: dict[str, Any], *, more: bool) -> Number:
        url = ""
        if value and request.user.has_perm("lti_ags.view_score"):
            query = urlencode(where | _filter(name, at))
            url = f"{reverse(f'{self.admin_site.name}:lti_ags_score_changelist')}?{query}"
        text = number_format(value, force_grouping=True) + ("+" if more else "")
        return Number(name, str(_COUNTS[name]), text, url, is_bad=bool(value) and name in ("blocked", "failed"))

    def _charts(self, request: HttpRequest, measured: SyncReport, chosen: Registration | None) -> list[Any]:
        everything = chosen is None and allowed(request) is None
        services = None if everything else [one.service_id for one in measured.services]
        return [chart for span in (DAY, WEEK) for chart in charts(span, history(span, measured.at, services))]


def _chosen(request: HttpRequest, known: Sequence[Registration]) -> Registration | None:
    asked = request.GET.get("registration", "")
    if not asked:
        return None
    found = [registration for registration in known if str(registration.pk) == asked]
    if not found:
        raise Http404(gettext("There is no such registration."))
    return found[0]


def _filter(name: str, at: datetime) -> dict[str, str]:
    """What the list of scores is to be narrowed to, so that it shows what was counted."""
    if name == "waiting":
        return {"due_at__isnull": "0"}
    if name == "due":
        return {"due_at__lte": at.isoformat()}
    if name == "delivered":
        return {"state__exact": "delivered", "delivered_at__gte": (at - report.DAY).isoformat()}
    return {"state__exact": name}


def _condition(one: ServiceReport) -> tuple[str, datetime | None, str]:
    """In a word; since when; and why."""
    if one.condition is Condition.PAUSED:
        return gettext("paused"), one.paused_at, one.paused_reason or one.paused_code
    if one.condition is Condition.SHUT:
        return gettext("not answering"), one.failing_since, one.last_failure_code
    if one.condition is Condition.FAILING:
        return gettext("failing"), one.failing_since, one.last_failure_code
    if one.condition is Condition.SLOWED:
        return gettext("throttled"), None, gettext("%(many)d at once") % {"many": max(1, int(one.concurrency or 1))}
    return gettext("well"), None, ""


def _spoken(seconds: float | None) -> str:
    return "" if seconds is None else spoken(seconds)


def _without_launch(known: Sequence[Registration], measured: SyncReport, chosen: Registration | None) -> list[Registration]:
    """Registrations that nothing can be sent for yet."""
    launched = {one.registration_id for one in measured.services}
    return [one for one in known if one.pk not in launched and chosen in (None, one)]


def next_step(known: Sequence[Registration], measured: SyncReport) -> str:
    """What is missing before the first grade can arrive: ``register``, ``launch``, ``worker``, ``record``; blank: nothing."""
    if not known:
        return "register"
    if not measured.services:
        return "launch"
    if measured.sampled_at is None:
        return "worker"
    some = Score.objects.filter(service__in=[one.service_id for one in measured.services[:1000]])
    return "" if some.exists() else "record"
