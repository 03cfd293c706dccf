"""How a score is sent: the database's half. Prepares claimed rows, and writes what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django_lti_ags import conf
from django_lti_ags.ags.vocabulary import SCOPE_SCORE
from django_lti_ags.models import Context, LineItem, Score, SyncState
from django_lti_ags.profiles.verdict import NO_ATTEMPTS, Disposition, Reach, Verdict, rejected
from django_lti_ags.sync import announcing, file_rows, first_scores, handing, keeping, queueing, score_delivery
from django_lti_ags.sync.deliveries import Delivery
from django_lti_ags.sync.jobs import ags_terms
from django_lti_ags.sync.outbox_sql import locked
from django_lti_ags.sync.score_delivery import ScoreJob
from django_lti_ags.sync.settling import Held
from django_lti_ags.sync.statements import WIRE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from django_lti_ags.ags.client import Client
    from django_lti_ags.models import QueuedSubmission
    from django_lti_ags.profiles.base import HandedIn, Profile
    from django_lti_ags.sync.outbox import Claim, Outcome

_NO_ATTEMPTS: Final = Verdict(code=NO_ATTEMPTS, disposition=Disposition.WITHHELD)


class ScoreDelivery(Delivery[Score]):
    """The delivery of scores."""

    fields: ClassVar = (
        "delivered_version",
        "delivered_given",
        "delivered_maximum",
        "delivered_comment",
        "delivered_fingerprint",
        "delivered_at",
        "delivered_submission_at",
        "queue_head",
        "set_aside",
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
        queued = queueing.heads(rows, conf.get("database"))
        # A column may have been deleted since, and its scores with it; or a learner forgotten.
        left = [row for row in rows if row.line_item_id in line_items and (row.queue_head is None or row.pk in queued)]
        return [_job(row, queued.get(row.pk), line_items[row.line_item_id], profile, start_by, probe=probe) for row in left]

    def look_up(self, outcomes: Sequence[Outcome], alias: str) -> tuple[dict[int, str], set[UUID]]:
        """The blocks that stand now over the scores that are to rest under one; locked, so that none is lifted meanwhile."""
        withheld = [outcome for outcome in outcomes if _rests_under_a_block(outcome)]
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
        if row.state == SyncState.BLOCKED and _rests_under_a_block(outcome):
            row.code = known[row.line_item_id]
            if not row.code:
                row.state, row.due_at, row.detail = SyncState.PENDING, now, ""
        # A launch may have moved the column while an older copy of it was recorded on.
        row.service_id = outcome.facts["home"]
        delivered = outcome.verdict.disposition is Disposition.DELIVERED
        if delivered:
            _note_delivered(row, outcome, now)
        if row.queue_head == outcome.version:
            queueing.go_on(row, outcome, now, self.rows().db)
            return
        if delivered or outcome.facts.get("handed_in"):
            row.delivered_submission_at = outcome.facts["submission_at"] or row.delivered_submission_at
        if row.state == SyncState.DELIVERED and row.set_aside:
            queueing.rest(row)

    def conclude(self, rows: Sequence[Score], outcomes: Sequence[Outcome], now: datetime, alias: str) -> None:
        """Tell of what came to rest, and begin to follow the files that were taken."""
        announcing.tell(rows, now, alias)
        by_pk = {row.pk: row for row in rows}
        file_rows.follow([(by_pk[outcome.pk], outcome) for outcome in outcomes], now, alias)
        opening = {outcome.pk for outcome in outcomes if outcome.facts["opens"]}
        if opening:
            first_scores.note_opened([row for row in rows if row.pk in opening], now, alias)


def _rests_under_a_block(outcome: Outcome) -> bool:
    verdict = outcome.verdict
    refused = verdict.disposition is Disposition.REJECTED and verdict.reach in (Reach.LINE_ITEM, Reach.CONTEXT)
    return refused or bool(outcome.facts.get("block"))


def _job(row: Score, queued: QueuedSubmission | None, line_item: LineItem, profile: Profile, start_by: float, *, probe: bool) -> ScoreJob:
    terms = ags_terms(row, line_item.context, profile, start_by=start_by, probe=probe)
    said, handed = _said(row) if queued is None else queueing.said_by(row, queued)
    late = queued is not None and queueing.is_late(row, queued)
    fields = profile.worded(said, handed)
    fingerprint = keeping.fingerprint_of(row) if queued is None else queued.fingerprint
    terms["withheld"] = (
        _withheld(line_item, terms["withheld"])
        or (_NO_ATTEMPTS if queued is not None and not profile.takes_submissions else None)
        or (None if late else profile.withhold(fields, held=row.delivered_given is not None))
    )
    certain = handed.is_new and fields["grading_progress"] in profile.makes_submissions_while
    of_score = {"fields": fields, "fingerprint": fingerprint, "late": late, "submission_at": handed.at if certain else None}
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
        hands_in=profile.takes_submissions and handed.is_new,
        keeps=queued is not None or row.keeps_submission,
        is_queued=queued is not None,
        doubtful=tuple(Held(**one) for one in row.doubtful),
        facts=_facts_of(line_item, profile) | of_score,
    )


def _facts_of(line_item: LineItem, profile: Profile) -> dict[str, Any]:
    return {
        "home": line_item.service_id,
        "block": line_item.standing_block,
        "url": line_item.url,
        "scopes": line_item.scopes,
        "opens": profile.first_score_alone and line_item.opened_at is None,
    }


def _said(row: Score) -> tuple[dict[str, Any], HandedIn]:
    return {name: getattr(row, name) for name in ("user_id", *WIRE_FIELDS)}, handing.in_of(row)


def _withheld(line_item: LineItem, unusable: Verdict | None) -> Verdict | None:
    """Why nothing can be sent to this column now; a block comes first, since it says what to do."""
    if line_item.standing_block:
        return Verdict(code=line_item.standing_block, disposition=Disposition.WITHHELD)
    if unusable is None and SCOPE_SCORE not in line_item.scopes:
        return rejected("missing_scope", f"Granted: {', '.join(line_item.scopes) or 'nothing'}.", Reach.LINE_ITEM)
    return unusable


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
    row.result_url = outcome.facts.get("result_url") or row.result_url
    if outcome.facts["late"]:
        return  # what stands in the gradebook is newer
    fields = outcome.facts["fields"]
    row.delivered_version = outcome.version
    row.delivered_given = fields["score_given"]
    row.delivered_maximum = fields["score_maximum"]
    row.delivered_comment = fields["comment"]
    row.delivered_fingerprint = outcome.facts["fingerprint"]
    row.delivered_at = now
    row.doubtful = []
