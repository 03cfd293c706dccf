"""What learners reached in Canvas' outcomes, in the admin: read through, within what a person may see, and never an empty error."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from django_lti_ags.models import Context, Registration
from django_lti_ags.testing.platforms import Effect
from tests.admin.conftest import address

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEE = ("view_context", "see_outcomes")


@pytest.fixture
def course(school):
    school.store_token()
    return school.context()


def url(course, page="outcomes"):
    return reverse(f"admin:lti_ags_context_{page}", args=[course.pk])


class Cells(HTMLParser):
    """A table's rows, as a person reads them."""

    def __init__(self):
        super().__init__()
        self.rows = []
        self._within = False

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td") and self.rows:
            self.rows[-1].append("")
            self._within = True

    def handle_endtag(self, tag):
        if tag in ("th", "td", "table"):
            self._within = False

    def handle_data(self, data):
        if self._within:
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())


def section(browser, course, **query):
    """The page, without the admin's own lists around it."""
    answer = browser.get(url(course), query)
    assert answer.status_code == 200
    return re.search(r'<section class="lti-column".*?</section>', answer.content.decode(), re.DOTALL)[0]


def shown(browser, course, **query):
    parser = Cells()
    parser.feed(section(browser, course, **query))
    return parser.rows


def trouble(browser, course, **query):
    page = section(browser, course, **query)
    assert "<table" not in page
    return re.search(r'<p class="errornote" role="alert">(.*?)</p>', page, re.DOTALL)[1]


def test_learners_and_outcomes_with_mastery_in_words(course, boss):
    head, *rows = shown(boss, course)
    assert head == ["Learner", "Sums mastered from 3 of 5"]
    assert [row[0] for row in rows] == ["Ada Lovelace (1)", "Kurt Gödel (2)", "Emmy Noether (3)"]
    assert rows[0][1].startswith("5 Mastered")
    assert rows[1][1].startswith("2 Not mastered")
    assert rows[2][1] == "no results"


def test_the_tools_own_name_comes_first_and_strangers_have_none(course, boss, person, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"LEARNER_DISPLAY": f"{__name__}.names"}
    assert [row[0] for row in shown(boss, course)[1:3]] == ["A. L. (1)", "Kurt Gödel (2)"]
    page = person(*SEE).get(url(course)).content.decode()
    assert re.findall(r'<th scope="row">(Learner [0-9a-f]{8})</th>', page)
    for known in ("Lovelace", "A. L.", "Gödel"):
        assert known not in page


def names(learners):
    return {learner: "A. L." for learner in learners if learner.user_id == "1"}


def test_names_are_not_even_asked_for_by_whoever_may_not_see_them(school, course, person):
    person(*SEE).get(url(course))
    [entry] = school.campus.platform.ledger.of("outcome_rollups")
    assert "users" not in entry.query


def test_sorted_by_an_outcome_and_back(course, boss):
    rows = shown(boss, course, sort="1", order="desc")
    assert rows[0][1].startswith("Sums ↓")
    page = boss.get(url(course), {"sort": "1"}).content.decode()
    assert 'aria-sort="ascending"' in page
    assert 'href="?sort=1&amp;order=desc"' in page


def test_pages_of_a_large_course(school, course, boss):
    for number in range(4, 61):
        school.book.add_student(number, f"Student {number:02}")
    first = boss.get(url(course)).content.decode()
    assert "60 learners." in first
    assert 'href="?page=2" rel="next"' in first
    assert 'rel="prev"' not in first
    assert len(shown(boss, course, page="3")) == 11
    last = boss.get(url(course), {"page": "3", "sort": "1"}).content.decode()
    assert 'href="?page=2&amp;sort=1&amp;order=asc" rel="prev"' in last
    assert 'rel="next"' not in last
    assert school.asked("outcome_rollups") == 3


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"page": "x"}, {"page": "9" * 5000}, {"sort": "x"}, {"sort": "\x00"}, {"order": "up"}, {"of": "all"}]
)
def test_an_address_that_makes_no_sense_is_the_first_page(course, boss, query):
    assert len(shown(boss, course, **query)) == 4


def test_a_learner_in_two_sections_is_there_twice(school, course, boss):
    school.book.add_student(4, "Alan Turing", sections=(1, 2))
    head, *rows = shown(boss, course)
    assert head[1] == "Section"
    assert [row[1] for row in rows if row[0].startswith("Alan")] == ["1", "2"]


@pytest.mark.parametrize(("statistic", "said"), [("mean", "3 Mastered"), ("median", "2 Not mastered")])
def test_the_whole_course(school, course, person, statistic, said):
    school.book.assess(3, school.book.outcomes[1], "assignment_53", 2, NOON)
    head, row = shown(person(*SEE, "export_score"), course, of=statistic, page="3")
    assert (head[0], row[0], row[1][: len(said)]) == ("Course", f"{statistic.capitalize()} of the course", said)
    whole = section(person(*SEE, "export_score"), course, of=statistic, page="3")
    assert not [word for word in ("Export", "Previous", "Next") if word in whole]


