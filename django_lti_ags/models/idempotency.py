"""Requests of the REST API that carried an ``Idempotency-Key``: what was answered, so that a repeat is answered alike and does nothing."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.api_keys import ApiKey
from django_lti_ags.models.identity import Identified, OutboxManager, digest_field


class IdempotentRequest(Identified):
    """One such request. It is written in the transaction that records what was asked for: either both are there, or neither.

    Neither the key nor the body is kept, only digests of them: who was given which score is nobody's business here.
    """

    api_key = models.ForeignKey(ApiKey, verbose_name=_("API key"), on_delete=models.CASCADE, related_name="requests", db_index=False)
    key_digest = digest_field(help_text=_("Of the registration and the Idempotency-Key."))
    request_digest = digest_field(help_text=_("Of what was asked for, at which address."))
    # As text: a platform's words may hold what no database takes in a JSON column.
    answer = models.TextField(_("answer"), blank=True, help_text=_("JSON. Blank: a platform is asked, and no answer of it is known yet."))
    in_doubt = models.BooleanField(_("in doubt"), default=False, help_text=_("The platform was asked, and no clear answer came."))
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))

    objects = OutboxManager["IdempotentRequest"]()

    class Meta:
        verbose_name = _("request with an idempotency key")
        verbose_name_plural = _("requests with an idempotency key")
        default_permissions = ()  # they have no page
        constraints = (models.UniqueConstraint(fields=("api_key", "key_digest"), name="lti_ags_idempotentrequest_unique"),)

    def __str__(self) -> str:
        return str(self.uid)[:8]
