"""Rows that are made with a secret: the answer to the form shows it, and nothing does after."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.debug import sensitive_variables

from django_lti_ags.admin.readonly import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class ShownOnceAdmin(ReadOnlyAdmin):
    """Made here and never changed; the public API makes them, and gives the secret beside the row."""

    secret_title: ClassVar[Any]
    """The title of the page that shows it."""
    secret_meaning: ClassVar[Any]
    """What its owner must know of it."""

    @abstractmethod
    def make(self, given: dict[str, Any]) -> tuple[Any, str]:
        """The stored row and its secret, from a form that was found good."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who has the permission."""
        return admin.ModelAdmin.has_add_permission(self, request)

    @sensitive_variables()
    def save_form(self, request: Any, form: Any, change: bool) -> Any:
        """Make it; its secret goes along with the row until it is shown."""
        row, text = self.make(form.cleaned_data)
        row.shown_once = text
        return row

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """It is stored."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """So is what belongs to it."""

    @sensitive_variables()
    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The page with its secret; it is the answer itself, since whatever a redirect could carry would be stored."""
        context = {
            **self.admin_site.each_context(request),
            "title": self.secret_title,
            "opts": self.opts,
            "media": self.media,
            "row": obj,
            "text": obj.shown_once,
            "meaning": self.secret_meaning,
        }
        answer = TemplateResponse(request, "admin/lti_ags/shown_once.html", context)
        add_never_cache_headers(answer)
        return answer
