"""Files that were handed in are followed until the platform has them, or never will; no score waits for one."""

import json
from dataclasses import replace

import pytest

from django_lti_ags import canvas, scores
from django_lti_ags.canvas.progress import SCOPE
from django_lti_ags.canvas.submission import EXTENSION
from django_lti_ags.models import DeliveryAttempt, Event, LineItem, Registration, Score, Service, SubmittedFile, SyncState
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.sync.forgetting import Forgetting
from django_lti_ags.sync.retention import Keep, prune
from django_lti_ags.testing.platforms import canvas_files
from django_lti_ags.testing.platforms.http import Response
from tests.sync.conftest import Tomorrow, record

pytestmark = pytest.mark.django_db(transaction=True)

FILES = [canvas.File(url="https://tool.example/a.txt", title="Essay"), canvas.File(url="https://tool.example/b.txt")]


@pytest.fixture
def column(canvas_campus):
    canvas_campus.tool.scopes = (*canvas_campus.tool.scopes, SCOPE)
    return canvas_campus.line_item()


@pytest.fixture
def files(canvas_campus):
    return canvas_campus.platform.gradebook.files


def hand_in(column, files=FILES[:1], **more):
    return record(column, submission=canvas.Submission(content_items=files), **more)


def asked(campus):
    return campus.platform.ledger.of("progress")


def later(deliver, *hours):
    for hour in hours:
        deliver(Tomorrow(hours=hour))


def test_files_are_followed_until_the_platform_has_them(canvas_campus, column, deliver):
    hand_in(column, FILES)
    deliver()
    assert Score.objects.get().state == SyncState.DELIVERED
    assert sorted(SubmittedFile.objects.values_list("file_url", "title", "state")) == [
        ("https://tool.example/a.txt", "Essay", "pending"),
        ("https://tool.example/b.txt", "", "pending"),
    ]
    assert asked(canvas_campus) == [], "it is given some seconds"
    later(deliver, 1)
    row = SubmittedFile.objects.first()
    assert (row.state, row.code, row.completion, row.tries) == (SyncState.PENDING, "file_under_way", 0, 1)
    later(deliver, 2, 3)
    assert set(SubmittedFile.objects.values_list("state", "code", "completion")) == {("delivered", "file_arrived", 100)}
    assert len(asked(canvas_campus)) == 6
    assert set(Event.objects.filter(name="file_arrived").values_list("score", flat=True)) == {Score.objects.get().pk}
    attempts = DeliveryAttempt.objects.filter(kind="progress", progress__score=Score.objects.get())
    assert list(attempts.order_by("pk").values_list("code", flat=True)) == ["file_under_way"] * 4 + ["file_arrived"] * 2
    later(deliver, 4)
    assert len(asked(canvas_campus)) == 6, "it is over"


def test_the_waits_between_the_questions_grow_and_have_an_end(canvas_campus, column, deliver, files):
    files.fate = canvas_files.STUCK
    hand_in(column)
    deliver()
    waits = []
    for tries in range(1, 37):
        SubmittedFile.objects.filter(state=SyncState.PENDING).update(due_at="2026-01-01T00:00Z")
        deliver()
        row = SubmittedFile.objects.get()
        assert row.tries == tries
        waits.append(row.due_at)
    assert (row.state, row.code, waits[-1]) == (SyncState.FAILED, "file_given_up", None)
    assert 3000 / 2 < (waits[-2] - DeliveryAttempt.objects.order_by("-pk")[1].started_at).total_seconds() <= 3601
    assert scores.follow_files(Score.objects.all()) == 1
    deliver()
    assert SubmittedFile.objects.get().code == "file_under_way"


def test_a_file_that_cannot_be_had_says_what_to_do_and_holds_up_no_score(canvas_campus, column, deliver, files):
    files.fate = canvas_files.FAILED
    hand_in(column)
    later(deliver, 0, 1, 2, 3)
    row = SubmittedFile.objects.get()
    assert (row.state, row.code, row.detail) == (SyncState.FAILED, "file_failed", "Could not download https://tool.example/a.txt")
    assert "new submitted_at" in ADVICE[row.code]
    assert Event.objects.get(name="file_failed").payload["url"] == "https://tool.example/a.txt"
    record(column, given=9)
    later(deliver, 4)
    assert (Score.objects.get().state, canvas_campus.shown("u1"), SubmittedFile.objects.count()) == (SyncState.DELIVERED, 9, 1)


