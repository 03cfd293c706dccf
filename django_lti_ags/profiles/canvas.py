"""Canvas (Instructure). Evidence: the source of Canvas LMS, ``app/controllers/lti/ims`` and its specs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django_lti_ags.ags.vocabulary import GradingProgress
from django_lti_ags.profiles.answers import describe, said
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.verdict import Reach, Verdict, ambiguous, registration_fault, rejected, throttled

if TYPE_CHECKING:
    from django_lti_ags.ags.exchange import Exchange

_LOW: Final = 150.0
_RATE_LIMIT: Final = "Rate Limit Exceeded"
_REFUSALS: Final = (
    (422, "course has concluded", "course_concluded", Reach.CONTEXT),
    (404, "Context is deleted or not found", "context_unavailable", Reach.CONTEXT),
    (401, "not linked to a Tool associated with this Context", "context_unavailable", Reach.CONTEXT),
    (412, "Tool does not have permission", "forbidden", Reach.LINE_ITEM),
    (422, "User not found in course", "user_not_found", Reach.SCORE),
    (422, "maximum number of allowed attempts", "attempts_used_up", Reach.SCORE),
)


class CanvasProfile(Profile):
    """Canvas."""

    key = "canvas"
    # A leaky bucket per client id holds 600, and each request in flight takes 50: a dozen at once trip it.
    max_concurrency = 6
    # Every POST adds its comment.
    adds_comments = True
    # A repeat with the same submittedAt makes no new attempt.
    says_when_submitted = True
    # Any other value clears the grade.
    keeps_grade_while: ClassVar[frozenset[str]] = frozenset({GradingProgress.FULLY_GRADED, GradingProgress.PENDING_MANUAL})

    def judge(self, exchange: Exchange) -> Verdict:
        """Every answer tells how full the bucket is."""
        verdict = super().judge(exchange)
        return replace(verdict, slow_down=True) if _is_low(exchange) else verdict

    def judge_token(self, exchange: Exchange) -> Verdict:
        """The token endpoint has a bucket of its own: a fourth token within seconds is throttled."""
        return _throttled(exchange) or super().judge_token(exchange)

    def judge_status(self, exchange: Exchange) -> Verdict:
        """Canvas says why in words; its statuses alone mislead."""
        pause = _throttled(exchange)
        if pause is not None:
            return pause
        text = _message(exchange)
        detail = describe(exchange)
        if exchange.status == 400 and "before last updated timestamp" in text:
            return ambiguous("conflict", detail)
        if exchange.status == 401 and "Insufficient permissions" in text:
            return registration_fault("scope_refused", detail)
        for status, words, code, reach in _REFUSALS:
            if exchange.status == status and words in text:
                return rejected(code, detail, reach)
        return super().judge_status(exchange)


def _is_low(exchange: Exchange) -> bool:
    """``X-Rate-Limit-Remaining``, of 600."""
    try:
        return float(exchange.headers.get("x-rate-limit-remaining", "inf")) < _LOW
    except ValueError:
        return False


def _throttled(exchange: Exchange) -> Verdict | None:
    """403 as plain text, without ``Retry-After``; a 403 in JSON is a refusal."""
    if exchange.failure is None and exchange.status == 403 and _RATE_LIMIT in exchange.body and said(exchange) is None:
        return throttled(describe(exchange))
    return None


def _message(exchange: Exchange) -> str:
    """``{"errors": {"message": …}}``, or a list of such."""
    errors: Any = said(exchange, "errors")
    first = errors[0] if isinstance(errors, list) and errors else errors
    return str(first.get("message", "")) if isinstance(first, dict) else ""
