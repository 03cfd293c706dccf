"""The forms of what a person edits here: what would fail later, at a launch or a send, is said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_lti_ags import conf
from django_lti_ags.ags.urls import check_url
from django_lti_ags.models import Deployment, Registration, SigningKey
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.presets import PRESETS
from django_lti_ags.registrations import check_launches_to

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet

    _RegistrationForm = forms.ModelForm[Registration]
    _DeploymentForm = forms.ModelForm[Deployment]
    _SigningKeyForm = forms.ModelForm[SigningKey]
else:  # Django's classes take no parameters at run time
    _RegistrationForm = _DeploymentForm = _SigningKeyForm = forms.ModelForm

_URLS = ("auth_login_url", "token_url", "jwks_url")


class Scoped:
    """A form whose errors name only what is shown to whoever fills it in."""

    visible: ClassVar[QuerySet[Registration]]


class RegistrationForm(Scoped, _RegistrationForm):
    """Issuer and client_id are compared byte for byte, and told apart by their digest."""

    class Meta:
        model = Registration
        fields = (
            "name",
            "issuer",
            "client_id",
            "profile",
            "signing_key",
            "accept_new_deployments",
            *_URLS,
            "token_audience",
            "tool_url",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"issuer", "client_id", "token_audience", "tool_url", *_URLS} & set(self.fields):
            self.fields[name].widget = AdminTextInputWidget(attrs={"class": "vLargeTextField"})
        if "signing_key" in self.fields:
            keys = self.fields["signing_key"]
            keys.queryset = keys.queryset.filter(retired_at=None)  # type: ignore[attr-defined]
        if "profile" in self.fields:
            self.fields["profile"] = forms.ChoiceField(
                choices=_profiles(self.instance.profile),
                required=False,
                label=self.fields["profile"].label,
                help_text=self.fields["profile"].help_text,
            )

    def clean(self) -> dict[str, Any] | None:
        """URLs can be requested; nobody is registered twice."""
        cleaned = super().clean()
        for name, check in (*((name, check_url) for name in _URLS), ("tool_url", check_launches_to)):
            if self.cleaned_data.get(name):
                self._check_url(name, check)
        if self.instance._state.adding and {"issuer", "client_id"} <= set(self.cleaned_data):
            key = digest(self.cleaned_data["issuer"], self.cleaned_data["client_id"])
            known = Registration.objects.filter(key=key).first()
            if known is not None:
                named = _("It is registered already: %(known)s.") % {"known": known}
                self.add_error("client_id", named if self.visible.filter(pk=known.pk).exists() else _("It is registered already."))
        return cleaned

    def _check_url(self, name: str, check: Callable[[str], None]) -> None:
        try:
            check(self.cleaned_data[name])
        except ValueError as problem:
            self.add_error(name, ValidationError(_("This URL cannot be used: %(problem)s."), params={"problem": problem}))


class DeploymentForm(_DeploymentForm):
    """A deployment that a platform's administrator told of, where launches may not add them."""

    class Meta:
        model = Deployment
        fields = ("registration", "deployment_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "deployment_id" in self.fields:
            self.fields["deployment_id"].widget = AdminTextInputWidget(attrs={"class": "vLargeTextField"})

    def clean(self) -> dict[str, Any] | None:
        """Nothing is listed twice."""
        cleaned = super().clean()
        given = self.cleaned_data
        if {"registration", "deployment_id"} <= set(given):
            known = Deployment.objects.filter(registration=given["registration"], deployment_digest=digest(given["deployment_id"]))
            if known.exists():
                self.add_error("deployment_id", _("This deployment is listed already."))
        return cleaned


class SigningKeyForm(Scoped, _SigningKeyForm):
    """A key's name and retirement."""

    class Meta:
        model = SigningKey
        fields = ("name", "retired_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "retired_at" in self.fields:
            # Django names the pair, and neither of the two.
            for part, name in zip(
                self.fields["retired_at"].widget.widgets, (_("Date of retirement"), _("Time of retirement")), strict=True
            ):
                part.attrs["aria-label"] = name

    def clean_retired_at(self) -> datetime | None:
        """Not while somebody signs with it, and not ahead of time: a key with a date is out of the key set at once."""
        retired_at: datetime | None = self.cleaned_data["retired_at"]
        if retired_at is None:
            return None
        shown = self.visible.filter(signing_key=self.instance)[:5]
        if shown:
            named = ", ".join(str(registration) for registration in shown)
            raise ValidationError(_("It still signs for %(named)s: give them another key first."), params={"named": named})
        if Registration.objects.filter(signing_key=self.instance).exists():
            raise ValidationError(_("It still signs for registrations that are not shown to you: they need another key first."))
        if retired_at > timezone.now():
            raise ValidationError(_("This lies in the future; a key with a date is out of the key set at once."))
        return retired_at


def _profiles(current: str) -> list[tuple[str, str]]:
    known = {preset.profile for preset in PRESETS.values()} | set(conf.get("profiles")) | {current}
    return [("", str(_("strict AGS"))), *((key, key) for key in sorted(known) if key)]
