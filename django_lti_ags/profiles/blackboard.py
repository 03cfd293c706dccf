"""Blackboard Learn. Evidence: reports of tool makers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_lti_ags.profiles.answers import describe
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.verdict import Verdict, rejected

if TYPE_CHECKING:
    from django_lti_ags.ags.exchange import Exchange


class BlackboardProfile(Profile):
    """Blackboard Learn."""

    key = "blackboard"

    def judge_status(self, exchange: Exchange) -> Verdict:
        """A learner who is not in the course is a 400 that says so."""
        if exchange.status == 400 and "User could not be found" in exchange.body:
            return rejected("user_not_found", describe(exchange))
        return super().judge_status(exchange)
