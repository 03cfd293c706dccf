"""Does the gradebook show what the tool said? Pure: what the tool said, what the platform shows, in; an agreement out.

What can be told, and what not:

- A number that the tool has never sent is somebody's edit. A platform that changes numbers by itself (a late
  penalty, say) looks the same.
- A number that the tool sent before is no edit: the platform did not take the newest. A teacher who types
  exactly that number looks the same.
- No number is missing. A teacher who deleted it, and a learner who left the course, look the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from django_lti_ags.ags.vocabulary import GradingProgress
from django_lti_ags.models import Agreement, SyncState
from django_lti_ags.sync.settling import Held, margin_of, shows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django_lti_ags.models import Score
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.sync.settling import Shown

UNDER_WAY: Final = {
    SyncState.PENDING: Agreement.WAITING,
    SyncState.SENDING: Agreement.WAITING,
    SyncState.BLOCKED: Agreement.BLOCKED,
    SyncState.FAILED: Agreement.FAILED,
    SyncState.CANCELLED: Agreement.CANCELLED,
}
"""The states in which the platform cannot show the newest score: there is nothing to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the tool said of one learner, and how far that got."""

    state: str
    ours: Held
    is_graded: bool = True
    """Whether the grading is finished: otherwise the platform may show it or not (AGS 2.0, 3.4.8)."""
    scoring_user_id: str = ""
    before: tuple[Held, ...] = ()
    """What else the platform may show that came from the tool."""

    @classmethod
    def by(cls, score: Score) -> Self:
        """What ``score`` says."""
        delivered = Held(
            score_given=score.delivered_given, score_maximum=score.delivered_maximum, comment=score.delivered_comment, fingerprint=""
        )
        return cls(
            state=score.state,
            ours=Held(score_given=score.score_given, score_maximum=score.score_maximum, comment=score.comment),
            is_graded=score.grading_progress == GradingProgress.FULLY_GRADED,
            scoring_user_id=score.scoring_user_id,
            before=(*(() if score.delivered_version is None else (delivered,)), *(Held(**one) for one in score.doubtful)),
        )

    def knowing(self, earlier: Iterable[Held]) -> Self:
        """With more that came from the tool."""
        return replace(self, before=(*self.before, *earlier))


def judge(told: Told | None, shown: Shown | None, profile: Profile, *, column_keeps: bool = True) -> Agreement | None:
    """How what the tool said and what the platform shows stand to each other; None: neither says anything.

    Args:
        told: None: the tool has never said anything of this learner.
        shown: None, or without a score: the platform shows no grade.
        profile: what the platform does to numbers.
        column_keeps: False: the platform keeps no score in this column, whatever it answers.
    """
    shows_none = shown is None or shown.result_score is None
    if told is None:
        return None if shows_none else Agreement.ONLY_AT_PLATFORM
    under_way = UNDER_WAY.get(SyncState(told.state))
    if under_way is not None:
        return under_way
    if _agrees(told.ours, shown, profile):
        return Agreement.IN_SYNC
    if not column_keeps or (shown is not None and shown.result_maximum <= 0):
        return Agreement.NOT_KEPT
    if shown is None or shows_none:
        unseen = not told.is_graded or (profile.hides_zeros and told.ours.score_given == 0)
        return Agreement.IN_SYNC if unseen else Agreement.MISSING
    return _edited(told, shown, profile)


def _edited(told: Told, shown: Shown, profile: Profile) -> Agreement:
    """Who made the number that is shown, which is not the newest of ours."""
    graded_by_another = bool(shown.scoring_user_id) and shown.scoring_user_id != told.scoring_user_id
    if graded_by_another or not any(_agrees(one, shown, profile) for one in told.before):
        return Agreement.CHANGED_BY_TEACHER
    return Agreement.DIFFERS if told.is_graded else Agreement.IN_SYNC


def _agrees(held: Held, shown: Shown | None, profile: Profile) -> bool:
    return shows(held, shown, margin_of(shown, profile), clips=profile.clips)
