"""What happened: every exchange, and every change that others may want to hear of. Append-only."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.identity import Identified, OutboxManager
from django_lti_ags.models.line_items import LineItem
from django_lti_ags.models.registrations import Service
from django_lti_ags.models.scores import Score


class DeliveryAttempt(models.Model):
    """One exchange, or one claim that was abandoned: what was told, what was answered. Redacted, prunable."""

    class Kind(models.TextChoices):
        """What the exchange was for."""

        TOKEN = "token", _("Token")
        SCORE = "score", _("Score")
        RESULTS = "results", _("Results")
        LINE_ITEM = "line_item", _("Line item")

    score = models.ForeignKey(Score, on_delete=models.CASCADE, null=True, related_name="attempts")
    line_item = models.ForeignKey(LineItem, on_delete=models.CASCADE, null=True, related_name="attempts")
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="attempts")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    version = models.PositiveBigIntegerField(null=True)
    lease_token = models.UUIDField(null=True)
    wire_timestamp = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    duration_ms = models.FloatField(default=0.0)
    method = models.CharField(max_length=8, blank=True)
    url = models.TextField(blank=True)
    request_headers = models.JSONField(default=dict)
    request_body = models.TextField(blank=True)
    status = models.PositiveIntegerField(null=True)
    reason = models.TextField(blank=True)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)
    failure = models.CharField(max_length=32, blank=True, help_text=_("Why there was no usable answer."))
    abandoned = models.BooleanField(default=False, help_text=_("The worker died, or lost its lease: what it sent is not known."))
    disposition = models.CharField(max_length=12, blank=True)
    reach = models.CharField(max_length=12, blank=True)
    code = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)

    objects = OutboxManager["DeliveryAttempt"]()

    class Meta:
        verbose_name = _("delivery attempt")
        ordering = ("-pk",)

    def __str__(self) -> str:
        outcome = "abandoned" if self.abandoned else self.status or self.failure
        return f"{self.kind} {self.started_at:%Y-%m-%d %H:%M:%S} → {outcome}"


class Event(Identified):
    """A change of state, written in the transaction that made it: what signals tell at most once, this keeps."""

    name = models.CharField(max_length=40)
    score = models.ForeignKey(Score, on_delete=models.CASCADE, null=True, related_name="events")
    service = models.ForeignKey(Service, on_delete=models.CASCADE, null=True, related_name="events")
    version = models.PositiveBigIntegerField(null=True)
    code = models.CharField(max_length=64, blank=True)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_index=True)

    objects = OutboxManager["Event"]()

    class Meta:
        verbose_name = _("event")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.name} {self.created_at:%Y-%m-%d %H:%M:%S}"
