"""API keys: made here, their text shown once, revoked once that is confirmed; never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from django_lti_ags import api_keys
from django_lti_ags.admin.readonly import ReadOnlyAdmin
from django_lti_ags.admin.scoping import allowed
from django_lti_ags.admin.score_views import carried_by
from django_lti_ags.models import ApiKey

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


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Every key, without its text: that is shown in the answer to the form that makes it, and is nowhere after."""

    form = ApiKeyForm
    registration_paths = ("registrations",)
    list_display = ("name", "prefix", "of", "narrowed", "created_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    lookups: ClassVar = {"revoked_at__isempty"}
    search_fields = ("name", "prefix")
    autocomplete_fields = ("registrations", "contexts")
    fields = ("name", "registrations", "contexts")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that see no registration which is not shown to whoever asks."""
        keys, registrations = super().get_queryset(request).prefetch_related("registrations"), allowed(request)
        if registrations is None:
            return keys
        through: Any = ApiKey.registrations.through
        elsewhere = through._default_manager.exclude(registration__in=registrations.order_by().values("pk"))
        return keys.exclude(pk__in=elsewhere.values("apikey"))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Once it is there, also what became of it."""
        made = ("uid", "prefix", "narrowed", "created_at", "last_used_at", "revoked_at")
        return self.fields if obj is None else (*self.fields, *made)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who has the permission."""
        return admin.ModelAdmin.has_add_permission(self, request)

    @admin.display(description=_("registrations"))
    def of(self, key: ApiKey) -> str:
        """Whose grades it sees."""
        return ", ".join(str(one) for one in key.registrations.all())

    @sensitive_variables()
    def save_form(self, request: Any, form: Any, change: bool) -> Any:
        """Issue it; its text goes along with the row until it is shown."""
        given = form.cleaned_data
        key: Any
        key, text = api_keys.issue(given["name"], given["registrations"], given["contexts"])
        key.shown_once = text
        return key

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """It is stored."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """So is what it sees."""

    @sensitive_variables()
    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The page with its text; it is the answer itself, since whatever a redirect could carry would be stored."""
        context = {**self.admin_site.each_context(request), "title": gettext("The new API key"), "opts": self.opts, "key": obj}
        answer = TemplateResponse(request, "admin/lti_ags/api_key_issued.html", context | {"media": self.media, "text": obj.shown_once})
        add_never_cache_headers(answer)
        return answer

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
