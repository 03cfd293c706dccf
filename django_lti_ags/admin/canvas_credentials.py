"""What Canvas' REST API is asked with: secrets go in, and never come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from django_lti_ags import conf
from django_lti_ags.admin.readonly import KeptAdmin
from django_lti_ags.canvas.tokens import UserToken
from django_lti_ags.canvas_credentials import check_address
from django_lti_ags.exceptions import InvalidCanvasArgument
from django_lti_ags.models import CanvasCredential, CanvasCredentialKind
from django_lti_ags.models.canvas_credentials import sealed
from django_lti_ags.sync import live_revival

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

    _Form = forms.ModelForm[CanvasCredential]
else:  # Django's classes take no parameters at run time
    _Form = forms.ModelForm

_SECRETS: Final = {
    CanvasCredentialKind.USER_TOKEN: ("access_token",),
    CanvasCredentialKind.DEVELOPER_KEY: ("client_secret", "refresh_token"),
}


def _secret_field(label: Any, help_text: Any = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vLargeTextField"})
    return forms.CharField(label=label, help_text=help_text, required=False, widget=widget)


class CanvasCredentialForm(_Form):
    """A secret is written, never read; and it does not follow a changed address: who may change that must know it."""

    access_token = _secret_field(_("Access token"), _("Of a user. In Canvas: Account, Settings, New Access Token."))
    client_secret = _secret_field(_("Client secret"), _("The developer key's."))
    refresh_token = _secret_field(_("Refresh token"), _("What a user's authorisation of the developer key brought."))

    class Meta:
        model = CanvasCredential
        fields = ("registration", "base_url", "kind", "client_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"base_url", "client_id"} & set(self.fields):
            self.fields[name].widget = AdminTextInputWidget(attrs={"class": "vLargeTextField"})

    def clean_base_url(self) -> str:
        """Canvas' address alone."""
        try:
            return check_address(self.cleaned_data["base_url"])
        except InvalidCanvasArgument as problem:
            raise ValidationError(_("This address cannot be used: %(problem)s."), params={"problem": problem.rule}) from None

    def clean(self) -> dict[str, Any] | None:
        """Everything that the kind needs, and nothing of the other."""
        cleaned = super().clean()
        kind = self.cleaned_data.get("kind")
        if kind is None:
            return cleaned
        if kind == CanvasCredentialKind.USER_TOKEN:
            self.cleaned_data["client_id"] = ""
        elif not self.cleaned_data.get("client_id"):
            self.add_error("client_id", _("A developer key has an id."))
        needed = _SECRETS[kind]
        if self._keeps() and not any(self.cleaned_data.get(name) for name in needed):
            return cleaned
        for name in needed:
            self._check_secret(name)
        return cleaned

    def secret(self) -> dict[str, str]:
        """What was entered; empty: what is stored stays."""
        needed = _SECRETS[self.cleaned_data["kind"]]
        return {name: self.cleaned_data[name] for name in needed if self.cleaned_data.get(name)}

    def _keeps(self) -> bool:
        """Whether the stored secret still is for what is entered."""
        stored = CanvasCredential.objects.filter(pk=self.instance.pk).first()
        return stored is not None and all(
            self.cleaned_data.get(name) == getattr(stored, name) for name in ("base_url", "kind", "client_id")
        )

    def _check_secret(self, name: str) -> None:
        given = self.cleaned_data.get(name)
        if not given:
            self.add_error(name, _("Enter it: a stored secret is not shown, and is not sent to a changed address or as another key's."))
            return
        try:
            UserToken(given)  # the same rule holds for all three
        except InvalidCanvasArgument:
            self.add_error(name, _("It must be text without blanks, as Canvas shows it."))


@admin.register(CanvasCredential)
class CanvasCredentialAdmin(KeptAdmin):
    """One per registration."""

    form = CanvasCredentialForm
    registration_paths = ("registration",)
    list_display = ("registration", "base_url", "kind", "client_id", "changed_at")
    list_filter = ("kind",)
    lookups: ClassVar = {"kind__exact", "kind__isnull"}
    list_select_related = ("registration",)
    search_fields = ("base_url", "registration__name")
    fieldsets = (
        (None, {"fields": ("registration", "base_url", "kind", "changed_at")}),
        (_("A user's access token"), {"fields": ("access_token",)}),
        (_("A developer key, authorised by a user"), {"fields": ("client_id", "client_secret", "refresh_token")}),
    )
    readonly_fields = ("changed_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Whose it is stays."""
        return self.readonly_fields if obj is None else (*self.readonly_fields, "registration")

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Who only looks has no secrets to enter."""
        if obj is None or self.has_change_permission(request, obj):
            return self.fieldsets
        return ((None, {"fields": ("registration", "base_url", "kind", "client_id", "changed_at")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who has the permission: no score hangs on it."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """With what was entered, sealed; what rested for want of it goes on."""
        entered = form.secret()
        if entered:
            obj.secret_encrypted = sealed(entered)
        super().save_model(request, obj, form, change)
        if entered:
            live_revival.revive_with_credential(obj.registration, conf.get("database"))
