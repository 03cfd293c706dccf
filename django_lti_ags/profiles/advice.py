"""What a person can do about each verdict: a sentence for every code."""

from __future__ import annotations

from typing import Final


def _(text: str) -> str:
    """Mark ``text`` for translation, and leave it as it is: whoever shows it knows the reader's language."""
    return text


ADVICE: Final[dict[str, str]] = {
    "delivered": _("Nothing to do: the platform has accepted the score."),
    "already_there": _("Nothing to do: the platform was asked, and shows this score."),
    "changed_elsewhere": _(
        "Somebody changed this grade in the gradebook after it was sent. Record the score again only if it should replace that grade."
    ),
    "likely_delivered": _(
        "The answer was lost, and the platform does not let this tool read results. Look into the gradebook: cancel if it is there, retry if not."
    ),
    "unreachable": _("The platform cannot be reached. Delivery goes on by itself when it is back; check its address if it is new."),
    "no_answer": _("The connection broke before an answer came. The platform is asked what it holds before anything is sent again."),
    "answer_unreadable": _(
        "The platform accepted the request, but its answer was too long to read. It is asked what it holds before the next try."
    ),
    "results_unreadable": _("The platform's results cannot be read, so nobody knows yet whether the score arrived. It is asked again."),
    "server_error": _("The platform failed. It is tried again; if it never succeeds, show the attempt to the platform's administrator."),
    "gateway_error": _("A gateway before the platform gave up. The platform is asked what it holds before anything is sent again."),
    "throttled": _("The platform asked for a pause. Delivery goes on by itself."),
    "conflict": _("The platform holds a score with this timestamp or a later one. It is asked which before anything is sent again."),
    "redirected": _(
        "The platform redirects this column's address elsewhere. A new launch brings the new address; then it goes on by itself."
    ),
    "address_refused": _(
        'The column\'s address is private. If the platform is on your own network, list its host in LTI_AGS["ALLOWED_PRIVATE_HOSTS"] and retry.'
    ),
    "bad_address": _("The column's address is not a usable URL. A new launch brings a new one; then it goes on by itself."),
    "score_refused": _("The platform refuses this score for good. Read its answer, correct the score and record it again."),
    "forbidden": _("The platform does not let this tool write to this column. Ask its administrator, then retry."),
    "user_not_found": _("The platform knows no such learner in this course. If they are enrolled again, retry."),
    "attempts_used_up": _("The learner has used up the attempts that the assignment allows. Allow more there, then retry."),
    "submitted_in_future": _(
        "By the platform's clock the work is handed in later than now. It is tried again; if that goes on, compare the tool's clock with it."
    ),
    "files_refused": _("The platform could not take the files from the tool. See that it reaches their addresses, then retry."),
    "submission_refused": _(
        "The newest score is delivered, but the platform refused an earlier submission; why stands with it. Allow it there, then retry: it is handed in without a change to the grade. Or cancel, and it is let go."
    ),
    "no_attempts": _("Nothing to do: this platform counts no attempts, and the newest score says it all."),
    "file_arrived": _("Nothing to do: the platform has the file."),
    "file_under_way": _("Nothing to do: the platform has not fetched the file yet. It is asked again."),
    "file_failed": _(
        "The platform could not take the file, and the attempt stands without it. Make its address reachable from there without a login, then record the submission with a new submitted_at."
    ),
    "file_given_up": _(
        "The platform was asked for a day, and still says that the file is under way. Look at the attempt there; ask again from the score's page, or with lti_ags_resync --files."
    ),
    "missing_progress_scope": _(
        "Nobody knows whether the file arrived: the platform did not grant this tool the scope for it. Grant it in the developer key; after the next launch, ask again from the score's page, or with lti_ags_resync --files."
    ),
    "progress_refused": _(
        "Nobody knows whether the file arrived: the platform does not answer this tool about it. Look at the attempt there; ask again from the score's page, or with lti_ags_resync --files."
    ),
    "progress_unreadable": _("The platform's answer about the file cannot be read. It is asked again."),
    "progress_elsewhere": _(
        "The platform tells elsewhere how far the file is, and no token is sent there. Look at the attempt at the platform."
    ),
    "progress_lost": _(
        "The platform's answer was lost, and with it the way to ask about the file: whether it arrived is not known. Look at the learner's submission in Canvas; if the file is not there, record the submission with a new submitted_at."
    ),
    "course_concluded": _(
        "The course has ended, and the platform takes no more scores for it. Reopen it there; the next launch or a retry sends what waits."
    ),
    "context_unavailable": _(
        "The platform does not let the tool into this course: it was deleted, or the tool was removed. Add the tool again; the next launch sends what waits."
    ),
    "would_erase": _(
        "The platform would erase the grade that it shows, since the grading of this score is not finished. Record it as FullyGraded, or clear it."
    ),
    "server_error_persists": _(
        "The platform fails on this score, and only on this one. Show the attempts to its administrator, then retry."
    ),
    "jwks_unreachable": _(
        "The platform could not fetch this tool's key set. Check that its address is reachable from there; delivery goes on by itself."
    ),
    "line_item_gone": _("The column is no longer there. A new launch brings the new one; then record or retry."),
    "line_item_found": _("Nothing to do: the column is at the platform."),
    "line_item_made": _("Nothing to do: the platform has made the column."),
    "line_item_ambiguous": _(
        "Several columns at the platform match. Remove all but one there, or declare the column with another resource_id or tag; then retry."
    ),
    "line_item_known": _("This column came with a launch and is known here already. Record its scores there."),
    "line_item_refused": _(
        "The platform does not make this column. Read its answer, declare the column as it wants it, or make it there; then retry."
    ),
    "line_items_unreadable": _(
        "The platform's line items cannot be read, so nobody knows yet whether the column is there. It is asked again."
    ),
    "missing_line_item_scope": _(
        "The platform lets this tool look for columns, but not make them. Make the column there, or grant the lineitem scope; the next launch brings it."
    ),
    "line_item_wanted": _("The column has not been made at the platform yet. It goes on by itself when it is."),
    "missing_scope": _(
        "The platform did not grant this tool the score scope. Grant it in the platform's tool settings; the next launch brings it."
    ),
    "unauthorised": _("The platform refuses its own fresh access token. Check the tool's permissions there, then resume the registration."),
    "client_refused": _(
        "The platform refuses this client. Check client_id, key set and scopes in its tool settings, then resume the registration."
    ),
    "token_unusable": _("The platform's token endpoint answers, but not with a token. Check the token URL, then resume the registration."),
    "scope_refused": _(
        "The platform's token does not carry the scope that is needed. Grant it in its tool settings, then resume the registration."
    ),
    "paused_by_hand": _("Somebody stopped delivery for this registration, and said why. Resume it when the reason is gone."),
    "key_unusable": _(
        'The signing key cannot be read. Put the key it was encrypted with back into LTI_AGS["ENCRYPTION_KEYS"], then resume the registration.'
    ),
    "token_address_refused": _(
        'The token URL is private or unusable. Correct it, or list its host in LTI_AGS["ALLOWED_PRIVATE_HOSTS"], then resume the registration.'
    ),
    "not_started": _("Nothing was sent: there was no time left in this round. It is the next round's."),
    "invalid_score": _("This score cannot be put on the wire. Correct it and record it again."),
    "gave_up": _('It was tried for as long as LTI_AGS["MAX_AGE_SECONDS"] allows. Find out why with the attempts below, then retry.'),
    "webhook_delivered": _("Nothing to do: the endpoint has taken the message."),
    "webhook_refused": _("The endpoint answers, but not with a status from 200 to 299. Its owner finds out why; it is told again."),
    "webhook_unreachable": _("The endpoint does not answer. It is told again; check its address if it is new."),
    "webhook_address_refused": _(
        'The endpoint\'s address is private or unusable. If it is on your own network, list its host in LTI_AGS["ALLOWED_PRIVATE_HOSTS"].'
    ),
    "webhook_gone": _("The endpoint answered 410 Gone, and is told nothing more. Enable it again if that was a mistake."),
    "webhook_disabled": _("The endpoint is disabled, and says why. What waits for it is sent when it is enabled."),
    "webhook_given_up": _("It was told for as long as a score is tried. Find out why with its attempts, then send it again."),
    "webhook_secret_unusable": _(
        'The endpoint\'s secret cannot be read. Put the key it was encrypted with back into LTI_AGS["ENCRYPTION_KEYS"], then send it again.'
    ),
    "live_results_delivered": _("Nothing to do: Canvas has taken the results."),
    "live_results_there": _("Nothing to do: Canvas has the assessment, and all results that are to be there."),
    "live_user_not_in_course": _(
        "Canvas knows no such user in this course; the others' results were sent. If they are enrolled again, retry; otherwise cancel."
    ),
    "live_results_refused": _(
        "Canvas refuses these results, and took none of them. Read its answer, and declare the assessment as it wants it, or retry."
    ),
    "live_assessment_gone": _(
        "The assessment, or its course, is no longer in Canvas. Retry: the assessment is made anew if the course is still there."
    ),
    "outcome_not_linked": _("The outcome is not linked to this course. Link it there, then retry; or declare the assessment with another."),
    "canvas_credential_missing": _(
        "No credential for Canvas' REST API is stored for this registration: the LTI token is not good for this. Store one, then retry."
    ),
    "canvas_credential_unusable": _(
        'The stored credential for Canvas\' REST API cannot be used. Put its key back into LTI_AGS["ENCRYPTION_KEYS"], or store it again; then retry.'
    ),
    "canvas_token_refused": _("Canvas refuses the stored credential: it has ended, or was revoked. Store a new one, then retry."),
    "canvas_scope_missing": _(
        "The developer key does not carry the scope that is needed. Let the Canvas administrator add it, authorise the tool again, then retry."
    ),
    "canvas_not_authorised": _(
        "The user whose token this is may not do this in this course. Store the token of someone who may manage its grades, then retry."
    ),
    "canvas_not_found": _("Canvas knows no such course. Declare the assessment with the course's number in Canvas, or sis_course_id:…."),
    "canvas_address_refused": _(
        'The address of Canvas\' REST API is private, wrong, or leads elsewhere. Correct it, or list its host in LTI_AGS["ALLOWED_PRIVATE_HOSTS"]; then retry.'
    ),
    "canvas_unreadable": _("Canvas' answer cannot be read, so nobody knows yet what it holds. It is asked again."),
    "canvas_slow": _("Canvas was too slow for this round. It is tried again later."),
    "internal_error": _("The worker itself failed on this score. Its log has the traceback; it is tried again."),
    "abandoned": _("A worker stopped while it was sending. The platform is asked what it holds before anything is sent again."),
}
