"""Filters and search whose cost does not grow with the table.

Django's own filter on a text column asks for its distinct values, and its ``iexact`` search compares
every row in upper case: both read the whole table, on every page.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from django_lti_ags import signals
from django_lti_ags.models import LineItem
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.verdict import ADVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest

    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

EVENT_NAMES = sorted([*(name for name, value in vars(signals).items() if isinstance(value, Signal)), "score_cancelled"])


def _plain(value: str | None) -> str:
    """Without NUL, which PostgreSQL refuses to look for."""
    return (value or "").replace("\x00", "")


class CodeFilter(admin.SimpleListFilter):
    """By a verdict's code."""

    title = _("code")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Every code there is, not every code that occurs."""
        return [(code, code) for code in sorted(ADVICE)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those with the code."""
        return queryset.filter(code=_plain(self.value())) if self.value() else queryset


class EventNameFilter(admin.SimpleListFilter):
    """By what happened."""

    title = _("name")
    parameter_name = "name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Every kind of event."""
        return [(name, name) for name in EVENT_NAMES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the kind."""
        return queryset.filter(name=_plain(self.value())) if self.value() else queryset


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


class LearnerSearch(_ModelAdmin):
    """Finds rows by the learner's id, byte for byte, or by a public id.

    The unique index of scores and results begins with the line item: naming all line items lets the
    database look up each (line item, learner) in it, instead of reading every row.
    """

    search_fields = ("user_id", "uid")  # shows the box; the search itself is below
    search_help_text = _("A learner's id (the launch's sub), exactly as it is, or a uid.")
    learner_prefix: ClassVar[str] = ""
    """The look-up that leads from the row to the one that bears the learner."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """The learner's rows; without any, the row with that uid (platforms, too, call their users by UUIDs)."""
        if not search_term:
            return queryset, False
        learner = {"line_item__in": LineItem.objects.values("pk"), "user_digest": digest(search_term)}
        rows = queryset.filter(**{self.learner_prefix + name: value for name, value in learner.items()})
        uid = _uuid(search_term)
        if uid is None or rows.exists():
            return rows, False
        return queryset.filter(**{f"{self.learner_prefix}uid": uid}), False


def _uuid(term: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(term.strip())
    except ValueError:
        return None
