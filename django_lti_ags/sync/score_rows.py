"""How a score is sent: the database's half. Prepares claimed rows, and writes what became of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from django_lti_ags import conf, signals
from django_lti_ags.ags.vocabulary import SCOPE_SCORE
from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.models import Context, Event, LineItem, Score, SyncState
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict
from django_lti_ags.sync import blocks, circuit, score_delivery, transitions
from django_lti_ags.sync.attempts import attempt_of
from django_lti_ags.sync.clients import credentials_of
from django_lti_ags.sync.outbox import lock_claimed, write_finished
from django_lti_ags.sync.recording import WIRE_FIELDS
from django_lti_ags.sync.score_delivery import ScoreJob
from django_lti_ags.sync.settling import Held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from random import Random

    from django.db.models import QuerySet

    from django_lti_ags.ags.tokens import Credentials
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.sync.clients import Clients
    from django_lti_ags.sync.clock import Clock
    from django_lti_ags.sync.outbox import Outcome

logger = logging.getLogger(__name__)

_FIELDS: Final = ("delivered_version", "delivered_given", "delivered_maximum", "delivered_comment", "delivered_at", "result_url")
_SIGNALS: Final = {
    SyncState.DELIVERED: signals.score_delivered,
    SyncState.FAILED: signals.score_failed,
    SyncState.BLOCKED: signals.score_blocked,
    SyncState.SUPERSEDED: signals.score_superseded,
}


class ScoreDelivery:
    """The :class:`~django_lti_ags.sync.deliveries.Delivery` of scores."""

    def __init__(self, clients: Clients, clock: Clock, random: Random) -> None:
        self._clients = clients
        self._clock = clock
        self._random = random

    def rows(self) -> QuerySet[Score]:
        """All scores."""
        return Score.objects.using(conf.get("database"))

    def prepare(self, rows: Sequence[Score], profile: Profile, *, start_by: float, probe: bool) -> list[ScoreJob]:
        """Claimed scores of one service as jobs, with what their line items say now."""
        line_items = (
            LineItem.objects.using(conf.get("database"))
            .select_related("context__deployment__registration__signing_key")
            .in_bulk({row.line_item_id for row in rows})
        )
        return [_job(row, line_items[row.line_item_id], profile, start_by, probe=probe) for row in rows]

    def exchange(self, job: ScoreJob) -> Outcome:
        """Send it."""
        return score_delivery.send(job, self._clients)

    def hand_back(self, job: ScoreJob) -> Outcome:
        """Nobody sent it."""
        return score_delivery.not_started(job)

    def concerns(self, outcome: Outcome, job: ScoreJob) -> bool:
        """Whether the outcome reaches that far."""
        return score_delivery.concerns(outcome, job)

    def finish(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Write what became of the scores; those that a recorder has locked come back."""
        alias = conf.get("database")
        with transaction.atomic(using=alias):
            now = self._clock.now()
            for outcome in outcomes:
                _store_reach(outcome, now, alias)
            shut = circuit.note(outcomes, now, self._random, alias)
            found, busy = lock_claimed(self.rows(), outcomes)
            standing = _standing_blocks(outcomes, alias)
            mine = [outcome for outcome in outcomes if outcome.pk in found]
            for outcome in mine:
                self._finish_row(found[outcome.pk], outcome, now, shut, standing)
            write_finished(self.rows(), list(found.values()), mine, fields=_FIELDS, attempt=attempt_of)
            _tell(list(found.values()), now, alias)
            _hold_others(mine, alias)
        for outcome in outcomes:
            if outcome.pk not in found and outcome.pk not in busy:
                logger.warning(
                    "Score %s: the lease was lost, another worker has it; its outcome %s is dropped", outcome.pk, outcome.verdict.code
                )
        return [outcome for outcome in outcomes if outcome.pk in busy]

    def _finish_row(self, row: Score, outcome: Outcome, now: datetime, shut: Mapping[int, datetime], standing: Mapping[int, str]) -> None:
        terms = transitions.Terms(
            now=now,
            random=self._random,
            max_age_seconds=conf.get("max_age_seconds"),
            service_resumes_at=shut.get(outcome.service_id),
        )
        transitions.finish(row, outcome, terms, aged_from=row.aged_from)
        if row.state == SyncState.BLOCKED and outcome.facts.get("block") and standing.get(row.line_item_id, "") == "":
            # The block was lifted while this score was on its way to rest under it.
            row.state, row.due_at, row.code, row.detail = SyncState.PENDING, now, "", ""
        if outcome.verdict.disposition is Disposition.DELIVERED:
            _note_delivered(row, outcome, now)


