"""Did it arrive? The Result decides what becomes of a send that had no clear answer.

Pure: what is being sent, what of ours the platform may hold from before, and what it shows, in; a
verdict, or "send it again", out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from django_lti_ags.profiles.verdict import Disposition, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django_lti_ags.profiles.base import Profile


class Shown(Protocol):
    """What a platform shows of a learner: the wire's Result, or the row that keeps it."""

    @property
    def result_score(self) -> float | None:
        """None: no grade."""

    @property
    def result_maximum(self) -> float:
        """The scale of it."""

    @property
    def comment(self) -> str | None:
        """For the learner."""

    @property
    def scoring_user_id(self) -> str | None:
        """Who graded, where the platform says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A score of ours that the platform may hold."""

    score_given: float | None
    score_maximum: float | None
    comment: str = ""
    fingerprint: str = ""
    """Of all that is on the wire but the timestamp: the Result shows only some of it."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """What a platform holds that took ``fields`` (of the wire)."""
        return cls(
            score_given=fields["score_given"],
            score_maximum=fields["score_maximum"],
            comment=fields["comment"],
            fingerprint=hashlib.sha256(json.dumps(fields, default=str, sort_keys=True).encode()).hexdigest(),
        )


def settle(ours: Held, before: Sequence[Held], shown: Shown | None, margin: float, *, clips: bool = True) -> Verdict | None:
    """What the platform shows, as a verdict on our send; None: it does not hold it, send it again.

    It shows ours: delivered, unless one from ``before`` looks the same there. It shows nothing, or one
    from ``before``: ours never arrived. Anything else is somebody's edit, and a retry never overwrites
    that. ``margin`` is what the platform's rounding may change: less would take its rounding for an edit,
    and the newest score would never be sent.
    """
    earlier = [one for one in before if shows(one, shown, margin, clips=clips)]
    if shows(ours, shown, margin, clips=clips):
        alike = [one for one in earlier if one.fingerprint != ours.fingerprint]
        if alike and not _told_apart_by_comment(ours, alike, shown):
            return None
        return Verdict(code="already_there", disposition=Disposition.DELIVERED)
    if shown is None or shown.result_score is None or earlier:
        return None
    return Verdict(
        code="changed_elsewhere",
        disposition=Disposition.SUPERSEDED,
        detail=f"The platform shows {shown.result_score} of {shown.result_maximum}.",
    )


def _told_apart_by_comment(ours: Held, alike: Sequence[Held], shown: Shown | None) -> bool:
    return bool(ours.comment) and shown is not None and shown.comment == ours.comment and all(one.comment != ours.comment for one in alike)


def margin_of(shown: Shown | None, profile: Profile) -> float:
    """What the platform's rounding may have changed of what it shows."""
    score = None if shown is None else shown.result_score
    return 0.0 if shown is None or score is None else profile.margin(score, shown.result_maximum)


def shows(held: Held, shown: Shown | None, margin: float, *, clips: bool = True) -> bool:
    """Whether what the platform shows is ``held``, rescaled to its own maximum, within ``margin`` on that scale.

    ``clips``: a platform may show its maximum for what lies above it.
    """
    score = None if shown is None else shown.result_score
    if held.score_given is None or held.score_maximum is None or shown is None or score is None:
        return held.score_given is None and score is None
    maximum = float(shown.result_maximum or 1)
    expected = float(held.score_given) * maximum / float(held.score_maximum)
    return abs(score - expected) <= margin or (clips and expected > maximum and abs(score - maximum) <= margin)
