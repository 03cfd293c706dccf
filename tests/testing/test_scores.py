"""What becomes of scores, and what the ledger tells of them."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress

SCORE = vocabulary.MEDIA_SCORE


def body(**changed):
    right = {
        "userId": "u1",
        "scoreGiven": 8,
        "scoreMaximum": 10,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-01-01T00:00:01.500Z",
    } | changed
    return {name: value for name, value in right.items() if value is not None}


def post(plain, *, token=None, **changed):
    return plain.call("POST", plain.item + "/scores", body(**changed), media=SCORE, token=token)


def refusal(answer):
    return answer.status_code, answer.json()["error"]


def shown(plain):
    [(_, _, grade)] = plain.course.gradebook()
    return grade


def test_an_applied_score(plain):
    answer = post(plain, comment="good", scoringUserId="t1")
    assert (answer.status_code, answer.json()) == (200, {"resultUrl": plain.item + "/results/u1"})
    held = plain.link.line_item.scores["u1"]
    assert (held.given, held.maximum, held.comment, held.scoring_user_id) == (8, 10, "good", "t1")
    assert (held.activity_progress, held.grading_progress) == ("Completed", "FullyGraded")
    assert held.timestamp == datetime(2026, 1, 1, 0, 0, 1, 500000, tzinfo=UTC)


@pytest.mark.parametrize(("given", "maximum", "expected"), [(8, 10, 8), (8, 20, 4), (1, 3, 10 / 3), (0, 7, 0), (12, 10, 12), (0.5, 1, 5)])
def test_scores_are_shown_on_the_columns_scale(plain, given, maximum, expected):
    post(plain, scoreGiven=given, scoreMaximum=maximum)
    assert shown(plain) == pytest.approx(expected)


def test_every_word_of_the_standard_is_understood(plain):
    token = plain.token()
    pairs = [(activity, grading) for activity in ActivityProgress for grading in GradingProgress]
    statuses = [
        post(
            plain, token=token, activityProgress=activity, gradingProgress=grading, timestamp=f"2026-01-01T00:00:{second:02}.0Z"
        ).status_code
        for second, (activity, grading) in enumerate(pairs)
    ]
    assert statuses == [200] * 25


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"userId": None}, 400, "userId is missing"),
        ({"userId": ""}, 400, "userId is missing"),
        ({"userId": 1}, 400, "userId is missing"),
        ({"userId": "nobody"}, 422, "nobody who can be graded"),
        ({"userId": "t1"}, 422, "nobody who can be graded"),
        ({"timestamp": None}, 400, "timestamp is missing"),
        ({"timestamp": 1767225600}, 400, "timestamp is missing"),
        ({"timestamp": "yesterday"}, 400, "ISO 8601"),
        ({"timestamp": "2026-01-01T00:00:00Z"}, 400, "sub-second"),
        ({"timestamp": "2026-01-01T00:00:00.000"}, 400, "zone"),
        ({"timestamp": "2026-01-01 00:00:00.000Z"}, 400, "ISO 8601"),
        ({"timestamp": "2026-13-01T00:00:00.000Z"}, 400, "ISO 8601"),
        ({"timestamp": "2026-01-01T25:00:00.000+00:00"}, 400, "ISO 8601"),
        ({"timestamp": "2026-01-01T00:00:00.000+99:99"}, 400, "ISO 8601"),
        ({"timestamp": "\u0662026-01-01T00:00:00.000Z"}, 400, "ISO 8601"),
        ({"timestamp": "9999-12-31T23:59:59.000-14:00"}, 400, "ISO 8601"),
        ({"timestamp": "2026-01-01T00:00:00." + "1" * 5000 + "Z"}, 400, "ISO 8601"),
        ({"activityProgress": None}, 400, "activityProgress is missing"),
        ({"activityProgress": "Done"}, 400, "not a word"),
        ({"gradingProgress": None}, 400, "gradingProgress is missing"),
        ({"gradingProgress": "Graded"}, 400, "not a word"),
        ({"scoreGiven": -0.1}, 400, "scoreGiven must be a number"),
        ({"scoreGiven": "8"}, 400, "scoreGiven must be a number"),
        ({"scoreGiven": True}, 400, "scoreGiven must be a number"),
        ({"scoreMaximum": None}, 400, "needs a scoreMaximum"),
        ({"scoreMaximum": 0}, 400, "scoreMaximum must be a number"),
        ({"scoreMaximum": "10"}, 400, "scoreMaximum must be a number"),
        ({"scoreGiven": None, "scoreMaximum": "10"}, 400, "scoreMaximum must be a number above zero"),
        ({"scoreGiven": None, "scoreMaximum": -4}, 400, "scoreMaximum must be a number above zero"),
        ({"scoreGiven": None, "scoreMaximum": 0}, 400, "scoreMaximum must be a number above zero"),
        ({"scoringUserId": ""}, 400, "scoringUserId must not be empty"),
        ({"scoringUserId": " \t"}, 400, "scoringUserId must not be empty"),
        ({"submission": "garbage"}, 400, "submission must be an object"),
        ({"submission": {"submittedAt": "yesterday"}}, 400, "submittedAt must be ISO 8601"),
        ({"submission": {"submittedAt": "2026-01-01T00:00:00"}}, 400, "submittedAt must be ISO 8601"),
        ({"submission": {"submittedAt": "2026-01-01T25:00:00Z"}}, 400, "submittedAt must be ISO 8601"),
        ({"submission": {"startedAt": 5}}, 400, "startedAt must be ISO 8601"),
        ({"submission": {"startedAt": None}}, 400, "startedAt must be ISO 8601"),
        ({"submission": {"startedAt": "2026-01-01T00:00:01Z", "submittedAt": "2026-01-01T01:00:00.5+01:00"}}, 400, "before startedAt"),
        ({"scoringUserId": 5}, 400, "scoringUserId must be text"),
        ({"comment": ["a"]}, 400, "comment must be text"),
        ({"score": 8}, 400, "unknown fields: score"),
    ],
)
def test_refusals_say_why_and_change_nothing(plain, changed, status, words):
    answer = refusal(post(plain, **changed))
    assert answer[0] == status
    assert words in answer[1]
    assert plain.link.line_item.scores == {}
    [entry] = plain.platform.ledger.scores(applied=False)
    assert (entry.applied, entry.status) == (False, status)
    assert plain.platform.ledger.scores() == []


@pytest.mark.parametrize(
    "submission",
    [
        {},
        {"startedAt": "2026-01-01T00:00:00Z"},
        {"submittedAt": "2026-01-01T00:00:00.5+01:00"},
        {"startedAt": "2026-01-01T00:00:00.25Z", "submittedAt": "2026-01-01T00:00:00.250Z", "https://tool.example/x": 1},
    ],
)
def test_when_the_learner_worked(plain, submission):
    assert post(plain, submission=submission).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(body()).encode("utf-16"),
        json.dumps(body()).encode("utf-8-sig"),
        json.dumps(body(comment="é"), ensure_ascii=False).encode("latin-1"),
        json.dumps(body()).replace("{", '{"userId": "u2", ', 1),
        json.dumps(body(submission={})).replace("{}", '{"a": 1, "a": 1}'),
    ],
)
def test_bodies_that_only_look_like_a_score(plain, data):
    answer = plain.call("POST", plain.item + "/scores", data=data, media=SCORE)
    assert (answer.status_code, answer.json()["error"][:8]) == (400, "not JSON")
    assert plain.link.line_item.scores == {}


@pytest.mark.parametrize("data", ["", "{", "[]", "null", '{"scoreGiven": NaN}', json.dumps(body()).replace("8", "1e999", 1)])
def test_bodies_that_are_no_score(plain, data):
    assert plain.call("POST", plain.item + "/scores", data=data, media=SCORE).status_code == 400
    assert plain.link.line_item.scores == {}


def test_media_type(plain):
    answer = plain.call("POST", plain.item + "/scores", body(), media="application/json")
    assert refusal(answer) == (415, f"Content-Type must be {SCORE}")


def test_extensions_are_fields_with_a_url_for_a_name(plain):
    assert post(plain, **{"https://tool.example/extra": {"a": 1}}).status_code == 200


@pytest.mark.parametrize("timestamp", ["2026-01-01T00:00:01.5Z", "2026-01-01T00:00:01.499Z", "2026-01-01T01:00:01.500000+01:00"])
def test_an_equal_or_earlier_timestamp_is_a_conflict(plain, timestamp):
    assert post(plain).status_code == 200
    answer = post(plain, timestamp=timestamp, scoreGiven=1)
    assert answer.status_code == 409
    assert shown(plain) == 8
    assert [entry.status for entry in plain.platform.ledger.scores("u1", applied=False)] == [200, 409]


def test_a_later_timestamp_wins(plain):
    post(plain)
    assert post(plain, timestamp="2026-01-01T00:00:01.501Z", scoreGiven=1).status_code == 200
    assert shown(plain) == 1


def test_every_digit_of_a_timestamp_counts(plain):
    stamps = ["01.1234567Z", "01.1234568Z", "01.12345681Z", "01.123456810000Z", "01.1234567Z", "01.123457Z"]
    statuses = [post(plain, timestamp="2026-01-01T00:00:" + stamp).status_code for stamp in stamps]
    assert statuses == [200, 200, 200, 409, 409, 200]


def test_clearing_takes_the_grade_away(plain):
    post(plain)
    assert post(plain, timestamp="2026-01-02T00:00:00.0Z", scoreGiven=None, scoreMaximum=None).status_code == 200
    assert shown(plain) is None
    assert plain.call("GET", plain.item + "/results").json() == []


def test_a_teachers_result_does_not_move_the_timestamp(plain):
    post(plain, scoreMaximum=20)
    plain.platform.set_result(plain.link.line_item, "u1", 9.5)
    assert shown(plain) == 9.5
    assert post(plain).status_code == 409
    assert post(plain, timestamp="2026-01-01T00:00:02.0Z", scoreGiven=2).status_code == 200
    assert shown(plain) == 2


def test_a_teachers_result_may_be_the_first(plain):
    plain.platform.set_result(plain.link.line_item, "u1", 3)
    assert shown(plain) == 3
    assert post(plain, timestamp=datetime.now(UTC).isoformat(timespec="microseconds")).status_code == 200
    assert shown(plain) == 8


def test_the_ledger_keeps_a_token_as_a_fingerprint(plain):
    token = plain.token()
    post(plain, token=token)
    [entry] = plain.platform.ledger.scores("u1")
    assert entry.headers["authorization"] == "Bearer #" + hashlib.sha256(f"Bearer {token}".encode()).hexdigest()[:12]
    assert (entry.method, entry.path, entry.query, entry.client_id) == ("POST", "/ags/c/lineitems/1/scores", "", "quiz")
    assert entry.body == body()
    assert [kept.sequence for kept in plain.platform.ledger.entries] == [1, 2]
    everything = repr(plain.platform.ledger.entries)
    assert token not in everything
    assert "eyJ" not in everything  # nor the assertion


def test_a_stranger_is_nobody_in_the_ledger(plain):
    assert post(plain, token="unknown").status_code == 401
    [entry] = plain.platform.ledger.scores(applied=False)
    assert (entry.client_id, entry.status, entry.applied) == ("", 401, False)
