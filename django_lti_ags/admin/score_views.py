"""The pages beside the lists of scores: what fails by kind, everything that failed since, export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin import errors, export
from django_lti_ags.admin.calendar import is_sayable
from django_lti_ags.admin.confirming import Question
from django_lti_ags.admin.decisions import COUNTED, DECISIONS, put_down_many
from django_lti_ags.exporting import TYPES
from django_lti_ags.models import Event, Registration, Score, SyncState
from django_lti_ags.scoping import scoped

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    _ModelAdmin = admin.ModelAdmin[Any]
else:  # Django's classes take no parameters at run time
    _ModelAdmin = admin.ModelAdmin

_RESTED: Final = {SyncState.FAILED: "score_failed", SyncState.BLOCKED: "score_blocked"}


class SinceForm(forms.Form):
    """Which of those that failed."""

    since = forms.DateTimeField(
        label=_("Since"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("What came to rest at this time or later, and still rests."),
    )
    registration = forms.ModelChoiceField(
        label=_("Registration"), queryset=Registration.objects.none(), required=False, empty_label=_("all")
    )
    blocked = forms.BooleanField(label=_("Also those that are blocked"), required=False)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["registration"].queryset = scoped(Registration.objects.all(), request, "pk")  # type: ignore[attr-defined]

    def clean_since(self) -> datetime:
        """A time that every zone can say."""
        since: datetime = self.cleaned_data["since"]
        if not is_sayable(since):
            raise ValidationError(self.fields["since"].error_messages["invalid"])
        return since

    def chosen(self, rows: QuerySet[Score]) -> QuerySet[Score]:
        """Those of ``rows`` that are meant; when a score came to rest, its event says."""
        given = self.cleaned_data
        states = [SyncState.FAILED, *([SyncState.BLOCKED] if given["blocked"] else [])]
        rested = Event.objects.filter(name__in=[_RESTED[state] for state in states], created_at__gte=given["since"], score__isnull=False)
        found = rows.filter(state__in=states, pk__in=rested.order_by().values("score"))
        return found.filter(service__registration=given["registration"]) if given["registration"] else found


class ScoreExport(_ModelAdmin):
    """The list as it is filtered, or what is chosen in it, as a file."""

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Who may take scores out of the admin."""
        return bool(request.user.has_perm("lti_ags.export_score"))

    def get_urls(self) -> list[Any]:
        """The list's export, before Django's own addresses, which take anything for a key."""
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=f"lti_ags_{self.opts.model_name}_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask in which form; on POST, the file."""
        if not (self.has_view_permission(request) and self.has_export_permission(request)):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            # As the list itself answers an address that makes no sense.
            return HttpResponseRedirect(f"{self._list_of(request).partition('?')[0]}?{ERROR_FLAG}=1")
        return self._exported(request, rows, [])

    @admin.action(description=_("Export …"), permissions=["export"])
    def export(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponseBase:
        """The chosen ones, once it is said in which form."""
        return self._exported(request, chosen, carried_by(request, "export"))

    def _exported(self, request: HttpRequest, rows: QuerySet[Any], carried: list[tuple[str, str]]) -> HttpResponseBase:
        kind = request.POST.get("format", "") if request.method == "POST" else ""
        if kind in TYPES:
            count = rows.order_by()[: COUNTED + 1].count()
            asked = "&".join(f"{name}={value}" for name, value in sorted(request.GET.items()) if name != "q") or "-"
            number = f"> {COUNTED}" if count > COUNTED else count
            put_down_many(request.user.pk, number, gettext("Exported as %(kind)s; filter: %(asked)s") % {"kind": kind, "asked": asked})
            return export.response(request, rows, kind)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export"),
            "opts": self.opts,
            "media": self.media,
            "carried": carried,
            "count": rows.order_by()[: COUNTED + 1].count(),
            "counted": COUNTED,
            "columns": export.columns(request),
            "back": self._list_of(request),
        }
        return TemplateResponse(request, "admin/lti_ags/export.html", context)

    def _list_of(self, request: HttpRequest) -> str:
        asked = request.GET.urlencode()
        return reverse(f"{self.admin_site.name}:lti_ags_{self.opts.model_name}_changelist") + (f"?{asked}" if asked else "")


class TroubleViews(_ModelAdmin):
    """Scores in trouble by kind, and what failed since a time; each can be sent again as a whole."""

    def get_urls(self) -> list[Any]:
        """Before Django's own addresses, which take anything for a key."""
        wrap = self.admin_site.admin_view
        return [
            path("errors/", wrap(self.errors_view), name="lti_ags_score_errors"),
            path("errors/<str:key>/retry/", wrap(self.retry_group_view), name="lti_ags_score_retry_group"),
            path("retry-since/", wrap(self.retry_since_view), name="lti_ags_score_retry_since"),
            *super().get_urls(),
        ]

    def errors_view(self, request: HttpRequest) -> HttpResponseBase:
        """The groups, the largest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Errors by kind"),
            "opts": self.opts,
            "media": self.media,
            "found": errors.grouped(self.get_queryset(request)),
            "may_retry": self._may_retry(request),
        }
        return TemplateResponse(request, "admin/lti_ags/errors.html", context)

    def retry_group_view(self, request: HttpRequest, key: str) -> HttpResponseBase:
        """Ask, and send a group again."""
        self._must_retry(request)
        shown = self.get_queryset(request)
        rows = shown.filter(pk__in=errors.members_of(shown, key))
        return Question(self, rows, DECISIONS["retry"], []).answer(request, back=self._address("errors"))

    def retry_since_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask since when; then ask once more, and send them again."""
        self._must_retry(request)
        form = SinceForm(request, request.POST if request.method == "POST" else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": _("Send again what failed since …"),
                "opts": self.opts,
                "media": self.media,
                "form": form,
                "zone": timezone.get_current_timezone_name(),
                "back": self._address("changelist"),
            }
            return TemplateResponse(request, "admin/lti_ags/retry_since.html", context)
        carried = [(name, request.POST.get(name, "")) for name in form.fields if request.POST.get(name)]
        rows = form.chosen(self.get_queryset(request))
        return Question(self, rows, DECISIONS["retry"], carried).answer(request, back=self._address("changelist"))

    def _may_retry(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("lti_ags.retry_score")

    def _must_retry(self, request: HttpRequest) -> None:
        if not self._may_retry(request):
            raise PermissionDenied

    def _address(self, page: str) -> str:
        return reverse(f"{self.admin_site.name}:lti_ags_score_{page}")


def carried_by(request: HttpRequest, action: str) -> list[tuple[str, str]]:
    """The fields that bring a confirmation back to the same action on the same choice."""
    chosen = [(ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)]
    return [*chosen, ("select_across", request.POST.get("select_across", "0")), ("action", action), ("index", "0")]
