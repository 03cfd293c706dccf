"""``lti_ags_reconcile``: what it tells, and what its exit codes mean."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from threading import Thread
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from django_lti_ags import line_items, results, scores
from django_lti_ags.ags import asking
from django_lti_ags.models import LineItem, Registration, Score, SyncState
from django_lti_ags.sync.engine import deliver_due

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments, code=0):
    out, err = StringIO(), StringIO()
    try:
        call_command("lti_ags_reconcile", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        assert ended.code == code
    else:
        assert code == 0
    return out.getvalue()


@pytest.fixture
def line_item(campus):
    Registration.objects.update(name="Campus")
    column = campus.line_item()
    scores.record_many(column, [{"user_id": f"u{n}", "score_given": n, "score_maximum": 10} for n in (1, 2, 3)])
    deliver_due()
    return column


def test_all_in_order(line_item):
    said = run("--registration", "Campus")
    assert f"{line_item.uid}  {line_item}: 3 in sync." in said
    assert "1 compared: 3 in sync." in said


def test_what_differs_is_told_and_nothing_is_sent(campus, line_item):
    del campus.link.line_item.scores["u1"]
    campus.platform.set_result(campus.link.line_item, "u2", 9)
    said = run("--line-item", str(line_item.uid), code=3)
    assert "1 in sync, 1 missing, 1 changed by a teacher." in said
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}


def test_a_teachers_change_alone_is_in_order(campus, line_item):
    campus.platform.set_result(campus.link.line_item, "u2", 9)
    run("--context", "course-1")


def test_resend_and_its_dry_run(campus, line_item):
    del campus.link.line_item.scores["u1"]
    campus.platform.set_result(campus.link.line_item, "u2", 9)
    arguments = ("--registration", "Campus", "--policy", "resend")
    assert "; 1 would be sent again." in run(*arguments, "--dry-run", code=3)
    assert not Score.objects.exclude(state=SyncState.DELIVERED).exists()
    assert "; 1 sent again." in run(*arguments, code=3)
    deliver_due()
    assert (campus.shown("u1"), campus.shown("u2")) == (1, 9)
    run(*arguments, "--overwrite-teachers")
    deliver_due()
    assert campus.shown("u2") == 2


def test_json_is_all_there_is(campus, line_item):
    del campus.link.line_item.scores["u1"]
    data = json.loads(run("--registration", "Campus", "--policy", "resend", "--dry-run", "--json", code=3))
    assert data["counts"] == {"in_sync": 2, "missing": 1}
    (one,) = data["line_items"]
    assert (one["line_item"], one["would_resend"], one["resent"], one["in_order"], one["read"]) == (str(line_item.uid), 1, 0, False, 2)
    assert data["failed"] == []


def test_a_score_of_which_an_earlier_submission_was_refused_is_told_as_what_it_is(line_item):
    assert "refused" not in run("--registration", "Campus")
    Score.objects.filter(user_id="u1").update(state=SyncState.FAILED, code="submission_refused")
    Score.objects.filter(user_id="u2").update(state=SyncState.FAILED, code="score_refused")
    said = run("--registration", "Campus")
    assert "2 failed; 1 of the failed are delivered, and only an earlier submission was refused." in said
    (one,) = json.loads(run("--registration", "Campus", "--json"))["line_items"]
    assert (one["counts"]["failed"], one["submissions_refused"]) == (2, 1)


def test_a_column_that_cannot_be_read_does_not_stop_the_others(campus, line_item):
    LineItem.objects.filter(pk=line_item.pk).update(scopes=[])
    second = LineItem.objects.get(pk=line_item.pk)
    second.pk, second.uid, second.url, second.scopes, second.label = None, uuid4(), second.url + "?again", line_item.scopes, "Again"
    second.save()
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 2 columns could not be read"):
        call_command("lti_ags_reconcile", "--registration", "Campus", stdout=out, stderr=StringIO())
    assert "Quiz: not compared. The platform did not grant the scope" in out.getvalue()
    assert "Again: 3 only at the platform." in out.getvalue()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("lti_ags_reconcile", "--line-item", str(line_item.uid), "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue())["failed"][0]["line_item"] == str(line_item.uid)


def test_a_platform_that_always_names_a_next_page_comes_to_an_end(campus, line_item, monkeypatch):
    """Also without a deadline: a listing is bounded in pages, in bytes and in time."""
    monkeypatch.setattr(asking, "_MOST_PAGES", 3)
    gradebook = campus.platform.gradebook
    real, asked = gradebook._page, []

    def endless(request, *args):
        asked.append(request)
        answer = real(request, *args)
        return replace(answer, headers=[("Link", f'<{line_item.url}/results?page={len(asked)}>; rel="next"')])

    monkeypatch.setattr(gradebook, "_page", endless)
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 1 columns could not be read"):
        call_command("lti_ags_reconcile", "--registration", "Campus", stdout=out, stderr=StringIO())
    assert len(asked) == 3
    assert "so nothing was compared" in out.getvalue()
    assert "there are more than 3 pages" in out.getvalue()


def test_a_column_that_is_not_at_the_platform_yet_is_skipped(campus, line_item):
    wanted = line_items.declare(line_items.context_from_launch(campus.claims()), resource_id="e", label="Essay", score_maximum=1)
    said = run("--registration", "Campus")
    assert "Essay: skipped. The column Essay has not been made" in said
    assert "1 compared: 3 in sync." in said
    assert json.loads(run("--registration", "Campus", "--json"))["skipped"] == 1
    with pytest.raises(CommandError, match="none of these columns has been made"):
        run("--line-item", str(wanted.uid))


def test_a_platform_that_fails_is_told(campus, line_item):
    campus.platform.faults.add("status", kind="results", status=500)
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("lti_ags_reconcile", "--registration", "Campus", stdout=StringIO(), stderr=StringIO())


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Choose the columns"),
        (("--registration", "Nobody"), "There is no registration 'Nobody'"),
        (("--registration", "Campus", "--overwrite-teachers"), "belongs to --policy resend"),
        (("--registration", "Campus", "--policy", "fix"), "invalid choice"),
        (("--registration", "Other", "--context", "course-1"), "does not go together"),
    ],
)
def test_mistakes_are_said(line_item, arguments, problem):
    key = Registration.objects.get().signing_key
    Registration.objects.create(name="Other", issuer="https://o.example", client_id="x", signing_key=key)
    with pytest.raises(CommandError, match=problem):
        run(*arguments)
    assert not Score.objects.exclude(state=SyncState.DELIVERED).exists()


def test_many_columns_while_others_write(campus, line_item, monkeypatch):
    """More than one portion; beside a half-read answer SQLite would refuse to keep what is read."""
    for number in range(101):
        url = f"{line_item.url}?again={number}"
        more = {"state": SyncState.DELIVERED, "due_at": None, "scopes": line_item.scopes}
        LineItem.objects.create(context=line_item.context, service=line_item.service, url=url, label="Again", **more)
    real = results.reconcile

    def beside_a_writer(column, **options):
        writer = Thread(target=_write)
        writer.start()
        writer.join()
        return real(column, **options)

    monkeypatch.setattr(results, "reconcile", beside_a_writer)
    assert "102 compared:" in run("--registration", "Campus")


def _write():
    Registration.objects.update(name="Campus")
    connections.close_all()


def test_a_mistake_is_json_too(line_item):
    out = StringIO()
    with pytest.raises(CommandError, match="Choose the columns"):
        call_command("lti_ags_reconcile", "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue())["error"].startswith("Choose the columns")


def test_a_label_does_not_steer_the_terminal(line_item):
    LineItem.objects.update(label="Quiz\x1b[2J\u202e\x9b1m\r")
    assert f"{line_item.uid}  Quiz\ufffd[2J\ufffd\ufffd1m\ufffd: 3 in sync." in run("--registration", "Campus")
    with pytest.raises(CommandError, match="Quiz\ufffd") as told:
        run("--line-item", str(uuid4()))
    assert "\x1b" not in str(told.value)


def test_progress_is_drawn_on_a_terminal(line_item):
    class Terminal(StringIO):
        def isatty(self):
            return True

    err = Terminal()
    call_command("lti_ags_reconcile", "--registration", "Campus", stdout=StringIO(), stderr=err)
    assert f"1/1 {line_item}: 3 learners read" in err.getvalue()
