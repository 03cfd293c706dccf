"""Who may ask this app over HTTP: keys of tools that run beside it, each for some registrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.contexts import Context
from django_lti_ags.models.identity import Identified, OutboxManager, digest_field
from django_lti_ags.models.registrations import Registration

if TYPE_CHECKING:
    from django.db.models import QuerySet

PREFIX_LENGTH: Final = 8


class ApiKey(Identified):
    """A tool's key. Its text is shown once, when it is made; only its hash is kept.

    The hash is a plain SHA-256: what makes a password need a slow, salted one is that it can be guessed, and nobody
    guesses 256 random bits. Being plain it can be looked up by an index, and costs a request nothing.
    """

    name = models.CharField(_("name"), max_length=200, help_text=_("Which tool has it, for people."))
    prefix = models.CharField(
        _("prefix"),
        max_length=PREFIX_LENGTH,
        editable=False,
        help_text=_("Stands in the key's text: by it people know which key it is."),
    )
    key_hash = digest_field(unique=True)
    registrations = models.ManyToManyField(
        Registration, verbose_name=_("registrations"), related_name="api_keys", help_text=_("It sees nothing of any other.")
    )
    contexts = models.ManyToManyField(
        Context,
        verbose_name=_("courses"),
        related_name="api_keys",
        blank=True,
        help_text=_("It sees only these; with none chosen, all courses of its registrations."),
    )
    narrowed = models.BooleanField(
        _("narrowed"),
        default=False,
        editable=False,
        help_text=_("Made for certain courses: once these are deleted it sees none, and not all of them."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False, help_text=_("To the minute."))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False, help_text=_("From here on it opens nothing."))

    objects = OutboxManager["ApiKey"]()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_revoked(self) -> bool:
        """Whether it opens nothing any more."""
        return self.revoked_at is not None

    def seen_contexts(self) -> QuerySet[Context]:
        """The courses that it sees; one that was narrowed to courses which are gone sees none."""
        seen = Context.objects.filter(deployment__registration__in=self.registrations.order_by().values("pk"))
        return seen.filter(pk__in=self.contexts.order_by().values("pk")) if self.narrowed else seen
