"""What each platform answers, in its own words, and what is made of it: a row per quirk."""

import json
from datetime import UTC, datetime

import pytest

from django_lti_ags.ags.exchange import Exchange
from django_lti_ags.canvas.submission import EXTENSION
from django_lti_ags.canvas.submission_columns import SUBMISSION_TYPE
from django_lti_ags.profiles.base import CLEARED, HandedIn, Profile
from django_lti_ags.profiles.blackboard import BlackboardProfile
from django_lti_ags.profiles.canvas import CanvasProfile
from django_lti_ags.profiles.d2l import BrightspaceProfile
from django_lti_ags.profiles.moodle import MoodleProfile
from django_lti_ags.profiles.openedx import OpenEdxProfile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 13, tzinfo=UTC)
ALL = (Profile, BlackboardProfile, BrightspaceProfile, CanvasProfile, MoodleProfile, OpenEdxProfile)


def exchange(status, body="", kind="score", **more):
    return Exchange(kind=kind, method="POST", url="https://l.example/x", status=status, body=body, sent=True, started_at=NOW, **more)


def canvas(kind, message):
    return json.dumps({"errors": {"type": kind, "message": message}})


def canvas_list(message):
    return json.dumps({"errors": [{"message": message}]})


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, '{"resultUrl": "https://l.example/r"}', ("delivered", "delivered", "score")),
        (403, "403 Forbidden (Rate Limit Exceeded)", ("throttled", "retry", "service")),
        (403, canvas("forbidden", "Rate Limit Exceeded, not"), ("forbidden", "rejected", "line_item")),
        (429, "", ("throttled", "retry", "service")),
        (401, canvas("unauthorized", "Insufficient permissions"), ("scope_refused", "rejected", "registration")),
        (401, canvas("unauthorized", "Access token expired"), ("unauthorised", "rejected", "registration")),
        (
            401,
            canvas("unauthorized", "Access Token not linked to a Tool associated with this Context"),
            ("context_unavailable", "rejected", "context"),
        ),
        (404, canvas("not_found", "Context is deleted or not found"), ("context_unavailable", "rejected", "context")),
        (404, canvas_list("The specified resource does not exist."), ("line_item_gone", "rejected", "line_item")),
        (
            422,
            canvas("unprocessable_entity", "This course has concluded. AGS requests will no longer be accepted for this course."),
            ("course_concluded", "rejected", "context"),
        ),
        (412, canvas("precondition_failed", "Tool does not have permission to view line_item"), ("forbidden", "rejected", "line_item")),
        (
            422,
            canvas("unprocessable_entity", "User not found in course or is not a student"),
            ("user_not_found", "rejected", "score"),
        ),
        (
            400,
            canvas("bad_request", "Provided timestamp of X before last updated timestamp of Y"),
            ("conflict", "ambiguous", "score"),
        ),
        (400, canvas("bad_request", "Provided timestamp of X not a valid timestamp"), ("score_refused", "rejected", "score")),
        (400, canvas_list("timestamp is missing"), ("score_refused", "rejected", "score")),
        (422, canvas("unprocessable_entity", "ScoreMaximum not supplied when ScoreGiven present."), ("score_refused", "rejected", "score")),
        (422, canvas("unprocessable_entity", "ScoreMaximum must be greater than 0"), ("score_refused", "rejected", "score")),
        (
            400,
            canvas("bad_request", "Provided submitted_at timestamp of X not a valid timestamp"),
            ("score_refused", "rejected", "score"),
        ),
        (
            400,
            canvas("bad_request", "Provided submitted_at timestamp of X in the future"),
            ("submitted_in_future", "retry", "score"),
        ),
        (
            422,
            canvas("unprocessable_entity", "Content items must be provided with submission type 'online_upload'"),
            ("score_refused", "rejected", "score"),
        ),
        (400, canvas("bad_request", "uploading to file service failed with 400: X"), ("files_refused", "rejected", "score")),
        (500, canvas("internal", "uploading to file service failed with 500: X"), ("server_error", "retry", "score")),
        (
            422,
            canvas("unprocessable_entity", "The maximum number of allowed attempts has been reached for this submission"),
            ("attempts_used_up", "rejected", "score"),
        ),
        (504, canvas("gateway_timeout", "file service"), ("gateway_error", "ambiguous", "score")),
        (422, "[]", ("score_refused", "rejected", "score")),
        (422, '{"errors": []}', ("score_refused", "rejected", "score")),
        (422, "<html>", ("score_refused", "rejected", "score")),
    ],
)
def test_canvas(status, body, told):
    assert judged(CanvasProfile(), exchange(status, body)) == told


