"""What a platform shows, read page by page and kept as it comes: memory does not grow with the column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction

from django_lti_ags import conf
from django_lti_ags.ags.vocabulary import SCOPE_RESULT_READONLY
from django_lti_ags.exceptions import AgsError, MissingScope, NoLineItem
from django_lti_ags.models import Result
from django_lti_ags.models.identity import digest
from django_lti_ags.sync import clients
from django_lti_ags.sync.attempts import clean_text, write_down
from django_lti_ags.sync.outbox_sql import database_now, insert_or_lock, locked, share, upsert_by_pk
from django_lti_ags.sync.profiles import profile_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.types import Result as WireResult
    from django_lti_ags.models import LineItem

UNIQUE: Final = ("line_item", "user_digest")
_READ: Final = ("url", "result_score", "result_maximum", "comment", "scoring_user_id", "extensions", "read_at")
_BATCH: Final = 500


class Reading:
    """Asks a platform about one column. Its exchanges are kept as attempts, however it ends.

    Raises:
        NoLineItem: the column is not at the platform yet.
        MissingScope: the platform does not let the tool read results.
    """

    def __init__(self, line_item: LineItem) -> None:
        if not line_item.url:
            raise NoLineItem(f"The column {line_item} has not been made at the platform yet, so it has no results.")
        if SCOPE_RESULT_READONLY not in line_item.scopes:
            raise MissingScope(SCOPE_RESULT_READONLY, line_item.scopes)
        self.line_item = line_item
        registration = line_item.context.deployment.registration
        self.profile = profile_of(registration)
        self._exchanges: list[Exchange] = []
        credentials = clients.credentials_of(registration)
        self.client = clients.shared().client(credentials, line_item.scopes, self._exchanges.append, self.profile)

    def batches(self, *, user_id: str | None = None, start_by: float | None = None) -> Iterator[list[Result]]:
        """The rows of what it shows, some hundred at a time, kept before they are given out.

        A reading that ends half-way gives out what came before, and then raises what the client raises.
        """
        limit = self.profile.results_per_page if user_id is None else None
        try:
            shown = self.client.each_result(self.line_item.url, user_id=user_id, limit=limit, start_by=start_by)
            for some in _batched(shown):
                self.keep_attempts()
                yield keep(self.line_item, some)
        finally:
            self.keep_attempts()

    def keep_attempts(self) -> None:
        """Write down what was exchanged since."""
        write_down(self._exchanges, self.line_item.service_id, self.line_item)
        self._exchanges.clear()


def _batched(shown: Iterable[WireResult]) -> Iterator[list[WireResult]]:
    batch: list[WireResult] = []
    try:
        for item in shown:
            batch.append(item)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    except AgsError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def keep(line_item: LineItem, shown: Iterable[WireResult]) -> list[Result]:
    """Write what the platform shows just now; of a learner who is listed twice, the last one. Of a deleted column nothing is kept."""
    alias: str = conf.get("database")
    wanted = {digest(item.user_id): item for item in shown}
    if not wanted:
        return []
    with transaction.atomic(using=alias):
        if not share(line_item, alias):
            return []
        now = database_now(alias)
        rows = Result.objects.using(alias).filter(line_item=line_item)
        fresh = [_row(line_item, key, wanted[key], now) for key in sorted(wanted)]
        insert_or_lock(Result.objects.using(alias), fresh, unique=UNIQUE)
        known = list(locked(rows.filter(user_digest__in=list(wanted)).order_by("user_digest")))
        for row in known:
            _read(row, wanted[row.user_digest], now)
        upsert_by_pk(Result.objects.using(alias), known, fields=_READ)
    return known


def forget_unseen(line_item: LineItem, seen: set[str], user_id: str | None) -> None:
    """Who is no longer shown (all but the digests ``seen``, or ``user_id`` alone) keeps a row without a score."""
    alias: str = conf.get("database")
    rows = Result.objects.using(alias).filter(line_item=line_item)
    if user_id is not None:
        rows = rows.filter(user_digest=digest(user_id))
    with transaction.atomic(using=alias):
        now = database_now(alias)
        gone = [row for row in locked(rows.order_by("user_digest")) if row.user_digest not in seen]
        for row in gone:
            row.result_score, row.read_at = None, now
        if gone:
            upsert_by_pk(Result.objects.using(alias), gone, fields=("result_score", "read_at"))


def _row(line_item: LineItem, key: str, item: WireResult, now: datetime) -> Result:
    row = Result(line_item=line_item, user_id=item.user_id, user_digest=key)
    _read(row, item, now)
    return row


def _read(row: Result, item: WireResult, now: datetime) -> None:
    row.read_at = now
    row.url = item.id or ""
    row.result_score = None if item.result_score is None else float(item.result_score)
    row.result_maximum = float(item.result_maximum)
    row.comment = clean_text(item.comment or "")
    row.scoring_user_id = clean_text(item.scoring_user_id or "")
    row.extensions = dict(item.extensions)
