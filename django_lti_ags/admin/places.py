"""Courses and columns: launches make them, nobody edits them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin.column_pages import ColumnAdmin
from django_lti_ags.admin.outcome_pages import OutcomesAdmin
from django_lti_ags.admin.readonly import ADVICE_LABEL, ReadOnlyInline, advice_for, pretty
from django_lti_ags.models import Context, LineItem


class LineItemInline(ReadOnlyInline):
    """A course's newest columns."""

    model = LineItem
    fields = ("url", "score_maximum", "state", "block_code")
    ordering = ("-pk",)
    verbose_name_plural = _("newest line items")


@admin.register(Context)
class ContextAdmin(OutcomesAdmin):
    """Courses."""

    scores_below = "line_item__context"
    live_below = "context"
    registration_paths = ("deployment__registration",)
    list_display = ("__str__", "context_id", "deployment", "block_code", "seen_at")
    list_filter = (("block_code", admin.EmptyFieldListFilter),)
    lookups: ClassVar = {"block_code__isempty"}
    list_select_related = ("deployment",)
    search_fields = ("title", "label", "context_id")
    fields = (
        "uid",
        "title",
        "label",
        "context_id",
        "stand_in",
        "deployment",
        "line_items_url",
        "canvas_course_id",
        "granted",
        "block_code",
        "blocked_at",
        "advice",
        "seen_at",
    )
    readonly_fields = ("granted", "advice")
    inlines = (LineItemInline,)

    @admin.display(description=ADVICE_LABEL)
    def advice(self, context: Context) -> str:
        """What a person can do about the block."""
        return advice_for(context.block_code)

    @admin.display(description=_("scopes"))
    def granted(self, context: Context) -> str:
        """What the newest launch granted."""
        return pretty(context.scopes)


@admin.register(LineItem)
class LineItemAdmin(ColumnAdmin):
    """Columns."""

    scores_below = "line_item"
    registration_paths = ("service__registration",)
    list_display = ("__str__", "context", "score_maximum", "state", "block_code")
    list_filter = ("state", ("block_code", admin.EmptyFieldListFilter))
    lookups: ClassVar = {"state__exact", "state__isnull", "block_code__isempty"}
    list_select_related = ("context",)
    search_fields = ("label", "url", "resource_id", "resource_link_id")
    fieldsets = (
        (None, {"fields": ("uid", "label", "context", "service", "url", "score_maximum")}),
        (_("At the platform"), {"fields": ("resource_link_id", "resource_id", "tag", "start_at", "end_at", "granted", "more")}),
        (_("Delivery"), {"fields": ("state", "code", "detail", "due_at", "tries", "block_code", "blocked_at", "advice", "created_at")}),
    )

    @admin.display(description=ADVICE_LABEL)
    def advice(self, line_item: LineItem) -> str:
        """What a person can do about its own trouble, or about the block of its course."""
        return advice_for(line_item.standing_block or line_item.code)

    @admin.display(description=_("scopes"))
    def granted(self, line_item: LineItem) -> str:
        """What the newest launch granted."""
        return pretty(line_item.scopes)

    @admin.display(description=_("extensions"))
    def more(self, line_item: LineItem) -> str:
        """What the platform says beyond the standard."""
        return pretty(line_item.extensions)
