"""A column's first score travels alone, at platforms that would otherwise make a column for each (Brightspace).

Called inside a claim's transaction: the columns that no score has opened yet are locked, so that two
workers never choose two of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from django_lti_ags.models import LineItem, Score, SyncState
from django_lti_ags.sync.outbox_sql import locked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from django_lti_ags.sync.outbox import Claim


def one_by_one(rows: QuerySet[Score], terms: Claim) -> QuerySet[Score]:
    """``rows`` without those that must wait for the first score of their column."""
    due = rows.filter(service=terms.service_id, due_at__lte=terms.now)
    unopened = LineItem.objects.using(rows.db).filter(opened_at=None).filter(Exists(due.filter(line_item=OuterRef("pk"))))
    pks = sorted(unopened.values_list("pk", flat=True))
    if not pks:
        return rows
    # A column that a recorder has locked just now waits; nobody else does.
    mine = [row.pk for row in locked(unopened.filter(pk__in=pks).order_by("pk").only("pk"), skip=True)]
    travelling = set(rows.filter(line_item__in=pks, state=SyncState.SENDING, due_at__gt=terms.now).values_list("line_item", flat=True))
    first = [due.filter(line_item=pk).order_by("due_at").values_list("pk", flat=True).first() for pk in mine if pk not in travelling]
    return rows.filter(~Q(line_item__in=pks) | Q(pk__in=first))


def note_opened(scores: Iterable[Score], now: datetime, alias: str) -> None:
    """The columns of delivered ``scores`` are open: the others may follow side by side."""
    pks = {score.line_item_id for score in scores if score.state == SyncState.DELIVERED}
    LineItem.objects.using(alias).filter(pk__in=pks, opened_at=None).update(opened_at=now)
