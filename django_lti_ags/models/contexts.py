"""Courses, as the platforms' launches name them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.identity import Identified, OutboxManager, digest, digest_field
from django_lti_ags.models.registrations import Deployment


class Blockable(models.Model):
    """What a refusal can block: everything recorded below it waits until the block is lifted."""

    block_code = models.CharField(max_length=64, blank=True, help_text=_("The verdict that blocks what is below; blank: not blocked."))
    blocked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Context(Identified, Blockable):
    """A course. A launch without a context claim (LTI 1.3, 5.4.1: it is optional) gets the one with a blank id."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="contexts")
    context_id = models.TextField(blank=True)
    context_digest = digest_field()
    title = models.TextField(blank=True)
    label = models.TextField(blank=True)
    line_items_url = models.TextField(blank=True, help_text=_("The container of its line items, as the newest launch named it."))
    scopes = models.JSONField(default=list, blank=True, help_text=_("The AGS scopes that the newest launch granted."))
    seen_at = models.DateTimeField(null=True, blank=True, help_text=_("The newest launch."))

    objects = OutboxManager["Context"]()

    class Meta:
        verbose_name = _("context")
        constraints = (models.UniqueConstraint(fields=("deployment", "context_digest"), name="lti_ags_context_unique"),)

    def __str__(self) -> str:
        return self.title or self.label or self.context_id or str(_("(no context)"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``context_id``."""
        self.context_digest = digest(self.context_id)
        super().save(*args, **kwargs)
