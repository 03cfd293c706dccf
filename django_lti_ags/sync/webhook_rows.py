"""How a webhook is sent: the database's half."""

from __future__ import annotations

import time
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.db import transaction
from django.db.models import Q

from django_lti_ags import conf
from django_lti_ags.durations import written
from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.models import SyncState, WebhookDelivery, WebhookEndpoint
from django_lti_ags.profiles.verdict import Disposition, Verdict
from django_lti_ags.sync import circuit, webhook_delivery, webhook_endpoints, webhook_queueing
from django_lti_ags.sync.deliveries import Delivery
from django_lti_ags.sync.jobs import NOT_STARTED, shared_terms
from django_lti_ags.sync.outbox_sql import locked
from django_lti_ags.sync.webhook_delivery import GONE, Receiver, WebhookJob

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from random import Random
    from uuid import UUID

    from django.db.models import QuerySet

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.transport import Transport
    from django_lti_ags.models import DeliveryAttempt
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.sync.clients import Clients
    from django_lti_ags.sync.clock import Clock
    from django_lti_ags.sync.outbox import Outcome

_RECEIVER: Final = Receiver()
_ENDS: Final = ("gave_up", "server_error_persists")
_LOOK_EVERY_SECONDS: Final = 1.0
_GIVEN_UP: Final = "webhook_given_up"
_GONE_REASON: Final = "It answered 410 Gone."


