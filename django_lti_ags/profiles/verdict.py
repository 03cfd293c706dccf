"""What an answer means, and what a person can do about it.

A verdict is a disposition (what becomes of the row) with a reach (what else it says something
about). Its ``code`` is stable: tests, filters and webhooks may rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Disposition(StrEnum):
    """What becomes of the row."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    AMBIGUOUS = "ambiguous"
    """It may or may not have been applied: the platform is asked before it is sent again."""
    WITHHELD = "withheld"
    """Nothing was requested: it must not be sent."""


class Reach(StrEnum):
    """How far the verdict holds."""

    SCORE = "score"
    LINE_ITEM = "line_item"
    CONTEXT = "context"
    SERVICE = "service"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The meaning of one send."""

    code: str
    disposition: Disposition
    reach: Reach = Reach.SCORE
    retry_after_seconds: float | None = None
    """What the platform asked for, in seconds; None: our own schedule."""
    strains_service: bool = False
    """Whether it speaks against the service's health, whatever becomes of the row."""
    slow_down: bool = False
    """Whether the platform wants less at once."""
    most_tries: int | None = None
    """After so many tries that counted, it is taken for a refusal; None: only age ends the tries."""
    detail: str = ""
    """What the platform said, capped and redacted."""

    @property
    def advice(self) -> str:
        """A sentence that says what a person can do."""
        return ADVICE[self.code]


def rejected(code: str, detail: str, reach: Reach = Reach.SCORE) -> Verdict:
    """It will not be taken: this score, or all that ``reach`` says."""
    return Verdict(code=code, disposition=Disposition.REJECTED, reach=reach, detail=detail)


def ambiguous(code: str, detail: str, *, strains_service: bool = False, most_tries: int | None = None) -> Verdict:
    """Nobody knows whether it was applied."""
    return Verdict(code=code, disposition=Disposition.AMBIGUOUS, strains_service=strains_service, most_tries=most_tries, detail=detail)


def server_error(detail: str, most_tries: int) -> Verdict:
    """The platform failed on this one; whether it is the platform or this one, only time tells."""
    return Verdict(code="server_error", disposition=Disposition.RETRY, strains_service=True, most_tries=most_tries, detail=detail)


def service_fault(code: str, detail: str) -> Verdict:
    """The campus is in trouble, not the score."""
    return Verdict(code=code, disposition=Disposition.RETRY, reach=Reach.SERVICE, strains_service=True, detail=detail)


def throttled(detail: str, wait_seconds: float | None = None) -> Verdict:
    """The campus wants less, or a pause of ``wait_seconds``."""
    return replace(service_fault("throttled", detail), retry_after_seconds=wait_seconds, slow_down=True)


def registration_fault(code: str, detail: str) -> Verdict:
    """The tool's registration is refused, whatever is sent."""
    return rejected(code, detail, Reach.REGISTRATION)


LIKELY_DELIVERED: Final = "likely_delivered"
"""Nobody can find out by machine."""

