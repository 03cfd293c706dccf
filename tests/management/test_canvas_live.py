"""``lti_ags_canvas_live``: which live assessments it shows, sends again and takes back."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags.models import LiveAssessment, LiveResult, Registration
from django_lti_ags.sync.engine import deliver_due
from tests.management.test_resync import Terminal
from tests.sync.live import declare, held, note

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments):
    out, err = StringIO(), StringIO()
    call_command("lti_ags_canvas_live", *arguments, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


@pytest.fixture
def school(school):
    """One assessment has somebody set aside, one waits for an outcome that is linked, one is well, one is new."""
    Registration.objects.update(name="Campus")
    school.store_token()
    for key, outcome, users in (("aside", 1, (1, 99)), ("unlinked", 50, (2,)), ("well", 1, (3,))):
        assessment = declare(school, key=key, title=f"The {key} one", outcome=outcome)
        for user in users:
            note(assessment, user=user)
    deliver_due()
    declare(school, key="new")
    return school


def states():
    return dict(LiveAssessment.objects.values_list("key", "state"))


BEFORE = {"aside": "failed", "unlinked": "failed", "well": "delivered", "new": "pending"}


def test_it_shows_and_changes_nothing(school):
    said = run("--registration", "Campus", "--dry-run")
    assert "2 live assessments." in said
    assert "The aside one: failed (live_user_not_in_course), 0 waiting, 1 set aside" in said
    assert "The unlinked one: failed (outcome_not_linked), 1 waiting, 0 set aside" in said
    assert "outcome_not_linked: The outcome is not linked" in said
    assert states() == BEFORE


def test_it_sends_again_what_rests(school):
    school.book.add_student(99, "Late")
    assert "2 are due now." in run("--registration", "Campus")
    deliver_due()
    assert states() == BEFORE | {"aside": "delivered", "new": "delivered"}
    assert held(school, "aside") == {(1, 0, True): 1, (99, 0, True): 1}


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["--code", "outcome_not_linked"], ["unlinked"]),
        (["--state", "pending"], ["new"]),
        (["--context", "course-1"], ["aside", "unlinked"]),
        (["--code", "nothing_such"], []),
    ],
)
def test_what_is_chosen(school, arguments, keys):
    told = json.loads(run("--json", "--dry-run", *arguments))
    assert [row["key"] for row in told["assessments"]] == keys
    assert told["chosen"] == len(keys)
    assert told["due"] == 0


def test_one_is_taken_back_with_a_reason(school):
    uid = LiveAssessment.objects.get(key="aside").uid
    told = json.loads(run("--json", "--assessment", str(uid), "--cancel", "left the course"))
    assert told["cancelled"] == 1
    assert states() == BEFORE | {"aside": "cancelled"}
    assert LiveResult.objects.get(user_id="99").detail == "left the course"


def test_who_says_no_changes_nothing(school, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    said = run("--registration", "Campus")
    assert "Send 2 again? [y/N]" in said
    assert "Nothing was changed." in said
    assert states() == BEFORE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Choose the assessments"),
        (["--assessment", "nonsense"], "there is no 'nonsense'. The newest are:"),
        (["--registration", "Nowhere"], "Nowhere"),
        (["--state", "failed", "--cancel", " "], "--cancel: say why"),
        (["--state", "delivered"], "invalid choice"),
    ],
)
def test_bad_arguments(school, arguments, words):
    with pytest.raises(CommandError, match=words.replace("(", r"\(")):
        run(*arguments)
    assert states() == BEFORE


def test_the_status_tells_of_them(school):
    out = StringIO()
    call_command("lti_ags_status", stdout=out)
    assert "live assessments: 1 waiting, 2 failed or blocked" in out.getvalue()
    out = StringIO()
    call_command("lti_ags_status", "--json", stdout=out)
    assert [one["live_assessments"] for one in json.loads(out.getvalue())["services"]] == [{"waiting": 1, "resting": 2}]
    LiveAssessment.objects.update(state="delivered", due_at=None)
    out = StringIO()
    call_command("lti_ags_status", stdout=out)
    assert "live" not in out.getvalue()
