"""Canvas (Instructure). Evidence: the source of Canvas LMS, ``app/controllers/lti/ims`` and its specs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django_lti_ags.ags.vocabulary import GradingProgress
from django_lti_ags.canvas.submission import EXTENSION, on_the_wire
from django_lti_ags.canvas.throttling import is_low, is_rate_limit
from django_lti_ags.profiles.answers import describe, said
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.verdict import Reach, Verdict, ambiguous, not_yet, registration_fault, rejected, throttled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.profiles.base import HandedIn

_REFUSALS: Final = (
    (422, "course has concluded", "course_concluded", Reach.CONTEXT),
    (404, "Context is deleted or not found", "context_unavailable", Reach.CONTEXT),
    (401, "not linked to a Tool associated with this Context", "context_unavailable", Reach.CONTEXT),
    (412, "Tool does not have permission", "forbidden", Reach.LINE_ITEM),
    (422, "User not found in course", "user_not_found", Reach.SCORE),
    (422, "maximum number of allowed attempts", "attempts_used_up", Reach.SCORE),
    (400, "uploading to file service failed", "files_refused", Reach.SCORE),
)


class CanvasProfile(Profile):
    """Canvas."""

    key = "canvas"
    # A leaky bucket per client id holds 600, and each request in flight takes 50: a dozen at once trip it.
    max_concurrency = 6
    # Every POST adds its comment.
    adds_comments = True
    # And, unless told otherwise, makes an attempt.
    takes_submissions = True
    # A second one answers scores with 200.
    grades_by_first_column = True
    # The Result keeps the pair that was sent, also above the maximum.
    shown_decimals = 5
    clips = False
    # Ten by default: a thousand requests for a large course.
    results_per_page = 100
    # Any other value clears the grade.
    keeps_grade_while: ClassVar[frozenset[str]] = frozenset({GradingProgress.FULLY_GRADED, GradingProgress.PENDING_MANUAL})

    def worded(self, score: Mapping[str, Any], handed: HandedIn) -> dict[str, Any]:
        """With the submission extension, and with a ``submittedAt``: a repeat that says the same one makes no new attempt."""
        at = handed.at if handed.is_new else score["submitted_at"] or handed.at
        at = at or handed.recorded_at
        extension = on_the_wire(score["extensions"].get(EXTENSION, {}), handed.work, is_new=handed.is_new)
        return {
            **score,
            "submitted_at": max(at, score["started_at"] or at),  # AGS 2.0, 3.4.11
            "extensions": {**score["extensions"], EXTENSION: extension},
        }

    def column_extensions(self, extensions: Mapping[str, Any]) -> dict[str, Any]:
        """All of them."""
        return dict(extensions)

    def judge(self, exchange: Exchange) -> Verdict:
        """Every answer tells how full the bucket is."""
        verdict = super().judge(exchange)
        return replace(verdict, slow_down=True) if is_low(exchange) else verdict

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
        if exchange.status == 400 and text.endswith("in the future"):
            return not_yet("submitted_in_future", detail)
        if exchange.status == 401 and "Insufficient permissions" in text:
            return registration_fault("scope_refused", detail)
        for status, words, code, reach in _REFUSALS:
            if exchange.status == status and words in text:
                return rejected(code, detail, reach)
        return super().judge_status(exchange)


def _throttled(exchange: Exchange) -> Verdict | None:
    return throttled(describe(exchange)) if is_rate_limit(exchange) else None


def _message(exchange: Exchange) -> str:
    """``{"errors": {"message": …}}``, or a list of such."""
    errors: Any = said(exchange, "errors")
    first = errors[0] if isinstance(errors, list) and errors else errors
    return str(first.get("message", "")) if isinstance(first, dict) else ""
