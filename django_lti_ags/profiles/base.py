"""Strict AGS 2.0: what every platform gets that has no profile of its own.

A profile is data where a quirk is data, and a method where it is behaviour. Everything here is
pure: (profile, exchange) in, verdict out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING, Any, ClassVar

from django_lti_ags.ags.exchange import Failure
from django_lti_ags.ags.times import retry_after_seconds
from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress
from django_lti_ags.canvas.submission import EXTENSION
from django_lti_ags.canvas.submission_columns import COLUMN_EXTENSIONS
from django_lti_ags.profiles.answers import describe
from django_lti_ags.profiles.verdict import (
    Disposition,
    Reach,
    Verdict,
    ambiguous,
    registration_fault,
    rejected,
    server_error,
    service_fault,
    throttled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django_lti_ags.ags.exchange import Exchange

CLEARED = (None, ActivityProgress.INITIALIZED, GradingProgress.NOT_READY)
"""scoreGiven, activityProgress and gradingProgress of a score that takes a grade back."""

_HALF = 0.505
"""Of the last digit, and a little for what binary fractions lose."""
_MOST_DECIMALS = 6
_NOT_SENT = frozenset({Failure.DNS, Failure.CONNECT, Failure.TLS})
_GONE = frozenset({404, 410})
_BUSY = frozenset({408, 425, 429, 503})
_GATEWAY = frozenset({502, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A learner's newest submission."""

    at: datetime | None
    """When; None: there is none."""
    work: Mapping[str, Any]
    """What; empty: nothing but the score."""
    is_new: bool
    """Whether the platform is to be told of it: it is not known to have it, and the score does not say that there is none."""
    recorded_at: datetime
    """When the score was recorded."""


