"""Search whose cost does not grow with the table: learners byte for byte, line items by a part of their label, rows by uid."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin.learners import may_see
from django_lti_ags.models import LineItem
from django_lti_ags.models.identity import digest
from django_lti_ags.scoping import scoped

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    _ModelAdmin = admin.ModelAdmin[Any]
else:  # Django's classes take no parameters at run time
    _ModelAdmin = admin.ModelAdmin

_LABEL_FROM: Final = 3
"""A label is searched for by at least so many characters; fewer are in all of them."""
_LINE_ITEMS: Final = 500
"""So many line items one search leads to."""


class LearnerSearch(_ModelAdmin):
    """Finds rows by the learner's id, else by a uid, else by the line item's label.

    The unique index of scores and results begins with the line item: naming all line items lets the
    database look up each (line item, learner) in it, instead of reading every row. Who may not see
    learners does not search for them either: a hit would tell.
    """

    search_fields = ("uid",)  # shows the box; the search itself is below
    search_help_text = _("A learner's id (the launch's sub) exactly as it is, a uid, or a part of a line item's label.")
    learner_prefix: ClassVar[str] = ""
    """The look-up that leads from the row to the one that bears the learner."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """The learner's rows; without any, those of the uid (platforms, too, call their users by UUIDs) or of the label."""
        term = search_term.replace("\x00", "")
        if not term.strip():
            return queryset, False
        if may_see(request):
            learner = {"line_item__in": LineItem.objects.values("pk"), "user_digest": digest(search_term)}
            rows = queryset.filter(**{self.learner_prefix + name: value for name, value in learner.items()})
            if rows.exists():
                return rows, False
        uid = _uuid(term)
        if uid is not None:
            return self._by_uid(queryset, uid), False
        return queryset.filter(**{f"{self.learner_prefix}line_item__in": self._labelled(request, term.strip())}), False

    def _by_uid(self, queryset: QuerySet[Any], uid: uuid.UUID) -> QuerySet[Any]:
        rows = queryset.filter(**{f"{self.learner_prefix}uid": uid})
        return rows if rows.exists() else queryset.filter(**{f"{self.learner_prefix}line_item__uid": uid})

    def _labelled(self, request: HttpRequest, term: str) -> list[int]:
        if len(term) < _LABEL_FROM:
            return []
        found = scoped(LineItem.objects.filter(label__icontains=term), request, "service__registration")
        return list(found.order_by("-pk").values_list("pk", flat=True)[:_LINE_ITEMS])


def _uuid(term: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(term.strip())
    except ValueError:
        return None
