"""Where things are sent, and how well it is there: known to all that send, and shared by all that is sent."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.identity import Identified


class Destination(Identified):
    """A campus, or a webhook's endpoint: it has a circuit and a concurrency of its own."""

    consecutive_failures = models.PositiveIntegerField(_("consecutive failures"), default=0)
    failing_since = models.DateTimeField(
        _("failing since"), null=True, blank=True, help_text=_("The first failure since the last success.")
    )
    closed_until = models.DateTimeField(
        _("closed until"), null=True, blank=True, help_text=_("Nothing is sent before; then one probe goes out.")
    )
    concurrency = models.FloatField(
        _("concurrency"),
        null=True,
        blank=True,
        help_text=_("Requests at once per worker, after throttling; empty: as many as the profile allows."),
    )
    slowed_at = models.DateTimeField(
        _("slowed at"), null=True, blank=True, help_text=_("When the platform last made us send less at once.")
    )
    recovered_at = models.DateTimeField(
        _("recovered at"), null=True, blank=True, help_text=_("The end of the last outage: it does not count as age.")
    )
    clock_skew_seconds = models.FloatField(
        _("clock skew seconds"), default=0.0, help_text=_("The platform's clock minus ours, by its Date header.")
    )
    last_success_at = models.DateTimeField(_("last success at"), null=True, blank=True)
    last_failure_at = models.DateTimeField(_("last failure at"), null=True, blank=True)
    last_failure_code = models.CharField(_("last failure code"), max_length=64, blank=True)

    log_key: ClassVar[str]
    """What log lines call it."""

    class Meta:
        abstract = True

    @property
    def called_in_logs(self) -> str:
        """What a log's text calls it."""
        return str(self)

    @property
    def named_in_logs(self) -> dict[str, int]:
        """The keys that a log line about it carries: itself."""
        return {f"{self.log_key}_id": self.pk}
