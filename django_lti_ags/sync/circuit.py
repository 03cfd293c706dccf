"""The health of a service, or of any other destination: when enough goes wrong in a row, nothing is sent there but one probe at a time.

The waits between probes grow with the outage (half of what it has lasted so far, up to a cap), so a
day's outage costs a hundred-odd requests, however many scores wait.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from django.db import transaction
from django.db.models import Q

from django_lti_ags import conf
from django_lti_ags.models.destinations import Destination
from django_lti_ags.sync import throttle
from django_lti_ags.sync.backoff import RETRY_AFTER_CAP_SECONDS
from django_lti_ags.sync.outbox_sql import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from random import Random

    from django.db.models import QuerySet

    from django_lti_ags.sync.outbox import Outcome

D = TypeVar("D", bound=Destination)

logger = logging.getLogger(__name__)

_FIRST_WAIT_SECONDS: Final = 5.0
_SUCCESS_NOTED_EVERY = timedelta(minutes=1)
_SKEW_NOTED_FROM_SECONDS: Final = 2.0
_FIELDS: Final = (
    "consecutive_failures",
    "failing_since",
    "closed_until",
    "concurrency",
    "slowed_at",
    "recovered_at",
    "clock_skew_seconds",
    "last_success_at",
    "last_failure_at",
    "last_failure_code",
)


def note(outcomes: Sequence[Outcome], now: datetime, random: Random, destinations: QuerySet[D], most: Callable[[D], int]) -> dict[int, D]:
    """Write what ``outcomes`` say of their ``destinations``; return these as they are now. ``most``: requests at once, to begin with.

    Where only good news is to be noted, a service that another worker is just writing is left to it;
    trouble waits for its turn, since a pause that a platform asked for must not be missed. An outcome
    counts once, however often it is brought.
    """
    alias = destinations.db
    by_service: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        told = by_service.setdefault(outcome.service_id, [])
        if not outcome.facts.get("noted"):
            told.append(outcome)
            transaction.on_commit(partial(outcome.facts.__setitem__, "noted", True), using=alias)
    services = {service.pk: service for service in destinations.filter(pk__in=by_service)}
    telling = sorted(pk for pk, service in services.items() if any(_tells(service, outcome, now) for outcome in by_service[pk]))
    trouble = any(outcome.verdict.strains_service or outcome.verdict.slow_down for pk in telling for outcome in by_service[pk])
    for service in locked(_rows(destinations.model, alias).filter(pk__in=telling).order_by("pk"), skip=not trouble):
        was_shut = service.closed_until is not None
        _adapt(service, most(services[service.pk]), by_service[service.pk], now)
        for outcome in by_service[service.pk]:
            _apply(service, outcome, now, random)
        _log_change(service, was_shut=was_shut)
        service.save(using=alias, update_fields=_FIELDS)
        services[service.pk] = service
    return services


def _log_change(service: Destination, *, was_shut: bool) -> None:
    told = {**service.named_in_logs, "code": service.last_failure_code}
    if service.closed_until is not None and not was_shut:
        logger.warning(
            "%s is in trouble (%s): nothing is sent there before %s",
            service.called_in_logs,
            service.last_failure_code,
            service.closed_until,
            extra=told,
        )
    elif was_shut and service.closed_until is None:
        logger.info("%s is back", service.called_in_logs, extra=told)


def _tells(service: Destination, outcome: Outcome, now: datetime) -> bool:
    if outcome.verdict.strains_service or outcome.verdict.slow_down or _is_unused_probe(outcome):
        return True
    if not _answered(outcome):
        return False
    if service.consecutive_failures or service.concurrency or service.closed_until or service.last_success_at is None:
        return True
    skew = outcome.clock_skew_seconds
    drifted = skew is not None and abs(skew - service.clock_skew_seconds) > _SKEW_NOTED_FROM_SECONDS
    return drifted or now - service.last_success_at > _SUCCESS_NOTED_EVERY


def _answered(outcome: Outcome) -> bool:
    """Whether the service itself gave a clear answer, be it a refusal."""
    return any(exchange.status is not None and exchange.failure is None and exchange.kind != "token" for exchange in outcome.exchanges)


def in_a_row(failures: int, outcome: Outcome) -> int:
    """After ``failures`` in a row, how many it is with ``outcome``: as :func:`note` counts, for who cannot wait for it."""
    if outcome.verdict.strains_service:
        return failures + 1
    return 0 if _answered(outcome) else failures


def _is_unused_probe(outcome: Outcome) -> bool:
    """It was withheld, or not started: the service was not asked anything, and the next may ask it at once."""
    return bool(outcome.facts.get("probe")) and not outcome.exchanges and outcome.verdict.code != "internal_error"


def _adapt(service: Destination, most: int, outcomes: Sequence[Outcome], now: datetime) -> None:
    throttle.speed_up(service, most, sum(_answered(outcome) and not outcome.verdict.strains_service for outcome in outcomes))
    if any(outcome.verdict.slow_down for outcome in outcomes):
        throttle.slow_down(service, most, now)


def _apply(service: Destination, outcome: Outcome, now: datetime, random: Random) -> None:
    if outcome.clock_skew_seconds is not None:
        service.clock_skew_seconds = outcome.clock_skew_seconds
    verdict = outcome.verdict
    if _is_unused_probe(outcome):
        service.closed_until = now
        return
    if not verdict.strains_service:
        if _answered(outcome):
            service.consecutive_failures = 0
            service.failing_since = None
            service.last_success_at = now
            # What was in flight when the platform asked for a pause does not end it.
            if outcome.facts.get("probe") or (service.closed_until is not None and service.closed_until <= now):
                service.closed_until = None
                service.recovered_at = now
        return
    service.consecutive_failures += 1
    service.failing_since = service.failing_since or now
    service.last_failure_at, service.last_failure_code = now, verdict.code
    shut = service.closed_until is not None and service.closed_until > now
    throttled = verdict.code == "throttled"
    if not (throttled or outcome.facts.get("probe") or (service.consecutive_failures >= conf.get("circuit_failures") and not shut)):
        return
    if throttled:
        wait = min(verdict.retry_after_seconds or _FIRST_WAIT_SECONDS, RETRY_AFTER_CAP_SECONDS)
    else:
        wait = probe_wait_seconds(now - service.failing_since, random)
    until = now + timedelta(seconds=wait)
    # A probe's own claim shut the service for the length of its lease; its verdict replaces that.
    if service.closed_until is not None and shut and not outcome.facts.get("probe"):
        until = max(until, service.closed_until)
    service.closed_until = until


def probe_wait_seconds(outage: timedelta, random: Random) -> float:
    """Seconds until the next probe of a service that has been failing for ``outage``."""
    wait: float = min(max(_FIRST_WAIT_SECONDS, outage.total_seconds() / 2), conf.get("circuit_max_seconds"))
    return wait * random.uniform(0.75, 1.0)


def may_send(now: datetime) -> Q:
    """The destinations whose circuit is closed, or whose wait is over."""
    return Q(closed_until=None) | Q(closed_until__lte=now)


def give_probe_back(service: Destination, alias: str) -> None:
    """Undo :func:`take_probe`, for want of a row to probe with."""
    _rows(type(service), alias).filter(pk=service.pk).update(closed_until=service.closed_until)


def take_probe(service: Destination, now: datetime, lease_seconds: float, alias: str) -> bool:
    """Whether the caller is the one who probes a shut service now: exactly one of all workers is."""
    until = now + timedelta(seconds=lease_seconds)
    mine = _rows(type(service), alias).filter(pk=service.pk, closed_until=service.closed_until)
    with transaction.atomic(using=alias):
        # Who holds the row, a person who disables an endpoint say, holds up nobody's scores.
        return bool(locked(mine.only("pk"), skip=True)) and mine.update(closed_until=until) == 1


def _rows(model: type[D], alias: str) -> QuerySet[D]:
    return model._default_manager.using(alias)