class WebhookOutDelivery(Delivery[WebhookDelivery]):
    """The telling of endpoints, each at its own pace."""

    fields: ClassVar = ("delivered_at",)
    share: ClassVar[float] = 0.25

    def __init__(self, clients: Clients, clock: Clock, random: Random) -> None:
        super().__init__(clients, clock, random)
        self._listening: frozenset[int] = frozenset()
        self._look_again_at = 0.0
        self._to_rest: deque[tuple[int, Sequence[int]]] = deque()

    def rows(self) -> QuerySet[WebhookDelivery]:
        """All messages."""
        return WebhookDelivery.objects.using(conf.get("database"))

    def destinations(self) -> QuerySet[Any]:
        """The endpoints."""
        return WebhookEndpoint.objects.using(conf.get("database"))

    def may_send(self, now: datetime) -> Q:
        """Those that want to hear."""
        # Where nobody listens, what nothing can fit is not even asked for.
        return webhook_queueing.LISTENING & circuit.may_send(now) if self._listening else Q(pk__in=())

    def profile_at(self, destination: Any) -> Profile:
        """The same of every endpoint."""
        return _RECEIVER

    def catch_up(self) -> None:
        """Find out who listens, every second; let rest what waits for whom a finish disabled, a portion at a time."""
        if self._to_rest:
            endpoint, some = self._to_rest.popleft()
            if not webhook_endpoints.rest_some(endpoint, some, conf.get("database"), wait=False):
                self._to_rest.append((endpoint, some))
        if time.monotonic() >= self._look_again_at:
            self._listening = webhook_queueing.look(conf.get("database"))
            self._look_again_at = time.monotonic() + _LOOK_EVERY_SECONDS

    def client(self, job: WebhookJob) -> Transport:
        """No token: the guarded transport alone."""
        return self.clients.transport

    def talk(self, job: WebhookJob, client: Transport) -> tuple[Verdict, bool]:
        """Tell it, unless it was disabled since the message was claimed, or its key revoked."""
        if job.service_id not in self._listening:
            return NOT_STARTED, False
        return webhook_delivery.talk(job, client)

    def prepare(self, rows: Sequence[WebhookDelivery], profile: Profile, *, start_by: float, probe: bool) -> list[WebhookJob]:
        """Claimed messages to one endpoint as jobs."""
        above = self.rows().select_related("endpoint", "score__line_item__context__deployment")
        placed = above.in_bulk([row.pk for row in rows])
        # A learner may have been forgotten since.
        return [_job(placed[row.pk], row, profile, start_by, probe=probe) for row in rows if row.pk in placed]

    def attempt(self, outcome: Outcome, exchange: Exchange) -> DeliveryAttempt:
        """With the campus that it tells of."""
        attempt = super().attempt(outcome, exchange)
        attempt.service_id = outcome.facts["home"]
        return attempt

    def finish(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Write what became of them; who holds an endpoint, a person who disables it say, is not waited for: no score would go out."""
        alias: str = conf.get("database")
        with transaction.atomic(using=alias):
            wanted = WebhookEndpoint.objects.using(alias).filter(pk__in={outcome.service_id for outcome in outcomes})
            free = {row.pk for row in locked(wanted.order_by("pk").only("pk"), skip=True)}
            held = set(wanted.exclude(pk__in=free).values_list("pk", flat=True))
            rest = [outcome for outcome in outcomes if outcome.service_id not in held]
            busy = [outcome for outcome in outcomes if outcome.service_id in held]
            return busy + (super().finish(rest) if rest else [])

    def look_up(self, outcomes: Sequence[Outcome], alias: str) -> tuple[None, set[UUID]]:
        """Nothing above a message matters to it."""
        return None, set()

    def amend(self, row: WebhookDelivery, outcome: Outcome, now: datetime, known: None) -> None:
        """Note when it was heard; say in a webhook's words that nobody tries any more."""
        if outcome.verdict.disposition is Disposition.DELIVERED:
            row.delivered_at = now
        if row.state == SyncState.FAILED and row.code in _ENDS:
            row.code = _GIVEN_UP

    def conclude(self, rows: Sequence[WebhookDelivery], outcomes: Sequence[Outcome], now: datetime, alias: str) -> None:
        """Disable the endpoints that are gone, or have answered nothing well for as long as a score is tried, whatever they were told."""
        endpoints, longest = WebhookEndpoint.objects.using(alias), conf.get("max_age_seconds")
        ended = webhook_endpoints.disable(endpoints.filter(pk__in=_gone(outcomes)), _GONE_REASON, now, and_rest=False)
        strained = [outcome for outcome in outcomes if outcome.verdict.strains_service]
        failing = {outcome.service_id for outcome in strained}
        never_well = endpoints.filter(pk__in=failing, failing_since__lt=now - timedelta(seconds=longest), disabled_at=None)
        hopeless = {pk: webhook_endpoints.has_no_hope(pk, now, alias) for pk in never_well.values_list("pk", flat=True)}
        given_up = endpoints.filter(pk__in=[pk for pk, has_no_hope in hopeless.items() if has_no_hope])
        ended += webhook_endpoints.disable(given_up, f"It has answered nothing well for {written(longest)}.", now, and_rest=False)
        if ended:
            transaction.on_commit(lambda: self._rest_later(ended, alias), using=alias, robust=True)
        alone = [outcome.pk for outcome in strained if not hopeless.get(outcome.service_id, True)]
        self._give_up(alone, now - timedelta(seconds=longest))

    def _rest_later(self, endpoints: Sequence[int], alias: str) -> None:
        """A portion with each claim: the thread that owns the database has scores to write."""
        self._to_rest.extend((endpoint, some) for endpoint in endpoints for some in webhook_endpoints.waiting(endpoint, alias))

    def _give_up(self, tried: list[int], since: datetime) -> None:
        """An outage is no age; but where nothing else was tried in vain, it is not the endpoint: it is the message."""
        old = self.rows().filter(pk__in=tried, state=SyncState.PENDING, aged_from__lt=since)
        if tried:
            old.update(state=SyncState.FAILED, due_at=None, code=_GIVEN_UP)


def _gone(outcomes: Sequence[Outcome]) -> set[int]:
    return {outcome.service_id for outcome in outcomes if outcome.verdict.code == GONE}


def _job(placed: WebhookDelivery, row: WebhookDelivery, profile: Profile, start_by: float, *, probe: bool) -> WebhookJob:
    line_item = placed.score.line_item
    terms = shared_terms(row, line_item.context, profile, start_by=start_by, probe=probe)
    secret = ""
    try:
        secret = placed.endpoint.secret
    except EncryptionError as problem:
        terms["withheld"] = Verdict(code="webhook_secret_unusable", disposition=Disposition.WITHHELD, detail=str(problem))
    return WebhookJob(
        **terms,
        service_id=placed.endpoint_id,
        line_item_id=line_item.pk,
        url=placed.endpoint.url,
        message_id=row.message_id,
        body=row.body.encode(),
        secret=secret,
        facts={"home": row.service_id},
    )
