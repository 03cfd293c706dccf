"""How far a verdict reaches beyond its own row: what is stored where the next ones find it, and who else it concerns."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from django_lti_ags import signals
from django_lti_ags.models import Context, LineItem, Score
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.verdict import Disposition, Reach
from django_lti_ags.sync import blocks
from django_lti_ags.sync.announcing import after_commit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django_lti_ags.sync.jobs import Job
    from django_lti_ags.sync.outbox import Outcome

logger = logging.getLogger(__name__)


def concerns(outcome: Outcome, job: Job) -> bool:
    """Whether ``outcome`` reaches as far as ``job``: then it is not sent into the same refusal, or the same pause."""
    verdict = outcome.verdict
    if verdict.reach is Reach.SERVICE:
        return verdict.strains_service and outcome.service_id == job.service_id
    if verdict.disposition is not Disposition.REJECTED:
        return False
    ours = {Reach.LINE_ITEM: job.line_item_id, Reach.CONTEXT: job.context_id, Reach.REGISTRATION: job.registration_id}
    return verdict.reach in ours and outcome.facts[f"{verdict.reach}_id"] == ours[verdict.reach]


def store(outcome: Outcome, now: datetime, alias: str) -> bool:
    """Store a refusal that concerns more than its own row; False: its place is locked by somebody else just now."""
    if outcome.verdict.disposition is not Disposition.REJECTED or outcome.facts.get("stored"):
        return True
    stored = _store(outcome, now, alias)
    if stored:
        # Once: a person may have lifted it while the row itself was locked.
        transaction.on_commit(partial(outcome.facts.__setitem__, "stored", True), using=alias)
    return stored


def _store(outcome: Outcome, now: datetime, alias: str) -> bool:
    verdict = outcome.verdict
    if verdict.reach is Reach.CONTEXT:
        return blocks.block(Context.objects.using(alias).filter(pk=outcome.facts["context_id"]), verdict, now)
    if verdict.reach is Reach.LINE_ITEM:
        column = LineItem.objects.using(alias).filter(pk=outcome.facts["line_item_id"])
        if "url" in outcome.facts:
            # What an old address answered says nothing of the new one.
            column = column.filter(url_digest=digest(outcome.facts["url"]))
        return blocks.block(column, verdict, now)
    if verdict.reach is Reach.REGISTRATION and blocks.pause(outcome.facts["registration_id"], verdict, now, alias):
        told = {"registration_id": outcome.facts["registration_id"], "service_id": outcome.service_id, "code": verdict.code}
        logger.error("Registration %s is paused: %s %s", told["registration_id"], verdict.code, verdict.detail, extra=told)
        after_commit(alias, signals.registration_paused, registration_id=outcome.facts["registration_id"], code=verdict.code)
    return True


def hold_others(outcomes: Sequence[Outcome], alias: str) -> None:
    """Let the waiting scores below a refused column or course rest, all in one statement."""
    scores = Score.objects.using(alias)
    for outcome in outcomes:
        if outcome.verdict.disposition is not Disposition.REJECTED:
            continue
        if outcome.verdict.reach is Reach.LINE_ITEM:
            blocked = LineItem.objects.using(alias).filter(pk=outcome.facts["line_item_id"]).exclude(block_code="")
            blocks.hold(scores.filter(line_item__in=list(blocked)), outcome.verdict)
        elif outcome.verdict.reach is Reach.CONTEXT:
            blocks.hold(scores.filter(line_item__context=outcome.facts["context_id"]), outcome.verdict)
