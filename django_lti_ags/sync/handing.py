"""What a learner handed in: told apart from the score that brought it, which may be overtaken before it is sent.

A submission is known by when it was handed in. A score that brings none is a regrade; while the platform is not known
to have the submission, the regrade carries it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_lti_ags.canvas.submission import EXTENSION, handed_in, hands_nothing_in
from django_lti_ags.profiles.base import CLEARED, HandedIn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_lti_ags.models import Score


def take(row: Score, said: Mapping[str, Any], now: Any, *, keeps: bool) -> None:
    """Put on ``row`` what its new wire values ``said`` hand in, if anything.

    Args:
        row: the learner's score.
        said: what is said of it now.
        now: when that is, if ``said`` does not tell when it was handed in.
        keeps: whether the submission is delivered even if a newer one overtakes it. A regrade takes nothing of that back.
    """
    if hands_in_nothing(said):
        return
    work = handed_in(said["extensions"].get(EXTENSION, {}))
    if is_new(row, said):
        row.submission_at = now if said["submitted_at"] is None else said["submitted_at"]
        row.submission, row.keeps_submission = work, keeps
    else:
        row.submission = work or row.submission
        row.keeps_submission = row.keeps_submission or (keeps and is_owed(row))


def is_new(row: Score, said: Mapping[str, Any]) -> bool:
    """Whether ``said`` brings a submission that is not the one that ``row`` has."""
    if hands_in_nothing(said):
        return False
    if said["submitted_at"] is None:
        return row.submission_at is None or bool(said["extensions"].get(EXTENSION, {}).get("new_submission"))
    return bool(said["submitted_at"] != row.submission_at)


def hands_in_nothing(said: Mapping[str, Any]) -> bool:
    """Whether it is said that there is no new submission, or no score at all."""
    return hands_nothing_in(said["extensions"].get(EXTENSION, {})) or _clears(said)


def is_owed(row: Score) -> bool:
    """Whether the score is still to bring its submission, unless it says that it brings none."""
    return row.submission_at is not None and row.submission_at != row.delivered_submission_at


def in_of(row: Score) -> HandedIn:
    """The newest submission of a learner, as a profile is to word it."""
    return HandedIn(
        at=row.submission_at,
        work=row.submission,
        is_new=is_owed(row) and not hands_nothing_in(row.extensions.get(EXTENSION, {})),
        recorded_at=row.recorded_at,
    )


def _clears(said: Mapping[str, Any]) -> bool:
    return (said["score_given"], said["activity_progress"], said["grading_progress"]) == CLEARED
