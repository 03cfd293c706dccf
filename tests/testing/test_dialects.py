"""What sets real platforms apart: how they answer a score that is not later, and what they make of repeats."""

import pytest

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms import CanvasGradebook, SimulatedPlatform
from django_lti_ags.testing.platforms.canvas_files import SCOPE_PROGRESS
from tests.testing.conftest import Plain

FIRST, SAME_SECOND, LATER, OLDER = (f"2026-01-01T00:00:0{tail}Z" for tail in ("1.200000", "1.900000", "2.000000", "0.900000"))
SUBMISSION = "https://canvas.instructure.com/lti/submission"


@pytest.fixture
def speak(tool_key):
    """A plain tool at a platform of a dialect."""
    running = []

    def build(dialect):
        platform = SimulatedPlatform(dialect=dialect).start()
        plain = Plain(platform, tool_key)
        running.append(plain)
        return plain

    yield build
    for plain in running:
        plain.session.close()
        plain.platform.stop()


def post(plain, timestamp=FIRST, **more):
    body = {"userId": "u1", "scoreGiven": 8, "scoreMaximum": 10, "activityProgress": "Completed", "gradingProgress": "FullyGraded"}
    return plain.call("POST", plain.item + "/scores", body | {"timestamp": timestamp} | more, media=vocabulary.MEDIA_SCORE)


def given(plain):
    return plain.link.line_item.scores["u1"].given


def family(plain):
    return plain.platform.launches.claims(plain.tool, _intent(plain), "n")[vocabulary.TOOL_PLATFORM_CLAIM]["product_family_code"]


def _intent(plain):
    plain.platform.launches.initiation(plain.course.users["u1"], plain.course, plain.link)
    return next(iter(plain.platform.launches._intents.values()))


def test_an_unknown_dialect_is_refused():
    with pytest.raises(ValueError, match=r"'klingon'.*canvas, moodle, openedx"):
        SimulatedPlatform(dialect="klingon")


@pytest.mark.parametrize(("dialect", "code"), [("", "simulated"), ("canvas", "canvas"), ("moodle", "moodle"), ("openedx", "Open edX")])
def test_launches_say_who_it_is(speak, dialect, code):
    assert family(speak(dialect)) == code


@pytest.mark.parametrize("again", [FIRST, SAME_SECOND, OLDER])
def test_moodle_counts_in_whole_seconds(speak, again):
    plain = speak("moodle")
    first = post(plain)
    assert (first.status_code, first.content) == (200, b"")
    answer = post(plain, again, scoreGiven=1)
    assert (answer.status_code, answer.text) == (409, "[]")
    assert answer.reason == "Refusing score with an earlier timestamp for item 1 and user u1"
    assert given(plain) == 8
    assert post(plain, LATER, scoreGiven=2).status_code == 200
    assert [entry.applied for entry in plain.platform.ledger.of("score")] == [True, False, True]


@pytest.mark.parametrize(
    ("again", "words"),
    [
        (FIRST, "Score already exists for the provided timestamp"),
        (OLDER, "Score timestamp can only be updated to a later point in time"),
    ],
)
def test_open_edx_tells_the_same_from_an_older_one(speak, again, words):
    plain = speak("openedx")
    assert (post(plain).status_code, given(plain)) == (201, 8)
    answer = post(plain, again, scoreGiven=1)
    assert (answer.status_code, answer.json()) == (400, {"timestamp": [words]})
    assert given(plain) == 8
    assert post(plain, SAME_SECOND, scoreGiven=2).json()["scoreGiven"] == 2


def test_canvas_refuses_an_older_one_and_takes_an_equal_one(speak):
    plain = speak("canvas")
    assert post(plain).json()["resultUrl"] == plain.item + "/results/u1"
    answer = post(plain, OLDER, scoreGiven=1)
    message = f"Provided timestamp of {OLDER} before last updated timestamp of 2026-01-01T00:00:01.200000+00:00"
    assert (answer.status_code, answer.json()) == (400, {"errors": {"type": "bad_request", "message": message}})
    assert given(plain) == 8
    assert (post(plain, FIRST, scoreGiven=3).status_code, given(plain)) == (200, 3)


def test_canvas_adds_a_comment_with_every_score_that_has_one(speak):
    plain = speak("canvas")
    column = plain.link.line_item
    gradebook = plain.platform.gradebook
    assert isinstance(gradebook, CanvasGradebook)
    assert gradebook.comments(column, "u1") == []
    post(plain, comment="good")
    post(plain, comment="good")
    post(plain, LATER)
    post(plain, OLDER, comment="refused")
    assert gradebook.comments(column, "u1") == ["good", "good"]
    assert gradebook.comments(column, "u2") == []


