"""Keys, registrations, services, deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin import pausing
from django_lti_ags.admin.filters import ProfileFilter
from django_lti_ags.admin.forms import DeploymentForm, RegistrationForm, SigningKeyForm
from django_lti_ags.admin.readonly import ADVICE_LABEL, KeptAdmin, ReadOnlyAdmin, advice_for, pretty
from django_lti_ags.models import Deployment, Registration, Service, SigningKey
from django_lti_ags.scoping import allowed, scoped

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse


class SaysWhatIsShown(KeptAdmin):
    """Its form names only registrations that are shown to whoever fills it in."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A form class of this request."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.visible = scoped(Registration.objects.all(), request, "pk")
        return form


@admin.register(SigningKey)
class SigningKeyAdmin(SaysWhatIsShown):
    """Made by ``lti_ags_keys``; the private key is never shown."""

    form = SigningKeyForm
    scores_below = live_below = "service__registration__signing_key"
    registration_paths = ("registrations",)
    list_display = ("__str__", "kid", "created_at", "retired_at")
    list_filter = (("retired_at", admin.EmptyFieldListFilter),)
    lookups: ClassVar = {"retired_at__isempty"}
    search_fields = ("name", "kid")
    fields = ("uid", "name", "kid", "created_at", "retired_at", "public_key")
    readonly_fields = ("uid", "kid", "created_at", "public_key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that the registrations sign with that are shown."""
        keys, registrations = super().get_queryset(request), allowed(request)
        return keys if registrations is None else keys.filter(pk__in=registrations.order_by().values("signing_key"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Keys are made by the command, which never lets the private half through a browser."""
        return False

    @admin.display(description=_("public key"))
    def public_key(self, key: SigningKey) -> str:
        """The public half, as the key set publishes it."""
        return pretty(key.public_jwk)


@admin.register(Registration)
class RegistrationAdmin(SaysWhatIsShown):
    """Who the tool is registered with."""

    form = RegistrationForm
    scores_below = live_below = "service__registration"
    registration_paths = ("pk",)
    list_display = ("__str__", "issuer", "client_id", "profile", "paused_at", "paused_code")
    list_filter = (ProfileFilter, ("paused_at", admin.EmptyFieldListFilter))
    lookups: ClassVar = {"kind", "paused_at__isempty"}
    search_fields = ("name", "issuer", "client_id")
    actions = ("pause", "resume")
    fieldsets = (
        (None, {"fields": ("name", "issuer", "client_id", "profile", "signing_key", "accept_new_deployments")}),
        (_("The platform's addresses"), {"fields": ("auth_login_url", "token_url", "token_audience", "jwks_url")}),
        (_("The tool"), {"fields": ("tool_url",)}),
        (_("Delivery"), {"fields": ("paused_at", "paused_code", "paused_reason", "advice", "uid", "created_at")}),
    )
    readonly_fields = ("paused_at", "paused_code", "paused_reason", "advice", "uid", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Issuer and client_id are what it is known by: they stay once it is there."""
        return self.readonly_fields if obj is None else (*self.readonly_fields, "issuer", "client_id")

    @admin.display(description=ADVICE_LABEL)
    def advice(self, registration: Registration) -> str:
        """What a person can do about the pause."""
        return advice_for(registration.paused_code)

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """For the actions: a permission of its own, since it stops or starts what reaches gradebooks."""
        return pausing.may_pause(request)

    @admin.action(description=_("Pause delivery …"), permissions=["pause"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Registration]) -> HttpResponse | None:
        """Send nothing for them, once a reason is given."""
        form = pausing.PauseForm(request.POST if "confirmed" in request.POST else None)
        if form.is_valid():
            pausing.pause(self, request, chosen, form.cleaned_data["reason"])
            return None
        hidden = {name: request.POST.getlist(name) for name in (ACTION_CHECKBOX_NAME, "select_across")}
        hidden |= {"action": ["pause"], "index": ["0"], "confirmed": ["yes"]}
        return pausing.ask(self, request, chosen, form=form, back=request.get_full_path(), hidden=hidden)

    @admin.action(description=_("Resume delivery"), permissions=["pause"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Registration]) -> None:
        """Send for them again."""
        pausing.resume(self, request, chosen)


@admin.register(Service)
class ServiceAdmin(ReadOnlyAdmin):
    """The health of each campus."""

    registration_paths = ("registration",)
    list_display = ("origin", "registration", "consecutive_failures", "closed_until", "last_success_at", "last_failure_code")
    list_filter = (("closed_until", admin.EmptyFieldListFilter), ("failing_since", admin.EmptyFieldListFilter))
    lookups: ClassVar = {"closed_until__isempty", "failing_since__isempty"}
    list_select_related = ("registration",)
    search_fields = ("origin",)
    fields = (
        "uid",
        "registration",
        "origin",
        "consecutive_failures",
        "failing_since",
        "closed_until",
        "concurrency",
        "slowed_at",
        "recovered_at",
        "clock_skew_seconds",
        "last_success_at",
        "last_failure_at",
        "last_failure_code",
        "advice",
    )

    @admin.display(description=ADVICE_LABEL)
    def advice(self, service: Service) -> str:
        """What a person can do about the last failure, while it lasts."""
        return advice_for(service.last_failure_code) if service.failing_since else ""


@admin.register(Deployment)
class DeploymentAdmin(KeptAdmin):
    """Where a registration is deployed."""

    form = DeploymentForm
    scores_below = "line_item__context__deployment"
    live_below = "context__deployment"
    registration_paths = ("registration",)
    list_display = ("deployment_id", "registration", "created_at")
    lookups: ClassVar = frozenset[str]()
    list_select_related = ("registration",)
    search_fields = ("deployment_id",)
    readonly_fields = ("uid", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """What it is known by stays once it is there."""
        return self.readonly_fields if obj is None else (*self.readonly_fields, "registration", "deployment_id")
