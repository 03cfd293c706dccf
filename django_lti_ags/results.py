"""Read what the platforms show.

::

    for result in results.fetch(line_item):
        print(result.user_id, result.result_score, result.result_maximum)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from django_lti_ags import conf
from django_lti_ags.ags.vocabulary import SCOPE_RESULT_READONLY
from django_lti_ags.exceptions import MissingScope, NoLineItem
from django_lti_ags.models import DeliveryAttempt, Result
from django_lti_ags.models.identity import digest
from django_lti_ags.sync import clients
from django_lti_ags.sync.attempts import attempt_from, clean_text
from django_lti_ags.sync.outbox_sql import database_now, insert_or_lock, locked, upsert_by_pk
from django_lti_ags.sync.profiles import profile_of

if TYPE_CHECKING:
    from datetime import datetime

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.types import Result as WireResult
    from django_lti_ags.models import LineItem

__all__ = ["fetch"]

_READ = ("url", "result_score", "result_maximum", "comment", "scoring_user_id", "extensions", "read_at")


def fetch(line_item: LineItem, *, user_id: str | None = None) -> list[Result]:
    """Ask the platform for a column's results, all pages, and keep them; returns what it shows now.

    A learner whose result is no longer shown keeps a row without a score. Do not call it inside a
    transaction: it waits for the platform.

    Args:
        line_item: the column.
        user_id: only this learner's.

    Raises:
        NoLineItem: the column is not at the platform yet.
        MissingScope: the platform does not let the tool read results.
        ExchangeFailed: no usable answer; it carries the exchanges, and they are kept as attempts.
    """
    if not line_item.url:
        raise NoLineItem(f"The column {line_item} has not been made at the platform yet, so it has no results.")
    if SCOPE_RESULT_READONLY not in line_item.scopes:
        raise MissingScope(SCOPE_RESULT_READONLY, line_item.scopes)
    alias: str = conf.get("database")
    exchanges: list[Exchange] = []
    registration = line_item.context.deployment.registration
    credentials = clients.credentials_of(registration)
    client = clients.shared().client(credentials, line_item.scopes, exchanges.append, profile_of(registration))
    try:
        shown = client.list_results(line_item.url, user_id=user_id)
    finally:
        DeliveryAttempt.objects.using(alias).bulk_create(
            attempt_from(exchange, service_id=line_item.service_id, line_item_id=line_item.pk) for exchange in exchanges
        )
    with transaction.atomic(using=alias):
        return _keep(line_item, shown, user_id, alias)


def _keep(line_item: LineItem, shown: list[WireResult], user_id: str | None, alias: str) -> list[Result]:
    now = database_now(alias)
    rows = Result.objects.using(alias).filter(line_item=line_item)
    wanted = {digest(item.user_id): item for item in shown}
    fresh = [_row(line_item, key, item, now) for key, item in wanted.items()]
    if fresh:
        insert_or_lock(Result.objects.using(alias), fresh, unique=("line_item", "user_digest"))
    if user_id is not None:
        rows = rows.filter(user_digest=digest(user_id))
    known = list(locked(rows.order_by("user_digest")))
    for row in known:
        _read(row, wanted.get(row.user_digest), now)
    if known:
        upsert_by_pk(Result.objects.using(alias), known, fields=_READ)
    return [row for row in known if row.user_digest in wanted]


def _row(line_item: LineItem, key: str, item: WireResult, now: datetime) -> Result:
    row = Result(line_item=line_item, user_id=item.user_id, user_digest=key)
    _read(row, item, now)
    return row


def _read(row: Result, item: WireResult | None, now: datetime) -> None:
    row.read_at = now
    if item is None:
        row.result_score = None
        return
    row.url = item.id or ""
    row.result_score = None if item.result_score is None else float(item.result_score)
    row.result_maximum = float(item.result_maximum)
    row.comment = clean_text(item.comment or "")
    row.scoring_user_id = clean_text(item.scoring_user_id or "")
    row.extensions = dict(item.extensions)
