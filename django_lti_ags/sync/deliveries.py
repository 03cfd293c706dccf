"""The seam between the engine and what it sends: prepare → exchange → verdict → finish.

The engine calls ``prepare``, ``finish`` and ``hand_back`` in the one thread that owns the database,
and ``exchange`` in any other.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.db import transaction
from django.db.models import Q

from django_lti_ags import conf
from django_lti_ags.models import Leased, Service
from django_lti_ags.sync import circuit, reach, transitions
from django_lti_ags.sync.attempts import attempt_of
from django_lti_ags.sync.jobs import NOT_STARTED, Job, send
from django_lti_ags.sync.outbox import lock_claimed, write_finished
from django_lti_ags.sync.profiles import profile_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from random import Random
    from uuid import UUID

    from django.db.models import QuerySet

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.models import DeliveryAttempt
    from django_lti_ags.models.destinations import Destination
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.profiles.verdict import Verdict
    from django_lti_ags.sync.clients import Clients
    from django_lti_ags.sync.clock import Clock
    from django_lti_ags.sync.outbox import Claim, Outcome

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=Leased)


class Delivery(ABC, Generic[R]):
    """How one kind of leased row is sent."""

    fields: ClassVar[Sequence[str]]
    """What :meth:`amend` may change, beside the lease."""
    share: ClassVar[float] = 1.0
    """How many threads all of its destinations have together, of which those of other kinds get none: so many times ``THREADS``."""

    def __init__(self, clients: Clients, clock: Clock, random: Random) -> None:
        self.sent_to = self.rows().model.sent_to
        self.clients = clients
        self._clock = clock
        self._random = random

    @abstractmethod
    def rows(self) -> QuerySet[R]:
        """All rows of its kind."""

    def destinations(self) -> QuerySet[Any]:
        """Where such rows are sent."""
        return Service.objects.using(conf.get("database")).select_related("registration")

    def may_send(self, now: datetime) -> Q:
        """Those of :meth:`destinations` that something may be sent to now."""
        return Q(registration__paused_at=None) & circuit.may_send(now)

    def profile_at(self, destination: Any) -> Profile:
        """How one of :meth:`destinations` is spoken to."""
        return profile_of(destination.registration)

    def narrow(self, profile: Profile) -> Callable[[QuerySet[R], Claim], QuerySet[R]] | None:
        """What must wait for others, at platforms of this kind; None: nothing."""
        return None

    @abstractmethod
    def prepare(self, rows: Sequence[R], profile: Profile, *, start_by: float, probe: bool) -> Sequence[Job]:
        """Claimed rows as jobs. ``start_by``: the monotonic time after which a send would outlive its lease."""

    def client(self, job: Any) -> Any:
        """What ``job`` is sent with: an AGS client, unless the kind has another."""
        return self.clients.client(job.credentials, job.scopes, job.exchanges.append, job.profile)

    @abstractmethod
    def talk(self, job: Any, client: Any) -> tuple[Verdict, bool]:
        """Talk to the platform, and judge its answer; whether an open question is settled. No database."""

    def exchange(self, job: Job) -> Outcome:
        """Send it; raises nothing."""
        return send(job, lambda: self.talk(job, self.client(job)))

    def hand_back(self, job: Job) -> Outcome:
        """The outcome of a job that was not started."""
        return job.outcome(NOT_STARTED)

    def attempt(self, outcome: Outcome, exchange: Exchange) -> DeliveryAttempt:
        """An exchange as the row that tells of it."""
        return attempt_of(outcome, exchange, self.rows().model.attempt_field)

    @abstractmethod
    def look_up(self, outcomes: Sequence[Outcome], alias: str) -> tuple[Any, set[UUID]]:
        """What :meth:`amend` needs to know of what is above the rows, locked; and the leases for which somebody else has that locked."""

    @abstractmethod
    def amend(self, row: R, outcome: Outcome, now: datetime, known: Any) -> None:
        """Change what is this kind's own on a row whose lease has just ended."""

    @abstractmethod
    def conclude(self, rows: Sequence[R], outcomes: Sequence[Outcome], now: datetime, alias: str) -> None:
        """What else follows, in the same transaction."""

    def catch_up(self) -> None:
        """What a finish had to leave, since somebody else held it; called before each claim."""

    def finish(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Write what became of the rows, fenced; returns the outcomes of those that somebody else has locked just now."""
        alias: str = conf.get("database")
        with transaction.atomic(using=alias):
            now = self._clock.now()
            services = circuit.note(outcomes, now, self._random, self.destinations(), lambda one: self.profile_at(one).max_concurrency)
            busy = {outcome.lease_token for outcome in outcomes if not reach.store(outcome, now, alias)}
            known, above = self.look_up([outcome for outcome in outcomes if outcome.lease_token not in busy], alias)
            busy |= above
            found, locked = lock_claimed(self.rows(), [outcome for outcome in outcomes if outcome.lease_token not in busy])
            busy |= locked
            mine = [outcome for outcome in outcomes if outcome.lease_token in found]
            for outcome in mine:
                transitions.finish(found[outcome.lease_token], outcome, self._terms(now, services.get(outcome.service_id)))
                self.amend(found[outcome.lease_token], outcome, now, known)
            write_finished(self.rows(), list(found.values()), mine, fields=self.fields, attempt=self.attempt)
            self.conclude(list(found.values()), mine, now, alias)
            reach.hold_others(mine, alias)
        self._warn_of_lost([outcome for outcome in outcomes if outcome.lease_token not in found and outcome.lease_token not in busy])
        return [outcome for outcome in outcomes if outcome.lease_token in busy]

    def _terms(self, now: datetime, service: Destination | None) -> transitions.Terms:
        return transitions.Terms(
            now=now,
            random=self._random,
            max_age_seconds=conf.get("max_age_seconds"),
            service_resumes_at=service.closed_until if service else None,
            service_recovered_at=service.recovered_at if service else None,
        )

    def _warn_of_lost(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            logger.warning(
                "%s %s: the lease was lost, another worker has it; its outcome %s is dropped",
                self.rows().model._meta.verbose_name,
                outcome.pk,
                outcome.verdict.code,
                extra={"row_id": outcome.pk, "service_id": outcome.service_id, "code": outcome.verdict.code},
            )