def _job(row: Score, line_item: LineItem, profile: Profile, start_by: float, *, probe: bool) -> ScoreJob:
    registration = line_item.context.deployment.registration
    credentials, withheld = _credentials(line_item)
    block = line_item.standing_block or ("" if line_item.url else blocks.WANTED)
    if block:
        withheld = Verdict(code=block, disposition=Disposition.WITHHELD)
    fields = {name: getattr(row, name) for name in ("user_id", *WIRE_FIELDS)}
    if profile.says_when_submitted and fields["submitted_at"] is None:
        # Of this version, so that its repetitions say the same.
        fields["submitted_at"] = max(row.recorded_at, row.started_at or row.recorded_at)
    withheld = withheld or profile.withhold(fields, held=row.delivered_given is not None)
    held = (
        None
        if row.delivered_version is None
        else Held(score_given=row.delivered_given, score_maximum=row.delivered_maximum, comment=row.delivered_comment)
    )
    if row.lease_token is None or row.wire_timestamp is None:
        raise ValueError(f"Score {row.pk} was not claimed.")
    return ScoreJob(
        pk=row.pk,
        lease_token=row.lease_token,
        version=row.version,
        wire_timestamp=row.wire_timestamp,
        service_id=row.service_id,
        line_item_id=row.line_item_id,
        context_id=line_item.context_id,
        registration_id=registration.pk,
        url=line_item.url,
        scopes=tuple(line_item.scopes),
        credentials=credentials,
        profile=profile,
        fields=fields,
        unsettled=row.unsettled,
        delivered=held,
        withheld=withheld,
        start_by=start_by,
        probe=probe,
        facts={"block": block},
    )


def _credentials(line_item: LineItem) -> tuple[Credentials | None, Verdict | None]:
    try:
        credentials = credentials_of(line_item.context.deployment.registration)
    except EncryptionError as problem:
        verdict = Verdict(code="key_unusable", disposition=Disposition.REJECTED, reach=Reach.REGISTRATION, detail=str(problem))
        return None, verdict
    if SCOPE_SCORE not in line_item.scopes:
        detail = f"Granted: {', '.join(line_item.scopes) or 'nothing'}."
        verdict = Verdict(code="missing_scope", disposition=Disposition.REJECTED, reach=Reach.LINE_ITEM, detail=detail)
        return credentials, verdict
    return credentials, None


def _store_reach(outcome: Outcome, now: datetime, alias: str) -> None:
    """A refusal that concerns more than this score is stored where the next ones find it."""
    verdict = outcome.verdict
    if verdict.disposition is not Disposition.REJECTED:
        return
    if verdict.reach is Reach.REGISTRATION:
        if blocks.pause(outcome.facts["registration_id"], verdict, now, alias):
            logger.error("Registration %s is paused: %s %s", outcome.facts["registration_id"], verdict.code, verdict.detail)
            _send_after_commit(alias, signals.registration_paused, registration_id=outcome.facts["registration_id"], code=verdict.code)
    elif verdict.reach is Reach.CONTEXT:
        blocks.block(Context.objects.using(alias).filter(pk=outcome.facts["context_id"]), verdict, now)
    elif verdict.reach is Reach.LINE_ITEM:
        blocks.block(LineItem.objects.using(alias).filter(pk=outcome.facts["line_item_id"]), verdict, now)


def _standing_blocks(outcomes: Sequence[Outcome], alias: str) -> dict[int, str]:
    """The blocks that stand now over the scores that were withheld for one."""
    pks = {outcome.facts["line_item_id"] for outcome in outcomes if outcome.facts.get("block")}
    if not pks:
        return {}
    line_items = LineItem.objects.using(alias).filter(pk__in=pks).select_related("context")
    return {row.pk: row.standing_block or ("" if row.url else blocks.WANTED) for row in line_items}


def _hold_others(outcomes: Sequence[Outcome], alias: str) -> None:
    scores = Score.objects.using(alias)
    for outcome in outcomes:
        if outcome.verdict.disposition is not Disposition.REJECTED:
            continue
        if outcome.verdict.reach is Reach.LINE_ITEM:
            blocks.hold(scores.filter(line_item=outcome.facts["line_item_id"]), outcome.verdict)
        elif outcome.verdict.reach is Reach.CONTEXT:
            blocks.hold(scores.filter(line_item__context=outcome.facts["context_id"]), outcome.verdict)


def _note_delivered(row: Score, outcome: Outcome, now: datetime) -> None:
    fields = outcome.facts["fields"]
    row.delivered_version = outcome.version
    row.delivered_given = fields["score_given"]
    row.delivered_maximum = fields["score_maximum"]
    row.delivered_comment = fields["comment"]
    row.delivered_at = now
    row.result_url = outcome.facts.get("result_url") or row.result_url


def _tell(rows: Sequence[Score], now: datetime, alias: str) -> None:
    """One event for each row that came to rest, in this transaction; its signal after the commit."""
    told = [row for row in rows if row.state in _SIGNALS]
    Event.objects.using(alias).bulk_create(
        Event(
            name=f"score_{row.state}",
            score=row,
            service_id=row.service_id,
            version=row.version,
            code=row.code,
            payload={"score": str(row.uid), "line_item": row.line_item_id, "user_id": row.user_id},
            created_at=now,
        )
        for row in told
    )
    for row in told:
        _send_after_commit(alias, _SIGNALS[SyncState(row.state)], score=row, code=row.code)


def _send_after_commit(alias: str, signal: Any, **arguments: Any) -> None:
    if not signal.has_listeners(Score):
        return

    def send() -> None:
        for receiver, answer in signal.send_robust(sender=Score, **arguments):
            if isinstance(answer, Exception):
                logger.error("The signal receiver %r failed", receiver, exc_info=answer)

    transaction.on_commit(send, using=alias)
