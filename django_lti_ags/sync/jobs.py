"""One claimed row, ready to be sent by a thread that never touches the database; and the send itself, whatever is sent."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict, registration_fault
from django_lti_ags.sync.clients import credentials_of
from django_lti_ags.sync.outbox import Outcome, skew_of

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable
    from datetime import datetime

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.tokens import Credentials
    from django_lti_ags.models import Context, Leased
    from django_lti_ags.profiles.base import Profile

logger = logging.getLogger(__name__)

NOT_STARTED: Final = Verdict(code="not_started", disposition=Disposition.RETRY, reach=Reach.SERVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every send needs; each kind adds what it sends."""

    pk: int
    lease_token: uuid.UUID
    version: int
    wire_timestamp: datetime
    service_id: int
    """Where it is sent: the service; of a webhook, the endpoint."""
    line_item_id: int | None = None
    """The line item that it is, or belongs to; None: to none."""
    context_id: int
    registration_id: int
    scopes: tuple[str, ...] = ()
    credentials: Credentials | None = None
    """What an AGS client proves itself with."""
    profile: Profile
    withheld: Verdict | None = None
    """Why nothing is requested; None: it is sent."""
    start_by: float
    """Monotonic seconds, after which a send would outlive its lease."""
    probe: bool
    """Whether it asks if a shut service is back."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What its delivery needs to know again when it finishes."""
    exchanges: list[Exchange] = field(default_factory=list)
    """Of its send, as they end."""

    def outcome(self, verdict: Verdict, *, settled: bool = False) -> Outcome:
        """``verdict`` as the outcome of this job."""
        places = {name: getattr(self, name) for name in ("line_item_id", "context_id", "registration_id", "probe")}
        return Outcome(
            pk=self.pk,
            lease_token=self.lease_token,
            version=self.version,
            wire_timestamp=self.wire_timestamp,
            service_id=self.service_id,
            verdict=verdict,
            exchanges=tuple(self.exchanges),
            settled=settled,
            clock_skew_seconds=skew_of(self.exchanges),
            facts=self.facts | places,
        )


def send(job: Job, talk: Callable[[], tuple[Verdict, bool]]) -> Outcome:
    """Let ``talk`` send ``job``: it gives the verdict, and whether an open question is settled. Raises nothing."""
    if job.withheld is not None:
        return job.outcome(job.withheld)
    settled = False
    try:
        verdict, settled = talk()
    except Exception:
        # One row must never stop the worker: it comes back later, and the log says why.
        told = {"row_id": job.pk, "service_id": job.service_id}
        logger.exception("Sending row %s (%s) failed inside the worker", job.pk, type(job).__name__, extra=told)
        verdict = Verdict(code="internal_error", disposition=Disposition.RETRY)
    return job.outcome(verdict, settled=settled)


def ags_terms(row: Leased, context: Context, profile: Profile, *, start_by: float, probe: bool) -> dict[str, Any]:
    """What the jobs have in common that are sent with an AGS client, for a claimed ``row`` of ``context``."""
    terms = shared_terms(row, context, profile, start_by=start_by, probe=probe)
    try:
        return {**terms, "credentials": credentials_of(context.deployment.registration)}
    except EncryptionError as problem:
        return {**terms, "withheld": registration_fault("key_unusable", str(problem))}


def shared_terms(row: Leased, context: Context, profile: Profile, *, start_by: float, probe: bool) -> dict[str, Any]:
    """What the jobs of every kind have in common, for a claimed ``row`` of ``context``.

    Raises:
        ValueError: nobody claimed it.
    """
    if row.lease_token is None or row.wire_version is None or row.wire_timestamp is None:
        raise ValueError(f"Row {row.pk} was not claimed.")
    return {
        "pk": row.pk,
        "lease_token": row.lease_token,
        "version": row.wire_version,
        "wire_timestamp": row.wire_timestamp,
        "context_id": context.pk,
        "registration_id": context.deployment.registration_id,
        "profile": profile,
        "withheld": None,
        "start_by": start_by,
        "probe": probe,
    }
