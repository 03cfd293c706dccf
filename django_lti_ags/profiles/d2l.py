"""D2L Brightspace. Evidence: reports of tool makers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_lti_ags.profiles.answers import describe
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.verdict import Verdict, rejected

if TYPE_CHECKING:
    from django_lti_ags.ags.exchange import Exchange


class BrightspaceProfile(Profile):
    """Brightspace."""

    key = "d2l"
    # Several first scores at once may each make a column.
    first_score_alone = True

    def judge_status(self, exchange: Exchange) -> Verdict:
        """403: the learner is not enrolled; 404: nobody knows the learner. The column is still there."""
        if exchange.kind == "score" and exchange.status in (403, 404):
            return rejected("user_not_found", describe(exchange))
        return super().judge_status(exchange)
