"""How a score is sent: the wire's half, without a database."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django_lti_ags.ags.types import Score as WireScore
from django_lti_ags.ags.vocabulary import SCOPE_RESULT_READONLY
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, InvalidScore, MissingScope, NotStarted
from django_lti_ags.profiles.answers import describe
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict
from django_lti_ags.sync.outbox import Outcome, skew_of
from django_lti_ags.sync.settling import Held, settle

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping

    from django_lti_ags.ags.client import Client
    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.tokens import Credentials
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.sync.clients import Clients

logger = logging.getLogger(__name__)

_NOT_STARTED = Verdict(code="not_started", disposition=Disposition.RETRY, reach=Reach.SERVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreJob:
    """One claimed score with everything that its send needs."""

    pk: int
    lease_token: uuid.UUID
    version: int
    wire_timestamp: datetime
    service_id: int
    line_item_id: int
    context_id: int
    registration_id: int
    url: str
    scopes: tuple[str, ...]
    credentials: Credentials | None
    profile: Profile
    fields: Mapping[str, Any]
    unsettled: bool = False
    fingerprint: str = ""
    delivered: Held | None = None
    """What the platform is known to have taken last."""
    doubtful: tuple[Held, ...] = ()
    """What it may have taken since."""
    withheld: Verdict | None = None
    start_by: float = 0.0
    probe: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def send(job: ScoreJob, clients: Clients) -> Outcome:
    """Send one score, after asking the platform first where that is due; raises nothing."""
    if job.withheld is not None or job.credentials is None:
        return outcome_of(job, job.withheld or _NOT_STARTED)
    exchanges: list[Exchange] = []
    settled = False
    try:
        client = clients.client(job.credentials, job.scopes, exchanges.append, job.profile)
        verdict = _ask(job, client) if job.unsettled else None
        settled = job.unsettled and (verdict is None or verdict.code in ("already_there", "changed_elsewhere"))
        if verdict is None:
            verdict = _post(job, client)
    except Exception:
        # One score must never stop the worker: it comes back later, and the log says why.
        logger.exception("Sending score %s failed inside the worker", job.pk, extra={"row_id": job.pk, "service_id": job.service_id})
        verdict = Verdict(code="internal_error", disposition=Disposition.RETRY)
    return outcome_of(job, verdict, exchanges=tuple(exchanges), settled=settled)


def outcome_of(job: ScoreJob, verdict: Verdict, *, exchanges: tuple[Exchange, ...] = (), settled: bool = False) -> Outcome:
    """``verdict`` as the outcome of ``job``."""
    return Outcome(
        pk=job.pk,
        lease_token=job.lease_token,
        version=job.version,
        wire_timestamp=job.wire_timestamp,
        service_id=job.service_id,
        verdict=verdict,
        exchanges=exchanges,
        settled=settled,
        clock_skew_seconds=skew_of(exchanges),
        facts={
            **job.facts,
            "fields": job.fields,
            "fingerprint": job.fingerprint,
            "line_item_id": job.line_item_id,
            "context_id": job.context_id,
            "registration_id": job.registration_id,
            "probe": job.probe,
        },
    )


def not_started(job: ScoreJob) -> Outcome:
    """The outcome of a job that no thread took up."""
    return outcome_of(job, _NOT_STARTED)


def _post(job: ScoreJob, client: Client) -> Verdict:
    try:
        score = _wire_score(job, with_comment=_needs_comment(job, client))
        receipt = client.post_score(job.url, score, start_by=job.start_by)
    except NotStarted:
        return _NOT_STARTED
    except InvalidAnswer as failed:
        return Verdict(code="results_unreadable", disposition=Disposition.RETRY, detail=failed.problem)
    except InvalidScore as problem:
        return Verdict(code="invalid_score", disposition=Disposition.REJECTED, detail=str(problem))
    except MissingScope as problem:
        return Verdict(code="missing_scope", disposition=Disposition.REJECTED, reach=Reach.LINE_ITEM, detail=str(problem))
    except ExchangeFailed as failed:
        return job.profile.judge(failed.exchange)
    if receipt.result_url:
        job.facts["result_url"] = receipt.result_url
    return job.profile.judge(receipt.exchange)


def _wire_score(job: ScoreJob, *, with_comment: bool) -> WireScore:
    values = dict(job.fields)
    values["comment"] = (values["comment"] if with_comment else "") or None
    values["scoring_user_id"] = values["scoring_user_id"] or None
    return WireScore(timestamp=job.wire_timestamp, **values)


def _needs_comment(job: ScoreJob, client: Client) -> bool:
    """Whether the comment must go along: where each one is added to the others, none is sent twice."""
    comment = job.fields["comment"]
    if not job.profile.adds_comments or not comment:
        return True
    if job.delivered is not None and job.delivered.comment == comment:
        return False
    if all(one.comment != comment for one in job.doubtful):
        return True
    if SCOPE_RESULT_READONLY not in job.scopes:
        return False
    shown = client.list_results(job.url, user_id=job.fields["user_id"], start_by=job.start_by)
    return not shown or shown[0].comment != comment


def _ask(job: ScoreJob, client: Client) -> Verdict | None:
    """Whether the platform holds the score already; None: it does not."""
    if SCOPE_RESULT_READONLY not in job.scopes:
        return Verdict(code="likely_delivered", disposition=Disposition.WITHHELD)
    try:
        results = client.list_results(job.url, user_id=job.fields["user_id"], start_by=job.start_by)
    except NotStarted:
        return _NOT_STARTED
    except InvalidAnswer as failed:
        return Verdict(code="results_unreadable", disposition=Disposition.RETRY, detail=failed.problem)
    except ExchangeFailed as failed:
        return _judge_asking(job, failed.exchange)
    ours = replace(Held.of(job.fields), fingerprint=job.fingerprint)
    before = [*((job.delivered,) if job.delivered is not None else ()), *job.doubtful]
    return settle(ours, before, results[0] if results else None, job.profile.result_tolerance)


def _judge_asking(job: ScoreJob, exchange: Exchange) -> Verdict:
    if exchange.kind != "token" and exchange.status in (400, 403, 405):
        # This platform does not let us read: a person has to look.
        return Verdict(code="likely_delivered", disposition=Disposition.WITHHELD, detail=describe(exchange))
    return job.profile.judge(exchange)
