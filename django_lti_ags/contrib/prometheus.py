"""Metrics for Prometheus (extra ``[metrics]``), read from the database: right with any number of worker processes.

Include the view, and set ``LTI_AGS["METRICS_TOKEN"]``; without a token it refuses everybody::

    path("metrics/grades", MetricsView.as_view())

Or register the collector in a registry of your own::

    prometheus_client.REGISTRY.register(DeliveryCollector())

The times from recorded to delivered are gauges of two quantiles, not a histogram: they come from the newest deliveries
in the database, which a histogram, a sum over all there ever were, could not be made from without reading them all.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import caches
from django.http import HttpResponse
from django.views.generic import View
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from django_lti_ags import conf
from django_lti_ags.models import Registration, WebhookEndpoint
from django_lti_ags.sync import live_report, report, sampling, webhook_report
from django_lti_ags.sync.live_report import LiveStanding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django.http import HttpRequest
    from prometheus_client.metrics_core import Metric

    from django_lti_ags.sync.report import ServiceReport
    from django_lti_ags.sync.webhook_report import WebhookStanding

LABELS: Final = ("registration", "name", "service")
"""The registration's uid, its name for people, and the campus' origin; blank for a registration that was never launched from."""
OUTCOMES: Final = ("delivered", "superseded", "blocked", "failed", "cancelled")
_KEPT_SECONDS: Final = 10
_CACHE_KEY: Final = "lti_ags:metrics"

WEBHOOK_LABELS: Final = ("endpoint", "api_key", "host")
"""The endpoint's uid, the name of its key, and where it is, without the path."""
_PAUSED: Final = "lti_ags_registration_paused"

_GAUGES: Final[Mapping[str, tuple[str, Callable[[ServiceReport], float | None]]]] = {
    "lti_ags_waiting_scores": ("Scores to be sent or being sent; counted to 10000, 10001 is more.", lambda one: one.waiting),
    "lti_ags_due_scores": ("Scores that could be sent now; counted likewise.", lambda one: one.due),
    "lti_ags_sending_scores": ("Scores that workers are sending; counted likewise.", lambda one: one.sending),
    "lti_ags_blocked_scores": ("Scores that rest under a block; counted likewise.", lambda one: one.blocked),
    "lti_ags_failed_scores": ("Scores that failed; counted likewise.", lambda one: one.failed),
    "lti_ags_oldest_due_seconds": ("How long the oldest due score has been due; 0: none is.", lambda one: one.oldest_due_seconds or 0.0),
    _PAUSED: ("1: nothing is sent until a person resumes the registration.", lambda one: one.paused_at is not None),
    "lti_ags_circuit_open": ("1: the platform is failing, and only probed.", lambda one: one.closed_until is not None),
    "lti_ags_throttled": ("1: the platform made us send less at once.", lambda one: one.concurrency is not None),
    "lti_ags_condition": (
        "0 well, 1 throttled, 2 failing, 3 circuit open, 4 paused: the worst that holds.",
        lambda one: int(one.condition),
    ),
    "lti_ags_last_success_timestamp_seconds": (
        "When the platform last gave a clear answer.",
        lambda one: one.last_success_at.timestamp() if one.last_success_at else None,
    ),
}


_OF_WEBHOOKS: Final[Sequence[tuple[str, str, Callable[[WebhookStanding], float]]]] = (
    ("lti_ags_waiting_webhooks", "Messages to be sent to the endpoint; counted to 10000, 10001 is more.", lambda one: one.waiting),
    ("lti_ags_resting_webhooks", "Messages that failed or are blocked; counted likewise.", lambda one: one.resting),
    ("lti_ags_webhook_failing", "1: the endpoint's last answers were failures.", lambda one: one.failing_since is not None),
    ("lti_ags_webhook_disabled", "1: the endpoint is told nothing until a person enables it.", lambda one: one.disabled_at is not None),
)