@pytest.mark.parametrize(
    ("sent", "attempts"),
    [
        ([{}, {}], 2),
        ([{"submission": {"submittedAt": "2026-01-01T00:00:00.5Z"}}] * 2, 1),
        ([{"submission": {"submittedAt": "2026-01-01T00:00:00Z"}}, {"submission": {"submittedAt": "2026-01-01T01:00:00+01:00"}}], 1),
        ([{"submission": {"submittedAt": "2026-01-01T00:00:00Z"}}, {"submission": {"submittedAt": "2026-01-01T00:00:01Z"}}], 2),
        ([{"submission": {"submittedAt": "2026-01-01T00:00:00Z"}}, {}], 2),
        ([{SUBMISSION: {"submitted_at": "2026-01-01T00:00:00Z"}}] * 2, 1),
        ([{SUBMISSION: {"new_submission": False}}] * 2, 0),
        ([{SUBMISSION: {"submission_type": "none"}}], 0),
        ([{SUBMISSION: {"new_submission": True}}, {SUBMISSION: {"new_submission": False}}], 1),
    ],
)
def test_canvas_counts_attempts(speak, sent, attempts):
    plain = speak("canvas")
    assert {post(plain, **more).status_code for more in sent} == {200}
    assert plain.platform.gradebook.attempts(plain.link.line_item, "u1") == attempts


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        ({"userId": "nobody"}, 422, "User not found in course or is not a student"),
        (
            {SUBMISSION: {"submission_type": "online_upload"}},
            422,
            "Content items must be provided with submission type 'online_upload'",
        ),
        ({SUBMISSION: {"submission_type": "essay"}}, 422, "Invalid submission type essay"),
        (
            {"submission": {"submittedAt": "2999-01-01T00:00:00Z"}},
            400,
            "Provided submitted_at timestamp of 2999-01-01T00:00:00Z in the future",
        ),
    ],
)
def test_canvas_says_why_it_refuses(speak, more, status, message):
    plain = speak("canvas")
    answer = post(plain, **more)
    assert (answer.status_code, answer.json()["errors"]["message"]) == (status, message)
    assert plain.link.line_item.scores == {}


def test_canvas_counts_attempts_only_when_one_is_made(speak):
    plain = speak("canvas")
    plain.platform.gradebook.allowed_attempts = 1
    at = {"submission": {"submittedAt": "2026-01-01T00:00:00Z"}}
    assert [post(plain, **more).status_code for more in (at, at, {SUBMISSION: {"new_submission": False}}, {})] == [200, 200, 200, 422]


def test_canvas_tells_where_the_progress_of_files_is(speak):
    plain = speak("canvas")
    file = {"type": "file", "url": "https://t.example/a.txt"}
    (told,) = post(plain, **{SUBMISSION: {"content_items": [file]}}).json()[SUBMISSION]["content_items"]
    assert told["url"] == file["url"]
    assert told["progress"].startswith(plain.platform.base_url)


@pytest.mark.parametrize(
    ("fate", "states"),
    [
        ("completed", ["queued", "running", "completed", "completed"]),
        ("failed", ["queued", "running", "failed", "failed"]),
        ("stuck", ["queued", "running", "running", "running"]),
    ],
)
def test_canvas_tells_how_far_a_file_is_to_who_may_know(speak, fate, states):
    plain = speak("canvas")
    plain.platform.gradebook.files.fate = fate
    file = {"type": "file", "url": "https://tool.example/a.txt"}
    (told,) = post(plain, **{SUBMISSION: {"content_items": [file]}}).json()[SUBMISSION]["content_items"]
    assert plain.call("GET", told["progress"]).status_code in (401, 403)
    plain.tool.scopes = [*plain.tool.scopes, SCOPE_PROGRESS]
    token = plain.token(scope=SCOPE_PROGRESS)
    answers = [plain.call("GET", told["progress"], token=token).json() for _ in states]
    assert [answer["workflow_state"] for answer in answers] == states
    assert (answers[-1]["completion"] == 100, bool(answers[-1]["message"])) == (fate == "completed", fate == "failed")
    assert plain.call("GET", told["progress"] + "9", token=token).status_code == 404


def test_canvas_columns_are_changed_in_part_and_tell_their_launch(speak):
    plain = speak("canvas")
    plain.call("PUT", plain.item, {"tag": "t"}, media=vocabulary.MEDIA_LINE_ITEM)
    told = plain.call("GET", plain.item + "?include[]=launch_url").json()
    assert (told["tag"], told["label"]) == ("t", plain.link.line_item.label)
    assert "https://canvas.instructure.com/lti/launch_url" in told
    assert plain.call("PUT", plain.item, [1], media=vocabulary.MEDIA_LINE_ITEM).status_code == 400
    body = {"label": "x", "scoreMaximum": 1, "https://canvas.instructure.com/lti/submission_type": {"type": "essay"}}
    assert plain.call("POST", plain.container, body, media=vocabulary.MEDIA_LINE_ITEM).status_code == 400


@pytest.mark.parametrize("extension", ["x", {"submitted_at": "soon"}, {"submitted_at": 5}])
def test_canvas_refuses_an_extension_it_cannot_read(speak, extension):
    plain = speak("canvas")
    answer = post(plain, **{SUBMISSION: extension})
    assert (answer.status_code, answer.json()["errors"]["type"]) == (400, "bad_request")
    assert plain.platform.gradebook.attempts(plain.link.line_item, "u1") == 0
    assert plain.link.line_item.scores == {}


@pytest.mark.parametrize(
    ("dialect", "status", "body"),
    [
        ("", 403, {"error": "this course has concluded"}),
        (
            "canvas",
            422,
            {
                "errors": {
                    "type": "unprocessable_entity",
                    "message": "This course has concluded. AGS requests will no longer be accepted for this course.",
                }
            },
        ),
    ],
)
def test_a_concluded_course_refuses_every_call(speak, dialect, status, body):
    plain = speak(dialect)
    token = plain.token()
    plain.course.concluded = True
    answers = [post(plain)]
    for method, url in (("GET", plain.container), ("GET", plain.item), ("DELETE", plain.item), ("GET", plain.item + "/results")):
        answers.append(plain.call(method, url, token=token))
    assert [(answer.status_code, answer.json()) for answer in answers] == [(status, body)] * 5
    assert plain.call("GET", plain.item, token="unknown").status_code == 401
    plain.course.concluded = False
    assert post(plain).status_code == 200
