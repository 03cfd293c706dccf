"""What learners have reached in a Canvas course's outcomes: asked as it is needed, and not kept.

::

    for page in outcomes.rollups(context, include=["users", "outcomes"]).pages():
        names = {user.id: user.name for user in page.linked.users}
        for rollup in page.items:
            print(names[rollup.links.user], [score.score for score in rollup.scores])

The registration needs a credential of Canvas' REST API (:mod:`django_lti_ags.canvas_credentials`), and shows what its user
may see. Nothing is sent before a listing is read, page by page. Do not call it inside a transaction: it waits for Canvas.

Every function raises, at once or while its listing is read:
    NoCanvasCredential: none is stored for the registration.
    UnknownCanvasCourse: no launch has told which course of Canvas it is, or it is at another Canvas.
    InvalidCanvasArgument: an argument breaks a rule of Canvas'; nothing was sent.
    CanvasRefused: Canvas said no; the error quotes it, and says what to change.
    ExchangeFailed: there was no usable answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict, Unpack

from django_lti_ags.models import Context
from django_lti_ags.sync.canvas_clients import client_with, credential_of
from django_lti_ags.sync.canvas_courses import CanvasCourse, course_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django_lti_ags.canvas import Client, ContributingScores, Listing, OutcomeResult, OutcomeRollup

__all__ = [
    "CanvasCourse",
    "assign_order",
    "contributing_scores",
    "course_of",
    "enqueue_calculation",
    "results",
    "rollups",
]

PATIENCE_SECONDS: Final = 30.0
"""How long a call may wait, all in all, when Canvas says that there were too many requests."""

Id = str | int
Course = Context | CanvasCourse


class ResultsAsked(TypedDict, total=False):
    """What :meth:`django_lti_ags.canvas.Client.outcome_results` takes."""

    user_ids: Iterable[Id] | None
    outcome_ids: Iterable[Id] | None
    include: Iterable[str] | None
    include_hidden: bool
    per_page: int
    page: int | None


class RollupsAsked(ResultsAsked, total=False):
    """What :meth:`django_lti_ags.canvas.Client.outcome_rollups` takes."""

    section_id: Id | None
    outcome_group_id: Id | None
    exclude: Iterable[str] | None
    aggregate: str | None
    aggregate_stat: str | None
    sort_by: str | None
    sort_outcome_id: Id | None
    sort_order: str | None
    add_defaults: bool
    contributing_scores: bool
    rating_percents: bool


class ContributingAsked(TypedDict, total=False):
    """What :meth:`django_lti_ags.canvas.Client.contributing_scores` takes."""

    user_ids: Iterable[Id] | None
    only_assignment_alignments: bool
    show_unpublished_assignments: bool


def results(course: Course, *, patience_seconds: float = PATIENCE_SECONDS, **asked: Unpack[ResultsAsked]) -> Listing[OutcomeResult]:
    """Every result of every alignment; ``asked`` as :meth:`django_lti_ags.canvas.Client.outcome_results` says."""
    client, course_id = _asked(course, patience_seconds)
    return client.outcome_results(course_id, **asked)


def rollups(course: Course, *, patience_seconds: float = PATIENCE_SECONDS, **asked: Unpack[RollupsAsked]) -> Listing[OutcomeRollup]:
    """Each student's scores in the outcomes, once per section; with ``aggregate="course"`` one rollup of them all.

    ``asked`` as :meth:`django_lti_ags.canvas.Client.outcome_rollups` says.
    """
    client, course_id = _asked(course, patience_seconds)
    return client.outcome_rollups(course_id, **asked)


def contributing_scores(
    course: Course, outcome_id: Id, *, patience_seconds: float = PATIENCE_SECONDS, **asked: Unpack[ContributingAsked]
) -> ContributingScores:
    """What an outcome's rollups stand on; ``asked`` as :meth:`django_lti_ags.canvas.Client.contributing_scores` says."""
    client, course_id = _asked(course, patience_seconds)
    return client.contributing_scores(course_id, outcome_id, **asked)


def assign_order(course: Course, outcome_ids: Sequence[Id], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Show the outcomes in this order in the learning mastery gradebook of the credential's user."""
    client, course_id = _asked(course, patience_seconds)
    client.assign_outcome_order(course_id, outcome_ids)


def enqueue_calculation(course: Course, *, student_uuid: str | None = None, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Let Canvas calculate the rollups anew: of one student, or of the whole course. It does so later, in its own time."""
    client, course_id = _asked(course, patience_seconds)
    client.enqueue_outcome_rollup_calculation(course_id, student_uuid=student_uuid)


def _asked(course: Course, patience_seconds: float) -> tuple[Client, str]:
    """Who asks, and for which course."""
    known = course_of(course) if isinstance(course, Context) else course
    credential = credential_of(known.registration)
    known.check(credential)
    return client_with(credential, patience_seconds=patience_seconds), known.course_id
