"""What a person decides about the files of scores: to ask the platform about them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin.confirming import Question
from django_lti_ags.admin.decisions import DECISIONS
from django_lti_ags.admin.score_views import carried_by

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from django_lti_ags.models import Score

    _ModelAdmin = admin.ModelAdmin[Any]
else:  # Django's classes take no parameters at run time
    _ModelAdmin = admin.ModelAdmin


class FileViews(_ModelAdmin):
    """The same decision for what is chosen in the list, and on the page of one score."""

    def get_urls(self) -> list[Any]:
        """Before Django's own addresses, which take anything for a key."""
        view = self.admin_site.admin_view(self.follow_files_view)
        return [path("<path:object_id>/follow-files/", view, name=self._follow_files_name), *super().get_urls()]

    @property
    def _follow_files_name(self) -> str:
        return f"lti_ags_{self.opts.model_name}_follow_files"

    def follow_files_address(self, request: HttpRequest, score: Score) -> str:
        """Where a person asks about the files of ``score`` again; blank: they may not, or there is nothing to ask."""
        rows = self.get_queryset(request).filter(DECISIONS["follow_files"].possible, pk=score.pk)
        if not self.has_retry_permission(request) or not rows.exists():  # type: ignore[attr-defined]
            return ""
        return reverse(f"{self.admin_site.name}:{self._follow_files_name}", args=[score.pk])

    def follow_files_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ask a person; on POST, have the platform asked."""
        if not (self.has_view_permission(request) and self.has_retry_permission(request)):  # type: ignore[attr-defined]
            raise PermissionDenied
        score = self.get_object(request, object_id)
        if score is None:
            where = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
            return HttpResponseRedirect(where.url)
        back = reverse(f"{self.admin_site.name}:lti_ags_{self.opts.model_name}_change", args=[score.pk])
        rows = self.get_queryset(request).filter(pk=score.pk)
        return Question(self, rows, DECISIONS["follow_files"], []).answer(request, back=back)

    @admin.action(description=_("Ask about the files again …"), permissions=["retry"])
    def follow_files(self, request: HttpRequest, chosen: QuerySet[Score]) -> HttpResponseBase:
        """Have the platform asked about the files of the chosen ones."""
        question = Question(self, chosen, DECISIONS["follow_files"], carried_by(request, "follow_files"))
        return question.answer(request, back=request.get_full_path())
