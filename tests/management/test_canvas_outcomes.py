"""``lti_ags_canvas_outcomes``: files that are whole, safe to open, and made page by page."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags.testing.platforms import Effect

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Terminal(StringIO):
    def isatty(self):
        return True


def run(*arguments, code=0, err=None):
    out, err = StringIO(), err or StringIO()
    try:
        call_command("lti_ags_canvas_outcomes", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        assert ended.code == code
    else:
        assert code == 0
    return out.getvalue()


@pytest.fixture
def course(school):
    school.store_token()
    return ("--context", str(school.context().uid))


def table(text):
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text[1:])))


def test_rollups_as_csv(course):
    ada, kurt, emmy = table(run(*course, "--names"))
    assert (ada["user_id"], ada["learner"], ada["outcome"], ada["score"], ada["mastery"]) == ("1", "Ada Lovelace", "Sums", "5.0", "True")
    assert (kurt["score"], kurt["mastery"], kurt["mastery_points"], kurt["points_possible"]) == ("2.0", "False", "3.0", "5.0")
    assert (emmy["learner"], emmy["outcome_id"], emmy["score"], emmy["mastery"]) == ("Emmy Noether", "", "", "")


def test_results_as_json_and_as_lines(course):
    rows = json.loads(run(*course, "--results", "--format", "json"))
    assert [(row["user_id"], row["outcome"], row["score"]) for row in rows] == [("1", "Sums", 5.0), ("2", "Sums", 2.0)]
    assert rows[0]["submitted_or_assessed_at"] == "2026-03-01T12:01:00+00:00"
    assert [json.loads(line) for line in run(*course, "--results", "--format", "jsonl").splitlines()] == rows


def test_names_come_only_when_they_are_asked_for(school, course):
    text = run(*course) + run(*course, "--results", "--format", "json")
    assert "Lovelace" not in text
    assert "Lovelace" in run(*course, "--results", "--names")


def test_a_whole_course_and_some_of_it(school, course):
    [mean] = table(run("--registration", str(school.registration.pk), "--course", "7", "--aggregate", "mean"))
    assert (mean["course_id"], mean["user_id"], mean["score"]) == ("7", "", "3.5")
    assert [row["user_id"] for row in table(run(*course, "--user", "2", "--outcome", "1"))] == ["2"]
    assert [row["user_id"] for row in table(run(*course, "--without-missing"))] == ["1", "2"]
    sorted_rows = table(run(*course, "--sort-by", "outcome", "--sort-outcome", "1", "--sort-order", "desc", "--without-missing"))
    assert [row["score"] for row in sorted_rows] == ["5.0", "2.0"]


def test_no_cell_is_run_by_a_spreadsheet(school, course):
    school.book.add_student(4, "=HYPERLINK(A1)")
    school.book.assess(4, school.book.outcomes[1], "@SUM(A1)", 4, NOON)
    school.book.results[-1].title = "@SUM(A1)"
    row = table(run(*course, "--names", "--user", "4"))[0]
    assert (row["learner"], row["last_title"]) == ("'=HYPERLINK(A1)", "'@SUM(A1)")
    [record] = json.loads(run(*course, "--names", "--user", "4", "--format", "json"))
    assert record["learner"] == "=HYPERLINK(A1)"


def test_a_file_is_there_when_it_is_whole(school, course, tmp_path):
    wanted = tmp_path / "mastery.csv"
    assert run(*course, "--output", str(wanted)) == ""
    assert len(table(wanted.read_text(encoding="utf-8"))) == 3
    before = wanted.read_bytes()
    for number in range(10, 40):
        school.book.add_student(number, f"Student {number}")
    school.campus.platform.faults.add(Effect.DROP_BEFORE, kind="outcome_rollups")
    with pytest.raises(CommandError):
        run(*course, "--output", str(wanted))
    assert (wanted.read_bytes(), list(tmp_path.iterdir())) == (before, [wanted])
    with pytest.raises(CommandError, match=r"--output: .*cannot be written: No such file"):
        run(*course, "--output", str(tmp_path / "nowhere" / "x.csv"))


def test_a_listing_that_breaks_off_says_so(school, course, monkeypatch):
    for number in range(10, 40):
        school.book.add_student(number, f"Student {number}")
    served = []
    answered = school.rest.page
    monkeypatch.setattr(school.rest, "page", lambda *given: served.append(1) or answered(*given) if not served else 1 / 0)
    with pytest.raises(CommandError, match="25 rows had come; what was written is not whole"):
        run(*course)


def test_nobody_is_told_by_the_exit_code(school, course):
    school.book.results.clear()
    assert table(run(*course, "--without-missing", code=3)) == []
    assert run(*course, "--results", "--format", "json", code=3) == "[]\n"


def test_progress_is_drawn_on_a_terminal_and_kept_out_of_the_rows(course):
    terminal = Terminal()
    assert "\x1b" not in run(*course, err=terminal)
    assert "\r\x1b[K3 rows, 3 of 3 …" in terminal.getvalue()
    plain = StringIO()
    run(*course, err=plain)
    assert plain.getvalue() == "3 rows.\n"


def test_each_page_is_written_before_the_next_is_asked_for(school, course):
    for number in range(4, 61):
        school.book.add_student(number, f"Student {number}")
    asked = []

    class Watched(StringIO):
        def write(self, text):
            asked.append((text.count("\n"), school.asked("outcome_rollups")))
            return super().write(text)

    call_command("lti_ags_canvas_outcomes", *course, stdout=Watched(), stderr=StringIO())
    assert asked == [(1, 0), (25, 1), (25, 2), (10, 3)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name the course: either --context UID, or both"),
        (["--registration", "x"], "Name the course"),
        (["--context", "nowhere"], "nowhere"),
        (["--results", "--section", "1"], "--section belongs to rollups"),
        (["--sort-by", "outcome"], "--sort-outcome: is needed"),
        (["--sort-outcome", "1"], "--sort-outcome: needs sort_by"),
        (["--outcome", "1", "--outcome-group", "1"], "--outcome-group: cannot be combined with outcome_ids"),
        (["--user", "ada"], "--user: must be a Canvas id"),
        (["--user", "99"], "“can only include id's of users in the outcome context”. Leave out who is not a student"),
        (["--outcome", "99"], "Leave out what is not linked"),
    ],
)
def test_a_mistake_is_named(course, arguments, said):
    where = course if "--outcome" in arguments or "--user" in arguments or "--sort" in str(arguments) or "--results" in arguments else ()
    with pytest.raises(CommandError) as caught:
        run(*where, *arguments)
    assert said in str(caught.value)


def test_a_credential_that_does_not_do_says_what_to_change(school):
    where = ("--context", str(school.context().uid))
    with pytest.raises(CommandError, match="lti_ags_canvas_credential --help"):
        run(*where)
    school.store_token(school.rest.issue_token(scopes=[]))
    with pytest.raises(CommandError, match=r"Insufficient scopes.*add the scope url:GET\|/api/v1/courses/:course_id/outcome_rollups"):
        run(*where)
    school.store_token("1~unknown")
    with pytest.raises(CommandError, match=r"Invalid access token.*Store a new access token"):
        run(*where)
