"""How a declared column comes to be at the platform: the database's half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from django_lti_ags import conf
from django_lti_ags.ags.types import LineItem as WireLineItem
from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.models import Context, LineItem, Score, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.verdict import Disposition, Verdict, registration_fault
from django_lti_ags.sync import blocks, line_item_delivery
from django_lti_ags.sync.attempts import attempt_of_line_item
from django_lti_ags.sync.clients import credentials_of
from django_lti_ags.sync.deliveries import Delivery
from django_lti_ags.sync.line_item_delivery import LineItemJob
from django_lti_ags.sync.outbox_sql import locked
from django_lti_ags.sync.services import service_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.tokens import Credentials
    from django_lti_ags.models import DeliveryAttempt, Registration
    from django_lti_ags.profiles.base import Profile
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

    def rows(self) -> QuerySet[LineItem]:
        """All columns."""
        return LineItem.objects.using(conf.get("database"))

    def prepare(self, rows: Sequence[LineItem], profile: Profile, *, start_by: float, probe: bool) -> list[LineItemJob]:
        """Claimed columns of one service as jobs, with what their courses say now."""
        placed = self.rows().select_related("context__deployment__registration__signing_key").in_bulk([row.pk for row in rows])
        return [_job(placed[row.pk], row, profile, start_by, probe=probe) for row in rows if row.pk in placed]

    def exchange(self, job: LineItemJob) -> Outcome:
        """Find it, or make it."""
        return line_item_delivery.send(job, self.clients)

    def hand_back(self, job: LineItemJob) -> Outcome:
        """Nobody did."""
        return line_item_delivery.not_started(job)

    def attempt(self, outcome: Outcome, exchange: Exchange) -> DeliveryAttempt:
        """An attempt at a column."""
        return attempt_of_line_item(outcome, exchange)

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
                Score.objects.using(alias).filter(line_item=row).exclude(service=row.service_id).update(service=row.service_id)
                blocks.arrived(LineItem.objects.using(alias).filter(pk=row.pk))


def _job(placed: LineItem, row: LineItem, profile: Profile, start_by: float, *, probe: bool) -> LineItemJob:
    if row.lease_token is None or row.wire_timestamp is None:
        raise ValueError(f"Line item {row.pk} was not claimed.")
    registration = placed.context.deployment.registration
    credentials, withheld = _credentials(registration)
    if placed.context.block_code:
        withheld = Verdict(code=placed.context.block_code, disposition=Disposition.WITHHELD)
    return LineItemJob(
        line_item_id=row.pk,
        lease_token=row.lease_token,
        version=row.version,
        wire_timestamp=row.wire_timestamp,
        service_id=row.service_id,
        context_id=row.context_id,
        registration_id=registration.pk,
        container_url=placed.context.line_items_url,
        scopes=tuple(placed.context.scopes),
        credentials=credentials,
        profile=profile,
        wanted=_wanted(row),
        withheld=withheld,
        start_by=start_by,
        probe=probe,
        facts={"block": placed.context.block_code},
    )


def _wanted(row: LineItem) -> WireLineItem:
    return WireLineItem(
        label=row.label,
        score_maximum=row.score_maximum or 0,
        resource_link_id=row.resource_link_id or None,
        resource_id=row.resource_id or None,
        tag=row.tag or None,
    )


def _credentials(registration: Registration) -> tuple[Credentials | None, Verdict | None]:
    try:
        return credentials_of(registration), None
    except EncryptionError as problem:
        return None, registration_fault("key_unusable", str(problem))
