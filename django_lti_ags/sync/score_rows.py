"""How a score is sent: the database's half. Prepares claimed rows, and writes what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django_lti_ags import conf
from django_lti_ags.ags.vocabulary import SCOPE_SCORE
from django_lti_ags.models import Context, LineItem, Score, SyncState
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict, rejected
from django_lti_ags.sync import announcing, first_scores, score_delivery
from django_lti_ags.sync.deliveries import Delivery
from django_lti_ags.sync.jobs import shared_terms
from django_lti_ags.sync.outbox_sql import locked
from django_lti_ags.sync.recording import WIRE_FIELDS
from django_lti_ags.sync.score_delivery import ScoreJob
from django_lti_ags.sync.settling import Held

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from django.db.models import QuerySet

    from django_lti_ags.ags.client import Client
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.sync.outbox import Claim, Outcome


class ScoreDelivery(Delivery[Score]):
    """The delivery of scores."""

    fields: ClassVar = (
        "delivered_version",
        "delivered_given",
        "delivered_maximum",
        "delivered_comment",
        "delivered_fingerprint",
        "delivered_at",
        "doubtful",
        "result_url",
        "service",
    )

    def rows(self) -> QuerySet[Score]:
        """All scores."""
        return Score.objects.using(conf.get("database"))

    def talk(self, job: ScoreJob, client: Client) -> tuple[Verdict, bool]:
        """Send it, after asking where that is due."""
        return score_delivery.talk(job, client)

    def narrow(self, profile: Profile) -> Callable[[QuerySet[Score], Claim], QuerySet[Score]] | None:
        """A column's first score goes alone where the profile says so."""
        return first_scores.one_by_one if profile.first_score_alone else None

    def prepare(self, rows: Sequence[Score], profile: Profile, *, start_by: float, probe: bool) -> list[ScoreJob]:
        """Claimed scores of one service as jobs, with what their line items say now."""
        line_items = (
            LineItem.objects.using(conf.get("database"))
            .select_related("context__deployment__registration__signing_key")
            .in_bulk({row.line_item_id for row in rows})
        )
        # A column may have been deleted since, and its scores with it.
        left = [row for row in rows if row.line_item_id in line_items]
        return [_job(row, line_items[row.line_item_id], profile, start_by, probe=probe) for row in left]

    def look_up(self, outcomes: Sequence[Outcome], alias: str) -> tuple[dict[int, str], set[UUID]]:
        """The blocks that stand now over the scores that were withheld for one; locked, so that none is lifted meanwhile."""
        withheld = [outcome for outcome in outcomes if outcome.facts.get("block")]
        if not withheld:
            return {}, set()
        pks = {name: {outcome.facts[name] for outcome in withheld} for name in ("context_id", "line_item_id")}
        contexts = {row.pk for row in locked(Context.objects.using(alias).filter(pk__in=pks["context_id"]).order_by("pk"), skip=True)}
        rows = LineItem.objects.using(alias).filter(pk__in=pks["line_item_id"], context__in=contexts)
        own = [row.pk for row in locked(rows.order_by("pk"), skip=True)]
        standing = {row.pk: row.standing_block for row in LineItem.objects.using(alias).filter(pk__in=own).select_related("context")}
        return standing, {outcome.lease_token for outcome in withheld if outcome.facts["line_item_id"] not in standing}

    def amend(self, row: Score, outcome: Outcome, now: datetime, known: Mapping[int, str]) -> None:
        """Note what was delivered; let rest what a block stands over now, and send again what it was lifted from since."""
        if row.state == SyncState.BLOCKED and outcome.facts.get("block"):
            row.code = known[row.line_item_id]
            if not row.code:
                row.state, row.due_at, row.detail = SyncState.PENDING, now, ""
        # A launch may have moved the column while an older copy of it was recorded on.
        row.service_id = outcome.facts["home"]
        if outcome.verdict.disposition is Disposition.DELIVERED:
            _note_delivered(row, outcome, now)

    def conclude(self, rows: Sequence[Score], outcomes: Sequence[Outcome], now: datetime, alias: str) -> None:
        """Tell of what came to rest."""
        announcing.tell(rows, now, alias)
        opening = {outcome.pk for outcome in outcomes if outcome.facts["opens"]}
        if opening:
            first_scores.note_opened([row for row in rows if row.pk in opening], now, alias)


def _job(row: Score, line_item: LineItem, profile: Profile, start_by: float, *, probe: bool) -> ScoreJob:
    terms = shared_terms(row, line_item.context, profile, start_by=start_by, probe=probe)
    fields = _fields(row, profile)
    fingerprint = Held.of({name: getattr(row, name) for name in WIRE_FIELDS}).fingerprint
    block = line_item.standing_block
    terms["withheld"] = _withheld(line_item, terms["withheld"]) or profile.withhold(fields, held=row.delivered_given is not None)
    return ScoreJob(
        **terms,
        service_id=row.service_id,
        line_item_id=line_item.pk,
        url=line_item.url,
        scopes=tuple(line_item.scopes),
        fields=fields,
        unsettled=row.unsettled,
        fingerprint=fingerprint,
        delivered=_delivered(row),
        doubtful=tuple(Held(**one) for one in row.doubtful),
        facts={
            "home": line_item.service_id,
            "block": block,
            "opens": profile.first_score_alone and line_item.opened_at is None,
            "fields": fields,
            "fingerprint": fingerprint,
        },
    )


def _withheld(line_item: LineItem, unusable: Verdict | None) -> Verdict | None:
    """Why nothing can be sent to this column now; a block comes first, since it says what to do."""
    if line_item.standing_block:
        return Verdict(code=line_item.standing_block, disposition=Disposition.WITHHELD)
    if unusable is None and SCOPE_SCORE not in line_item.scopes:
        return rejected("missing_scope", f"Granted: {', '.join(line_item.scopes) or 'nothing'}.", Reach.LINE_ITEM)
    return unusable


def _fields(row: Score, profile: Profile) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in ("user_id", *WIRE_FIELDS)}
    if profile.says_when_submitted and fields["submitted_at"] is None:
        # Of this version, so that its repetitions say the same.
        fields["submitted_at"] = max(row.recorded_at, row.started_at or row.recorded_at)
    return fields


def _delivered(row: Score) -> Held | None:
    if row.delivered_version is None:
        return None
    return Held(
        score_given=row.delivered_given,
        score_maximum=row.delivered_maximum,
        comment=row.delivered_comment,
        fingerprint=row.delivered_fingerprint,
    )


def _note_delivered(row: Score, outcome: Outcome, now: datetime) -> None:
    fields = outcome.facts["fields"]
    row.delivered_version = outcome.version
    row.delivered_given = fields["score_given"]
    row.delivered_maximum = fields["score_maximum"]
    row.delivered_comment = fields["comment"]
    row.delivered_fingerprint = outcome.facts["fingerprint"]
    row.delivered_at = now
    row.doubtful = []
    row.result_url = outcome.facts.get("result_url") or row.result_url
