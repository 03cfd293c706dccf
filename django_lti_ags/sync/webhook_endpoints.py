"""Endpoints are disabled, by a person or because they are gone, and enabled again; their messages rest meanwhile."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from django_lti_ags.models import DECIDABLE, OPEN, SyncState, WebhookDelivery, WebhookEndpoint
from django_lti_ags.sync.jobs import NOT_STARTED
from django_lti_ags.sync.outbox_sql import database_now, locked, portions
from django_lti_ags.sync.recording import wake_on_commit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

DISABLED: Final = "webhook_disabled"
_DIFFERENT: Final = 5
"""Of so many messages none got through: then it is the endpoint. Fewer are given up one by one, and cost a probe now and then."""
_WAITED: Final = timedelta(days=1)
"""Each of them for so long: what failed in a bad hour says nothing."""
_AT_ONCE: Final = 200
"""So many messages are written while an endpoint's row is held: some hundredths of a second."""
_WELL: Final[dict[str, Any]] = {"consecutive_failures": 0, "failing_since": None, "closed_until": None, "concurrency": None}


def disable(endpoints: QuerySet[WebhookEndpoint], reason: str, now: datetime, *, and_rest: bool = True) -> list[int]:
    """Tell them nothing from now on; returns the keys of those that were enabled.

    ``and_rest``: what waits rests after the commit, a portion at a time, so that nobody waits long for an endpoint's row. What an
    interruption leaves waiting is not sent either, and goes with the rest.
    """
    alias = endpoints.db
    with transaction.atomic(using=alias):
        rows = list(locked(endpoints.filter(disabled_at=None).order_by("pk")))
        for row in rows:
            row.disabled_at, row.disabled_reason = now, reason
            row.save(using=alias, update_fields=["disabled_at", "disabled_reason"])
            logger.warning("%s is disabled: %s", row.called_in_logs, row.disabled_reason, extra=row.named_in_logs)
        ended = [row.pk for row in rows]
        if and_rest:
            # Not a partial: Django cannot name one that failed.
            transaction.on_commit(lambda: _let_rest(ended, alias), using=alias, robust=True)
    return ended


def enable(endpoints: QuerySet[WebhookEndpoint]) -> int:
    """Tell them again, beginning with what rested since they were disabled; returns how many were disabled.

    They stay disabled until all of it waits: an interruption loses nothing, and it can be done again.
    """
    alias, count = endpoints.db, 0
    for endpoint in list(endpoints.exclude(disabled_at=None).order_by("pk").values_list("pk", flat=True)):
        while (done := _enable_some(endpoint, alias)) is None:
            pass
        count += done
    if count:
        wake_on_commit(alias)
    return count


def retry(messages: QuerySet[WebhookDelivery]) -> int:
    """Send those at once that rest or wait; returns how many. Those of a disabled endpoint go once it is enabled."""
    alias, count = messages.db, 0
    for some in portions(sorted(messages.filter(state__in=DECIDABLE).values_list("pk", flat=True))):
        with transaction.atomic(using=alias):
            count += _send_again(some, alias)
    wake_on_commit(alias)
    return count


def has_no_hope(endpoint: int, now: datetime, alias: str) -> bool:
    """Whether so many different messages wait for an endpoint, and failed, that it is not one of them that cannot be taken."""
    failed = _messages(endpoint, alias).filter(state__in=OPEN, created_at__lt=now - _WAITED).exclude(code__in=("", NOT_STARTED.code))
    return failed.order_by().values("pk")[:_DIFFERENT].count() == _DIFFERENT


def waiting(endpoint: int, alias: str) -> list[Sequence[int]]:
    """The keys of what waits for it, in portions for :func:`rest_some`."""
    return portions(sorted(_messages(endpoint, alias).filter(state=SyncState.PENDING).values_list("pk", flat=True)), _AT_ONCE)


def rest_some(endpoint: int, some: Sequence[int], alias: str, *, wait: bool) -> bool:
    """Let a portion of what waits for a disabled endpoint rest; whether that is done.

    Not what somebody has just now: that comes back, waits, and goes once the endpoint is enabled. Not ``wait``: nor while somebody
    holds the endpoint.
    """
    disabled = WebhookEndpoint.objects.using(alias).filter(pk=endpoint).exclude(disabled_at=None)
    with transaction.atomic(using=alias):
        if not locked(disabled.only("pk"), skip=not wait):
            return not disabled.exists()  # enabled meanwhile: it may stay as it is
        rows = WebhookDelivery.objects.using(alias).filter(pk__in=some)
        mine = [row.pk for row in locked(rows.order_by("pk").only("state"), skip=True) if row.state == SyncState.PENDING]
        rows.filter(pk__in=mine).update(state=SyncState.BLOCKED, due_at=None, code=DISABLED, detail="")
    return True


def _let_rest(endpoints: Sequence[int], alias: str) -> None:
    for endpoint in endpoints:
        for some in waiting(endpoint, alias):
            rest_some(endpoint, some, alias, wait=True)


def _enable_some(endpoint: int, alias: str) -> bool | None:
    """A portion of what rests waits again; True: that was all, and it is enabled; False: somebody else did it."""
    row = WebhookEndpoint.objects.using(alias).filter(pk=endpoint)
    with transaction.atomic(using=alias):
        if not locked(row.exclude(disabled_at=None).only("pk")):
            return False
        resting = _messages(endpoint, alias).filter(state=SyncState.BLOCKED, code=DISABLED)
        some = list(resting.order_by().values_list("pk", flat=True)[:_AT_ONCE])
        _send_again(some, alias)
        if len(some) == _AT_ONCE:
            return None
        # While it was disabled nothing grew older: what still waits is not given up with the first failure.
        row.update(**_WELL, disabled_at=None, disabled_reason="", recovered_at=database_now(alias))
    return True


def _messages(endpoint: int, alias: str) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.using(alias).filter(endpoint=endpoint)


def _send_again(some: Sequence[int], alias: str) -> int:
    """By key alone: locks on an index of the state first would deadlock with who deletes messages (InnoDB)."""
    rows, now = WebhookDelivery.objects.using(alias), database_now(alias)
    fresh: dict[str, Any] = {"state": SyncState.PENDING, "due_at": now, "tries": 0, "code": "", "detail": "", "aged_from": now}
    mine = [row.pk for row in locked(rows.filter(pk__in=some).order_by("pk").only("state")) if row.state in DECIDABLE]
    return rows.filter(pk__in=mine).update(**fresh)
