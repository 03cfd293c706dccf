"""Filters and search whose cost does not grow with the table.

Django's own filter on a text column asks for its distinct values, and its ``iexact`` search compares
every row in upper case: both read the whole table, on every page.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_lti_ags import conf
from django_lti_ags.admin.happenings import EVENT_NAMES
from django_lti_ags.models import OPEN, RESTING, Context, LineItem, Registration, Service, SyncState
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.profiles.presets import PRESETS
from django_lti_ags.scoping import scoped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

REGISTRATIONS: Final = 100
"""So many platforms the filter offers."""
_DIGITS: Final = 18
"""More are no row's key."""


def is_key(given: str) -> bool:
    """Whether a row can have this key."""
    return given.isdecimal() and given.isascii() and len(given) <= _DIGITS


class CodeFilter(admin.SimpleListFilter):
    """By a verdict's code."""

    title = _("code")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Every code there is, not every code that occurs."""
        return [(code, code) for code in sorted(ADVICE)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those with the code."""
        return queryset.filter(code=self.value()) if self.value() else queryset


class ProfileFilter(admin.SimpleListFilter):
    """By the kind of platform; Django's own would give the blank one a link without a name."""

    title = _("profile")
    parameter_name = "kind"
    _STRICT: ClassVar = "strict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """Every profile there is."""
        known = {preset.profile for preset in PRESETS.values()} | set(conf.get("profiles"))
        return [(self._STRICT, _("strict AGS")), *((key, key) for key in sorted(known) if key)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the kind."""
        if not self.value():
            return queryset
        return queryset.filter(profile="" if self.value() == self._STRICT else self.value())


class ScoreCodeFilter(CodeFilter):
    """By a score's last verdict."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those with the code; naming every state and campus lets the database look it up in the index that begins with them."""
        rows = super().queryset(request, queryset)
        if not self.value():
            return rows
        return rows.filter(state__in=SyncState.values, service__in=list(Service.objects.values_list("pk", flat=True)))


class PendingStateFilter(admin.ChoicesFieldListFilter):
    """By those states in which a platform does not hold the score yet."""

    def choices(self, changelist: Any) -> Any:
        """All, and the open and resting ones."""
        offered = [None, *(str(state) for state in (*OPEN, *RESTING))]
        known = [None, *(str(value) for value, _ in self.field.flatchoices)]
        return [choice for value, choice in zip(known, super().choices(changelist), strict=True) if value in offered]


class RegistrationFilter(admin.RelatedFieldListFilter):
    """By platform: those that whoever asks may see."""

    def has_output(self) -> bool:
        """Also with a single platform, if a link filters by one: Django would leave that filter out."""
        return self.lookup_val is not None or super().has_output()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the platform's services, by their keys: the database knows how many rows each has, and need not join."""
        given = self.lookup_val
        if given is None:
            return queryset
        if not all(is_key(value) for value in given):
            return queryset.none()
        services = Service.objects.filter(registration__in=[int(value) for value in given]).values_list("pk", flat=True)
        return queryset.filter(service__in=list(services))

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """The first ones by name; the rest are filtered for from their own pages."""
        shown = scoped(Registration.objects.order_by("name", "pk"), request, "pk")
        return [(registration.pk, str(registration)) for registration in shown[:REGISTRATIONS]]


class AgeFilter(admin.SimpleListFilter):
    """By when the current version was recorded."""

    title = _("recorded")
    parameter_name = "age"
    _SPANS: ClassVar = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """Three spans, and what is older."""
        return [
            ("hour", _("in the last hour")),
            ("day", _("in the last 24 hours")),
            ("week", _("in the last 7 days")),
            ("older", _("longer ago")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the span."""
        if self.value() == "older":
            return queryset.filter(recorded_at__lt=timezone.now() - self._SPANS["week"])
        span = self._SPANS.get(self.value() or "")
        return queryset.filter(recorded_at__gte=timezone.now() - span) if span else queryset


class WaitingFilter(AgeFilter):
    """The same, as one says it of what has not arrived."""

    title = _("waiting since")


class ChosenFilter(admin.SimpleListFilter, ABC):
    """By a row that a link or a search led to. It offers no list, which may be of thousands: it says what is chosen, and lets go of it."""

    model: ClassVar[type[Model]]
    path: ClassVar[str]
    """The look-up that leads from ``model`` to its registration."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The chosen one, if it is shown to whoever asks."""
        row = self._row(request)
        return [(str(row.pk), str(row))] if row is not None else []

    def has_output(self) -> bool:
        """Whether something is chosen."""
        return self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen one; of what is not shown, none."""
        row = self._row(request)
        return queryset.none() if row is None else queryset.filter(line_item__in=self.line_items(row))

    @abstractmethod
    def line_items(self, row: Any) -> Sequence[int]:
        """The keys of the line items that are meant: the database looks them up in the index that begins with them."""

    def _row(self, request: HttpRequest) -> Model | None:
        given = self.value() or ""
        if not is_key(given):
            return None
        return scoped(self.model._default_manager.filter(pk=given), request, self.path).first()


class LineItemFilter(ChosenFilter):
    """By line item."""

    title = _("line item")
    parameter_name = "line_item__id__exact"
    model = LineItem
    path = "service__registration"

    def line_items(self, row: LineItem) -> Sequence[int]:
        """The one."""
        return [row.pk]


class ContextFilter(ChosenFilter):
    """By course."""

    title = _("course")
    parameter_name = "line_item__context__id__exact"
    model = Context
    path = "deployment__registration"

    def line_items(self, row: Context) -> Sequence[int]:
        """The course's."""
        pks: list[int] = list(row.line_items.values_list("pk", flat=True))
        return pks


class EventNameFilter(admin.SimpleListFilter):
    """By what happened."""

    title = _("name")
    parameter_name = "name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Every kind of event."""
        return [(name, name) for name in EVENT_NAMES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the kind."""
        return queryset.filter(name=self.value()) if self.value() else queryset


class AnswerFilter(admin.SimpleListFilter):
    """By the class of the HTTP status."""

    title = _("answer")
    parameter_name = "answer"
    _RANGES: ClassVar = {"2": (200, 299), "3": (300, 399), "4": (400, 499), "5": (500, 599)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The classes, and no answer at all."""
        return [
            ("2", _("accepted (2xx)")),
            ("3", _("redirected (3xx)")),
            ("4", _("refused (4xx)")),
            ("5", _("failed (5xx)")),
            ("none", _("no answer")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the class."""
        if self.value() == "none":
            return queryset.filter(status=None)
        bounds = self._RANGES.get(self.value() or "")
        return queryset.filter(status__range=bounds) if bounds else queryset