def test_canvas_throttles_tokens_too():
    throttled = exchange(403, "403 Forbidden (Rate Limit Exceeded)", kind="token")
    assert judged(CanvasProfile(), throttled) == ("throttled", "retry", "service")
    assert judged(CanvasProfile(), exchange(401, '{"error": "invalid_client"}', kind="token"))[2] == "registration"


@pytest.mark.parametrize(
    ("status", "body", "reason", "told"),
    [
        (200, "", "OK", ("delivered", "delivered", "score")),
        (200, "[]", "Incorrect score received", ("score_refused", "rejected", "score")),
        (400, "[]", "Incorrect score received", ("score_refused", "rejected", "score")),
        (409, "[]", "Refusing score with an earlier timestamp", ("conflict", "ambiguous", "score")),
        (404, '{"status": 404, "reason": "Not Found: Line item 7"}', "Not Found", ("line_item_gone", "rejected", "line_item")),
        (404, "<html>No such page</html>", "Not Found", ("server_error", "retry", "score")),
        (401, "[]", "Unauthorized", ("unauthorised", "rejected", "registration")),
        (403, "[]", "Forbidden", ("forbidden", "rejected", "line_item")),
        (503, "", "Maintenance", ("throttled", "retry", "service")),
        (303, "", "See Other", ("redirected", "rejected", "line_item")),
    ],
)
def test_moodle(status, body, reason, told):
    assert judged(MoodleProfile(), exchange(status, body, reason=reason)) == told


def test_moodle_tells_apart_why_there_is_no_token():
    assert judged(MoodleProfile(), exchange(404, "<html>", kind="token")) == ("jwks_unreachable", "retry", "service")
    assert judged(MoodleProfile(), exchange(400, '{"error":', kind="token")) == ("client_refused", "rejected", "registration")


def test_an_empty_list_of_results_is_no_refusal_at_moodle():
    assert judged(MoodleProfile(), exchange(200, "[]", kind="results")) == ("delivered", "delivered", "score")


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (201, "{}", ("delivered", "delivered", "score")),
        (400, '{"timestamp":["Score already exists for the provided timestamp"]}', ("conflict", "ambiguous", "score")),
        (400, '{"timestamp":["Score timestamp can only be updated to a later point in time"]}', ("conflict", "ambiguous", "score")),
        (400, '{"userId":["This field is required."]}', ("score_refused", "rejected", "score")),
        (403, '{"detail":"Invalid token signature."}', ("unauthorised", "rejected", "registration")),
        (403, '{"detail":"You do not have permission to perform this action."}', ("forbidden", "rejected", "line_item")),
    ],
)
def test_open_edx(status, body, told):
    assert judged(OpenEdxProfile(), exchange(status, body)) == told


def test_open_edx_refuses_a_token_with_403():
    assert OpenEdxProfile.token_refused_statuses == {401, 403}


@pytest.mark.parametrize(
    ("kind", "status", "told"),
    [
        ("score", 403, ("user_not_found", "rejected", "score")),
        ("score", 404, ("user_not_found", "rejected", "score")),
        ("results", 404, ("line_item_gone", "rejected", "line_item")),
        ("score", 410, ("line_item_gone", "rejected", "line_item")),
    ],
)
def test_brightspace(kind, status, told):
    assert judged(BrightspaceProfile(), exchange(status, kind=kind)) == told


