"""``lti_ags_status``: a table, JSON, and exit codes that a probe can go by."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags import registrations, webhooks
from django_lti_ags.management.commands import lti_ags_status
from django_lti_ags.models import Registration, Score, Service, SyncSample, SyncState
from django_lti_ags.sync.outbox_sql import database_now
from tests.admin.conftest import World


@pytest.fixture
def world(db, tool_key):
    built = World(tool_key)
    Score.objects.all().delete()  # and its webhook's message with it
    SyncSample.objects.update(taken_at=database_now("default"))
    return built


def status(*arguments):
    """(exit code, lines)."""
    told = StringIO()
    try:
        call_command("lti_ags_status", *arguments, stdout=told)
    except SystemExit as end:
        return end.code, told.getvalue().splitlines()
    return 0, told.getvalue().splitlines()


def due(world, **ago):
    world.add_score(f"u{Score.objects.count()}", due_at=database_now("default") - timedelta(**ago))


def test_a_table_for_people(world):
    due(world, minutes=20)
    world.add_score("f", state=SyncState.FAILED, due_at=None)
    code, lines = status()
    assert code == 0
    assert lines[0].split() == [
        "platform",
        "condition",
        "waiting",
        "due",
        "sending",
        "blocked",
        "failed",
        "24",
        "h",
        "oldest",
        "median",
        "95",
        "%",
    ]
    assert lines[1].split() == ["Campus,", "https://lms.example", "well", "1", "1", "0", "0", "1", "0", "20", "min", "-", "-"]
    assert len(lines) == 2


def test_live_assessments_and_webhooks_stand_below_where_there_is_something_to_say(world):
    world.add_live_assessment("spelling", state=SyncState.BLOCKED)
    score = world.add_score("u1", state=SyncState.DELIVERED, due_at=None)
    world.add_message(score, world.webhook_endpoint)
    webhooks.disable(world.webhook_endpoint, reason="moved")
    told = "\n".join(status()[1])
    assert "live assessments: 0 waiting, 1 failed or blocked" in told
    assert "Quiz in Node, webhook at tool.example: 0 waiting, 1 failed or blocked; disabled since" in told
    [hook] = json.loads("\n".join(status("--json", "--registration", "Campus")[1]))["webhooks"]
    assert (hook["waiting"], hook["resting"], bool(hook["disabled_at"])) == (0, 1, True)
    world.add_registration("New")
    assert json.loads("\n".join(status("--json", "--registration", "New")[1]))["webhooks"] == []


def test_before_the_first_launch_it_says_what_to_do(db):
    code, lines = status()
    assert code == 0
    assert "lti_ags_register" in lines[0]
    assert json.loads("\n".join(status("--json")[1]))["services"] == []


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"concurrency": 2.5}, "Campus: throttled: 2 at once"),
        ({"failing_since": True, "last_failure_code": "server_error"}, "Campus: failing since"),
        ({"failing_since": True, "closed_until": True, "last_failure_code": "server_error"}, "(server_error); next probe"),
        ({"closed_until": True, "last_failure_code": "throttled"}, "Campus: nothing is sent before"),
    ],
)
def test_trouble_is_told_in_words(world, fields, text):
    Service.objects.update(**{name: database_now("default") if value is True else value for name, value in fields.items()})
    assert text in "\n".join(status()[1])


@pytest.mark.parametrize(("age", "code"), [("15m", 3), ("25m", 0), ("1200s", 3), ("1d", 0)])
def test_a_late_score_fails_the_probe(world, age, code):
    due(world, minutes=20, seconds=10)
    found, lines = status("--fail-if-oldest", age)
    assert found == code
    assert ("! A score has been due for 20 min" in "\n".join(lines)) is bool(code)


def test_nothing_due_fails_nothing(world):
    assert status("--fail-if-oldest", "1s", "--fail-if-paused")[0] == 0


def test_a_pause_fails_the_probe_that_asks_for_it(world):
    due(world, hours=3)
    registrations.pause(Registration.objects.get(), reason="exam week")
    assert status("--fail-if-oldest", "1m")[0] == 0
    code, lines = status("--fail-if-paused")
    assert code == 3
    assert "! Campus is paused: exam week" in lines
    assert any("Campus: paused since" in line and "exam week" in line for line in lines)


def test_a_registration_without_a_launch_can_be_paused_too(world):
    registrations.pause(world.add_registration("New"), reason="not yet")
    assert status("--fail-if-paused")[0] == 3
    assert status("--fail-if-paused", "--registration", "Campus")[0] == 0
    assert status("--fail-if-paused", "--registration", "New")[0] == 3


def test_json_for_programs(world):
    due(world, minutes=20)
    code, lines = status("--json", "--fail-if-oldest", "5m")
    assert code == 3
    told = json.loads("\n".join(lines))
    assert told["problems"] == ["A score has been due for 20 min, more than 5 min."]
    assert (told["worker_is_silent"], told["counted_to"]) == (False, 10_000)
    (one,) = told["services"]
    assert (one["registration"], one["service"], one["condition"], one["due"], one["p50_seconds"]) == (
        "Campus",
        "https://lms.example",
        "well",
        1,
        None,
    )
    assert one["registration_uid"] == str(world.registration.uid)
    assert 1200 <= told["oldest_due_seconds"] == one["oldest_due_seconds"] < 1260


def test_json_tells_times_as_iso(world):
    now = database_now("default")
    Service.objects.update(last_success_at=now)
    told = json.loads("\n".join(status("--json")[1]))
    assert told["services"][0]["last_success_at"] == now.isoformat()
    assert told["sampled_at"].startswith("20")


def test_a_silent_worker_is_told_of(world):
    due(world, minutes=1)
    SyncSample.objects.all().delete()
    assert "! Scores are due, and no worker seems to run: start lti_ags_worker." in status()[1]


def test_counts_that_ended(world, monkeypatch):
    for _ in range(3):
        due(world, minutes=1)
    measure = lti_ags_status.measure
    monkeypatch.setattr(lti_ags_status, "measure", lambda services: measure(services, counted_to=2))
    assert status()[1][1].split()[3:5] == ["2+", "2+"]


def test_one_registration(world):
    other = world.add_registration("Other", client_id="other-client")
    Service.objects.create(registration=other, origin="https://other.example")
    for named in ("Other", "other-client", "https://other.example", str(other.uid), str(other.uid).upper()):
        lines = status("--registration", named)[1]
        assert len(lines) == 2
        assert lines[1].startswith("Other")


def test_which_registration_must_be_clear(world):
    world.add_registration("Other")
    with pytest.raises(CommandError, match=r"'quiz' may be any of several registrations; give the number of one:\n .* Campus"):
        status("--registration", "quiz")
    for unknown in ("Nowhere", "campus", "Camp"):
        with pytest.raises(CommandError, match=f"There is no registration '{unknown}'. There are:\n .* Campus"):
            status("--registration", unknown)


def test_without_any_registration(db):
    with pytest.raises(CommandError, match=r"There are: none\."):
        status("--registration", "x")


@pytest.mark.parametrize("age", ["15", "", "-5m", "soon", "0s"])
def test_an_age_that_is_none_is_refused(world, age):
    with pytest.raises(CommandError, match="is no span of time"):
        status(f"--fail-if-oldest={age}")


def test_help_teaches():
    text = lti_ags_status.Command().create_parser("manage.py", "lti_ags_status").format_help()
    assert "manage.py lti_ags_status --fail-if-oldest 15m --fail-if-paused\n" in text
    assert "exit codes: 0" in text
