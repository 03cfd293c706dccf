"""Where a verdict takes a row: pure, on a row that is locked and fenced.

Disposition × reach → state, as the table in the documentation's "How delivery works" says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django_lti_ags.models import SETTLED, SyncState
from django_lti_ags.profiles.verdict import LIKELY_DELIVERED, Disposition, Reach
from django_lti_ags.sync.backoff import RETRY_AFTER_CAP_SECONDS, delay_seconds

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from django_lti_ags.models import Leased
    from django_lti_ags.sync.outbox import Outcome

_SHARED = (Reach.SERVICE, Reach.REGISTRATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a finish goes by."""

    now: datetime
    random: Random
    max_age_seconds: float
    service_resumes_at: datetime | None = None
    """When the service's circuit lets the next send through; None: it is closed now, sends go through."""
    service_recovered_at: datetime | None = None
    """When it was closed last: an outage does not count as age."""


def finish(row: Leased, outcome: Outcome, terms: Terms) -> None:
    """Change ``row`` as ``outcome`` says, and give its lease back."""
    verdict = outcome.verdict
    row.lease_token = None
    if outcome.settled:
        row.unsettled = False
    row.code, row.detail = verdict.code, verdict.detail
    if row.next_version != outcome.version:
        _start_over(row, outcome, terms)
    elif verdict.disposition in (Disposition.RETRY, Disposition.AMBIGUOUS):
        _try_again(row, outcome, terms)
    elif verdict.disposition is Disposition.REJECTED and verdict.reach in _SHARED:
        _take_back(row)
        row.state, row.due_at = SyncState.PENDING, terms.now
    else:
        if verdict.disposition is Disposition.WITHHELD:
            _take_back(row)
        row.state, row.due_at = _resting_state(verdict.disposition, verdict.reach), None
        if row.state in SETTLED or verdict.code == LIKELY_DELIVERED:
            # Known, or for a person to find out. Under any other rest the question stays open.
            row.unsettled = False


def _resting_state(disposition: Disposition, reach: Reach) -> SyncState:
    if disposition is Disposition.DELIVERED:
        return SyncState.DELIVERED
    if disposition is Disposition.SUPERSEDED:
        return SyncState.SUPERSEDED
    if disposition is Disposition.WITHHELD or reach in (Reach.LINE_ITEM, Reach.CONTEXT):
        return SyncState.BLOCKED
    return SyncState.FAILED


def _start_over(row: Leased, outcome: Outcome, terms: Terms) -> None:
    """A newer version waits: it is due at once, unless the platform asked for a pause."""
    pause = min(outcome.verdict.retry_after_seconds or 0.0, RETRY_AFTER_CAP_SECONDS)
    row.state, row.due_at = SyncState.PENDING, terms.now + timedelta(seconds=pause)
    row.tries = 0
    row.unsettled = False
    row.code = row.detail = ""


def _try_again(row: Leased, outcome: Outcome, terms: Terms) -> None:
    verdict = outcome.verdict
    if verdict.disposition is Disposition.AMBIGUOUS:
        row.unsettled = True
    row.state = SyncState.PENDING
    if verdict.code == "not_started":
        _take_back(row)
        row.due_at = terms.now
        return
    wait = delay_seconds(row.tries, terms.random, retry_after=verdict.retry_after_seconds)
    row.due_at = terms.now + timedelta(seconds=wait)
    if terms.service_resumes_at is not None and verdict.code != "internal_error":
        # An outage, not this row: the try does not count, and the row is due when the service is asked again.
        _take_back(row)
        row.due_at = max(terms.service_resumes_at, terms.now)
    elif verdict.reach is Reach.SERVICE:
        _take_back(row)
    elif terms.now - max(row.aged_from, terms.service_recovered_at or row.aged_from) > timedelta(seconds=terms.max_age_seconds):
        row.state, row.due_at, row.code = SyncState.FAILED, None, "gave_up"
    elif verdict.most_tries is not None and row.tries >= verdict.most_tries:
        # The service is well, or its circuit would be open: it is this row.
        row.state, row.due_at, row.code = SyncState.FAILED, None, "server_error_persists"


def _take_back(row: Leased) -> None:
    row.tries = max(0, row.tries - 1)
