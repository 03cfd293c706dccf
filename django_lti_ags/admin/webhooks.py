"""Webhooks: who is told what became of scores, and how that went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags import webhooks
from django_lti_ags.admin.api_keys import seeing_elsewhere
from django_lti_ags.admin.learners import Learner
from django_lti_ags.admin.lists import NamesLearners
from django_lti_ags.admin.readonly import ADVICE_LABEL, ReadOnlyAdmin, ReadOnlyInline, advice_for, pretty_text
from django_lti_ags.admin.shown_once import ShownOnceAdmin
from django_lti_ags.models import WebhookDelivery, WebhookEndpoint, WebhookKind

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    _Form = forms.ModelForm[WebhookEndpoint]
else:  # Django's classes take no parameters at run time
    _Form = forms.ModelForm


class WebhookEndpointForm(_Form):
    """Whose scores are told where."""

    kinds = forms.MultipleChoiceField(
        label=_("Kinds"), choices=WebhookKind.choices, initial=WebhookKind.values, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("api_key", "url", "kinds")
        widgets: ClassVar = {"url": AdminTextInputWidget(attrs={"class": "vLargeTextField"})}

    def clean(self) -> dict[str, Any]:
        """As :func:`webhooks.check` says; what is wrong already is not said twice."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                webhooks.check(cleaned["api_key"], cleaned["url"], cleaned["kinds"])
            except ValidationError as problem:
                self.add_error(None, problem)
        return cleaned


class NewestMessages(ReadOnlyInline):
    """What it was told last."""

    model = WebhookDelivery
    fields = ("created_at", "kind", "message_id", "state", "code", "tries", "due_at", "delivered_at")
    readonly_fields = fields
    ordering = ("-pk",)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ShownOnceAdmin):
    """Every endpoint, without its secret."""

    form = WebhookEndpointForm
    secret_title = _("The webhook's secret")
    secret_meaning = _("With it the receiver checks that it is told by us. If it is lost, disable the endpoint and add another.")
    registration_paths = ("api_key__registrations",)
    list_display = ("url", "api_key", "created_at", "failing_since", "last_success_at", "disabled_at", "disabled_reason")
    list_filter = (("disabled_at", admin.EmptyFieldListFilter), ("failing_since", admin.EmptyFieldListFilter))
    lookups: ClassVar = {"disabled_at__isempty", "failing_since__isempty"}
    list_select_related = ("api_key",)
    search_fields = ("url", "api_key__name", "api_key__prefix")
    fields = ("api_key", "url", "kinds")
    actions = ("enable", "disable")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those whose keys are shown to whoever asks."""
        return super().get_queryset(request).exclude(api_key__in=seeing_elsewhere(request))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Once it is there, also how it is."""
        health = ("failing_since", "closed_until", "last_success_at", "last_failure_at", "last_failure_code", "advice")
        return self.fields if obj is None else (*self.fields, "uid", "created_at", "disabled_at", "disabled_reason", *health)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """All of it, once it is there."""
        return () if obj is None else self.get_fields(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        """What it was told, once it is there."""
        return () if obj is None else (NewestMessages,)

    def make(self, given: dict[str, Any]) -> tuple[WebhookEndpoint, str]:
        """The endpoint, and its secret."""
        return webhooks.add(given["api_key"], given["url"], given["kinds"])

    @admin.display(description=ADVICE_LABEL)
    def advice(self, endpoint: WebhookEndpoint) -> str:
        """What a person can do about the last failure, while it lasts."""
        return advice_for(endpoint.last_failure_code) if endpoint.failing_since else ""

    @admin.action(description=_("Enable"), permissions=["decide"])
    def enable(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        """Tell them again, beginning with what rested."""
        done = []
        for endpoint in chosen:
            try:
                done += [endpoint] if webhooks.enable(endpoint) else []
            except ValidationError as problem:
                self.message_user(request, f"{endpoint}: {' '.join(problem.messages)}", messages.ERROR)
        told = ngettext("%(count)d endpoint enabled.", "%(count)d endpoints enabled.", len(done)) % {"count": len(done)}
        self._said(request, done, gettext("Enabled."), told)

    @admin.action(description=_("Disable"), permissions=["decide"])
    def disable(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        """Tell them nothing; what waits rests, and goes when they are enabled."""
        reason = gettext("%(who)s did it, in the admin.") % {"who": request.user}
        done = [endpoint for endpoint in chosen if webhooks.disable(endpoint, reason=reason)]
        told = ngettext("%(count)d endpoint disabled.", "%(count)d endpoints disabled.", len(done)) % {"count": len(done)}
        self._said(request, done, gettext("Disabled."), told)

    def _said(self, request: HttpRequest, done: list[WebhookEndpoint], entry: str, told: str) -> None:
        for endpoint in done:
            self.log_change(request, endpoint, entry)
        self.message_user(request, told, messages.SUCCESS if done else messages.WARNING)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(NamesLearners, ReadOnlyAdmin):
    """Every message."""

    registration_paths = ("service__registration",)
    list_display = ("created_at", "kind", "learner", "endpoint", "state", "code", "tries", "due_at", "delivered_at")
    sortable_by = ()
    list_filter = (("state", admin.ChoicesFieldListFilter), "kind")
    lookups: ClassVar = {"state__exact", "state__isnull", "kind__exact", "kind__isnull", "endpoint__id__exact"}
    list_select_related = ("endpoint", "score", "service__registration")
    actions = ("retry",)
    fieldsets = (
        (None, {"fields": ("endpoint", "learner", "score", "kind", "message_id", "told", "created_at")}),
        (_("Delivery"), {"fields": ("state", "code", "advice", "told_detail", "due_at", "tries", "delivered_at", "uid")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those to endpoints that are shown, with whom the page names."""
        rows = super().get_queryset(request).exclude(endpoint__api_key__in=seeing_elsewhere(request))
        return rows.select_related("endpoint", "score", "service__registration")

    def people_of(self, row: WebhookDelivery) -> list[Learner]:
        """Whose score it tells of."""
        return [Learner(row.service.registration.issuer, row.score.user_id)]

    @admin.display(description=_("body"))
    def told(self, row: Any) -> str:
        """What is told."""
        return pretty_text(row.concealer.body(row.body))

    @admin.display(description=_("detail"))
    def told_detail(self, row: Any) -> str:
        """What the receiver said."""
        return str(row.concealer.text(row.detail))

    @admin.display(description=ADVICE_LABEL)
    def advice(self, row: WebhookDelivery) -> str:
        """What a person can do."""
        return advice_for(row.code)

    @admin.action(description=_("Send again"), permissions=["decide"])
    def retry(self, request: HttpRequest, chosen: QuerySet[WebhookDelivery]) -> None:
        """Send at once what rests or waits."""
        count = webhooks.retry(WebhookDelivery.objects.filter(pk__in=list(chosen.values_list("pk", flat=True))))
        told = ngettext("%(count)d message is due now.", "%(count)d messages are due now.", count) % {"count": count}
        self.message_user(request, told, messages.SUCCESS if count else messages.WARNING)
