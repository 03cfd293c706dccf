"""The quiz tool: whose answers become whose grade, however many tabs are open."""

import json
import re
import urllib.request

import pytest
from django.test import Client, override_settings

from django_lti_ags.models import Score
from example_project.demo.surfer import Page
from example_project.quiz import visits
from example_project.quiz.questions import MAXIMUM, QUESTIONS
from example_project.settings import MIDDLEWARE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("example_project.urls")]


@pytest.fixture
def tool(campus):
    """A campus whose tool is the quiz, under Django's test client."""
    campus.tool.login_url, campus.tool.redirect_uris = "http://testserver/lti/login/", ["http://testserver/lti/launch/"]
    campus.tool.target_link_uri = campus.tool.redirect_uris[0]
    with override_settings(MIDDLEWARE=MIDDLEWARE):
        yield campus


def launch(browser, campus, user_id, link=None):
    """Open an activity as somebody; the address that the tool sends the browser to."""
    user = campus.course.users[user_id]
    sent = browser.get(*campus.platform.launches.initiation(user, campus.course, link or campus.link))
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sent["Location"], timeout=10) as answer:
        page = Page(sent["Location"], answer.read().decode())
    answer = browser.post("/lti/launch/", page.form_to("/lti/launch/").fields)
    assert answer.status_code == 302, answer.content
    return answer["Location"]


def answers(right):
    return {question.name: question.answers[0] for question in QUESTIONS[:right]}


def recorded():
    return {(row.line_item.label, row.user_id): row.score_given for row in Score.objects.select_related("line_item")}


def test_answers_of_one_person_never_become_the_grade_of_the_next_one_in_the_same_browser(tool):
    browser = Client()
    first = launch(browser, tool, "u1")
    assert browser.get(first).status_code == 200
    second = launch(browser, tool, "u2")
    late = browser.post(first, answers(4))
    assert late.status_code == 403
    assert "open it again from your course" in late.content.decode()
    assert recorded() == {}
    assert browser.post(second, answers(1)).status_code == 302
    assert {user: given for (_, user), given in recorded().items()} == {"u2": 2}


def test_two_activities_of_one_person_in_two_tabs_keep_their_answers_apart(tool):
    other = tool.platform.add_link(tool.course, "Second quiz", tool.tool, score_maximum=MAXIMUM)
    browser = Client()
    first, second = launch(browser, tool, "u1"), launch(browser, tool, "u1", other)
    assert first != second
    browser.post(first, answers(4))
    browser.post(second, answers(1))
    assert recorded() == {("Quiz", "u1"): 8, ("Second quiz", "u1"): 2}
    for place, points in ((first, 8), (second, 2)):
        assert f"You have {points} of" in browser.get(place).content.decode()


def test_a_visit_belongs_to_the_browser_that_it_began_in(tool):
    place = launch(Client(), tool, "u1")
    assert Client().get(place).status_code == 403
    assert Client().post(place, answers(4)).status_code == 403


def test_who_opens_the_quiz_again_and_again_keeps_a_small_session_and_the_newest_visits(tool):
    browser = Client()
    places = [launch(browser, tool, "u1") for _ in range(visits.AT_ONCE + 2)]
    assert len(json.dumps(dict(browser.session))) < 4096
    assert browser.get(places[0]).status_code == 403
    assert {browser.get(place).status_code for place in places[2:]} == {200}


def test_pages_may_be_framed_and_only_those_of_a_launch(tool):
    browser = Client()
    place = launch(browser, tool, "u1")
    assert "X-Frame-Options" not in browser.get(place)
    assert browser.get("/admin/login/")["X-Frame-Options"] == "DENY"
    assert re.search(r"<form method=.post.", browser.get(place).content.decode())
