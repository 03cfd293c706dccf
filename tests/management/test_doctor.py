"""``lti_ags_doctor``: what it prints, and how it ends."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags import registrations
from django_lti_ags.doctor import examine
from django_lti_ags.models import Registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def line_item(campus):
    return campus.line_item()


def run(*arguments):
    out = StringIO()
    call_command("lti_ags_doctor", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_command_tells(campus, line_item):
    said = run("quiz")
    assert "OK      token" in said
    assert said.endswith("1 examined, 0 with failures.\n")


def test_the_command_ends_with_three_when_something_failed_and_shows_no_secret(campus, line_item, capsys, tool_key):
    campus.platform.faults.add("status", kind="results", status=500, body='{"error": "canary-answer"}')
    registrations.pause(campus.registration, reason="Exam week")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("lti_ags_doctor", "--all", stdout=out, stderr=StringIO())
    assert ended.value.code == 3
    said = out.getvalue()
    assert "FAIL    delivery" in said
    assert "→" in said
    assert "(at the platform, by its administrator)" in said
    assert said.endswith("1 examined, 1 with failures.\n")
    tokens = list(campus.platform.desk._grants)
    assert tokens
    for secret in (*tokens, "PRIVATE", "Bearer", "client_assertion", tool_key.pem.splitlines()[1]):
        assert secret not in said


def test_the_command_answers_programs(campus, line_item):
    told = json.loads(run(str(campus.registration.pk), "--json"))
    assert told["failed"] == 0
    [answer] = told["registrations"]
    assert answer["registration"] == campus.registration.pk
    found = examine(Registration.objects.select_related("signing_key").get())
    assert {finding["check"]: finding["status"] for finding in answer["findings"]} == {one.check: one.status.value for one in found}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name one registration, or choose --all"),
        (["quiz", "--all"], "Name one registration, or choose --all"),
        (["nowhere"], "There is no registration 'nowhere'"),
        (["quiz", "--tool-url", "tool.example"], "--tool-url: .* must begin with https://"),
        (["quiz", "--tool-url", "https://tool.example/?a=b"], "--tool-url: .* query"),
    ],
)
def test_mistakes_are_named(campus, arguments, said):
    with pytest.raises(CommandError, match=said):
        run(*arguments)


def test_there_may_be_nothing_to_examine(db):
    with pytest.raises(CommandError, match="lti_ags_register"):
        run("--all")
