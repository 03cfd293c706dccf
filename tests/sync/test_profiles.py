"""A platform's own ways, from the registration's profile to the wire."""

import itertools
from datetime import UTC, datetime

import pytest

from django_lti_ags import scores
from django_lti_ags.models import Score, SyncState
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.canvas import CanvasProfile
from django_lti_ags.sync.profiles import profile_of
from tests.sync.conftest import Tomorrow, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at(campus, deliver):
    """The column at a platform of some kind."""

    def make(kind):
        campus.registration.profile = kind
        campus.registration.save()
        return campus.line_item()

    return make


def bodies(campus, user="u1"):
    return [entry.body for entry in campus.platform.ledger.scores(user)]


@pytest.mark.parametrize(("key", "kind"), [("canvas", CanvasProfile), ("", Profile), ("never heard of", Profile)])
def test_a_registration_names_its_profile(campus, key, kind):
    campus.registration.profile = key
    assert type(profile_of(campus.registration)) is kind


def test_a_profile_of_ones_own_takes_a_known_ones_place(campus, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"PROFILES": {"canvas": "django_lti_ags.profiles.base.Profile"}}
    campus.registration.profile = "canvas"
    assert type(profile_of(campus.registration)) is Profile


def test_canvas_gets_an_unchanged_comment_once(campus, at, deliver):
    line_item = at("canvas")
    for given, comment in ((5, "Good"), (6, "Good"), (7, "Better"), (8, "")):
        record(line_item, given=given, comment=comment)
        deliver()
    assert [body.get("comment") for body in bodies(campus)] == ["Good", None, "Better", None]


def test_other_platforms_get_the_comment_each_time(campus, at, deliver):
    line_item = at("moodle")
    for given in (5, 6):
        record(line_item, given=given, comment="Good")
        deliver()
    assert [body.get("comment") for body in bodies(campus)] == ["Good", "Good"]


def test_canvas_is_told_when_a_score_was_submitted_and_a_repeat_says_the_same(campus, at, deliver):
    line_item = at("canvas")
    row = record(line_item)
    campus.platform.faults.add("drop_before", kind="score", count=1)
    deliver()
    deliver(clock=Tomorrow(hours=1))
    sent = [entry.body["submission"]["submittedAt"] for entry in campus.platform.ledger.scores("u1", applied=False)]
    assert len(sent) == 2
    assert len(set(sent)) == 1
    row.refresh_from_db()
    assert row.state == SyncState.DELIVERED


def test_the_tools_own_time_of_submission_is_kept(campus, at, deliver):
    when = datetime(2026, 3, 1, 12, tzinfo=UTC)
    record(at("canvas"), submitted_at=when)
    deliver()
    assert bodies(campus)[0]["submission"]["submittedAt"].startswith("2026-03-01T12:00:00")


def test_an_unfinished_grading_does_not_erase_a_grade_at_moodle(campus, at, deliver):
    line_item = at("moodle")
    record(line_item, given=8)
    deliver()
    record(line_item, given=9, grading_progress="Pending")
    deliver()
    row = Score.objects.get()
    assert (row.state, row.code) == (SyncState.BLOCKED, "would_erase")
    assert campus.shown("u1") == 8
    scores.clear(line_item, "u1")
    deliver()
    assert campus.shown("u1") is None


def test_timestamps_lie_a_second_apart_at_moodle(campus, at, deliver):
    line_item = at("moodle")
    for given in (5, 6, 7):
        record(line_item, given=given)
        deliver()
    stamps = [datetime.fromisoformat(body["timestamp"]) for body in bodies(campus)]
    assert [(later - earlier).total_seconds() >= 1 for earlier, later in itertools.pairwise(stamps)] == [True, True]


def test_open_edx_says_with_403_that_a_token_is_old(campus, at, deliver):
    line_item = at("openedx")
    record(line_item)
    campus.platform.faults.add("status", kind="score", count=1, status=403, body='{"detail":"Invalid token signature."}')
    deliver()
    assert campus.shown("u1") == 8
    assert len(campus.platform.ledger.of("token")) == 2


@pytest.fixture
def broken_for(campus, monkeypatch):
    """The platform fails on one learner's scores."""

    def make(user):
        answer = campus.platform.handle

        def handle(request):
            if f'"userId":"{user}"'.encode() in request.body:
                campus.platform.faults.add("status", kind="score", count=1, status=500)
            return answer(request)

        monkeypatch.setattr(campus.platform, "handle", handle)

    return make


def test_a_score_on_which_only_it_fails_is_parked(campus, at, deliver, broken_for, monkeypatch):
    """Others pass, so the circuit stays closed, and the tries count."""
    line_item = at("moodle")
    bad = record(line_item, user="u1")
    broken_for("u1")
    for number in range(5):
        record(line_item, user="u2", given=number)
        deliver(clock=Tomorrow(hours=3 * number))
    bad.refresh_from_db()
    assert (bad.state, bad.code, bad.tries) == (SyncState.FAILED, "server_error_persists", 5)
    assert bad.attempts.filter(kind="score").count() == 5
    monkeypatch.undo()
    assert scores.retry(bad) == 1
    deliver()
    bad.refresh_from_db()
    assert bad.state == SyncState.DELIVERED
