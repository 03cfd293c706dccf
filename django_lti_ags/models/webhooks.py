"""Webhooks: where tools that run beside this app want to hear what became of scores, and what is on its way to them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags import encryption
from django_lti_ags.models.api_keys import ApiKey
from django_lti_ags.models.destinations import Destination
from django_lti_ags.models.identity import Identified, OutboxManager
from django_lti_ags.models.leased import Leased
from django_lti_ags.models.registrations import Service
from django_lti_ags.models.scores import Score

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a mark, not a secret
"""How Standard Webhooks mark a secret; base64 follows."""


class WebhookKind(models.TextChoices):
    """What an endpoint can hear of."""

    DELIVERED = "score.delivered", _("a score was delivered")
    FAILED = "score.failed", _("a score failed")
    BLOCKED = "score.blocked", _("a score is blocked")


def every_kind() -> list[str]:
    """All there are."""
    return list(WebhookKind.values)


class WebhookEndpoint(Destination):
    """An address that hears of the scores which an API key sees. Its secret signs what is sent, and is stored encrypted."""

    api_key = models.ForeignKey(
        ApiKey,
        verbose_name=_("API key"),
        on_delete=models.CASCADE,
        related_name="webhook_endpoints",
        help_text=_("It hears of the scores that this key sees."),
    )
    url = models.TextField(_("url"), help_text=_("Where it is told, by POST. It is shown in lists: put no password into it."))
    kinds = models.JSONField(_("kinds"), default=every_kind, help_text=_("What it hears of."))
    secret_encrypted = models.TextField(_("secret encrypted"), editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    disabled_at = models.DateTimeField(_("disabled at"), null=True, blank=True, help_text=_("From here on it is told nothing."))
    disabled_reason = models.TextField(_("disabled reason"), blank=True)

    log_key = "webhook_endpoint"
    objects = OutboxManager["WebhookEndpoint"]()

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")

    def __str__(self) -> str:
        return self.url

    @property
    def called_in_logs(self) -> str:
        """Not by its address, which may hold a secret of its owner's."""
        return f"The webhook endpoint {self.uid}"

    @property
    def host(self) -> str:
        """Of its address; what follows may be a secret of its owner's."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_disabled(self) -> bool:
        """Whether it is told nothing until a person enables it."""
        return self.disabled_at is not None

    @property
    def secret(self) -> str:
        """What signs, as its owner has it: ``whsec_`` and base64. Never render or log it.

        Raises:
            EncryptionError: no configured encryption key fits.
        """
        return encryption.decrypt(self.secret_encrypted)


class WebhookDelivery(Identified, Leased):
    """One event on its way to one endpoint: what is told is written down with the event, and stays as it is over all tries."""

    attempt_kind = attempt_field = "webhook"
    sent_to = "endpoint"

    # No constraint in the database: InnoDB would lock the endpoint's row, and with it its health, for every finish of a score.
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        verbose_name=_("endpoint"),
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    score = models.ForeignKey(Score, verbose_name=_("score"), on_delete=models.CASCADE, related_name="webhooks")
    service = models.ForeignKey(
        Service, verbose_name=_("service"), on_delete=models.CASCADE, related_name="webhooks", db_index=False, db_constraint=False
    )
    message_id = models.CharField(
        _("message id"),
        max_length=64,
        editable=False,
        help_text=_("The webhook-id header: by it a receiver knows what it has had."),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=WebhookKind.choices)
    body = models.TextField(_("body"), editable=False, help_text=_("The JSON that is sent, byte for byte: it is what is signed."))
    created_at = models.DateTimeField(_("created at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    objects = OutboxManager["WebhookDelivery"]()

    class Meta(Leased.Meta):
        abstract = False
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = (
            models.Index(fields=("endpoint", "due_at"), name="lti_ags_webhook_due"),
            models.Index(fields=("endpoint", "state"), name="lti_ags_webhook_state"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"
