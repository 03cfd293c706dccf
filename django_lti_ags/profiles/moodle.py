"""Moodle (mod_lti). Evidence: probed on a running Moodle 4.5.5."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from django_lti_ags.ags.vocabulary import GradingProgress
from django_lti_ags.profiles.answers import describe
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.verdict import Verdict, rejected, server_error, service_fault

if TYPE_CHECKING:
    from django_lti_ags.ags.exchange import Exchange

_GONE: Final = "Not Found:"


class MoodleProfile(Profile):
    """Moodle."""

    key = "moodle"
    # Timestamps are kept in whole seconds: two within one second are a conflict.
    timestamp_step_seconds = 1.0
    # Any other value erases the grade and the comment, with 200.
    keeps_grade_while: ClassVar[frozenset[str]] = frozenset({GradingProgress.FULLY_GRADED})
    shown_decimals = 5
    # Releases before 4.5 leave resultScore out for 0, so that it looks like no grade.
    hides_zeros = True
    # 200, and nothing stored.
    drops_without_maximum = True
    # A page in HTML with 404.
    takes_result_limit = False
    # A locked grade or a learner's id that is no number is a 500 for ever.
    most_server_errors = 5

    def judge_token(self, exchange: Exchange) -> Verdict:
        """Moodle fetches the tool's key set inside the token request; 404 means that it could not."""
        if exchange.failure is None and exchange.status == 404:
            return service_fault("jwks_unreachable", describe(exchange))
        return super().judge_token(exchange)

    def judge_status(self, exchange: Exchange) -> Verdict:
        """200 with ``[]`` is a refusal, a 404 page in HTML says nothing of the column, and 400 is also for strangers."""
        detail = describe(exchange)
        if exchange.status == 200 and exchange.kind == "score" and exchange.body.strip() == "[]":
            return rejected("score_refused", detail)
        if exchange.status == 404 and _GONE not in exchange.body and _GONE not in exchange.reason:
            return server_error(detail, self.most_server_errors)
        return super().judge_status(exchange)
