"""An exchange as the row that tells of it: redacted by the wire, capped here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from django_lti_ags import conf
from django_lti_ags.models import DeliveryAttempt
from django_lti_ags.sync.outbox_sql import share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.models import LineItem
    from django_lti_ags.sync.outbox import Outcome

_TEXT_LENGTH: Final = 8000


def attempt_of(outcome: Outcome, exchange: Exchange, owner: str) -> DeliveryAttempt:
    """``exchange`` as an attempt at a row of the kind ``owner``; the last one of a send carries the verdict."""
    attempt = attempt_from(
        exchange,
        **{f"{owner}_id": outcome.pk},
        service_id=outcome.service_id,
        version=outcome.version,
        lease_token=outcome.lease_token,
        wire_timestamp=outcome.wire_timestamp,
    )
    if exchange is outcome.exchanges[-1]:
        attempt.disposition = outcome.verdict.disposition
        attempt.reach = outcome.verdict.reach
        attempt.code = outcome.verdict.code
        attempt.detail = attempt.detail or clean_text(outcome.verdict.detail)
    return attempt


def write_down(exchanges: Sequence[Exchange], service_id: int, line_item: LineItem | None) -> None:
    """Keep ``exchanges`` about a line item, or about its service alone: also where somebody has deleted it meanwhile."""
    alias: str = conf.get("database")
    with transaction.atomic(using=alias):
        there = line_item.pk if line_item is not None and exchanges and share(line_item, alias) else None
        attempts = [attempt_from(exchange, service_id=service_id, line_item_id=there) for exchange in exchanges]
        DeliveryAttempt.objects.using(alias).bulk_create(attempts)


def attempt_from(exchange: Exchange, **what_for: Any) -> DeliveryAttempt:
    """``exchange`` as an attempt; ``what_for``: the fields that say what it belongs to."""
    return DeliveryAttempt(
        kind=exchange.kind,
        started_at=exchange.started_at,
        duration_ms=exchange.duration_ms,
        method=exchange.method,
        url=exchange.url,
        request_headers=_clean(exchange.request_headers),
        request_body=clean_text(exchange.request_body),
        status=exchange.status,
        reason=clean_text(exchange.reason),
        response_headers=_clean(exchange.headers),
        response_body=clean_text(exchange.body),
        failure=exchange.failure or "",
        detail=clean_text(exchange.detail),
        **what_for,
    )


def clean_text(text: str) -> str:
    """What a database can keep: no NUL (PostgreSQL takes none), no lone surrogates, not too long."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")[:_TEXT_LENGTH]


def _clean(headers: Any) -> dict[str, str]:
    return {clean_text(str(key)): clean_text(str(value)) for key, value in headers.items()}
