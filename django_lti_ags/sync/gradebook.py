"""A course's columns and their results, asked for while somebody waits: nothing here is durable, and every exchange is on record.

Scores go another way: they are recorded, and the worker delivers them.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from django_lti_ags import conf
from django_lti_ags.ags.containment import check_below
from django_lti_ags.ags.types import LineItem as WireLineItem
from django_lti_ags.ags.urls import check_url, results_url, with_query
from django_lti_ags.exceptions import InvalidAnswer
from django_lti_ags.models import LineItem, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.verdict import Reach, rejected
from django_lti_ags.sync import clients
from django_lti_ags.sync.attempts import write_down
from django_lti_ags.sync.blocks import GONE, block, hold
from django_lti_ags.sync.outbox_sql import database_now, locked
from django_lti_ags.sync.profiles import profile_of
from django_lti_ags.sync.result_rows import keep
from django_lti_ags.sync.services import found_or_made, service_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_lti_ags.ags.calls import Page
    from django_lti_ags.ags.client import Client
    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.types import Result as WireResult
    from django_lti_ags.models import Context

_MOST_PAGES: Final = 100
_LOOKING_SECONDS: Final = 30.0
"""How many pages are looked through for one learner while somebody waits, and for how long another is begun."""


class Gradebook:
    """The columns of one course, at its platform. Do not use it inside a transaction: it waits for the platform.

    Every call raises:
        MissingScope: the platform does not let the tool do this.
        ExchangeFailed: no usable answer; the exchanges are kept as attempts.
        NotStarted: it takes too long.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        registration = context.deployment.registration
        self.profile = profile_of(registration)
        self._credentials = clients.credentials_of(registration)

    def columns(self, url: str) -> Page[WireLineItem]:
        """One page of the course's columns."""
        with self._asking(url) as (client, _):
            return client.line_items_page(url)

    def column(self, url: str) -> WireLineItem:
        """One column, as the platform has it."""
        with self._asking(url) as (client, _):
            return client.get_line_item(url)

    def find(self, url: str) -> LineItem:
        """The row of a column that is not known under ``url``."""
        return self.row_of(self.column(url), url)

    def row_of(self, item: WireLineItem, url: str) -> LineItem:
        """The row of a column that was read at ``url``: one row, however its address is spelled (AGS 2.0, 3.1)."""
        rows = LineItem.objects.using(conf.get("database")).filter(context=self.context)
        rows = rows.select_related("context__deployment__registration")
        found = rows.filter(url_digest=digest(item.id or url)).first() or rows.filter(url_digest=digest(url)).first()
        return found or self.known(replace(item, id=self._own(item, url)))

    def _own(self, item: WireLineItem, url: str) -> str:
        try:
            check_below(item.id or "", self.context.line_items_url)
        except ValueError:
            return url
        return str(item.id)

    def make(self, wanted: WireLineItem) -> WireLineItem:
        """Make a column, also if there is one like it; what the platform made of it, which is known here from now on."""
        url = self.context.line_items_url
        with self._asking(url) as (client, exchanges):
            made = client.create_line_item(url, self._worded(wanted))
            try:
                check_url(made.id or "")
            except ValueError as problem:
                raise InvalidAnswer(exchanges, f"the column's id cannot be used: {problem}") from None
        self.known(made, made_by_tool=True)
        return made

    def change(self, row: LineItem, wanted: WireLineItem) -> WireLineItem:
        """Replace all of a column; what the platform made of it."""
        with self._asking(row.url, row) as (client, _):
            applied = replace(client.replace_line_item(row.url, self._worded(wanted)), id=row.url)
        _write(row, applied)
        return applied

    def learn(self, row: LineItem) -> None:
        """Bring ``row`` up to date with its column there."""
        with self._asking(row.url, row) as (client, _):
            item = client.get_line_item(row.url)
        _write(row, item)

    def delete(self, row: LineItem) -> None:
        """Delete a column there."""
        with self._asking(row.url, row) as (client, _):
            client.delete_line_item(row.url)

    def forget(self, row: LineItem) -> None:
        """A column that was deleted there goes here, too; if scores are recorded in it they stay, and rest."""
        alias: str = conf.get("database")
        with transaction.atomic(using=alias):
            # Locked before it is looked at: a recorder that is under way has its score seen, a later one finds no column.
            list(locked(LineItem.objects.using(alias).filter(pk=row.pk).only("pk"), wholly=True))
            if not row.scores.using(alias).exists():
                row.delete(using=alias)
                return
            verdict = rejected(GONE, "", Reach.LINE_ITEM)
            block(LineItem.objects.using(alias).filter(pk=row.pk), verdict, database_now(alias))
            hold(row.scores.using(alias).all(), verdict)

    def results(self, row: LineItem, *, limit: int | None = None, url: str = "") -> Page[WireResult]:
        """One page of what is shown in a column, kept as it is read: the first, or the one at ``url``."""
        given = [("limit", str(limit))] if limit is not None and self.profile.takes_result_limit else []
        asked = url or with_query(results_url(row.url), given)
        with self._asking(asked, row) as (client, _):
            page = client.results_page(asked)
        keep(row, page.items)
        return page

    def results_of(self, row: LineItem, user_id: str) -> list[WireResult]:
        """What is shown of one learner: at most one, wherever it stands. Some platforms pass over the filter."""
        url: str | None = with_query(results_url(row.url), [("user_id", user_id)])
        shown: list[WireResult] = []
        start_by = time.monotonic() + _LOOKING_SECONDS
        with self._asking(row.url, row) as (client, exchanges):
            for _ in range(_MOST_PAGES):
                page = client.results_page(str(url), start_by=start_by)
                shown = [result for result in page.items if result.user_id == user_id][:1]
                url = page.others.get("next")
                if shown or url is None:
                    break
            else:
                raise InvalidAnswer(exchanges, f"there are more than {_MOST_PAGES} pages")
        keep(row, shown)
        return shown

    def known(self, item: WireLineItem, *, made_by_tool: bool = False) -> LineItem:
        """The row that stands for a column of the platform's; made, if there is none.

        Its resource link stays out: by that a launch would take it for its own column under an older address.
        """
        alias: str = conf.get("database")
        url = str(item.id)
        row = LineItem(
            context=self.context,
            service=service_at(self.context.deployment.registration_id, url, alias),
            url=url,
            url_digest=digest(url),
            state=SyncState.DELIVERED,
            scopes=list(self.context.scopes),
            made_by_tool=made_by_tool,
            **_columns_of(item),
        )
        with transaction.atomic(using=alias):
            found = found_or_made(row, ("context", "url_digest"), alias)
        found.context = self.context
        return found

    def _worded(self, wanted: WireLineItem) -> WireLineItem:
        return replace(wanted, extensions=self.profile.column_extensions(wanted.extensions))

    @contextmanager
    def _asking(self, url: str, row: LineItem | None = None) -> Iterator[tuple[Client, list[Exchange]]]:
        """A client, and its exchanges; they are written down, however it ends."""
        exchanges: list[Exchange] = []
        try:
            client = clients.shared().client(self._credentials, self.context.scopes, exchanges.append, self.profile, of_record=True)
            yield client, exchanges
        finally:
            alias: str = conf.get("database")
            service = row.service_id if row is not None else service_at(self.context.deployment.registration_id, url, alias).pk
            write_down(exchanges, service, row)


def _write(row: LineItem, item: WireLineItem) -> None:
    newest = _columns_of(item)
    for name, value in newest.items():
        setattr(row, name, value)
    # Not saved as a row: somebody may have deleted it meanwhile.
    LineItem.objects.using(conf.get("database")).filter(pk=row.pk).update(**newest)


def _columns_of(item: WireLineItem) -> dict[str, Any]:
    above_zero = item.score_maximum is not None and item.score_maximum > 0
    return {
        "label": item.label,
        "score_maximum": float(item.score_maximum or 0) if above_zero else None,
        "resource_id": item.resource_id or "",
        "tag": item.tag or "",
    }