ADVICE: Final[dict[str, str]] = {
    "delivered": "Nothing to do: the platform has accepted the score.",
    "already_there": "Nothing to do: the platform was asked, and shows this score.",
    "changed_elsewhere": "Somebody changed this grade in the gradebook after it was sent. Record the score again only if it should replace that grade.",
    "likely_delivered": "The answer was lost, and the platform does not let this tool read results. Look into the gradebook: cancel if it is there, retry if not.",
    "unreachable": "The platform cannot be reached. Delivery goes on by itself when it is back; check its address if it is new.",
    "no_answer": "The connection broke before an answer came. The platform is asked what it holds before anything is sent again.",
    "answer_unreadable": "The platform accepted the request, but its answer was too long to read. It is asked what it holds before the next try.",
    "results_unreadable": "The platform's results cannot be read, so nobody knows yet whether the score arrived. It is asked again.",
    "server_error": "The platform failed. It is tried again; if it never succeeds, show the attempt to the platform's administrator.",
    "gateway_error": "A gateway before the platform gave up. The platform is asked what it holds before anything is sent again.",
    "throttled": "The platform asked for a pause. Delivery goes on by itself.",
    "conflict": "The platform holds a score with this timestamp or a later one. It is asked which before anything is sent again.",
    "redirected": "The platform redirects this column's address elsewhere. A new launch brings the new address; then it goes on by itself.",
    "address_refused": 'The column\'s address is private. If the platform is on your own network, list its host in LTI_AGS["ALLOWED_PRIVATE_HOSTS"] and retry.',
    "bad_address": "The column's address is not a usable URL. A new launch brings a new one; then it goes on by itself.",
    "score_refused": "The platform refuses this score for good. Read its answer, correct the score and record it again.",
    "forbidden": "The platform does not let this tool write to this column. Ask its administrator, then retry.",
    "user_not_found": "The platform knows no such learner in this course. If they are enrolled again, retry.",
    "attempts_used_up": "The learner has used up the attempts that the assignment allows. Allow more there, then retry.",
    "course_concluded": "The course has ended, and the platform takes no more scores for it. Reopen it there; the next launch or a retry sends what waits.",
    "context_unavailable": "The platform does not let the tool into this course: it was deleted, or the tool was removed. Add the tool again; the next launch sends what waits.",
    "would_erase": "The platform would erase the grade that it shows, since the grading of this score is not finished. Record it as FullyGraded, or clear it.",
    "server_error_persists": "The platform fails on this score, and only on this one. Show the attempts to its administrator, then retry.",
    "jwks_unreachable": "The platform could not fetch this tool's key set. Check that its address is reachable from there; delivery goes on by itself.",
    "line_item_gone": "The column is no longer there. A new launch brings the new one; then record or retry.",
    "line_item_found": "Nothing to do: the column is at the platform.",
    "line_item_made": "Nothing to do: the platform has made the column.",
    "line_item_ambiguous": "Several columns at the platform match. Remove all but one there, or declare the column with another resource_id or tag; then retry.",
    "line_item_known": "This column came with a launch and is known here already. Record its scores there.",
    "line_item_refused": "The platform does not make this column. Read its answer, declare the column as it wants it, or make it there; then retry.",
    "line_items_unreadable": "The platform's line items cannot be read, so nobody knows yet whether the column is there. It is asked again.",
    "missing_line_item_scope": "The platform lets this tool look for columns, but not make them. Make the column there, or grant the lineitem scope; the next launch brings it.",
    "line_item_wanted": "The column has not been made at the platform yet. It goes on by itself when it is.",
    "missing_scope": "The platform did not grant this tool the score scope. Grant it in the platform's tool settings; the next launch brings it.",
    "unauthorised": "The platform refuses its own fresh access token. Check the tool's permissions there, then resume the registration.",
    "client_refused": "The platform refuses this client. Check client_id, key set and scopes in its tool settings, then resume the registration.",
    "token_unusable": "The platform's token endpoint answers, but not with a token. Check the token URL, then resume the registration.",
    "scope_refused": "The platform's token does not carry the scope that is needed. Grant it in its tool settings, then resume the registration.",
    "key_unusable": 'The signing key cannot be read. Put the key it was encrypted with back into LTI_AGS["ENCRYPTION_KEYS"], then resume the registration.',
    "token_address_refused": 'The token URL is private or unusable. Correct it, or list its host in LTI_AGS["ALLOWED_PRIVATE_HOSTS"], then resume the registration.',
    "not_started": "Nothing was sent: there was no time left in this round. It is the next round's.",
    "invalid_score": "This score cannot be put on the wire. Correct it and record it again.",
    "gave_up": 'It was tried for as long as LTI_AGS["MAX_AGE_SECONDS"] allows. Find out why with the attempts below, then retry.',
    "internal_error": "The worker itself failed on this score. Its log has the traceback; it is tried again.",
    "abandoned": "A worker stopped while it was sending. The platform is asked what it holds before anything is sent again.",
}
