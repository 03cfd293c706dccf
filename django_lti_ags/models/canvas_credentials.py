"""What Canvas' REST API is asked with: the tool's LTI token is good for AGS only, so a registration may have a user's beside it."""

from __future__ import annotations

import json

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from django_lti_ags import encryption
from django_lti_ags.models.identity import Identified, OutboxManager
from django_lti_ags.models.registrations import Registration


class CanvasCredentialKind(models.TextChoices):
    """Whose token it is, and how long it lives."""

    USER_TOKEN = "user_token", _("a user's access token")
    DEVELOPER_KEY = "developer_key", _("a developer key, authorised by a user")


class CanvasCredential(Identified):
    """How a registration's Canvas is asked beyond AGS. The secret is stored encrypted, and never shown."""

    registration = models.OneToOneField(
        Registration, verbose_name=_("registration"), on_delete=models.CASCADE, related_name="canvas_credential"
    )
    base_url = models.TextField(_("Canvas' address"), help_text=_("Such as https://school.instructure.com. The secret goes nowhere else."))
    kind = models.CharField(_("kind"), max_length=20, choices=CanvasCredentialKind.choices)
    client_id = models.TextField(_("client id"), blank=True, help_text=_("The developer key's id; a user's token has none."))
    secret_encrypted = models.TextField(_("secret encrypted"), editable=False)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects: models.Manager[CanvasCredential] = OutboxManager["CanvasCredential"]()

    class Meta:
        verbose_name = _("Canvas credential")
        verbose_name_plural = _("Canvas credentials")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="user_token", client_id="") | (Q(kind="developer_key") & ~Q(client_id="")),
                name="lti_ags_canvas_credential_kind",
            ),
        )

    def __str__(self) -> str:
        return f"{self.registration}: {self.base_url}"

    @property
    def secret(self) -> dict[str, str]:
        """``access_token``, or ``client_secret`` and ``refresh_token``; decrypted. Never render or log it.

        Raises:
            EncryptionError: no configured encryption key fits.
        """
        held: dict[str, str] = json.loads(encryption.decrypt(self.secret_encrypted))
        return held


def sealed(secret: dict[str, str]) -> str:
    """``secret`` as :attr:`CanvasCredential.secret_encrypted` holds it."""
    return encryption.encrypt(json.dumps(secret))
