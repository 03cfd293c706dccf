"""What an engine takes on next: a fair share of each campus' queue, as much as that campus' lane has room for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef

from django_lti_ags.sync import circuit, throttle
from django_lti_ags.sync.outbox import Claim, claim

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django_lti_ags.conf import Settings
    from django_lti_ags.models.destinations import Destination
    from django_lti_ags.sync.clock import Clock
    from django_lti_ags.sync.deliveries import Delivery
    from django_lti_ags.sync.lanes import Lane, Lanes


class Claims:
    """Claims rows of ``deliveries``, the first one's first, and puts their jobs into the lanes.

    Attributes:
        passed_over: the last :meth:`take` left something that was due, since its lane had enough to do.
    """

    def __init__(self, deliveries: Sequence[Delivery[Any]], lanes: Lanes, settings: Settings, clock: Clock) -> None:
        self._deliveries = deliveries
        self._lanes = lanes
        self._settings = settings
        self._clock = clock
        self.passed_over = False
        for delivery in deliveries:
            lanes.allow(delivery.sent_to, delivery.share)

    def take(self, wanted: int) -> int:
        """Claim at most ``wanted`` rows; how many it were."""
        now = self._clock.now()
        claimed = 0
        self.passed_over = False
        for delivery in self._deliveries:
            delivery.catch_up()
        for delivery in self._deliveries:
            services = [(service, self._lane(delivery, service)) for service in self._due(delivery, now)]
            open_lanes = [(service, lane) for service, lane in services if lane.room(self._settings.lease_seconds) > 0]
            self.passed_over = self.passed_over or len(open_lanes) < len(services)
            for position, (service, lane) in enumerate(open_lanes):
                # Fair by service: each gets an equal share of what is left.
                share = max(1, (wanted - claimed) // (len(open_lanes) - position))
                claimed += self._take_from(delivery, service, lane, share, now)
                if claimed >= wanted:
                    return claimed
        return claimed

    def _take_from(self, delivery: Delivery[Any], service: Destination, lane: Lane, share: int, now: datetime) -> int:
        probe = service.closed_until is not None
        lease = self._settings.lease_seconds
        alias = self._settings.database
        if probe and not circuit.take_probe(service, now, lease, alias):
            return 0
        profile = delivery.profile_at(service)
        taken_at = time.monotonic()
        terms = Claim(
            service_id=service.pk,
            limit=1 if probe else min(share, lane.room(lease)),
            now=now,
            lease_seconds=lease,
            timestamp_step_seconds=profile.timestamp_step_seconds,
            clock_skew_seconds=service.clock_skew_seconds,
            probe=probe,
        )
        rows = claim(delivery.rows(), terms, delivery.narrow(profile))
        if probe and not rows:
            circuit.give_probe_back(service, alias)
        start_by = taken_at + lease - self._settings.send_deadline_seconds
        self._lanes.add(lane, [(delivery, job) for job in delivery.prepare(rows, profile, start_by=start_by, probe=probe)])
        return len(rows)

    def _lane(self, delivery: Delivery[Any], service: Destination) -> Lane:
        lane = self._lanes.lane((delivery.sent_to, service.pk))
        most = delivery.profile_at(service).max_concurrency
        lane.threads = min(self._settings.threads_per_service, throttle.allowed(service, most))
        return lane

    def _due(self, delivery: Delivery[Any], now: datetime) -> Sequence[Destination]:
        """Where something is due and may be sent; EXISTS costs the same with ten rows waiting and a million."""
        due = delivery.rows().filter(**{delivery.sent_to: OuterRef("pk")}, due_at__lte=now)
        return list(delivery.destinations().filter(delivery.may_send(now)).filter(Exists(due)))
