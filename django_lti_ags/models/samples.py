"""How delivery went over time: what the charts are drawn from."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.identity import OutboxManager
from django_lti_ags.models.registrations import Service

SAMPLE_SECONDS: Final = 300
"""The length of the slot that a sample stands for."""


class SyncSample(models.Model):
    """One service in one slot of five minutes, written by whichever worker comes first.

    Prunable, but for the newest slot: the next one's ``totals`` go on from there.
    """

    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.CASCADE, related_name="samples", db_index=False)
    taken_at = models.DateTimeField(_("taken at"), db_index=True, help_text=_("The beginning of the slot."))
    waiting = models.PositiveIntegerField(_("waiting"), default=0, help_text=_("Scores that wait or are being sent."))
    due = models.PositiveIntegerField(_("due"), default=0, help_text=_("Waiting scores that could be sent now."))
    blocked = models.PositiveIntegerField(_("blocked"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    oldest_due_seconds = models.FloatField(_("oldest due seconds"), default=0.0, help_text=_("How long the oldest due score has been due."))
    delivered = models.PositiveIntegerField(_("delivered"), default=0, help_text=_("Scores delivered since the sample before."))
    p50_seconds = models.FloatField(_("p50 seconds"), null=True, help_text=_("From recorded to delivered: the median of those."))
    p95_seconds = models.FloatField(_("p95 seconds"), null=True)
    totals = models.JSONField(
        _("totals"),
        default=dict,
        help_text=_("Outcomes of scores until the slot began, ever since sampling began: a counter that pruning does not lower."),
    )

    objects = OutboxManager["SyncSample"]()

    class Meta:
        verbose_name = _("sync sample")
        verbose_name_plural = _("Grade sync")
        constraints = (models.UniqueConstraint(fields=("service", "taken_at"), name="lti_ags_syncsample_unique"),)

    def __str__(self) -> str:
        return f"{self.service} {self.taken_at:%Y-%m-%d %H:%M}"
