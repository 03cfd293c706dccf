"""How a declared column comes to be at the platform: the database's half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from django_lti_ags import conf
from django_lti_ags.ags.types import LineItem as WireLineItem
from django_lti_ags.models import Context, LineItem, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.verdict import Disposition, Verdict
from django_lti_ags.sync import blocks, line_item_delivery
from django_lti_ags.sync.deliveries import Delivery
from django_lti_ags.sync.jobs import ags_terms
from django_lti_ags.sync.line_item_delivery import LineItemJob
from django_lti_ags.sync.outbox_sql import locked
from django_lti_ags.sync.services import service_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from random import Random
    from uuid import UUID

    from django.db.models import QuerySet

    from django_lti_ags.ags.client import Client
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.sync.clients import Clients
    from django_lti_ags.sync.clock import Clock
    from django_lti_ags.sync.outbox import Outcome


@dataclass(frozen=True, slots=True)
class Known:
    """What is above and beside the columns of a batch."""

    columns: dict[tuple[int, str], int]
    """(course, digest of the URL) → the column that has it."""
    blocks: dict[int, str]
    """Course → the code that blocks it; blank: none."""


class LineItemDelivery(Delivery[LineItem]):
    """The delivery of columns."""

    fields: ClassVar = ("url", "url_digest", "service", "block_code", "blocked_at")

    def __init__(self, clients: Clients, clock: Clock, random: Random) -> None:
        super().__init__(clients, clock, random)
        self._arrived: set[int] = set()
        """Columns that were made, and whose waiting scores are not all due yet."""

    def rows(self) -> QuerySet[LineItem]:
        """All columns."""
        return LineItem.objects.using(conf.get("database"))

    def talk(self, job: LineItemJob, client: Client) -> tuple[Verdict, bool]:
        """Find it, or make it."""
        return line_item_delivery.talk(job, client)

    def prepare(self, rows: Sequence[LineItem], profile: Profile, *, start_by: float, probe: bool) -> list[LineItemJob]:
        """Claimed columns of one service as jobs, with what their courses say now."""
        placed = self.rows().select_related("context__deployment__registration__signing_key").in_bulk([row.pk for row in rows])
        return [_job(placed[row.pk], row, profile, start_by, probe=probe) for row in rows if row.pk in placed]

    def look_up(self, outcomes: Sequence[Outcome], alias: str) -> tuple[Known, set[UUID]]:
        """What is known of the courses: locked, so that no column is added and no block lifted meanwhile."""
        asking = [outcome for outcome in outcomes if "item" in outcome.facts or outcome.facts.get("block")]
        contexts = {outcome.facts["context_id"] for outcome in asking}
        mine = list(locked(Context.objects.using(alias).filter(pk__in=contexts).order_by("pk"), skip=True))
        urls = [digest(outcome.facts["item"].id) for outcome in asking if "item" in outcome.facts]
        rows = LineItem.objects.using(alias).filter(context__in=mine, url_digest__in=urls)
        known = Known({(row.context_id, str(row.url_digest)): row.pk for row in rows}, {row.pk: row.block_code for row in mine})
        return known, {outcome.lease_token for outcome in asking if outcome.facts["context_id"] not in known.blocks}

    def amend(self, row: LineItem, outcome: Outcome, now: datetime, known: Known) -> None:
        """Keep the URL of a column that was found or made; look again for one whose course's block was lifted meanwhile."""
        if row.state == SyncState.BLOCKED and outcome.facts.get("block") and not known.blocks[row.context_id]:
            row.state, row.due_at, row.code, row.detail = SyncState.PENDING, now, "", ""
        item = outcome.facts.get("item")
        if outcome.verdict.disposition is not Disposition.DELIVERED or not isinstance(item, WireLineItem):
            return
        url = str(item.id)
        if known.columns.setdefault((row.context_id, digest(url)), row.pk) != row.pk:
            row.state, row.code, row.detail = SyncState.BLOCKED, "line_item_known", url
            row.block_code, row.blocked_at = "line_item_known", now
            return
        row.url, row.url_digest = url, digest(url)
        row.service_id = service_at(outcome.facts["registration_id"], url, self.rows().db).pk

    def conclude(self, rows: Sequence[LineItem], outcomes: Sequence[Outcome], now: datetime, alias: str) -> None:
        """Send what waited for the column."""
        for row in rows:
            if row.state == SyncState.DELIVERED:
                # A score that a recorder holds is brought home when it is sent.
                self._arrived.add(row.pk)
        self.catch_up()

    def catch_up(self) -> None:
        """Send what waited for columns that are there now; what a recorder's transaction holds, once it has ended."""
        alias = conf.get("database")
        self._arrived = {pk for pk in self._arrived if not blocks.arrived(pk, alias)}


def _job(placed: LineItem, row: LineItem, profile: Profile, start_by: float, *, probe: bool) -> LineItemJob:
    context = placed.context
    terms = ags_terms(row, context, profile, start_by=start_by, probe=probe)
    if context.block_code:
        terms["withheld"] = Verdict(code=context.block_code, disposition=Disposition.WITHHELD)
    return LineItemJob(
        **terms,
        service_id=row.service_id,
        line_item_id=row.pk,
        container_url=context.line_items_url,
        scopes=tuple(context.scopes),
        wanted=_wanted(row, profile),
        facts={"block": context.block_code},
    )


def _wanted(row: LineItem, profile: Profile) -> WireLineItem:
    return WireLineItem(
        label=row.label,
        score_maximum=row.score_maximum or 0,
        resource_link_id=row.resource_link_id or None,
        resource_id=row.resource_id or None,
        tag=row.tag or None,
        extensions=profile.column_extensions(row.extensions),
    )