class DeliveryCollector(Collector):
    """The numbers of ``sync/report.py``, asked for at each scrape."""

    def describe(self) -> Iterable[Metric]:
        """Names only: registering must not need the database."""
        return [*(family for _, family in _families()), *_live(), *_webhooks(), _quantiles(), _outcomes(), _sampled()]

    def collect(self) -> Iterable[Metric]:
        """Each service's numbers."""
        measured = report.measure()
        for read, family in _families():
            for one in measured.services:
                value = read(one)
                if value is not None:
                    family.add_metric(_labels(one), float(value))
            if family.name == _PAUSED:
                _add_without_launch(family)
            yield family
        yield from _live(measured.services)
        yield from _webhooks(webhook_report.standing(WebhookEndpoint.objects.all()))
        quantiles = _quantiles()
        for one in measured.services:
            for quantile, seconds in (("0.5", one.p50_seconds), ("0.95", one.p95_seconds)):
                if seconds is not None:
                    quantiles.add_metric([*_labels(one), quantile], seconds)
        yield quantiles
        yield _counted(measured.services)
        sampled = _sampled()
        if measured.sampled_at is not None:
            sampled.add_metric([], measured.sampled_at.timestamp())
        yield sampled


class MetricsView(View):
    """What Prometheus scrapes: with ``Authorization: Bearer`` and the token, computed at most every ten seconds."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The metrics, as text; 403 for everybody else."""
        if not _may_read(request):
            return HttpResponse("Forbidden\n", status=403, content_type="text/plain")
        cache = caches[conf.get("cache")]
        text = cache.get_or_set(_CACHE_KEY, exposition, _KEPT_SECONDS)
        return HttpResponse(text, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def exposition() -> bytes:
    """The metrics of this package, and of nothing else."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(DeliveryCollector())
    return generate_latest(registry)


def _may_read(request: HttpRequest) -> bool:
    token: str = conf.get("metrics_token")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), token.encode())


def _labels(one: ServiceReport) -> list[str]:
    return [str(one.registration_uid), one.registration, one.service]


def _families() -> list[tuple[Callable[[ServiceReport], float | None], GaugeMetricFamily]]:
    return [(read, GaugeMetricFamily(name, text, labels=LABELS)) for name, (text, read) in _GAUGES.items()]


def _add_without_launch(family: GaugeMetricFamily) -> None:
    """Registrations that no launch has told a service of can be paused, too."""
    for one in Registration.objects.filter(services=None).order_by("pk"):
        family.add_metric([str(one.uid), str(one), ""], float(one.is_paused))


def _live(services: Sequence[ServiceReport] = ()) -> list[GaugeMetricFamily]:
    waiting = GaugeMetricFamily("lti_ags_waiting_live_assessments", "Live assessments with results to be sent.", labels=LABELS)
    resting = GaugeMetricFamily("lti_ags_resting_live_assessments", "Live assessments that failed or are blocked.", labels=LABELS)
    standing = live_report.standing([one.service_id for one in services]) if services else {}
    for one in services:
        told = standing.get(one.service_id, LiveStanding())
        waiting.add_metric(_labels(one), told.waiting)
        resting.add_metric(_labels(one), told.resting)
    return [waiting, resting]


def _webhooks(endpoints: Sequence[WebhookStanding] = ()) -> list[GaugeMetricFamily]:
    """Of endpoints that there is something to say of; the others are well."""
    families = []
    for name, text, read in _OF_WEBHOOKS:
        family = GaugeMetricFamily(name, text, labels=WEBHOOK_LABELS)
        for one in endpoints:
            family.add_metric([str(one.endpoint_uid), one.api_key, one.host], float(read(one)))
        families.append(family)
    return families


def _quantiles() -> GaugeMetricFamily:
    text = "From recorded to delivered, of the newest deliveries of the last 24 hours."
    return GaugeMetricFamily("lti_ags_delivery_seconds", text, labels=[*LABELS, "quantile"])


def _outcomes() -> CounterMetricFamily:
    return CounterMetricFamily("lti_ags_outcomes", "How often scores came to rest, since the first sample.", labels=[*LABELS, "outcome"])


def _sampled() -> GaugeMetricFamily:
    return GaugeMetricFamily("lti_ags_sampled_timestamp_seconds", "The newest sample: a running worker writes one every five minutes.")


def _counted(services: Iterable[ServiceReport]) -> CounterMetricFamily:
    family, totals = _outcomes(), sampling.totals()
    for one in services:
        told = totals.get(one.service_id, {})
        for outcome in OUTCOMES:
            family.add_metric([*_labels(one), outcome], told.get(f"score_{outcome}", 0))
    return family
