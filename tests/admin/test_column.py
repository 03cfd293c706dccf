"""A line item's page: every learner, how their scores and results stand, and what a person decides about the column."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_lti_ags.admin import columns
from django_lti_ags.models import Agreement, LineItem, Registration, Result, Score, SyncState
from django_lti_ags.profiles.advice import ADVICE
from tests.admin.column_page import decide, page_of, totals_of
from tests.admin.conftest import NOON, address

SEEN = ("view_lineitem", "see_learners")


def rows_of(browser, line_item, **query):
    return {row.name: row for row in page_of(browser, line_item, **query).context["column"].rows}


@pytest.fixture
def column(world):
    """One learner of each kind; u1 is delivered and u2 failed already."""
    Result.objects.all().delete()
    state = {"due_at": None, "delivered_version": 1, "delivered_given": 8, "delivered_maximum": 10, "state": SyncState.DELIVERED}
    for user, agreement in (
        ("in_sync", "in_sync"),
        ("missing", "missing"),
        ("differs", "differs"),
        ("edited", "changed_by_teacher"),
        ("unkept", "not_kept"),
        ("newer", "in_sync"),
        ("reread", "in_sync"),
        ("stale", "waiting"),
    ):
        world.add_score(user, **state)
        shown = {"missing": None, "unkept": None}.get(user, 8.0)
        Result.objects.create(
            line_item=world.line_item,
            user_id=user,
            result_score=shown,
            result_maximum=10,
            read_at=NOON + timedelta(hours=user == "reread"),
            compared_at=NOON,
            agreement=agreement,
            compared_version=1,
        )
    Score.objects.filter(user_id="newer").update(version=2)
    world.add_score("waiting")
    world.add_score("blocked", state=SyncState.BLOCKED, due_at=None, code="forbidden")
    world.add_score("cancelled", state=SyncState.CANCELLED, due_at=None)
    Result.objects.create(line_item=world.line_item, user_id="stranger", result_score=3, result_maximum=10, read_at=NOON)
    Result.objects.create(line_item=world.line_item, user_id="nothing", read_at=NOON)
    return world.line_item


STANDING = {
    "u1": Agreement.NOT_COMPARED,
    "u2": Agreement.FAILED,
    "in_sync": Agreement.IN_SYNC,
    "missing": Agreement.MISSING,
    "differs": Agreement.DIFFERS,
    "edited": Agreement.CHANGED_BY_TEACHER,
    "unkept": Agreement.NOT_KEPT,
    "newer": Agreement.NOT_COMPARED,
    "reread": Agreement.NOT_COMPARED,
    "stale": Agreement.NOT_COMPARED,
    "waiting": Agreement.WAITING,
    "blocked": Agreement.BLOCKED,
    "cancelled": Agreement.CANCELLED,
    "stranger": Agreement.ONLY_AT_PLATFORM,
}


def test_every_learner_is_shown_with_how_they_stand(column, boss):
    assert {name: row.agreement for name, row in rows_of(boss, column).items()} == STANDING


def test_the_totals_say_what_the_rows_say(column, boss):
    rows = list(STANDING.values())
    assert totals_of(boss, column) == {agreement: rows.count(agreement) for agreement in rows}


@pytest.mark.parametrize("agreement", list(Agreement))
def test_a_total_leads_to_its_learners(column, boss, agreement):
    found = {name for name, standing in STANDING.items() if standing == agreement}
    assert found
    assert set(rows_of(boss, column, agreement=agreement.value)) == found


def test_a_row_says_score_result_and_last_attempt(world, column, boss):
    world.add_attempt(world.pending, code="score_refused", status=422, started_at=NOON)
    page = page_of(boss, column).content.decode()
    row = re.search(r'<tr>\s*<th scope="row"><a href="[^"]*">u2</a></th>.*?</tr>', page, re.DOTALL)[0]
    assert "8 / 10" in row
    assert "never read" in row
    assert ">Failed<" in row
    assert "The platform refuses this score for good." in row
    assert f"/score/{world.pending.pk}/change/" in row
    stranger = re.search(r'<tr>\s*<th scope="row">stranger</th>.*?</tr>', page, re.DOTALL)[0]
    assert "nothing said" in stranger
    assert "3 / 10" in stranger
    assert "none kept" in stranger
    missing = re.search(r">missing</a></th>.*?</tr>", page, re.DOTALL)[0]
    assert "no grade" in missing


def test_the_last_attempt_is_the_newest_and_says_what_it_can(world, boss):
    assert (rows_of(boss, world.line_item)["u2"].verdict, rows_of(boss, world.line_item)["u1"].verdict) == ("", ADVICE["delivered"])
    world.add_attempt(world.pending, code="throttled")
    world.add_attempt(world.pending, code="", failure="connect", status=None)
    assert rows_of(boss, world.line_item)["u2"].verdict == "connect"
    world.add_attempt(world.pending, code="", status=418)
    assert rows_of(boss, world.line_item)["u2"].verdict == "418"


def test_a_cleared_score_is_called_so(world, boss):
    Score.objects.filter(pk=world.score.pk).update(score_given=None, score_maximum=None)
    assert rows_of(boss, world.line_item)["u1"].said == "cleared"


def test_when_it_was_compared(world, boss):
    assert "Never compared with the platform." in page_of(boss, world.line_item).content.decode()
    LineItem.objects.update(compared_at=NOON)
    assert "Last compared with the platform: " in page_of(boss, world.line_item).content.decode()


def test_an_empty_column_says_what_comes(world, boss):
    page = page_of(boss, world.add_line_item("empty")).content.decode()
    assert "Learners appear when the tool records a score" in page


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(columns, "PAGE", 3)


def test_pages_forth_and_back_show_everybody_once(column, boss, small_pages):
    forth, query = [], {}
    while True:
        page = page_of(boss, column, **query).context["column"]
        forth.append([row.name for row in page.rows])
        if not page.following:
            break
        query = dict(pair.split("=") for pair in page.following[1:].split("&"))
    assert sorted(name for some in forth for name in some) == sorted(STANDING)
    assert [len(some) for some in forth] == [3, 3, 3, 3, 2]
    back = [forth[-1]]
    while page.previous:
        query = dict(pair.split("=") for pair in page.previous[1:].split("&"))
        page = page_of(boss, column, **query).context["column"]
        back.append([row.name for row in page.rows])
    assert back[::-1] == forth


def test_pages_of_a_choice_stay_in_it(column, boss, small_pages):
    page = page_of(boss, column, agreement="not_compared").context["column"]
    assert len(page.rows) == 3
    assert page.following.endswith("&agreement=not_compared")
    following = dict(pair.split("=") for pair in page.following[1:].split("&"))
    assert len(page_of(boss, column, **following).context["column"].rows) == 1


@pytest.mark.parametrize("query", [{"after": "x"}, {"before": "'"}, {"agreement": "nonsense"}, {"learner": "\x00"}, {"agreement": "\x00"}])
def test_what_makes_no_sense_is_not_asked(column, boss, query):
    assert set(rows_of(boss, column, **query)) == set(STANDING)


@pytest.mark.parametrize(("term", "found"), [("u1", {"u1"}), (" u1 ", {"u1"}), ("U1", set()), ("u", set()), ("stranger", {"stranger"})])
def test_one_learner_is_found(column, boss, term, found):
    response = page_of(boss, column, learner=term)
    assert {row.name for row in response.context["column"].rows} == found
    assert ("There is no such learner" in response.content.decode()) == (not found)


def test_who_may_not_see_learners_sees_marks_and_cannot_search(column, person):
    browser = person("view_lineitem")
    page = page_of(browser, column, learner="u1")
    assert len(page.context["column"].rows) == len(STANDING)
    assert all(row.name.startswith("Learner ") for row in page.context["column"].rows)
    text = page.content.decode()
    assert 'name="learner"' not in text
    assert not [name for name in ("stranger", ">u1<", ">u2<") if name in text]


def names(learners):
    return {learner: f"Name of {learner.user_id}" for learner in learners}


def test_the_tools_own_names_are_shown(column, boss, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"LEARNER_DISPLAY": "tests.admin.test_column.names"}
    assert "Name of u1 (u1)" in rows_of(boss, column)


def test_a_column_that_moves_no_grade_says_so(world, boss):
    link = {"resource_link_id": "link-1"}
    LineItem.objects.filter(pk=world.line_item.pk).update(**link)
    second = world.add_line_item("Draft")
    LineItem.objects.filter(pk=second.pk).update(**link, declared_digest="d" * 64)
    page = address(LineItem, "change", second)
    assert "moves no grade" not in boss.get(page).content.decode()
    Registration.objects.update(profile="canvas")
    assert "This column moves no grade: the platform shows that of “Quiz”" in boss.get(page).content.decode()
    assert "moves no grade" not in boss.get(address(LineItem, "change", world.line_item)).content.decode()


def test_more_learners_take_no_more_queries(world, boss):
    def count():
        page_of(boss, world.line_item)
        with CaptureQueriesContext(connection) as captured:
            assert page_of(boss, world.line_item).status_code == 200
        return len(captured)

    few = count()
    for number in range(120):
        world.add_attempt(world.add_score(f"m{number}"))
    assert count() == few <= 20


def test_totals_stop_counting(column, boss, monkeypatch):
    monkeypatch.setattr(columns, "MOST", 4)
    response = page_of(boss, column)
    assert "There are more than 4 scores" in response.content.decode()
    assert "More than 4 learners are known here." in decide(boss, column, "compare").content.decode()
    assert sum(total.count for total in response.context["totals"] if total.agreement in ("waiting", "failed", "blocked")) <= 4


def test_a_column_is_found_through_the_index(column):
    rows = columns._sides(columns.Asked())[0].filter(line_item=column, user_digest__gt="a").order_by("user_digest")[:3]
    if connection.vendor == "sqlite":  # the others read a table as small as this one whole
        assert "(line_item_id=? AND user_digest>?)" in rows.explain()
