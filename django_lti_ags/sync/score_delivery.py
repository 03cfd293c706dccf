"""How a score is sent: the wire's half, without a database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.ags.types import Score as WireScore
from django_lti_ags.ags.vocabulary import SCOPE_RESULT_READONLY
from django_lti_ags.canvas.progress import file_receipts, receipts_without_an_answer
from django_lti_ags.canvas.submission import EXTENSION, leaving_the_grade
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, InvalidScore, MissingScope, NotStarted
from django_lti_ags.profiles.answers import describe
from django_lti_ags.profiles.verdict import CHANGED_ELSEWHERE, LIKELY_DELIVERED, Disposition, Reach, Verdict
from django_lti_ags.sync.jobs import NOT_STARTED, Job
from django_lti_ags.sync.settling import Held, margin_of, settle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_lti_ags.ags.client import Client
    from django_lti_ags.ags.exchange import Exchange

_GRADE_IS_NOT_OURS: Final = (CHANGED_ELSEWHERE, LIKELY_DELIVERED)
_WITHOUT_AN_ANSWER: Final = ("already_there", *_GRADE_IS_NOT_OURS)
"""Verdicts after which nothing is sent any more: what the lost answer said of files, nobody will know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreJob(Job):
    """One claimed score."""

    url: str
    fields: Mapping[str, Any]
    unsettled: bool
    fingerprint: str
    """Of what the tool said, without what the profile adds."""
    delivered: Held | None
    """What the platform is known to have taken last."""
    doubtful: tuple[Held, ...]
    """What it may have taken since."""
    hands_in: bool = False
    """Whether the score brings a submission that the platform is not known to have, and takes."""
    keeps: bool = False
    """Whether that submission must arrive, whatever becomes of its grade."""
    is_queued: bool = False
    """Whether it is an earlier submission, which newer ones wait for."""


def talk(job: ScoreJob, client: Client) -> tuple[Verdict, bool]:
    """Send one score, after asking the platform first where that is due; the verdict, and whether the question is settled."""
    asked = _ask(job, client) if job.unsettled else None
    if asked is not None and job.keeps and job.hands_in and asked.code in _GRADE_IS_NOT_OURS:
        return _hand_in_alone(job, client, asked)
    if asked is not None and asked.code == "already_there" and job.hands_in and job.fields["score_given"] is None:
        # No number, so the Result looks alike without the submission. A repeat makes no second attempt; its comment would be added.
        job, asked = _in_doubt(job), None
    if asked is not None:
        _miss_files(job, asked)
        return asked, asked.code in ("already_there", CHANGED_ELSEWHERE)
    return _post(job, client), job.unsettled


def _hand_in_alone(job: ScoreJob, client: Client, asked: Verdict) -> tuple[Verdict, bool]:
    """Make sure of the submission, where nothing may be done to the grade: its time keeps a second attempt away."""
    unreadable = asked.code == LIKELY_DELIVERED
    if unreadable and not job.is_queued:
        _miss_files(job, asked)
        return asked, False
    fields = {**job.fields, "extensions": leaving_the_grade(job.fields["extensions"])}
    if unreadable:
        fields["comment"] = ""  # nobody can tell whether it is there
    handed = _post(_in_doubt(replace(job, fields=fields)), client)
    if handed.disposition is not Disposition.DELIVERED:
        return handed, False
    job.facts["handed_in"] = True
    return (handed if job.is_queued else asked), True


def _miss_files(job: ScoreJob, asked: Verdict) -> None:
    """Note the files of a submission that may be there, and whose answer is lost."""
    if job.hands_in and asked.code in _WITHOUT_AN_ANSWER:
        job.facts["files"] = receipts_without_an_answer(job.fields["extensions"].get(EXTENSION))


def _in_doubt(job: ScoreJob) -> ScoreJob:
    """It may have arrived: its comment is compared before it is sent again."""
    return replace(job, doubtful=(*job.doubtful, Held.of(job.fields)))


def _post(job: ScoreJob, client: Client) -> Verdict:
    try:
        score = _wire_score(job, with_comment=_needs_comment(job, client))
        receipt = client.post_score(job.url, score, start_by=job.start_by)
    except NotStarted:
        return NOT_STARTED
    except InvalidAnswer as failed:
        return Verdict(code="results_unreadable", disposition=Disposition.RETRY, detail=failed.problem)
    except InvalidScore as problem:
        return Verdict(code="invalid_score", disposition=Disposition.REJECTED, detail=str(problem))
    except MissingScope as problem:
        return Verdict(code="missing_scope", disposition=Disposition.REJECTED, reach=Reach.LINE_ITEM, detail=str(problem))
    except ExchangeFailed as failed:
        return job.profile.judge(failed.exchange)
    job.facts["files"] = file_receipts(receipt.extensions.get(EXTENSION), job.url) if job.hands_in else []
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
        return Verdict(code=LIKELY_DELIVERED, disposition=Disposition.WITHHELD)
    try:
        results = client.list_results(job.url, user_id=job.fields["user_id"], start_by=job.start_by)
    except NotStarted:
        return NOT_STARTED
    except InvalidAnswer as failed:
        return Verdict(code="results_unreadable", disposition=Disposition.RETRY, detail=failed.problem)
    except ExchangeFailed as failed:
        return _judge_asking(job, failed.exchange)
    ours = replace(Held.of(job.fields), fingerprint=job.fingerprint)
    before = [*((job.delivered,) if job.delivered is not None else ()), *job.doubtful]
    shown = results[0] if results else None
    return settle(ours, before, shown, margin_of(shown, job.profile), clips=job.profile.clips)


def _judge_asking(job: ScoreJob, exchange: Exchange) -> Verdict:
    if exchange.kind != "token" and exchange.status in (400, 403, 405):
        # This platform does not let us read: a person has to look.
        return Verdict(code=LIKELY_DELIVERED, disposition=Disposition.WITHHELD, detail=describe(exchange))
    return job.profile.judge(exchange)
