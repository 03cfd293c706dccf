"""Endpoints are disabled, by a person or because they are gone, and enabled again; their messages rest meanwhile."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from django_lti_ags.models import RESTING, SyncState, WebhookDelivery, WebhookEndpoint
from django_lti_ags.sync.outbox_sql import database_now, locked, portions
from django_lti_ags.sync.recording import wake_on_commit

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

DISABLED: Final = "webhook_disabled"
_WELL: Final[dict[str, Any]] = {"consecutive_failures": 0, "failing_since": None, "closed_until": None, "concurrency": None}


def disable(endpoints: QuerySet[WebhookEndpoint], reason: str, now: datetime) -> int:
    """Tell them nothing from now on, and let rest what waits; returns how many were enabled."""
    alias = endpoints.db
    with transaction.atomic(using=alias):
        rows = list(locked(endpoints.filter(disabled_at=None).order_by("pk")))
        for row in rows:
            row.disabled_at, row.disabled_reason = now, reason
            row.save(using=alias, update_fields=["disabled_at", "disabled_reason"])
            logger.warning("%s is disabled: %s", row.called_in_logs, row.disabled_reason, extra=row.named_in_logs)
        if rows:
            _let_rest(_messages(alias, rows).filter(state=SyncState.PENDING))
    return len(rows)


def enable(endpoints: QuerySet[WebhookEndpoint]) -> int:
    """Tell them again, beginning with what rested since they were disabled; returns how many were disabled."""
    alias = endpoints.db
    with transaction.atomic(using=alias):
        rows = list(locked(endpoints.exclude(disabled_at=None).order_by("pk")))
        # While it was disabled nothing grew older: what still waits is not given up with the first failure.
        well = _WELL | {"disabled_at": None, "disabled_reason": "", "recovered_at": database_now(alias)}
        WebhookEndpoint.objects.using(alias).filter(pk__in=[row.pk for row in rows]).update(**well)
        if rows:
            _send_again(_messages(alias, rows).filter(state=SyncState.BLOCKED, code=DISABLED))
            wake_on_commit(alias)
    return len(rows)


def retry(messages: QuerySet[WebhookDelivery]) -> int:
    """Send those at once that rest or wait; returns how many. Those of a disabled endpoint go once it is enabled."""
    alias = messages.db
    with transaction.atomic(using=alias):
        count = _send_again(messages.filter(state__in=(*RESTING, SyncState.PENDING)))
        wake_on_commit(alias)
    return count


def _messages(alias: str, rows: list[WebhookEndpoint]) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.using(alias).filter(endpoint__in=[row.pk for row in rows])


def _let_rest(waiting: QuerySet[WebhookDelivery]) -> None:
    """Those that nobody has just now; what a worker has comes back, waits, and goes once the endpoint is enabled."""
    rows = WebhookDelivery.objects.using(waiting.db)
    for some in portions(sorted(waiting.values_list("pk", flat=True))):
        mine = [row.pk for row in locked(rows.filter(pk__in=some).order_by("pk"), skip=True) if row.state == SyncState.PENDING]
        rows.filter(pk__in=mine).update(state=SyncState.BLOCKED, due_at=None, code=DISABLED, detail="")


def _send_again(messages: QuerySet[WebhookDelivery]) -> int:
    """By key alone: locks on an index of the state first would deadlock with who deletes messages (InnoDB)."""
    rows, now, count = WebhookDelivery.objects.using(messages.db), database_now(messages.db), 0
    fresh: dict[str, Any] = {"state": SyncState.PENDING, "due_at": now, "tries": 0, "code": "", "detail": "", "aged_from": now}
    for some in portions(sorted(messages.values_list("pk", flat=True))):
        mine = [row.pk for row in locked(rows.filter(pk__in=some).order_by("pk")) if row.state in (*RESTING, SyncState.PENDING)]
        count += rows.filter(pk__in=mine).update(**fresh)
    return count
