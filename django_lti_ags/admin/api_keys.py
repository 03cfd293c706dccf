"""API keys: made here, their text shown once, revoked once that is confirmed; never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags import api_keys
from django_lti_ags.admin.score_views import carried_by
from django_lti_ags.admin.shown_once import ShownOnceAdmin
from django_lti_ags.models import ApiKey
from django_lti_ags.scoping import allowed

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse

    _Form = forms.ModelForm[ApiKey]
else:  # Django's classes take no parameters at run time
    _Form = forms.ModelForm


class ApiKeyForm(_Form):
    """What a key is made for."""

    class Meta:
        model = ApiKey
        fields = ("name", "registrations", "contexts")

    def clean(self) -> dict[str, Any]:
        """As :func:`api_keys.check` says; what is wrong already is not said twice."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                api_keys.check(cleaned["name"], list(cleaned["registrations"]), list(cleaned["contexts"]))
            except ValidationError as problem:
                self.add_error(None, problem)
        return cleaned


def seeing_elsewhere(request: HttpRequest) -> Any:
    """The keys that see a registration which is not shown to whoever asks."""
    registrations = allowed(request)
    through: Any = ApiKey.registrations.through
    if registrations is None:
        return ()
    return through._default_manager.exclude(registration__in=registrations.order_by().values("pk")).values("apikey")


@admin.register(ApiKey)
class ApiKeyAdmin(ShownOnceAdmin):
    """Every key, without its text."""

    form = ApiKeyForm
    secret_title = _("The new API key")
    secret_meaning = _("Who has it sees and records grades; keep it as you would a password. If it is lost, revoke it and make another.")
    registration_paths = ("registrations",)
    list_display = ("name", "prefix", "of", "narrowed", "created_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    lookups: ClassVar = {"revoked_at__isempty"}
    search_fields = ("name", "prefix")
    raw_id_fields = ("contexts",)  # the search field of Django's autocomplete has no label for who cannot see it
    fields = ("name", "registrations", "contexts")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that see no registration which is not shown to whoever asks."""
        return super().get_queryset(request).exclude(pk__in=seeing_elsewhere(request)).prefetch_related("registrations")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Once it is there, also what became of it."""
        made = ("uid", "prefix", "narrowed", "created_at", "last_used_at", "revoked_at")
        return self.fields if obj is None else (*self.fields, *made)

    @admin.display(description=_("registrations"))
    def of(self, key: ApiKey) -> str:
        """Whose grades it sees."""
        return ", ".join(str(one) for one in key.registrations.all())

    def make(self, given: dict[str, Any]) -> tuple[ApiKey, str]:
        """The key, and its text."""
        return api_keys.issue(given["name"], given["registrations"], given["contexts"])

    @admin.action(description=_("Revoke …"), permissions=["decide"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> HttpResponse | None:
        """Let them open nothing any more, once that is confirmed."""
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": gettext("Revoke API keys"),
                "opts": self.opts,
                "media": self.media,
                "chosen": chosen,
                "back": request.get_full_path(),
                "hidden": [*carried_by(request, "revoke"), ("confirmed", "yes")],
            }
            return TemplateResponse(request, "admin/lti_ags/revoke_api_keys.html", context)
        done = [key for key in chosen if api_keys.revoke(key)]
        for key in done:
            self.log_change(request, key, gettext("Revoked."))
        told = ngettext("%(count)d API key revoked.", "%(count)d API keys revoked.", len(done)) % {"count": len(done)}
        self.message_user(request, told, messages.SUCCESS if done else messages.WARNING)
        return None
