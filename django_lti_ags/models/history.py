"""What happened: every exchange, and every change that others may want to hear of. Append-only."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.files import SubmittedFile
from django_lti_ags.models.identity import Identified, OutboxManager
from django_lti_ags.models.line_items import LineItem
from django_lti_ags.models.live import LiveAssessment
from django_lti_ags.models.registrations import Registration, Service
from django_lti_ags.models.scores import Score
from django_lti_ags.models.webhooks import WebhookDelivery


class DeliveryAttempt(models.Model):
    """One exchange, or one claim that was abandoned: what was told, what was answered. Redacted, prunable."""

    class Kind(models.TextChoices):
        """What the exchange was for."""

        TOKEN = "token", _("Token")
        SCORE = "score", _("Score")
        RESULTS = "results", _("Results")
        LINE_ITEM = "line_item", _("Line item")
        PROGRESS = "progress", _("File progress")
        LIVE_ASSESSMENTS = "live_assessments", _("Live assessments")
        LIVE_RESULTS = "live_results", _("Live results")
        WEBHOOK = "webhook", _("Webhook")

    score = models.ForeignKey(Score, verbose_name=_("score"), on_delete=models.CASCADE, null=True, related_name="attempts")
    line_item = models.ForeignKey(LineItem, verbose_name=_("line item"), on_delete=models.CASCADE, null=True, related_name="attempts")
    progress = models.ForeignKey(
        SubmittedFile, verbose_name=_("submitted file"), on_delete=models.CASCADE, null=True, related_name="attempts"
    )
    live_assessment = models.ForeignKey(
        LiveAssessment, verbose_name=_("live assessment"), on_delete=models.CASCADE, null=True, related_name="attempts"
    )
    webhook = models.ForeignKey(
        WebhookDelivery, verbose_name=_("webhook delivery"), on_delete=models.CASCADE, null=True, related_name="attempts"
    )
    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.CASCADE, related_name="attempts")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    version = models.PositiveBigIntegerField(_("version"), null=True)
    lease_token = models.UUIDField(_("lease token"), null=True)
    wire_timestamp = models.DateTimeField(_("wire timestamp"), null=True)
    started_at = models.DateTimeField(_("started at"))
    duration_ms = models.FloatField(_("duration ms"), default=0.0)
    method = models.CharField(_("method"), max_length=8, blank=True)
    url = models.TextField(_("url"), blank=True)
    request_headers = models.JSONField(_("request headers"), default=dict)
    request_body = models.TextField(_("request body"), blank=True)
    status = models.PositiveIntegerField(_("status"), null=True)
    reason = models.TextField(_("reason"), blank=True)
    response_headers = models.JSONField(_("response headers"), default=dict)
    response_body = models.TextField(_("response body"), blank=True)
    failure = models.CharField(_("failure"), max_length=32, blank=True, help_text=_("Why there was no usable answer."))
    abandoned = models.BooleanField(
        _("abandoned"), default=False, help_text=_("The worker died, or lost its lease: what it sent is not known.")
    )
    disposition = models.CharField(_("disposition"), max_length=12, blank=True)
    reach = models.CharField(_("reach"), max_length=12, blank=True)
    code = models.CharField(_("code"), max_length=64, blank=True)
    detail = models.TextField(_("detail"), blank=True)

    objects = OutboxManager["DeliveryAttempt"]()

    class Meta:
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        ordering = ("-pk",)

    def __str__(self) -> str:
        outcome = gettext("abandoned") if self.abandoned else self.status or self.failure
        return f"{self.kind} {self.started_at:%Y-%m-%d %H:%M:%S} → {outcome}"


class Event(Identified):
    """A change of state, written in the transaction that made it: what signals tell at most once, this keeps."""

    name = models.CharField(_("name"), max_length=40)
    score = models.ForeignKey(Score, verbose_name=_("score"), on_delete=models.CASCADE, null=True, related_name="events")
    live_assessment = models.ForeignKey(
        LiveAssessment, verbose_name=_("live assessment"), on_delete=models.CASCADE, null=True, related_name="events"
    )
    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.CASCADE, null=True, related_name="events")
    # Only of what concerns no single service; without an index, which every finish of a score would have to write.
    registration = models.ForeignKey(
        Registration,
        verbose_name=_("registration"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="events",
        db_index=False,
        db_constraint=False,
    )
    version = models.PositiveBigIntegerField(_("version"), null=True)
    code = models.CharField(_("code"), max_length=64, blank=True)
    payload = models.JSONField(_("payload"), default=dict)
    created_at = models.DateTimeField(_("created at"), db_index=True)

    objects = OutboxManager["Event"]()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.name} {self.created_at:%Y-%m-%d %H:%M:%S}"
