"""What the platforms show, as last read."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.identity import Identified, OutboxManager, digest, digest_field
from django_lti_ags.models.line_items import LineItem


class Result(Identified):
    """A learner's grade in a column, as the platform showed it at ``read_at`` (AGS 2.0, 3.3)."""

    line_item = models.ForeignKey(LineItem, on_delete=models.CASCADE, related_name="results", db_index=False)
    user_id = models.TextField()
    user_digest = digest_field()
    url = models.TextField(blank=True)
    result_score = models.FloatField(null=True, blank=True, help_text=_("Empty: the platform shows no grade."))
    result_maximum = models.FloatField(default=1.0)
    comment = models.TextField(blank=True)
    scoring_user_id = models.TextField(blank=True)
    extensions = models.JSONField(default=dict, blank=True)
    read_at = models.DateTimeField()

    objects = OutboxManager["Result"]()

    class Meta:
        verbose_name = _("result")
        constraints = (models.UniqueConstraint(fields=("line_item", "user_digest"), name="lti_ags_result_unique"),)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.line_item}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``user_id``."""
        self.user_digest = digest(self.user_id)
        super().save(*args, **kwargs)
