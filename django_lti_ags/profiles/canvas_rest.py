"""What the answers of Canvas' REST API mean for what is delivered through it.

Another token than AGS', so no refusal here says anything of the registration's scores: each concerns the row that was sent,
while outages and throttling are the campus'. Evidence: Canvas' source, ``app/controllers/live_assessments``, and its API documentation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django_lti_ags.ags.times import retry_after_seconds
from django_lti_ags.exceptions import (
    CanvasBadRequest,
    CanvasNotAuthorized,
    CanvasNotFound,
    CanvasRefused,
    CanvasScopeMissing,
    CanvasThrottled,
    CanvasTokenRefused,
    InvalidAnswer,
)
from django_lti_ags.profiles.answers import describe
from django_lti_ags.profiles.canvas import CanvasProfile
from django_lti_ags.profiles.verdict import Disposition, Verdict, ambiguous, rejected, throttled

if TYPE_CHECKING:
    from django_lti_ags.exceptions import ExchangeFailed

USER_NOT_IN_COURSE: Final = "live_user_not_in_course"
_REFUSALS: Final[tuple[tuple[type[CanvasRefused], str], ...]] = (
    (CanvasTokenRefused, "canvas_token_refused"),
    (CanvasScopeMissing, "canvas_scope_missing"),
    (CanvasNotAuthorized, "canvas_not_authorised"),
    (CanvasNotFound, "canvas_not_found"),
)
_WORDS: Final = (
    ("user must be in the context", USER_NOT_IN_COURSE),
    ("outcome must be linked", "outcome_not_linked"),
)
_UNCERTAIN: Final = frozenset({408, 425})
"""Statuses below 500 that do not say whether anything was done."""
_ABOUT_ADDRESS: Final = frozenset({"address_refused", "bad_address", "redirected", "token_address_refused"})
_PROFILE: Final = CanvasProfile()


def judge(problem: ExchangeFailed, *, adds_up: bool) -> Verdict:
    """What a call's failure means.

    Args:
        problem: the failure.
        adds_up: whether the request was one that counts again when it is repeated: then nothing is certain but a clear refusal.
    """
    detail = describe(problem.exchange)
    if isinstance(problem, CanvasThrottled):
        return throttled(detail, retry_after_seconds(problem.exchange))
    if isinstance(problem, InvalidAnswer):
        unread = ambiguous("answer_unreadable", problem.problem)
        return unread if adds_up else Verdict(code="canvas_unreadable", disposition=Disposition.RETRY, detail=problem.problem)
    if isinstance(problem, CanvasRefused) and problem.exchange.status not in _UNCERTAIN:
        return _refusal(problem, detail)
    return _trouble(problem, detail, adds_up=adds_up)


def _refusal(problem: CanvasRefused, detail: str) -> Verdict:
    if isinstance(problem, CanvasScopeMissing):
        detail = f"{problem.scope}: {detail}"
    for kind, code in _REFUSALS:
        if isinstance(problem, kind):
            return rejected(code, detail)
    if isinstance(problem, CanvasBadRequest):
        for words, code in _WORDS:
            if words in problem.said:
                return rejected(code, detail)
    return rejected("live_results_refused", detail)


def _trouble(problem: ExchangeFailed, detail: str, *, adds_up: bool) -> Verdict:
    """No answer, or one that says that Canvas, or what stands before it, failed."""
    exchange = problem.exchange
    verdict = _PROFILE.judge(exchange)
    if verdict.code in _ABOUT_ADDRESS:
        return rejected("canvas_address_refused", detail)
    if verdict.disposition is Disposition.REJECTED:
        # In AGS' words; here it was the token endpoint, which gave none.
        return rejected("canvas_token_refused", detail)
    if adds_up and exchange.kind != "token" and exchange.sent:
        return replace(verdict, disposition=Disposition.AMBIGUOUS, most_tries=None)
    return replace(verdict, most_tries=None)
