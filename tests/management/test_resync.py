"""``lti_ags_resync``: what it sends again, and what it asks first."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags import line_items, scores
from django_lti_ags.ags import vocabulary
from django_lti_ags.management.commands import lti_ags_resync
from django_lti_ags.models import Registration, Score, SubmittedFile, SyncState
from django_lti_ags.sync.engine import deliver_due

pytestmark = pytest.mark.django_db(transaction=True)


class Terminal(StringIO):
    def isatty(self):
        return True


def run(*arguments, answer=None, monkeypatch=None):
    out, err = StringIO(), StringIO()
    if answer is not None:
        monkeypatch.setattr("sys.stdin", Terminal(answer))
    call_command("lti_ags_resync", *arguments, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


@pytest.fixture
def line_item(campus):
    """u1 and u2 arrived, u8 and u9 were refused, u3 waits."""
    Registration.objects.update(name="Campus")
    column = campus.line_item()
    scores.record_many(column, [{"user_id": f"u{n}", "score_given": n, "score_maximum": 10} for n in (1, 2, 8, 9)])
    deliver_due()
    scores.record(column, user_id="u3", score_given=3, score_maximum=10)
    return column


def states():
    return dict(Score.objects.values_list("user_id", "state"))


BEFORE = {"u1": "delivered", "u2": "delivered", "u3": "pending", "u8": "failed", "u9": "failed"}


def test_what_rests_is_sent_again(line_item, campus):
    said = run("--registration", "Campus")
    assert "2 scores: 2 failed." in said
    assert "2 are due now." in said
    assert states() == BEFORE | {"u8": "pending", "u9": "pending"}


@pytest.mark.parametrize(
    ("arguments", "due"),
    [
        (("--user", "u8"), {"u8"}),
        (("--user", "u8", "--user", "u1"), {"u8"}),
        (("--state", "failed", "--context", "course-1"), {"u8", "u9"}),
        (("--code", "score_refused"), {"u8", "u9"}),
        (("--code", "delivered"), set()),
        (("--since", "1h"), {"u8", "u9"}),
        (("--state", "blocked"), set()),
    ],
)
def test_filters(line_item, arguments, due):
    run(*arguments)
    assert states() == BEFORE | dict.fromkeys(due, "pending")


def test_a_dry_run_counts_only(line_item):
    assert "2 scores: 2 failed." in run("--registration", "Campus", "--dry-run")
    assert states() == BEFORE
    data = json.loads(run("--registration", "Campus", "--dry-run", "--json", "--delivered"))
    due = ("retried", "sent_again", "files_followed")
    assert data == {"chosen": 4, "states": {"failed": 2, "delivered": 2}, "dry_run": True} | dict.fromkeys(due, 0)


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "no way\n"])
def test_on_a_terminal_it_asks(line_item, monkeypatch, answer):
    said = run("--registration", "Campus", answer=answer, monkeypatch=monkeypatch)
    assert "Send 2 again? [y/N]" in said
    assert "Nothing was sent." in said
    assert states() == BEFORE


@pytest.mark.parametrize(("arguments", "answer"), [((), "y\n"), ((), "YES\n"), (("--yes",), "n\n")])
def test_a_yes_is_a_yes(line_item, monkeypatch, arguments, answer):
    said = run("--registration", "Campus", *arguments, answer=answer, monkeypatch=monkeypatch)
    assert ("[y/N]" in said) == (not arguments)
    assert states()["u8"] == "pending"


def test_files_are_asked_about_and_nothing_is_sent(line_item, monkeypatch):
    row = Score.objects.get(user_id="u1")
    times = {"created_at": row.recorded_at, "aged_from": row.recorded_at}
    rest = {"state": SyncState.FAILED, "code": "missing_progress_scope", "due_at": None}
    SubmittedFile(score=row, service=row.service, url="https://lms.example/progress/1", **times, **rest).save()
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert "Ask about the files of 1 again? [y/N]" in run("--registration", "Campus", "--files")
    assert SubmittedFile.objects.get().state == SyncState.FAILED
    data = json.loads(run("--state", "delivered", "--files", "--yes", "--json"))
    assert (data["chosen"], data["retried"], data["sent_again"], data["files_followed"]) == (1, 0, 0, 1)
    assert (SubmittedFile.objects.get().state, states()) == (SyncState.PENDING, BEFORE)
    assert "0 scores." in run("--registration", "Campus", "--files")


def test_nothing_to_send_asks_nothing(line_item, monkeypatch):
    said = run("--user", "nobody", answer="y\n", monkeypatch=monkeypatch)
    assert said == "0 scores.\n"


def test_delivered_ones_are_sent_again_where_they_are_lost(campus, line_item, monkeypatch):
    monkeypatch.setattr(lti_ags_resync, "_BATCH", 1)
    column = campus.link.line_item
    del column.scores["u1"]
    campus.platform.set_result(column, "u2", 7)
    data = json.loads(run("--registration", "Campus", "--delivered", "--json"))
    assert (data["chosen"], data["retried"], data["sent_again"]) == (4, 2, 2)
    deliver_due()
    assert (campus.shown("u1"), campus.shown("u2")) == (1, 7)
    run("--user", "u2", "--delivered", "--state", "superseded", "--overwrite-teachers")
    deliver_due()
    assert campus.shown("u2") == 2


def test_only_delivered_ones(campus, line_item):
    run("--registration", "Campus", "--delivered", "--state", "delivered")
    assert states() == BEFORE | {"u1": "pending", "u2": "pending"}


def test_where_nobody_can_ask_it_is_said(campus):
    line_item = line_items.from_launch(campus.claims(scope=[vocabulary.SCOPE_SCORE]))
    scores.record(line_item, user_id="u1", score_given=1, score_maximum=10)
    deliver_due()
    said = run("--user", "u1", "--delivered")
    assert "0 are due now. 1 stay as they are" in said
    assert "--overwrite-teachers" in said
    assert Score.objects.get().state == SyncState.DELIVERED


def test_what_changed_meanwhile_is_said(line_item, monkeypatch):
    monkeypatch.setattr(scores, "retry", lambda rows: 1)
    assert "1 are due now. 1 stay as they are: they changed meanwhile." in run("--registration", "Campus")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Choose the scores"),
        (("--delivered",), "Choose the scores"),
        (("--state", "delivered"), "--state delivered needs --delivered"),
        (("--state", "superseded"), "--state superseded needs --delivered"),
        (("--state", "cancelled"), "invalid choice"),
        (("--user", "u1", "--overwrite-teachers"), "belongs to --delivered"),
        (("--user", "u1", "--delivered", "--files"), "leave --delivered out"),
        (("--registration", "Nobody"), "There is no registration 'Nobody'"),
        (("--since", "soon"), "is no time"),
    ],
)
def test_mistakes_are_said_and_change_nothing(line_item, arguments, problem):
    with pytest.raises(CommandError, match=problem):
        run(*arguments)
    assert states() == BEFORE