class Profile:
    """How one kind of platform is spoken to, and how its answers are read."""

    key: ClassVar[str] = ""
    timestamp_step_seconds: ClassVar[float] = 0.001
    """How far two timestamps of one (line item, user) must lie apart. AGS 2.0 (3.4.9) asks for sub-second digits;
    a millisecond survives every platform that keeps any."""
    max_concurrency: ClassVar[int] = 8
    """Requests in flight per service, to begin with and at most; throttling lowers it for a while."""
    result_tolerance: ClassVar[float] = 1e-5
    """How far a shown result may lie from the score, on the column's scale, and still be it (Moodle keeps five decimals)."""
    shown_decimals: ClassVar[int] = 2
    """How many decimals a shown result has at least, of points or of a percentage: it may lie off the score by half of the last one."""
    clips: ClassVar[bool] = True
    """Whether the platform may show its maximum for a score above it."""
    hides_zeros: ClassVar[bool] = False
    """Whether a score of zero may be shown as none."""
    drops_without_maximum: ClassVar[bool] = False
    """Whether a column whose maximum is zero accepts scores and keeps none."""
    results_per_page: ClassVar[int | None] = None
    """How many results to ask for at once (AGS 2.0, 3.3.6: ``limit``); None: as many as the platform likes."""
    takes_result_limit: ClassVar[bool] = True
    """Whether results can be asked for with a ``limit``."""
    most_server_errors: ClassVar[int] = 12
    """A 5xx that one score keeps getting, while others pass, is taken for a refusal after so many tries."""
    token_refused_statuses: ClassVar[frozenset[int]] = frozenset({401})
    """The statuses that may mean that the access token is no longer good: a new one is fetched, once."""
    first_score_alone: ClassVar[bool] = False
    """Whether a column's first scores must not be sent side by side."""
    adds_comments: ClassVar[bool] = False
    """Whether each score adds its comment to those that are there, so that one is not sent twice."""
    takes_submissions: ClassVar[bool] = False
    """Whether a score can make an attempt in the gradebook."""
    grades_by_first_column: ClassVar[bool] = False
    """Whether of the columns of one resource link only the first moves the gradebook; others accept scores and show none."""
    keeps_grade_while: ClassVar[frozenset[str]] = frozenset(GradingProgress)
    """The gradingProgress values that leave a grade standing; any other erases it."""

    def column_extensions(self, extensions: Mapping[str, Any]) -> dict[str, Any]:
        """Those that a column is made with here."""
        return {name: value for name, value in extensions.items() if name not in COLUMN_EXTENSIONS}

    @property
    def makes_submissions_while(self) -> frozenset[str]:
        """The gradingProgress values that a new submission is certain to be made with (Canvas: its Score API, "Create a Score")."""
        return self.keeps_grade_while

    def worded(self, score: Mapping[str, Any], handed: HandedIn) -> dict[str, Any]:
        """The wire fields of ``score`` as this platform is to be told them: nobody but Canvas sees Canvas' extension."""
        return {**score, "extensions": {name: value for name, value in score["extensions"].items() if name != EXTENSION}}

    def withhold(self, score: Mapping[str, Any], *, held: bool) -> Verdict | None:
        """Why ``score`` (its wire fields) must not be sent; None: it may. ``held``: whether the platform holds a grade from us."""
        cleared = (score["score_given"], score["activity_progress"], score["grading_progress"]) == CLEARED
        if held and not cleared and score["grading_progress"] not in self.keeps_grade_while:
            return Verdict(code="would_erase", disposition=Disposition.WITHHELD)
        return None

    def margin(self, shown: float, maximum: float) -> float:
        """How far a result that is ``shown`` may lie from the score and still be it, on a scale that ends at ``maximum``.

        A platform rounds at the last decimal that it shows, or at one of a percentage that it keeps instead of points. So a
        number tells by itself how far to believe it: on a scale of 1, two decimals may be a rounded third, and 0.335 is none.
        """
        points = 10.0 ** -decimals_of(shown, self.shown_decimals)
        percent = 10.0**-self.shown_decimals * maximum / 100
        return max(self.result_tolerance * max(1.0, maximum), _HALF * points, _HALF * percent)

    def judge(self, exchange: Exchange) -> Verdict:
        """What the decisive exchange of a send means."""
        if exchange.kind == "token":
            return self.judge_token(exchange)
        if exchange.failure is not None:
            return self.judge_failure(exchange)
        return self.judge_status(exchange)

    def judge_token(self, exchange: Exchange) -> Verdict:
        """What it means that no token could be had: never the score's fault."""
        detail = describe(exchange)
        if exchange.failure in (Failure.ADDRESS_REFUSED, Failure.BAD_URL):
            return registration_fault("token_address_refused", detail)
        if exchange.failure is Failure.SCOPE_NOT_GRANTED:
            return registration_fault("scope_refused", detail)
        if exchange.failure in (Failure.BAD_TOKEN_ANSWER, Failure.TOO_LARGE):
            return registration_fault("token_unusable", detail)
        if exchange.failure is not None or exchange.status is None:
            return service_fault("unreachable", detail)
        if exchange.status in _BUSY:
            return throttled(detail, retry_after_seconds(exchange))
        if exchange.status >= 500:
            return service_fault("server_error", detail)
        return registration_fault("client_refused", detail)

    def judge_failure(self, exchange: Exchange) -> Verdict:
        """What it means that there was no usable answer."""
        detail = describe(exchange)
        if exchange.failure is Failure.ADDRESS_REFUSED:
            return rejected("address_refused", detail, Reach.LINE_ITEM)
        if exchange.failure is Failure.BAD_URL:
            return rejected("bad_address", detail, Reach.LINE_ITEM)
        if exchange.failure in _NOT_SENT or not exchange.sent:
            return service_fault("unreachable", detail)
        if exchange.failure is Failure.TOO_LARGE:
            if exchange.status is not None and not 200 <= exchange.status < 300:
                return self.judge_status(exchange)
            return ambiguous("answer_unreadable", detail)
        return ambiguous("no_answer", detail, strains_service=True)

    def judge_status(self, exchange: Exchange) -> Verdict:
        """What a complete answer means, by its status (AGS 2.0, 3.4.2; RFC 9110)."""
        status = exchange.status or 0
        detail = describe(exchange)
        if 200 <= status < 300:
            return Verdict(code="delivered", disposition=Disposition.DELIVERED)
        if status in _BUSY:
            return throttled(detail, retry_after_seconds(exchange))
        if status in _GATEWAY:
            return ambiguous("gateway_error", detail, strains_service=True, most_tries=self.most_server_errors)
        if status >= 500:
            # Not the service's by itself: some platforms answer 500 for one score for ever.
            return server_error(detail, self.most_server_errors)
        if status == 409:
            return ambiguous("conflict", detail)
        return _refusal(status, detail)


def decimals_of(number: float, least: int) -> int:
    """How many decimals tell something; ``least`` at least, since zeros at the end are not seen, and six at most."""
    for decimals in range(least, _MOST_DECIMALS):
        if isclose(round(number, decimals), number, rel_tol=1e-12, abs_tol=1e-9):
            return decimals
    return _MOST_DECIMALS


def _refusal(status: int, detail: str) -> Verdict:
    if status == 401:
        return registration_fault("unauthorised", detail)
    if status in _GONE:
        return rejected("line_item_gone", detail, Reach.LINE_ITEM)
    if 300 <= status < 400:
        return rejected("redirected", detail, Reach.LINE_ITEM)
    if status == 403:
        return rejected("forbidden", detail, Reach.LINE_ITEM)
    return rejected("score_refused", detail)