def test_without_the_scope_nobody_is_asked_and_a_launch_that_brings_it_helps(canvas_campus, deliver):
    column = canvas_campus.line_item()
    hand_in(column)
    later(deliver, 0, 1)
    row = SubmittedFile.objects.get()
    assert (row.state, row.code, asked(canvas_campus)) == (SyncState.FAILED, "missing_progress_scope", [])
    assert Event.objects.get(name="file_failed").code == "missing_progress_scope"
    canvas_campus.tool.scopes = (*canvas_campus.tool.scopes, SCOPE)
    canvas_campus.line_item()
    assert scores.follow_files(Score.objects.get()) == 1
    later(deliver, 2, 3, 4)
    assert SubmittedFile.objects.get().code == "file_arrived"


def test_where_the_answer_was_lost_it_is_said_that_nobody_can_tell(canvas_campus, column, deliver):
    canvas_campus.platform.faults.add("drop_after", kind="score", count=1)
    hand_in(column, [*FILES, FILES[0]])
    later(deliver, 0, 1)
    assert Score.objects.get().code == "already_there"
    rows = SubmittedFile.objects.order_by("file_url").values_list("file_url", "title", "url", "state", "code", "due_at")
    assert list(rows) == [
        ("https://tool.example/a.txt", "Essay", "", "failed", "progress_lost", None),
        ("https://tool.example/b.txt", "", "", "failed", "progress_lost", None),
    ]
    assert set(Event.objects.filter(name="file_failed").values_list("code", flat=True)) == {"progress_lost"}
    assert "submission in Canvas" in ADVICE["progress_lost"]
    assert scores.follow_files(Score.objects.all()) == 0, "there is nowhere to ask"
    SubmittedFile.objects.first().save()
    again = SubmittedFile.objects.order_by("file_url")
    assert [row.url_digest for row in again] == [SubmittedFile.digest_of("", row.file_url) for row in again]


def test_a_file_whose_answer_was_lost_is_followed_once_a_later_answer_tells_of_it(canvas_campus, column, deliver):
    """The tool may not read results, so nobody can ask; a person looks, and sends it again."""
    canvas_campus.tool.scopes = tuple(scope for scope in canvas_campus.tool.scopes if not scope.endswith("result.readonly"))
    column = canvas_campus.line_item()
    canvas_campus.platform.faults.add("drop_after", kind="score", count=1)
    hand_in(column)
    later(deliver, 0, 1)
    assert (Score.objects.get().code, SubmittedFile.objects.get().code) == ("likely_delivered", "progress_lost")
    assert scores.retry(Score.objects.get()) == 1
    later(deliver, 2, 3, 4, 5)
    assert SubmittedFile.objects.get().code == "file_arrived"


def test_a_scope_that_is_taken_away_stops_no_grade(canvas_campus, column, deliver):
    hand_in(column)
    deliver()
    LineItem.objects.update(scopes=[scope for scope in canvas_campus.tool.scopes if scope != SCOPE])
    later(deliver, 1)
    assert SubmittedFile.objects.get().code == "missing_progress_scope"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_concerns_the_file_alone(canvas_campus, column, deliver, status):
    hand_in(column)
    deliver()
    canvas_campus.platform.faults.add("status", kind="progress", status=status)
    later(deliver, 1)
    assert (SubmittedFile.objects.get().state, SubmittedFile.objects.get().code) == (SyncState.FAILED, "progress_refused")
    assert (Registration.objects.get().paused_at, LineItem.objects.get().block_code) == (None, "")
    record(column, given=9)
    later(deliver, 2)
    assert canvas_campus.shown("u1") == 9


def test_a_token_that_is_refused_concerns_the_file_alone(canvas_campus, column, deliver):
    hand_in(column)
    deliver()
    canvas_campus.tool.scopes = tuple(scope for scope in canvas_campus.tool.scopes if scope != SCOPE)
    later(deliver, 1)
    assert (SubmittedFile.objects.get().code, Registration.objects.get().paused_at) == ("progress_refused", None)


@pytest.mark.parametrize("fault", [{"effect": "drop_after"}, {"effect": "status", "status": 500}, {"effect": "status", "status": 503}])
def test_trouble_passes(canvas_campus, column, deliver, fault):
    hand_in(column)
    deliver()
    canvas_campus.platform.faults.add(kind="progress", count=1, **fault)
    later(deliver, 1)
    assert (SubmittedFile.objects.get().state, SubmittedFile.objects.get().unsettled) == (SyncState.PENDING, False)
    later(deliver, 2, 3, 4)
    assert SubmittedFile.objects.get().state == SyncState.DELIVERED


