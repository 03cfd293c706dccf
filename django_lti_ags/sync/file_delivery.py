"""How far a platform is with a file that was handed in: the wire's half, without a database.

Nothing is delivered here: the platform is asked, politely, until the file is there or will never be. What goes wrong concerns this file
alone; scores depend on none of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django_lti_ags.canvas.progress import SCOPE, Progress
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, MissingScope, NotStarted
from django_lti_ags.profiles.verdict import Disposition, Verdict, rejected
from django_lti_ags.sync.jobs import NOT_STARTED, Job

if TYPE_CHECKING:
    from django_lti_ags.ags.client import Client

_MOST_TRIES: Final = 36
"""With the waits between them, which double up to an hour, about a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJob(Job):
    """One claimed file."""

    url: str


def talk(job: FileJob, client: Client) -> tuple[Verdict, bool]:
    """Ask once; the verdict, and False: asking again does no harm, so no question is ever open."""
    return _asked(job, client), False


def _asked(job: FileJob, client: Client) -> Verdict:
    try:
        progress = client.get_extension("progress", job.url, SCOPE, Progress.from_json, start_by=job.start_by)
    except NotStarted:
        return NOT_STARTED
    except MissingScope as problem:
        return rejected("missing_progress_scope", str(problem))
    except InvalidAnswer as failed:
        return _later(replace(rejected("progress_unreadable", failed.problem), disposition=Disposition.RETRY))
    except ExchangeFailed as failed:
        return _about_the_file(job.profile.judge(failed.exchange))
    job.facts["completion"] = progress.completion
    if progress.workflow_state == "completed":
        return Verdict(code="file_arrived", disposition=Disposition.DELIVERED)
    if progress.workflow_state == "failed":
        return rejected("file_failed", progress.message)
    return _later(Verdict(code="file_under_way", disposition=Disposition.RETRY))


def _later(verdict: Verdict) -> Verdict:
    return replace(verdict, most_tries=_MOST_TRIES)


def _about_the_file(verdict: Verdict) -> Verdict:
    """In a score's words a refusal would stop grades, and a lost answer would have to be settled."""
    if verdict.disposition is Disposition.REJECTED:
        return rejected("progress_refused", verdict.detail)
    if verdict.disposition is Disposition.AMBIGUOUS:
        return _later(replace(verdict, code="progress_unreadable", disposition=Disposition.RETRY))
    return verdict
