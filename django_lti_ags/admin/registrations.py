"""Keys, registrations, services, deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_lti_ags import registrations
from django_lti_ags.admin.forms import DeploymentForm, RegistrationForm, SigningKeyForm
from django_lti_ags.admin.readonly import ADVICE_LABEL, KeptAdmin, ReadOnlyAdmin, advice_for, pretty
from django_lti_ags.models import Deployment, Registration, Service, SigningKey

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest


@admin.register(SigningKey)
class SigningKeyAdmin(KeptAdmin):
    """Made by ``lti_ags_keys``; the private key is never shown."""

    form = SigningKeyForm
    scores_below = "service__registration__signing_key"
    list_display = ("__str__", "kid", "created_at", "retired_at")
    list_filter = (("retired_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "kid")
    fields = ("uid", "name", "kid", "created_at", "retired_at", "public_key")
    readonly_fields = ("uid", "kid", "created_at", "public_key")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Keys are made by the command, which never lets the private half through a browser."""
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """A filter in the address bar must not spell out, letter by letter, what no page shows."""
        return not lookup.startswith("private_key") and super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("public key"))
    def public_key(self, key: SigningKey) -> str:
        """The public half, as the key set publishes it."""
        return pretty(key.public_jwk)


@admin.register(Registration)
class RegistrationAdmin(KeptAdmin):
    """Who the tool is registered with."""

    form = RegistrationForm
    scores_below = "service__registration"
    list_display = ("__str__", "issuer", "client_id", "profile", "paused_at", "paused_code")
    list_filter = ("profile", ("paused_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "issuer", "client_id")
    actions = ("resume",)
    fieldsets = (
        (None, {"fields": ("name", "issuer", "client_id", "profile", "signing_key", "accept_new_deployments")}),
        (_("The platform's addresses"), {"fields": ("auth_login_url", "token_url", "token_audience", "jwks_url")}),
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

    @admin.action(description=_("Resume delivery"), permissions=["decide"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Registration]) -> None:
        """Send for them again."""
        resumed = [registration for registration in chosen if registrations.resume(registration)]
        for registration in resumed:
            self.log_change(request, registration, "Resumed delivery.")
        count = len(resumed)
        told = ngettext("%(count)d registration resumed.", "%(count)d registrations resumed.", count) % {"count": count}
        self.message_user(request, told, messages.SUCCESS if count else messages.WARNING)


@admin.register(Service)
class ServiceAdmin(ReadOnlyAdmin):
    """The health of each campus."""

    list_display = ("origin", "registration", "consecutive_failures", "closed_until", "last_success_at", "last_failure_code")
    list_filter = (("closed_until", admin.EmptyFieldListFilter), ("failing_since", admin.EmptyFieldListFilter))
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
    list_display = ("deployment_id", "registration", "created_at")
    list_select_related = ("registration",)
    search_fields = ("deployment_id",)
    readonly_fields = ("uid", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """What it is known by stays once it is there."""
        return self.readonly_fields if obj is None else (*self.readonly_fields, "registration", "deployment_id")
