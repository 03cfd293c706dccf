"""The page of a Canvas course's outcomes, beside the course's own, and its export.

Canvas is asked while the person waits. What it refuses is shown as it says it, with what to change.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import translation
from django.utils.translation import gettext

from django_lti_ags.admin import export, learners, outcomes
from django_lti_ags.admin.concealing import Concealer
from django_lti_ags.admin.readonly import LaunchedAdmin
from django_lti_ags.admin.waiting import waiting
from django_lti_ags.exceptions import LtiAgsError, NoCanvasCredential
from django_lti_ags.exporting import CSV, JSON, exported
from django_lti_ags.models import CanvasCredential

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from django_lti_ags.models import Context

SEE: Final = "lti_ags.see_outcomes"
EXPORT: Final = "lti_ags.export_score"
_PROFILE: Final = "canvas"


class OutcomesAdmin(LaunchedAdmin):
    """A course's page with a way to its outcomes."""

    change_form_template = "admin/lti_ags/context.html"

    def get_urls(self) -> list[Any]:
        """The table, and its export."""
        views = (("outcomes", self._outcomes), ("outcomes_export", self._export))
        own = [
            path(f"<path:object_id>/{name.replace('_', '/')}/", waiting(self.admin_site, view), name=f"lti_ags_context_{name}")
            for name, view in views
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the way there, for whoever may go it, where there is a Canvas."""
        context = self.get_object(request, object_id)
        found = {}
        if context is not None and self._may_see(request, context) and _is_canvas(context):
            found = {"outcomes_url": reverse(f"{self.admin_site.name}:lti_ags_context_outcomes", args=[context.pk])}
        return super().change_view(request, object_id, form_url, {**found, **(extra_context or {})})

    def _may_see(self, request: HttpRequest, context: Context) -> bool:
        return self.has_view_permission(request, context) and request.user.has_perm(SEE)

    def _course(self, request: HttpRequest, object_id: str) -> Context:
        """The course, for whoever may see its outcomes."""
        context = self.get_object(request, object_id)
        if context is None:
            raise Http404
        if not self._may_see(request, context):
            raise PermissionDenied
        found: Context = context
        return found

    def _outcomes(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        context = self._course(request, object_id)
        asked = outcomes.Asked.of(request.GET)
        found: dict[str, Any] = {}
        try:
            found["table"] = outcomes.table(request, context, asked)
        except LtiAgsError as problem:
            found["trouble"] = _trouble(request, problem)
            found["may_store"] = isinstance(problem, NoCanvasCredential) and request.user.has_perm("lti_ags.add_canvascredential")
        return TemplateResponse(
            request,
            "admin/lti_ags/outcomes.html",
            {
                **self.admin_site.each_context(request),
                "title": gettext("Outcomes"),
                "opts": self.opts,
                "media": self.media,
                "original": context,
                "asked": asked,
                "statistics": outcomes.STATISTICS,
                "may_export": request.user.has_perm(EXPORT),
                "may_see_learners": learners.may_see(request),
                **found,
            },
        )

    def _export(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        context = self._course(request, object_id)
        if not request.user.has_perm(EXPORT):
            raise PermissionDenied
        kind = request.POST.get("format", "")
        if kind not in (CSV, JSON):
            kind = CSV
        portions = _spoken(outcomes.records(request, context, outcomes.Asked.of(request.POST)))
        try:
            first = next(portions, [])
        except LtiAgsError as problem:
            messages.error(request, _trouble(request, problem))
            return HttpResponseRedirect(reverse(f"{self.admin_site.name}:lti_ags_context_outcomes", args=[context.pk]))
        self.log_change(request, context, gettext("Outcomes exported as %(kind)s") % {"kind": kind})
        return export.file(request, "outcomes", kind, exported(kind, outcomes.columns(request), chain([first], portions)))


def _is_canvas(context: Context) -> bool:
    registration = context.deployment.registration
    return registration.profile == _PROFILE or CanvasCredential.objects.filter(registration=registration).exists()


def _trouble(request: HttpRequest, problem: LtiAgsError) -> str:
    """What went wrong, and what a person can do; without what only those may read who may see learners."""
    return Concealer(request).text(str(problem))


def _spoken(portions: Iterator[list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    """In the language of whoever asked: a stream outlives the request, and its language."""
    language = translation.get_language() or "en"
    while True:
        with translation.override(language):
            portion = next(portions, None)
        if portion is None:
            return
        yield portion
