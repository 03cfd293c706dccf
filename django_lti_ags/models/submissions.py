"""What a learner handed in before the newest: kept with ``keep="every"``, each its own attempt at a platform that counts them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.identity import DIGEST_LENGTH, OutboxManager
from django_lti_ags.models.leased import SyncState
from django_lti_ags.models.scores import Score


class QueuedSubmission(models.Model):
    """A version of a score that a newer one overtook, and whose submission is kept.

    It has no lease: the score's is the only one. PENDING, it is sent before the score itself, the lowest ``sequence`` first;
    FAILED, it was refused and a person decides; in any other state nothing more becomes of it.
    """

    score = models.ForeignKey(Score, verbose_name=_("score"), on_delete=models.CASCADE, related_name="queued_submissions", db_index=False)
    sequence = models.PositiveBigIntegerField(_("sequence"), help_text=_("The score's version that it is."))
    submission_at = models.DateTimeField(_("submission at"), help_text=_("When it was handed in: what it is known by."))
    recorded_at = models.DateTimeField(_("recorded at"))
    fingerprint = models.CharField(_("fingerprint"), max_length=DIGEST_LENGTH, editable=False)
    payload = models.JSONField(_("payload"), default=dict, blank=True, help_text=_("What goes on the wire; empty once it is not needed."))
    state = models.CharField(_("state"), max_length=10, choices=SyncState.choices, default=SyncState.PENDING)
    code = models.CharField(_("code"), max_length=64, blank=True)
    detail = models.TextField(_("detail"), blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True, help_text=_("When it was delivered, refused or let go."))

    objects = OutboxManager["QueuedSubmission"]()

    class Meta:
        verbose_name = _("queued submission")
        verbose_name_plural = _("queued submissions")
        default_permissions = ()  # a score's
        ordering = ("sequence",)
        constraints = (models.UniqueConstraint(fields=("score", "sequence"), name="lti_ags_queuedsubmission_unique"),)

    def __str__(self) -> str:
        return f"{self.submission_at:%Y-%m-%d %H:%M:%S} → {self.state}"
