"""The lease that everything sent shares: one state machine, one fence, one schedule.

::

    record ─▶ PENDING ─claim─▶ SENDING ─▶ DELIVERED · SUPERSEDED        (settled)
                ▲                 ├─────▶ FAILED · BLOCKED               (resting)
                └── later, or ────┘       open and unleased ─cancel─▶ CANCELLED
                    a newer version waits          lease ran out ─▶ claimable again

``due_at`` means "claimable from": now, the next try, or the end of the lease. A dead worker
therefore needs no reaper: its rows fall due again.
"""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SyncState(models.TextChoices):
    """Where a row stands between the tool and the platform."""

    PENDING = "pending", _("Waiting")
    SENDING = "sending", _("Being sent")
    DELIVERED = "delivered", _("Delivered")
    SUPERSEDED = "superseded", _("Superseded")
    FAILED = "failed", _("Failed")
    BLOCKED = "blocked", _("Blocked")
    CANCELLED = "cancelled", _("Cancelled")


OPEN: Final = (SyncState.PENDING, SyncState.SENDING)
RESTING: Final = (SyncState.BLOCKED, SyncState.FAILED)
DECIDABLE: Final = (*RESTING, SyncState.PENDING)
"""What a person may send again, or take back: nobody is sending it, and the platform does not hold it."""
SETTLED: Final = (SyncState.DELIVERED, SyncState.SUPERSEDED, SyncState.CANCELLED)

_DUE_WHEN_OPEN = Q(due_at__isnull=False, state__in=OPEN) | Q(due_at__isnull=True, state__in=(*RESTING, *SETTLED))
_LEASED_WHEN_SENDING = Q(lease_token__isnull=False, state=SyncState.SENDING) | (Q(lease_token__isnull=True) & ~Q(state=SyncState.SENDING))


class Leased(models.Model):
    """A row that a worker sends: claimed with a lease, finished with its token."""

    attempt_kind: ClassVar[str]
    """The kind of its attempts."""
    attempt_field: ClassVar[str]
    """Their field that names it."""
    sent_to: ClassVar[str] = "service"
    """Its field that names where it is sent, and so whose health and whose share of the threads it goes by."""
    service_id: int
    """Every kind has the campus that it concerns, be it sent there or not."""
    referred_to: ClassVar[bool] = False
    """Whether other rows refer to it, and a finish changes what it is known by: then it waits for who inserts such rows."""

    state = models.CharField(_("state"), max_length=10, choices=SyncState.choices, default=SyncState.PENDING)
    due_at = models.DateTimeField(_("due at"), null=True, help_text=_("Claimable from: now, the next try, or the end of the lease."))
    lease_token = models.UUIDField(_("lease token"), null=True, editable=False)
    tries = models.PositiveIntegerField(_("tries"), default=0, help_text=_("Sends of the current version that counted."))
    version = models.PositiveBigIntegerField(_("version"), default=1, help_text=_("Rises with every change of what is to be sent."))
    wire_version = models.PositiveBigIntegerField(
        _("wire version"), null=True, help_text=_("The version that a claim last put on the wire.")
    )
    wire_timestamp = models.DateTimeField(
        _("wire timestamp"), null=True, help_text=_("The timestamp that this version carries on the wire.")
    )
    unsettled = models.BooleanField(
        _("unsettled"), default=False, help_text=_("The last send had no clear answer: the platform is asked before the next.")
    )
    aged_from = models.DateTimeField(
        _("aged from"),
        default=timezone.now,
        help_text=_("The current version's age counts from here; moved on by the time spent paused or blocked."),
    )
    code = models.CharField(_("code"), max_length=64, blank=True, help_text=_("The last verdict's stable code."))
    detail = models.TextField(_("detail"), blank=True, help_text=_("What the platform said, or why a person decided so."))

    class Meta:
        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.CheckConstraint(condition=_DUE_WHEN_OPEN, name="lti_ags_%(class)s_due_when_open"),
            models.CheckConstraint(condition=_LEASED_WHEN_SENDING, name="lti_ags_%(class)s_leased_when_sending"),
            models.CheckConstraint(condition=Q(version__gte=1), name="lti_ags_%(class)s_version_from_one"),
            models.CheckConstraint(
                condition=Q(wire_version__isnull=True) | Q(wire_version__lte=models.F("version")),
                name="lti_ags_%(class)s_wire_not_ahead",
            ),
        )

    @property
    def next_version(self) -> int:
        """The version that a claim puts on the wire."""
        return self.version

    @property
    def can_retry(self) -> bool:
        """Whether a person may send it again, or sooner: it rests, or it waits for a later try."""
        return self.state in DECIDABLE

    @property
    def can_cancel(self) -> bool:
        """Whether a person may take it back: nobody is sending it, and the platform does not hold it."""
        return self.state in DECIDABLE