@pytest.mark.parametrize("answer", [[], {}, "late", {"id": 1, "workflow_state": "lost"}, {"workflow_state": "completed"}])
def test_an_answer_that_is_none_is_asked_for_again(column, deliver, files, answer):
    hand_in(column)
    deliver()
    files.show = lambda course_id, number: answer
    later(deliver, 1)
    row = SubmittedFile.objects.get()
    assert (row.state, row.code) == (SyncState.PENDING, "progress_unreadable")


def test_a_progress_on_another_origin_gets_no_token(canvas_campus, column, deliver, files, make_campus):
    other = make_campus(client_id="other")
    files.take = lambda course_id, url: "1"
    gradebook = canvas_campus.platform.gradebook
    scored = gradebook.scored
    gradebook.scored = lambda *told: _elsewhere(scored(*told), canvas_campus.platform.base_url, other.platform.base_url)
    hand_in(column)
    later(deliver, 0, 1)
    row = SubmittedFile.objects.get()
    assert (row.state, row.code) == (SyncState.FAILED, "progress_elsewhere")
    assert scores.follow_files(Score.objects.all()) == 0
    assert other.platform.ledger.of("page") == []


def _elsewhere(response, ours, theirs):
    return replace(response, body=response.body.replace(f"{ours}/ags/course-1/progress".encode(), f"{theirs}/progress".encode()))


@pytest.mark.parametrize(
    "said", [[], "x", {"content_items": "x"}, {"content_items": [1, {}, {"progress": 5}, {"progress": "ftp://x.example/1"}]}]
)
def test_what_cannot_be_followed_is_passed_over_and_the_score_is_delivered(canvas_campus, column, deliver, said):
    canvas_campus.platform.gradebook.scored = lambda *told: Response(body=json.dumps({EXTENSION: said}).encode())
    hand_in(column)
    deliver()
    assert (Score.objects.get().state, SubmittedFile.objects.count()) == (SyncState.DELIVERED, 0)


def test_what_canvas_says_of_a_file_is_kept_as_any_database_takes_it(canvas_campus, column, deliver):
    scored = canvas_campus.platform.gradebook.scored
    title = {"title": "Ess\x00ay \ud800" + "x" * 9000}

    def answer(*told):
        (file,) = json.loads(scored(*told).body)[EXTENSION]["content_items"]
        return Response.json({EXTENSION: {"content_items": [file | title]}})

    canvas_campus.platform.gradebook.scored = answer
    hand_in(column)
    deliver()
    row = SubmittedFile.objects.get()
    assert (row.title[:10], len(row.title)) == ("Ess\ufffday \ufffdxx", 4096)


def test_a_token_that_canvas_says_back_is_not_kept(canvas_campus, column, deliver):
    hand_in(column)
    deliver()
    routes = canvas_campus.platform._routes
    place = next(index for index, route in enumerate(routes) if route.kind == "progress")
    tokens = []

    def answer(request, **parts):
        tokens.append(request.headers["authorization"].removeprefix("Bearer "))
        return Response.json({"id": 1, "workflow_state": "failed", "message": f"No\x00t {tokens[0]}"})

    routes[place] = replace(routes[place], handler=answer)
    later(deliver, 1)
    row = SubmittedFile.objects.get()
    assert (row.code, row.detail[:4]) == ("file_failed", "No\ufffdt")
    assert tokens[0] not in row.detail


def test_an_outage_of_the_platform_is_its_services_not_the_files(canvas_campus, column, deliver):
    hand_in(column)
    deliver()
    canvas_campus.platform.faults.add("status", kind="progress", status=503)
    for hour in range(1, 8):
        deliver(Tomorrow(hours=hour))
    assert SubmittedFile.objects.get().state == SyncState.PENDING
    assert Service.objects.get().last_failure_code == "throttled"


def test_what_has_an_end_goes_with_age_and_a_forgotten_learners_at_once(canvas_campus, column, deliver):
    hand_in(column)
    record(column, "u2", submission=canvas.Submission(content_items=FILES[1:]))
    later(deliver, 0, 1, 2, 3)
    SubmittedFile.objects.update(created_at="2020-01-01T00:00Z")
    SubmittedFile.objects.filter(score__user_id="u2").update(state=SyncState.PENDING, due_at="2026-01-01T00:00Z")
    assert prune(Keep.configured())["files"] == 1
    counts = Forgetting([canvas_campus.registration], "u2", dry_run=False).run()
    assert (counts["files"], SubmittedFile.objects.count()) == (1, 0)
