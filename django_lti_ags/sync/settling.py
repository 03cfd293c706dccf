"""Did it arrive? The Result decides what becomes of a send that had no clear answer.

Pure: what was sent, what was last delivered and what the platform shows, in; a verdict, or "send it
again", out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django_lti_ags.profiles.verdict import Disposition, Verdict

if TYPE_CHECKING:
    from django_lti_ags.ags.types import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A score as we know it: what is being sent, or what was last delivered."""

    score_given: float | None
    score_maximum: float | None
    comment: str = ""


def settle(ours: Held, delivered: Held | None, shown: Result | None, tolerance: float) -> Verdict | None:
    """What the platform shows, as a verdict on our send; None: it does not hold it, send it again.

    It shows ours: delivered. It shows nothing, or the last delivered: ours never arrived. Anything
    else is somebody's edit, and a retry never overwrites that.
    """
    if _shows(ours, shown, tolerance):
        same_numbers = delivered is not None and _shows(delivered, shown, tolerance)
        if same_numbers and delivered is not None and delivered.comment != ours.comment and (not shown or shown.comment != ours.comment):
            return None  # only the comment is new, and it is not there
        return Verdict(code="already_there", disposition=Disposition.DELIVERED)
    if shown is None or shown.result_score is None or (delivered is not None and _shows(delivered, shown, tolerance)):
        return None
    return Verdict(
        code="changed_elsewhere",
        disposition=Disposition.SUPERSEDED,
        detail=f"The platform shows {shown.result_score} of {shown.result_maximum}.",
    )


def _shows(held: Held, shown: Result | None, tolerance: float) -> bool:
    score = None if shown is None else shown.result_score
    if held.score_given is None or held.score_maximum is None or shown is None or score is None:
        return held.score_given is None and score is None
    maximum = float(shown.result_maximum or 1)
    expected = float(held.score_given) * maximum / float(held.score_maximum)
    # A platform may clip what lies above its maximum.
    return any(abs(float(score) - value) <= tolerance * max(1.0, maximum) for value in (expected, min(expected, maximum)))
