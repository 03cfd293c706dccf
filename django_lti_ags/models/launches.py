"""What a tool in another language is given of a launch: for a day, and what outlasts it for a course."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags import encryption
from django_lti_ags.models.contexts import Context
from django_lti_ags.models.identity import Identified, OutboxManager, digest, digest_field


class ApiLaunch(Identified):
    """A verified launch that was handed over to the tool. Whoever shows its *ltik* speaks for it, until it expires.

    Of the ltik only a hash is kept, a plain one: nobody guesses 256 random bits.
    """

    ltik_hash = digest_field(unique=True)
    context = models.ForeignKey(Context, verbose_name=_("context"), on_delete=models.CASCADE, related_name="api_launches")
    user_id = models.TextField(_("user id"))
    user_digest = digest_field()
    told = models.JSONField(
        _("told"),
        default=dict,
        help_text=_("What the launch said of the person, the activity and the platform; names too, if it had them."),
    )
    # Not beside ``told``: nobody here knows what is in it, and a tool's own custom fields may hold secrets.
    claims_encrypted = models.TextField(
        _("claims encrypted"), blank=True, editable=False, help_text=_("All that the platform said, as JSON; blank: it is not kept.")
    )
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))

    objects = OutboxManager["ApiLaunch"]()

    class Meta:
        verbose_name = _("launch handed over")
        verbose_name_plural = _("launches handed over")
        default_permissions = ()  # they have no page
        indexes = (models.Index(fields=("user_digest",), name="lti_ags_apilaunch_user"),)

    def __str__(self) -> str:
        return f"{self.context} · {str(self.uid)[:8]}"  # without the learner's id, as a score's

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``user_id``."""
        self.user_digest = digest(self.user_id)
        super().save(*args, **kwargs)

    @property
    def claims(self) -> dict[str, Any] | None:
        """The platform's claims, decrypted; None: they are not kept.

        Raises:
            EncryptionError: no configured encryption key fits.
        """
        return dict(json.loads(encryption.decrypt(self.claims_encrypted))) if self.claims_encrypted else None


class ServiceKey(Identified):
    """What a tool shows outside launches to speak for a course: made once, and good for as long as the course is there.

    Every launch tells it again, so that it must be readable here: it is stored encrypted, and found by its hash. A token computed
    from the encryption keys would need no row, but dropping an old encryption key would end it, and nobody could replace one of them.
    """

    context = models.OneToOneField(Context, verbose_name=_("context"), on_delete=models.CASCADE, related_name="service_key")
    key_hash = digest_field(unique=True)
    key_encrypted = models.TextField(_("key encrypted"), editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = OutboxManager["ServiceKey"]()

    class Meta:
        verbose_name = _("service key")
        verbose_name_plural = _("service keys")
        default_permissions = ()  # likewise

    def __str__(self) -> str:
        return str(self.context)

    @property
    def text(self) -> str:
        """The key, decrypted. Only the tool that a launch was handed over to is told.

        Raises:
            EncryptionError: no configured encryption key fits.
        """
        return encryption.decrypt(self.key_encrypted)
