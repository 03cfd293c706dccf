"""What the platforms show, as last read."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.identity import DIGEST_LENGTH, Identified, OutboxManager, digest, digest_field
from django_lti_ags.models.line_items import LineItem


class Agreement(models.TextChoices):
    """How a learner's score and the platform's Result stand to each other."""

    IN_SYNC = "in_sync", _("In sync")
    DIFFERS = "differs", _("Differs")
    """The platform shows an earlier score of ours."""
    MISSING = "missing", _("Missing")
    """The platform accepted the score, and shows none."""
    CHANGED_BY_TEACHER = "changed_by_teacher", _("Changed by a teacher")
    """The platform shows what the tool has never sent."""
    ONLY_AT_PLATFORM = "only_at_platform", _("Only at the platform")
    NOT_KEPT = "not_kept", _("Not kept by the platform")
    """The column's maximum is zero: scores are accepted, and none is kept."""
    WAITING = "waiting", _("Waiting")
    BLOCKED = "blocked", _("Blocked")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    NOT_COMPARED = "not_compared", _("Not compared since")
    """It was delivered, or read, after the last comparison."""


DIVERGING: Final = (Agreement.DIFFERS, Agreement.MISSING, Agreement.CHANGED_BY_TEACHER)
"""What is told of: the gradebook says something else than the tool."""


class Result(Identified):
    """A learner's grade in a column, as the platform showed it at ``read_at`` (AGS 2.0, 3.3)."""

    line_item = models.ForeignKey(LineItem, verbose_name=_("line item"), on_delete=models.CASCADE, related_name="results", db_index=False)
    user_id = models.TextField(_("user id"))
    user_digest = digest_field()
    url = models.TextField(_("url"), blank=True)
    result_score = models.FloatField(_("result score"), null=True, blank=True, help_text=_("Empty: the platform shows no grade."))
    result_maximum = models.FloatField(_("result maximum"), default=1.0)
    comment = models.TextField(_("comment"), blank=True)
    scoring_user_id = models.TextField(_("scoring user id"), blank=True)
    extensions = models.JSONField(_("extensions"), default=dict, blank=True)
    read_at = models.DateTimeField(_("read at"))
    agreement = models.CharField(
        _("agreement"),
        max_length=20,
        choices=Agreement.choices,
        blank=True,
        help_text=_("How it stood to the tool's score when they were compared."),
    )
    compared_at = models.DateTimeField(_("compared at"), null=True, blank=True)
    compared_version = models.PositiveBigIntegerField(
        _("compared version"), null=True, blank=True, help_text=_("The score's version that it was compared with.")
    )
    divergence = models.CharField(
        _("divergence"),
        max_length=DIGEST_LENGTH,
        blank=True,
        editable=False,
        help_text=_("Tells one divergence from the next, so that each is told once."),
    )
    diverged_at = models.DateTimeField(_("diverged at"), null=True, blank=True, help_text=_("When this divergence was first seen."))

    objects = OutboxManager["Result"]()

    class Meta:
        verbose_name = _("result")
        verbose_name_plural = _("results")
        constraints = (models.UniqueConstraint(fields=("line_item", "user_digest"), name="lti_ags_result_unique"),)

    def __str__(self) -> str:
        return f"{self.line_item} · {str(self.uid)[:8]}"  # without the learner's id, as a score's

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``user_id``."""
        self.user_digest = digest(self.user_id)
        super().save(*args, **kwargs)
