"""Courses, as the platforms' launches name them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.identity import Identified, OutboxManager, digest, digest_field
from django_lti_ags.models.registrations import Deployment


class Blockable(models.Model):
    """What a refusal can block: everything recorded below it waits until the block is lifted."""

    block_code = models.CharField(
        _("block code"), max_length=64, blank=True, help_text=_("The verdict that blocks what is below; blank: not blocked.")
    )
    blocked_at = models.DateTimeField(_("blocked at"), null=True, blank=True)

    class Meta:
        abstract = True


def context_digest(context_id: str, stand_in: str) -> str:
    """What a course is found by within its deployment."""
    return digest("", stand_in) if stand_in and not context_id else digest(context_id)


class Context(Identified, Blockable):
    """A course. Of a launch without a context claim (LTI 1.3, 5.4.1: it is optional) ``stand_in`` tells which: courses are tenants."""

    deployment = models.ForeignKey(Deployment, verbose_name=_("deployment"), on_delete=models.CASCADE, related_name="contexts")
    context_id = models.TextField(_("context id"), blank=True)
    stand_in = models.TextField(
        _("stand-in"),
        blank=True,
        help_text=_("Where launches name no context: the URL of the line items, or of the one line item, or else the resource link's id."),
    )
    context_digest = digest_field()
    title = models.TextField(_("title"), blank=True)
    label = models.TextField(_("label"), blank=True)
    line_items_url = models.TextField(
        _("line items url"), blank=True, help_text=_("The container of its line items, as the newest launch named it.")
    )
    canvas_course_id = models.TextField(
        _("Canvas course id"),
        blank=True,
        help_text=_("As the custom variable canvas_course_id named it; needed only where the URL does not."),
    )
    scopes = models.JSONField(_("scopes"), default=list, blank=True, help_text=_("The AGS scopes that the newest launch granted."))
    seen_at = models.DateTimeField(_("seen at"), null=True, blank=True, help_text=_("The newest launch."))

    objects = OutboxManager["Context"]()

    class Meta:
        verbose_name = _("context")
        verbose_name_plural = _("contexts")
        permissions = (("see_outcomes", _("Can see what learners reached in Canvas' outcomes")),)
        constraints = (models.UniqueConstraint(fields=("deployment", "context_digest"), name="lti_ags_context_unique"),)

    def __str__(self) -> str:
        return self.title or self.label or self.context_id or str(_("(no context)"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``context_id`` and ``stand_in``."""
        self.context_digest = context_digest(self.context_id, self.stand_in)
        super().save(*args, **kwargs)
