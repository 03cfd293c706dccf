"""From events to webhooks: in the transaction that writes the events, so that none is told which did not happen."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from django_lti_ags.ags.types import compact_json, wire_number, wire_time
from django_lti_ags.models import ApiKey, LineItem, WebhookDelivery, WebhookEndpoint, WebhookKind
from django_lti_ags.sync.outbox_sql import insert_many

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from django_lti_ags.models import Event, Score

_KINDS: Final = {f"score_{kind.partition('.')[2]}": WebhookKind(kind) for kind in WebhookKind.values}
"""The name of an event → what a webhook calls it."""
LISTENING: Final = Q(disabled_at=None, api_key__revoked_at=None)
"""The endpoints that want to hear."""
_nobody_listens: set[str] = set()
"""Database aliases where nobody did when a worker looked last: there a finish asks nothing."""


def look(alias: str) -> frozenset[int]:
    """Who listens, by key; workers ask every second, so a new endpoint hears of what happens from then on."""
    listening = frozenset(WebhookEndpoint.objects.using(alias).filter(LISTENING).values_list("pk", flat=True))
    if listening:
        _nobody_listens.discard(alias)
    else:
        _nobody_listens.add(alias)
    return listening


def queue(told: Iterable[tuple[Event, Score]], now: datetime, alias: str) -> None:
    """Tell the endpoints whose keys see them of events about scores; it reads four times at most, and not at all where nobody listens."""
    if alias in _nobody_listens:
        return
    wanted = [(event, score, _KINDS[event.name]) for event, score in told if event.name in _KINDS]
    above = "context__deployment__registration"
    columns = LineItem.objects.using(alias).select_related(above).in_bulk({score.line_item_id for _, score, _ in wanted})
    if not columns:
        return
    seeing = _Seeing(columns.values(), alias)
    rows = [
        _row(endpoint, event, score, kind, column, now)
        for event, score, kind in wanted
        if (column := columns.get(score.line_item_id)) is not None
        for endpoint in seeing.endpoints
        if kind in endpoint.kinds and seeing.sees(endpoint.api_key, column)
    ]
    if rows:
        insert_many(WebhookDelivery.objects.using(alias), rows)


class _Seeing:
    """Which endpoints' keys see which courses, of those that just something happened in. Nobody else's are read."""

    def __init__(self, columns: Iterable[LineItem], alias: str) -> None:
        places = [column.context for column in columns]
        registrations = {place.deployment.registration_id for place in places}
        contexts = {place.pk for place in places}
        within = ApiKey.contexts.through._default_manager.using(alias).filter(context_id__in=contexts)
        above = ApiKey.registrations.through._default_manager.using(alias).filter(registration_id__in=registrations)
        listening = WebhookEndpoint.objects.using(alias).filter(LISTENING, api_key__in=above.values("apikey_id"))
        near = listening.filter(Q(api_key__narrowed=False) | Q(api_key__in=within.values("apikey_id")))
        self.endpoints = list(near.select_related("api_key").order_by("pk"))
        keys = {endpoint.api_key for endpoint in self.endpoints}
        narrowed = {key for key in keys if key.narrowed}
        self._registrations = _joined(above, "registration_id", keys) if keys else {}
        self._contexts = _joined(within, "context_id", narrowed) if narrowed else {}

    def sees(self, key: ApiKey, column: LineItem) -> bool:
        """Whether ``key`` sees what is in ``column``."""
        if column.context.deployment.registration_id not in self._registrations.get(key.pk, ()):
            return False
        return not key.narrowed or column.context_id in self._contexts.get(key.pk, ())


def _joined(rows: QuerySet[Any], column: str, keys: set[ApiKey]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for key, place in rows.filter(apikey__in=[key.pk for key in keys]).values_list("apikey_id", column):
        found[key].add(place)
    return found


def _row(endpoint: WebhookEndpoint, event: Event, score: Score, kind: WebhookKind, column: LineItem, now: datetime) -> WebhookDelivery:
    return WebhookDelivery(
        endpoint=endpoint,
        score_id=score.pk,
        service_id=score.service_id,
        message_id=f"msg_{event.uid.hex}",
        kind=kind,
        body=compact_json({"type": kind.value, "timestamp": wire_time(now), "data": _said(score, column)}).decode(),
        created_at=now,
        due_at=now,
        aged_from=now,
    )


def _said(score: Score, column: LineItem) -> dict[str, Any]:
    """What is told: where, who, what and how it went; no comment, no submission, no name."""
    context = column.context
    return {
        "uid": str(score.uid),
        "userId": score.user_id,
        "registration": str(context.deployment.registration.uid),
        "context": str(context.uid),
        "lineItem": column.url,
        "lineItemUid": str(column.uid),
        "state": score.state,
        "code": score.code,
        "version": score.version,
        "scoreGiven": _number(score.score_given),
        "scoreMaximum": _number(score.score_maximum),
        "activityProgress": score.activity_progress,
        "gradingProgress": score.grading_progress,
        "recordedAt": wire_time(score.recorded_at),
    }


def _number(value: float | None) -> int | float | None:
    return None if value is None else wire_number(value)
