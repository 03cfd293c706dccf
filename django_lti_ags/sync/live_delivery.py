"""How live assessment results are sent: the wire's half, without a database.

Canvas counts a repeated result again (Live Assessments API, "Create live assessment results"). So what may have arrived is
looked for before it is sent again: a result that Canvas lists, that is none of those known to be there, and that says the same
of the same learner at the same second, is ours; of several alike as many as Canvas lists.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django_lti_ags.canvas.arguments import check_id
from django_lti_ags.exceptions import CanvasNotFound, ExchangeFailed, InvalidCanvasArgument, NotStarted
from django_lti_ags.profiles.canvas_rest import USER_NOT_IN_COURSE, judge
from django_lti_ags.profiles.verdict import Disposition, Verdict, rejected
from django_lti_ags.sync.jobs import NOT_STARTED, Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django_lti_ags.canvas import Client, LiveAssessment, LiveAssessmentResult

_LATE_SECONDS: Final = 30.0
"""What had no clear answer may still be under way: so long is waited before Canvas is asked."""
_PER_PAGE: Final = 100


@dataclass(slots=True)
class Progress:
    """What is known of a batch's results, by their keys; true at every moment, also when the send breaks off."""

    doubtful: set[int]
    """On their way, and nobody knows whether they arrived."""
    arrived: dict[int, str]
    """Canvas has them, under these ids; blank where it named none."""
    refused: set[int]
    """Canvas knows no such learner in the course."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveJob(Job):
    """One claimed assessment, and a batch of its results."""

    connected: Client | None
    course_id: str
    assessment: LiveAssessment
    """As it is to be declared; its ``id`` is set if Canvas has it so already."""
    results: Mapping[int, LiveAssessmentResult]
    """By their keys, in the order in which they were recorded."""
    known: frozenset[str]
    """The ids of results that Canvas is known to have from us, of the learners in doubt."""
    progress: Progress


def talk(job: LiveJob, client: Client) -> tuple[Verdict, bool]:
    """Declare the assessment, look for what is in doubt, send the rest; the verdict, and whether nothing is in doubt any more."""
    verdict = _talk(job, client)
    if verdict.disposition is Disposition.AMBIGUOUS:
        verdict = replace(verdict, retry_after_seconds=max(_LATE_SECONDS, verdict.retry_after_seconds or 0.0))
    return verdict, not job.progress.doubtful


def _talk(job: LiveJob, client: Client) -> Verdict:
    try:
        assessment_id = job.assessment.id or _declare(job, client)
        if job.progress.doubtful:
            _look_for_doubtful(job, client, assessment_id)
    except NotStarted:
        return _out_of_time(job)
    except ExchangeFailed as problem:
        return _of_the_assessment(job, problem)
    except InvalidCanvasArgument as problem:
        # What was declared was checked when it was: it is an id of Canvas' that is none.
        return Verdict(code="canvas_unreadable", disposition=Disposition.RETRY, detail=str(problem))
    left = [pk for pk in job.results if pk not in job.progress.arrived]
    if not left:
        return Verdict(code="live_results_there", disposition=Disposition.DELIVERED)
    return _post(job, client, assessment_id, left)


def _declare(job: LiveJob, client: Client) -> str:
    made = client.create_or_find_live_assessments(job.course_id, [job.assessment])
    found = next((one.id for one in made if one.key == job.assessment.key), "")
    check_id("assessments.id", found)
    job.facts["declared"] = found
    return found


def _look_for_doubtful(job: LiveJob, client: Client, assessment_id: str) -> None:
    doubtful = {pk: result for pk, result in job.results.items() if pk in job.progress.doubtful}
    users = {str(result.user) for result in doubtful.values()}
    only = users.pop() if len(users) == 1 else None
    listed = client.live_assessment_results(job.course_id, assessment_id, user_id=only, per_page=_PER_PAGE)
    found = _matched(doubtful, (one for one in listed if one.id not in job.known))
    job.progress.arrived.update(found)
    job.progress.doubtful.clear()


def _post(job: LiveJob, client: Client, assessment_id: str, left: Sequence[int]) -> Verdict:
    """Send ``left``; where Canvas refuses a learner without naming them, in halves, until it is known who."""
    portions, detail = [list(left)], ""
    while portions:
        portion = portions.pop(0)
        sending = {pk: job.results[pk] for pk in portion}
        job.progress.doubtful.update(portion)
        try:
            made = client.create_live_assessment_results(job.course_id, assessment_id, list(sending.values()))
        except NotStarted:
            job.progress.doubtful.difference_update(portion)
            return _out_of_time(job)
        except ExchangeFailed as problem:
            verdict = judge(problem, adds_up=True)
            if verdict.disposition is not Disposition.AMBIGUOUS:
                job.progress.doubtful.difference_update(portion)
            if verdict.code != USER_NOT_IN_COURSE:
                return _gone(job, verdict) if isinstance(problem, CanvasNotFound) else verdict
            detail = verdict.detail
            portions[:0] = _halves(job, portion)
        else:
            job.progress.arrived.update(dict.fromkeys(portion, "") | _matched(sending, made))
            job.progress.doubtful.difference_update(portion)
    if job.progress.refused:
        return rejected(USER_NOT_IN_COURSE, detail)
    return Verdict(code="live_results_delivered", disposition=Disposition.DELIVERED)


def _halves(job: LiveJob, portion: Sequence[int]) -> list[list[int]]:
    """``portion`` in two by its learners; of one learner alone nothing is left to be sent."""
    users = list(dict.fromkeys(str(job.results[pk].user) for pk in portion))
    if len(users) == 1:
        job.progress.refused.update(portion)
        return []
    first = set(users[: len(users) // 2])
    split = [[pk for pk in portion if (str(job.results[pk].user) in first) is wanted] for wanted in (True, False)]
    return [half for half in split if half]


def _matched(ours: Mapping[int, LiveAssessmentResult], listed: Iterable[LiveAssessmentResult]) -> dict[int, str]:
    """Which of ``ours`` are ``listed``, with Canvas' ids: of several alike, the first as many as are listed."""
    wanted = Counter(_identity(result) for result in ours.values())
    ids: dict[tuple[str, int, bool], list[str]] = defaultdict(list)
    for one in listed:
        identity = _identity(one)
        if len(ids[identity]) < wanted[identity]:
            ids[identity].append(one.id)
    return {pk: ids[_identity(result)].pop(0) for pk, result in ours.items() if ids[_identity(result)]}


def _identity(result: LiveAssessmentResult) -> tuple[str, int, bool]:
    return str(result.user), int(result.assessed_at.timestamp()), result.passed


def _of_the_assessment(job: LiveJob, problem: ExchangeFailed) -> Verdict:
    verdict = judge(problem, adds_up=False)
    return _gone(job, verdict) if isinstance(problem, CanvasNotFound) and problem.exchange.kind == "live_results" else verdict


def _gone(job: LiveJob, verdict: Verdict) -> Verdict:
    """Canvas has no such assessment any more, or the course is gone: the next try declares it anew, and finds out which."""
    job.facts["declared"] = ""
    return rejected("live_assessment_gone", verdict.detail)


def _out_of_time(job: LiveJob) -> Verdict:
    """The rest is the next round's; at once, if this one came to anything."""
    if not job.exchanges or job.progress.arrived or job.progress.refused:
        return NOT_STARTED
    return Verdict(code="canvas_slow", disposition=Disposition.RETRY)
