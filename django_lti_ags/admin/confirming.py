"""A decision about scores is asked for once more, with what it would concern, and only then carried out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_lti_ags import conf
from django_lti_ags.admin.calendar import EARLIEST
from django_lti_ags.admin.decisions import COUNTED, Order, carry_out, tally, told
from django_lti_ags.sync.outbox_sql import database_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from django_lti_ags.admin.decisions import Decision, Progress

_REASON_LENGTH = 500


class OrderForm(forms.Form):
    """The confirmation: why, and how far an order that is being carried out has come."""

    reason = forms.CharField(
        max_length=_REASON_LENGTH, label=_("Reason"), help_text=_("Kept with each of them: it is what the next person reads.")
    )
    asked_at = forms.CharField(widget=forms.HiddenInput)
    after = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**63 - 1)
    done = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, decision: Decision, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not decision.asks_why:
            del self.fields["reason"]

    def clean_asked_at(self) -> datetime:
        """Aware, and in the past."""
        alias: str = conf.get("database")
        try:
            asked_at = datetime.fromisoformat(self.cleaned_data["asked_at"])
        except ValueError:
            asked_at = None
        if asked_at is None or timezone.is_naive(asked_at) or not EARLIEST <= asked_at <= database_now(alias):
            raise ValidationError(_("This page is not as it was sent. Choose the scores again."))
        return asked_at

    def order(self, user: Any) -> Order:
        """The confirmed decision."""
        given = self.cleaned_data
        return Order(user, given.get("reason", "").strip(), given["asked_at"], given["after"], given["done"])


class Question:
    """What is to be decided about which scores, and which fields bring the answer back to the same place."""

    def __init__(self, admin: ModelAdmin[Any], rows: QuerySet[Any], decision: Decision, carried: Sequence[tuple[str, str]]) -> None:
        self.admin, self.rows, self.decision, self.carried = admin, rows, decision, carried

    def answer(self, request: HttpRequest, *, back: str) -> HttpResponse:
        """Ask; once that is confirmed, carry it out and go ``back``, or say how far it came."""
        confirmed = request.method == "POST" and "confirmed" in request.POST
        form = OrderForm(self.decision, request.POST if confirmed else None)
        if not form.is_valid():
            return self._ask(request, form, back)
        chosen = tally(self.rows, self.decision)
        order = form.order(request.user)
        progress = carry_out(self.rows, self.decision, order)
        if not progress.finished:
            return self._ask(request, form, back, progress)
        left = max(0, chosen.chosen - progress.done) if chosen.is_whole else 0
        level = messages.WARNING if left or not progress.done else messages.SUCCESS
        self.admin.message_user(request, told(self.decision, progress.done, left), level)
        return HttpResponseRedirect(back)

    def _ask(self, request: HttpRequest, form: OrderForm, back: str, progress: Progress | None = None) -> HttpResponse:
        alias: str = conf.get("database")
        hidden = {"asked_at": database_now(alias).isoformat(), "after": 0, "done": 0}
        if progress is not None:
            hidden = {"asked_at": form.data["asked_at"], "after": progress.after, "done": progress.done}
        context = {
            **self.admin.admin_site.each_context(request),
            "title": self.decision.title,
            "opts": self.admin.opts,
            "media": self.admin.media,
            "decision": self.decision,
            "form": form,
            "carried": [*self.carried, *hidden.items(), ("confirmed", "yes")],
            "progress": progress,
            "told": told(self.decision, progress.done, 0) if progress else "",
            "reason": form.cleaned_data.get("reason") if progress else None,
            "tally": tally(self.rows, self.decision),
            "counted": COUNTED,
            "back": back,
        }
        return TemplateResponse(request, self.decision.template, context)
