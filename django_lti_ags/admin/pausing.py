"""Stopping and resuming registrations: asked first, done by POST, through the public API, with an entry in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import messages
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags import registrations
from django_lti_ags.admin.readonly import advice_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest, HttpResponse

    from django_lti_ags.models import Registration

PAUSE: Final = "lti_ags.pause_registration"


class PauseForm(forms.Form):
    """Why nothing is to be sent."""

    reason = forms.CharField(max_length=500, label=_("Reason"), help_text=_("Kept with the pause: it is what the next person reads."))


def may_pause(request: HttpRequest) -> bool:
    """Whether whoever asks may stop and resume registrations."""
    return bool(request.user.has_perm(PAUSE))


def pause(admin: ModelAdmin[Any], request: HttpRequest, chosen: Iterable[Registration], reason: str) -> None:
    """Stop delivery for each of ``chosen``, and say so."""
    done = [one for one in chosen if registrations.pause(one, reason=f"{request.user}: {reason}")]
    for registration in done:
        admin.log_change(request, registration, gettext("Paused delivery."))
    count = len(done)
    told = ngettext("%(count)d registration paused.", "%(count)d registrations paused.", count) % {"count": count}
    if not count:
        told += " " + gettext("What is paused keeps the reason that it has.")
    admin.message_user(request, told, messages.SUCCESS if count else messages.WARNING)


def resume(admin: ModelAdmin[Any], request: HttpRequest, chosen: Iterable[Registration]) -> None:
    """Send for each of ``chosen`` again, and say so."""
    done = [one for one in chosen if registrations.resume(one)]
    for registration in done:
        admin.log_change(request, registration, gettext("Resumed delivery."))
    count = len(done)
    told = ngettext("%(count)d registration resumed.", "%(count)d registrations resumed.", count) % {"count": count}
    admin.message_user(request, told, messages.SUCCESS if count else messages.WARNING)


def ask(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    chosen: Iterable[Registration],
    *,
    form: PauseForm | None,
    back: str,
    hidden: Mapping[str, Iterable[str]] | None = None,
) -> HttpResponse:
    """The question before it is done; with a ``form`` it is about stopping, without one about resuming.

    Args:
        admin: whose page it is.
        request: who asks.
        chosen: what it is about.
        form: for the reason.
        back: where "Back" leads.
        hidden: what the answer carries on: name → values.
    """
    context = {
        **admin.admin_site.each_context(request),
        "title": gettext("Pause delivery") if form is not None else gettext("Resume delivery"),
        "opts": admin.opts,
        "media": admin.media,
        "form": form,
        "chosen": [(registration, advice_for(registration.paused_code)) for registration in chosen],
        "back": back,
        "hidden": [(name, value) for name, values in (hidden or {}).items() for value in values],
    }
    return TemplateResponse(request, "admin/lti_ags/pause_registrations.html", context)
