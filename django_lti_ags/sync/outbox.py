"""Claim and finish any :class:`~django_lti_ags.models.Leased` model.

A claim gives a row to one worker for the length of a lease and fixes, in its own transaction, what
goes on the wire. A finish is fenced: it changes a row only while that row still carries the lease
token of the claim. Nothing here knows what is sent, or how.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db import transaction

from django_lti_ags.models import DeliveryAttempt, Leased, SyncState
from django_lti_ags.profiles.answers import clock_skew_seconds
from django_lti_ags.sync.outbox_sql import insert_many, locked, upsert_by_pk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import QuerySet

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.profiles.verdict import Verdict

R = TypeVar("R", bound=Leased)

LEASE_FIELDS: Final = ("state", "due_at", "lease_token", "tries", "unsettled", "wire_version", "wire_timestamp", "code", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The terms of one claim. Times are the database's, sampled once."""

    service_id: int
    """Of the service that the rows are sent to; of a webhook's, the endpoint."""
    limit: int
    now: datetime
    lease_seconds: float
    timestamp_step_seconds: float
    clock_skew_seconds: float = 0.0
    """The platform's clock minus ours."""
    probe: bool = False
    """Whether it asks if the service is back: then a row that failed often itself is the last to be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one claimed row's send went."""

    pk: int
    lease_token: uuid.UUID
    version: int
    wire_timestamp: datetime
    service_id: int
    """Where it was sent, as :class:`Claim` says."""
    verdict: Verdict
    exchanges: Sequence[Exchange] = ()
    settled: bool = False
    """Whether the platform was asked and gave a clear answer, so that the row is no longer unsettled."""
    clock_skew_seconds: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """What else the platform told, for the delivery that asked."""


def skew_of(exchanges: Sequence[Exchange]) -> float | None:
    """The platform's clock minus ours, by its last answer; None: it told none."""
    answered = [exchange for exchange in exchanges if exchange.kind != "token" and exchange.status is not None]
    return clock_skew_seconds(answered[-1].headers, datetime.now(UTC)) if answered else None


def claim(rows: QuerySet[R], terms: Claim, narrow: Callable[[QuerySet[R], Claim], QuerySet[R]] | None = None) -> list[R]:
    """Give up to ``terms.limit`` due rows of one service to the caller, each with a fresh lease token.

    Two workers never get the same row: whoever locks it first has it. A row whose lease ran out is
    taken over; its last send counts as ambiguous, and an ABANDONED attempt tells of it. ``narrow`` leaves
    rows out that must wait for others; it runs in the claim's transaction, and may lock what is above them.
    """
    with transaction.atomic(using=rows.db):
        rows = narrow(rows, terms) if narrow is not None else rows
        due = rows.filter(**{f"{rows.model.sent_to}_id": terms.service_id}, due_at__lte=terms.now)
        order = ("tries", "due_at") if terms.probe else ("due_at",)
        taken = list(locked(due.order_by(*order), skip=True)[: terms.limit])
        if not taken:
            return []
        abandoned = [_abandoned(row, terms) for row in taken if row.state == SyncState.SENDING]
        for row in taken:
            _lease(row, terms)
        upsert_by_pk(rows, taken, fields=LEASE_FIELDS)
        DeliveryAttempt.objects.using(rows.db).bulk_create(abandoned)
    return taken


def _lease(row: Leased, terms: Claim) -> None:
    version = row.next_version
    if row.state == SyncState.SENDING and row.wire_version == version:
        row.unsettled = True
    if row.wire_version != version or row.unsettled or row.wire_timestamp is None:
        # An unsettled row gets a second timestamp for the one case that needs it: the platform is
        # asked first, and does not hold it. Otherwise a version keeps its timestamp over retries.
        row.wire_timestamp = next_timestamp(row.wire_timestamp, terms)
    row.wire_version = version
    row.state = SyncState.SENDING
    row.lease_token = uuid.uuid4()
    row.due_at = terms.now + timedelta(seconds=terms.lease_seconds)
    row.tries += 1


def next_timestamp(last: datetime | None, terms: Claim) -> datetime:
    """Now, but not in the platform's future; and above all: later than the last one, by the profile's step."""
    now = terms.now + timedelta(seconds=min(0.0, terms.clock_skew_seconds))
    if last is None:
        return now
    return max(now, last + timedelta(seconds=terms.timestamp_step_seconds))


def _abandoned(row: Leased, terms: Claim) -> DeliveryAttempt:
    return DeliveryAttempt(
        **{row.attempt_field: row},
        service_id=row.service_id,
        kind=row.attempt_kind,
        version=row.wire_version,
        lease_token=row.lease_token,
        wire_timestamp=row.wire_timestamp,
        started_at=terms.now,
        abandoned=True,
        code="abandoned",
    )


def lock_claimed(rows: QuerySet[R], outcomes: Sequence[Outcome]) -> tuple[dict[uuid.UUID, R], set[uuid.UUID]]:
    """The rows of ``outcomes`` that are still the caller's, locked; and the leases whose rows somebody else has locked just now.

    Both by lease token, not by pk: a worker that lost a row and claimed it again may bring two
    outcomes of it, and only the second one counts.

    A recorder may hold a row for as long as its transaction lasts. Waiting for it would stall every
    other finish, so those rows come back in a later round.
    """
    tokens = {outcome.lease_token for outcome in outcomes}
    pks = {outcome.pk for outcome in outcomes}
    found = {row.pk: row for row in locked(rows.filter(pk__in=pks).order_by("pk"), skip=True, wholly=rows.model.referred_to)}
    busy: set[uuid.UUID] = set()
    if len(found) < len(pks):
        missing = rows.filter(pk__in=pks - found.keys())
        busy = {token for token in missing.values_list("lease_token", flat=True) if token in tokens}
    return {row.lease_token: row for row in found.values() if row.lease_token in tokens}, busy


def write_finished(
    rows: QuerySet[R],
    finished: Sequence[R],
    outcomes: Sequence[Outcome],
    *,
    fields: Sequence[str],
    attempt: Callable[[Outcome, Exchange], DeliveryAttempt],
) -> None:
    """Write the rows, which are locked and fenced, and one attempt for each exchange."""
    if finished:
        upsert_by_pk(rows, finished, fields=(*LEASE_FIELDS, *fields))
    attempts = [attempt(outcome, exchange) for outcome in outcomes for exchange in outcome.exchanges]
    insert_many(DeliveryAttempt.objects.using(rows.db), attempts)
