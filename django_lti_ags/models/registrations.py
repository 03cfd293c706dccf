"""Who the platforms are to us: keys, registrations, services, deployments."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags import encryption
from django_lti_ags.models.destinations import Destination
from django_lti_ags.models.identity import Identified, OutboxManager, digest, digest_field


class SigningKey(Identified):
    """An RSA key of the tool's: signs client assertions, and its public half stands in the tool's JWKS."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    kid = models.TextField(_("kid"), help_text=_("The key id that assertions name and the JWKS lists."))
    kid_digest = digest_field(unique=True)
    private_key_encrypted = models.TextField(_("private key encrypted"), editable=False)
    public_jwk = models.JSONField(_("public jwk"), editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    retired_at = models.DateTimeField(
        _("retired at"), null=True, blank=True, help_text=_("From here on the key is neither used nor published.")
    )

    objects = OutboxManager["SigningKey"]()

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name or self.kid

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``kid``."""
        self.kid_digest = digest(self.kid)
        super().save(*args, **kwargs)

    @property
    def private_key_pem(self) -> str:
        """The private key, decrypted. Never render or log it.

        Raises:
            EncryptionError: no configured encryption key fits.
        """
        return encryption.decrypt(self.private_key_encrypted)


class Registration(Identified):
    """A tool registered at a platform: (issuer, client_id), with the platform's URLs."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    issuer = models.TextField(_("issuer"))
    client_id = models.TextField(_("client id"))
    key = digest_field(unique=True)
    auth_login_url = models.TextField(_("auth login url"), help_text=_("The platform's OIDC authorisation endpoint."))
    token_url = models.TextField(_("token url"), help_text=_("The platform's OAuth 2 token endpoint."))
    token_audience = models.TextField(
        _("token audience"), blank=True, help_text=_("The assertion's aud, where it is not the token URL (Brightspace).")
    )
    jwks_url = models.TextField(_("jwks url"), help_text=_("The platform's public key set."))
    profile = models.CharField(
        _("profile"), max_length=40, blank=True, help_text=_("What kind of platform it is: canvas, moodle, d2l … Blank: strict AGS.")
    )
    signing_key = models.ForeignKey(SigningKey, verbose_name=_("signing key"), on_delete=models.PROTECT, related_name="registrations")
    tool_url = models.TextField(
        _("tool url"),
        blank=True,
        help_text=_("Where launches are handed over to a tool in another language, with ?ltik=…; blank: Django answers them."),
    )
    accept_new_deployments = models.BooleanField(
        _("accept new deployments"),
        default=True,
        help_text=_("A launch from a deployment that is not listed adds it; otherwise the launch is refused."),
    )
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    paused_code = models.CharField(_("paused code"), max_length=64, blank=True)
    paused_reason = models.TextField(_("paused reason"), blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = OutboxManager["Registration"]()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        permissions = (("pause_registration", _("Can pause and resume registrations")),)
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name or f"{self.issuer} ({self.client_id})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to (issuer, client_id)."""
        self.key = digest(self.issuer, self.client_id)
        super().save(*args, **kwargs)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is sent for it until a person resumes it."""
        return self.paused_at is not None


class Service(Destination):
    """One campus: a registration × the origin of its service URLs. Its health is shared by all that is sent there."""

    registration = models.ForeignKey(Registration, verbose_name=_("registration"), on_delete=models.CASCADE, related_name="services")
    origin = models.TextField(_("origin"))
    origin_digest = digest_field()

    log_key = "service"
    objects = OutboxManager["Service"]()

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        constraints = (models.UniqueConstraint(fields=("registration", "origin_digest"), name="lti_ags_service_unique"),)

    def __str__(self) -> str:
        return self.origin

    @property
    def named_in_logs(self) -> dict[str, int]:
        """Itself, and the registration."""
        return {**super().named_in_logs, "registration_id": self.registration_id}

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``origin``."""
        self.origin_digest = digest(self.origin)
        super().save(*args, **kwargs)


class Deployment(Identified):
    """A deployment of the tool at a platform (LTI 1.3, 3.1.3)."""

    registration = models.ForeignKey(Registration, verbose_name=_("registration"), on_delete=models.CASCADE, related_name="deployments")
    deployment_id = models.TextField(_("deployment id"))
    deployment_digest = digest_field()
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = OutboxManager["Deployment"]()

    class Meta:
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        constraints = (models.UniqueConstraint(fields=("registration", "deployment_digest"), name="lti_ags_deployment_unique"),)

    def __str__(self) -> str:
        return self.deployment_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``deployment_id``."""
        self.deployment_digest = digest(self.deployment_id)
        super().save(*args, **kwargs)