def test_what_canvas_says_is_escaped(school, course, boss):
    school.book.add_outcome("<script>alert(1)</script>")
    school.book.assess(1, school.book.outcomes[2], "assignment_9", 4, NOON)
    assert "<script>alert" not in boss.get(url(course)).content.decode()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda school: school.store_token("1~unknown"), "Invalid access token.”. Store a new access token"),
        (lambda school: school.store_token(school.rest.issue_token(scopes=[])), "add the scope url:GET|/api/v1/courses/:course_id/outcome"),
        (lambda school: school.store_token(school.rest.issue_token(teaches=False)), "Use the token of someone who may see"),
        (lambda school: school.rest.outcomes.clear(), "Check the ids in the URL"),
        (lambda school: school.campus.platform.faults.add(Effect.STATUS, kind="outcome_rollups", status=500), "500"),
        (lambda school: Context.objects.update(canvas_course_id=""), "canvas_course_id=$Canvas.course.id"),
    ],
)
def test_what_goes_wrong_is_told_with_what_to_change(school, course, boss, spoil, said):
    spoil(school)
    found = trouble(boss, course).replace("&#x27;", "'")
    assert said in found
    assert boss.post(url(course, "outcomes_export"), {"format": "csv"}, follow=True).status_code == 200


def test_without_a_credential_it_leads_to_where_one_is_stored(school, boss, person):
    course = school.context()
    assert "lti_ags_canvas_credential --help" in trouble(boss, course)
    form = reverse("admin:lti_ags_canvascredential_add") + f"?registration={school.registration.pk}"
    assert form in boss.get(url(course)).content.decode()
    assert form not in person(*SEE).get(url(course)).content.decode()


@pytest.mark.parametrize(
    ("codenames", "sees", "exports"),
    [
        (("view_context",), 403, 403),
        (("see_outcomes",), 403, 403),
        (SEE, 200, 403),
        ((*SEE, "export_score"), 200, 200),
        (("view_context", "export_score"), 403, 403),
    ],
)
def test_who_may(course, person, codenames, sees, exports):
    browser = person(*codenames)
    assert browser.get(url(course)).status_code == sees
    assert browser.post(url(course, "outcomes_export"), {"format": "csv"}).status_code == exports
    page = browser.get(address(Context, "change", course))
    assert (url(course) in page.content.decode()) == (sees == 200)


def test_nothing_is_exported_by_a_link_or_another_site(course, boss):
    assert boss.get(url(course, "outcomes_export")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = boss.cookies
    assert strict.post(url(course, "outcomes_export"), {"format": "csv"}).status_code == 403


def test_another_registrations_course_is_not_there(course, boss, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": f"{__name__}.nobody"}
    for answer in (boss.get(url(course)), boss.post(url(course, "outcomes_export"))):
        assert answer.status_code == 404


def nobody(request):
    return Registration.objects.none()


def exported(browser, course, kind, **more):
    answer = browser.post(url(course, "outcomes_export"), {"format": kind} | more)
    assert answer["Content-Disposition"].startswith('attachment; filename="outcomes-')
    return b"".join(answer.streaming_content).decode()


def test_the_whole_course_is_exported(school, course, boss):
    for number in range(4, 31):
        school.book.add_student(number, f"=Student {number}")
    rows = list(csv.DictReader(io.StringIO(exported(boss, course, "csv").removeprefix("\ufeff"))))
    assert len(rows) == 30
    assert (rows[0]["user_id"], rows[0]["learner"], rows[0]["mastery"]) == ("1", "Ada Lovelace (1)", "True")
    assert rows[29]["learner"] == "'=Student 30 (30)"
    assert [row["learner"] for row in json.loads(exported(boss, course, "json", sort="1"))][:2] == ["Kurt Gödel (2)", "Ada Lovelace (1)"]
    assert LogEntry.objects.filter(change_message__contains="Outcomes exported as csv").count() == 1


def test_an_export_names_nobody_to_whoever_may_not_see_them(course, person):
    rows = json.loads(exported(person(*SEE, "export_score"), course, "json"))
    assert "user_id" not in rows[0]
    assert all(re.fullmatch("Learner [0-9a-f]{8}", row["learner"]) for row in rows)


def test_points_that_are_hidden_stay_hidden(school, course, boss, monkeypatch):
    answered = school.book.rollup
    monkeypatch.setattr(
        type(school.book), "rollup", lambda book, *given: {**found, "hide_points": True} if (found := answered(*given)) else None
    )
    [cell] = shown(boss, course)[1][1:]
    assert cell.startswith("Mastered")
