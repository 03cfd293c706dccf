"""What a learner handed in, and what became of it: the parts of a score's page that show its queue and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin.readonly import advice_for
from django_lti_ags.models import QueuedSubmission, SubmittedFile, SyncState

if TYPE_CHECKING:
    from datetime import datetime

    from django_lti_ags.admin.concealing import Concealer
    from django_lti_ags.models import Score

SHOWN: Final = 100
_NOT_KNOWN: Final = ("progress_lost", "progress_elsewhere", "progress_refused", "missing_progress_scope", "file_given_up")
"""Codes of files that are followed no more, and may be there all the same."""


class Earlier(NamedTuple):
    """One earlier submission."""

    handed_in_at: datetime
    version: int
    state: str
    """In the reader's language."""
    settled_at: datetime | None
    code: str
    detail: str
    advice: str
    """What a person can do; blank where there is nothing to do."""


def earlier_submissions(score: Score, concealer: Concealer) -> list[Earlier]:
    """The queue of ``score``, newest first, at most so many; one query."""
    rows = QueuedSubmission.objects.filter(score=score.pk).order_by("-sequence")[:SHOWN]
    return [
        Earlier(
            handed_in_at=row.submission_at,
            version=row.sequence,
            state=str(SyncState(row.state).label),
            settled_at=row.settled_at,
            code=row.code,
            detail=concealer.text(row.detail),
            advice=advice_for(row.code) if row.state == SyncState.FAILED else "",
        )
        for row in rows
    ]


class File(NamedTuple):
    """One file of a submission."""

    title: str
    address: str
    handed_in_at: datetime
    state: str
    """In the reader's language."""
    completion: float
    """In percent."""
    code: str
    detail: str
    advice: str
    """What a person can do; blank where there is nothing to do."""


def files_of(score: Score, concealer: Concealer) -> list[File]:
    """The files of ``score``, newest first, at most so many; one query."""
    rows = SubmittedFile.objects.filter(score=score.pk).order_by("-pk")[:SHOWN]
    return [
        File(
            title=concealer.free(row.title),
            address=concealer.address(row.file_url),
            handed_in_at=row.created_at,
            state=str(_("Not known") if row.code in _NOT_KNOWN else SyncState(row.state).label),
            completion=row.completion,
            code=row.code,
            detail=concealer.text(row.detail),
            advice=advice_for(row.code) if row.state == SyncState.FAILED else "",
        )
        for row in rows
    ]
