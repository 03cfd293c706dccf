"""Gradebook columns."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.contexts import Blockable, Context
from django_lti_ags.models.identity import Identified, OutboxManager, digest, digest_field
from django_lti_ags.models.leased import Leased
from django_lti_ags.models.registrations import Service

WANTED: Final = "line_item_wanted"
"""The code of scores whose column is not at the platform yet."""


class LineItem(Identified, Blockable, Leased):
    """A column: where scores go. It may exist here before the platform's column does (*wanted*: ``url`` is blank).

    As a leased row its state says whether the column is there: DELIVERED, it is; open, it is to be made.
    """

    attempt_kind = attempt_field = "line_item"
    referred_to = True

    context = models.ForeignKey(Context, verbose_name=_("context"), on_delete=models.CASCADE, related_name="line_items")
    # No constraint in the database, as with a score's.
    service = models.ForeignKey(
        Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="line_items", db_constraint=False
    )
    url = models.TextField(_("url"), blank=True)
    url_digest = digest_field(null=True)
    declared_digest = digest_field(null=True, help_text=_("Tells declared columns apart: resource link, resource id and tag."))
    label = models.TextField(_("label"), blank=True)
    score_maximum = models.FloatField(_("score maximum"), null=True, blank=True)
    resource_link_id = models.TextField(_("resource link id"), blank=True)
    resource_id = models.TextField(_("resource id"), blank=True)
    tag = models.TextField(_("tag"), blank=True)
    start_at = models.DateTimeField(_("start at"), null=True, blank=True)
    end_at = models.DateTimeField(_("end at"), null=True, blank=True)
    scopes = models.JSONField(_("scopes"), default=list, blank=True, help_text=_("The AGS scopes that the newest launch granted."))
    opened_at = models.DateTimeField(
        _("opened at"),
        null=True,
        blank=True,
        help_text=_("When its first score was accepted, at platforms where that one must travel alone."),
    )
    extensions = models.JSONField(_("extensions"), default=dict, blank=True)
    made_by_tool = models.BooleanField(
        _("made by the tool"), default=False, help_text=_("Made over the REST API: the tool may delete it there, too.")
    )
    compared_at = models.DateTimeField(
        _("compared at"), null=True, blank=True, help_text=_("When its scores were last compared with the platform's results.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = OutboxManager["LineItem"]()

    class Meta(Leased.Meta):
        abstract = False
        verbose_name = _("line item")
        verbose_name_plural = _("line items")
        permissions = (("reconcile_lineitem", _("Can compare line items with the platform")),)
        constraints = (
            *Leased.Meta.constraints,
            models.UniqueConstraint(fields=("context", "url_digest"), name="lti_ags_lineitem_url_unique"),
            models.UniqueConstraint(fields=("context", "declared_digest"), name="lti_ags_lineitem_declared_unique"),
            models.CheckConstraint(
                condition=Q(score_maximum__isnull=True) | Q(score_maximum__gt=0), name="lti_ags_lineitem_maximum_above_zero"
            ),
        )
        indexes = (models.Index(fields=("service", "due_at"), name="lti_ags_lineitem_due"),)

    def __str__(self) -> str:
        return self.label or self.url or self.resource_id or f"line item {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``url``."""
        self.url_digest = digest(self.url) if self.url else None
        super().save(*args, **kwargs)

    @property
    def standing_block(self) -> str:
        """The code that keeps its scores from being sent: its own, its context's, or that it is not there yet; blank: none."""
        return self.block_code or self.context.block_code or ("" if self.url else WANTED)