def test_blackboard():
    refused = exchange(400, '{"message": "User could not be found: 7"}')
    assert judged(BlackboardProfile(), refused) == ("user_not_found", "rejected", "score")
    assert judged(BlackboardProfile(), exchange(400, "other")) == ("score_refused", "rejected", "score")


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("status", [500, 501, 502, 504])
def test_a_server_error_may_be_one_scores_own(profile, status):
    verdict = profile().judge(exchange(status))
    assert verdict.most_tries == profile.most_server_errors
    assert verdict.strains_service


@pytest.mark.parametrize(
    ("profile", "kept", "erasing"),
    [
        (MoodleProfile, ["FullyGraded"], ["Pending", "PendingManual", "Failed", "NotReady"]),
        (CanvasProfile, ["FullyGraded", "PendingManual"], ["Pending", "Failed", "NotReady"]),
        (Profile, ["FullyGraded", "Pending", "PendingManual", "Failed", "NotReady"], []),
    ],
)
def test_a_grade_is_not_erased_by_one_that_is_not_finished(profile, kept, erasing):
    def withheld(progress, *, held=True, given=8.0, activity="Completed"):
        score = {"score_given": given, "activity_progress": activity, "grading_progress": progress}
        return profile().withhold(score, held=held)

    assert [withheld(progress) for progress in kept] == [None] * len(kept)
    assert [withheld(progress).code for progress in erasing] == ["would_erase"] * len(erasing)
    assert [withheld(progress, held=False) for progress in erasing] == [None] * len(erasing)
    given, activity, grading = CLEARED
    assert withheld(grading, given=given, activity=activity) is None, "who clears means it"


SAID = {"preserve_score": True, "submission_type": "online_url", "submission_data": "https://t.example"}
WORK = {"submission_type": "online_url", "submission_data": "https://t.example"}


def worded(profile, *, is_new, at=NOW, started_at=None):
    score = {"submitted_at": None, "started_at": started_at, "extensions": {EXTENSION: SAID, "https://x.example/a": 1}}
    return profile().worded(score, HandedIn(at=at, work=WORK, is_new=is_new, recorded_at=LATER))


@pytest.mark.parametrize("profile", [profile for profile in ALL if profile is not CanvasProfile])
def test_only_canvas_is_told_of_canvas_extensions(profile):
    told = worded(profile, is_new=True)
    assert (told["extensions"], told["submitted_at"]) == ({"https://x.example/a": 1}, None)
    assert profile().column_extensions({SUBMISSION_TYPE: {"type": "none"}, "https://x.example/a": 1}) == {"https://x.example/a": 1}
    assert not profile.takes_submissions


@pytest.mark.parametrize(
    ("asked", "extension", "submitted_at"),
    [
        ({"is_new": True}, {"new_submission": True, "preserve_score": True, **WORK}, NOW),
        ({"is_new": False}, {"new_submission": False, "preserve_score": True}, NOW),
        ({"is_new": False, "at": None}, {"new_submission": False, "preserve_score": True}, LATER),
        ({"is_new": True, "started_at": LATER}, {"new_submission": True, "preserve_score": True, **WORK}, LATER),
    ],
)
def test_canvas_is_told_of_what_is_new_and_always_when(asked, extension, submitted_at):
    told = worded(CanvasProfile, **asked)
    assert (told["extensions"], told["submitted_at"]) == ({EXTENSION: extension, "https://x.example/a": 1}, submitted_at)
    assert CanvasProfile().column_extensions({SUBMISSION_TYPE: {"type": "none"}}) == {SUBMISSION_TYPE: {"type": "none"}}


def judged(profile, answer):
    verdict = profile.judge(answer)
    assert verdict.advice
    return verdict.code, verdict.disposition, verdict.reach
