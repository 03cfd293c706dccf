"""Who learners are: shown to those who may see it, a pseudonym to everybody else, on every page and in every text."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.test import RequestFactory
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.admin.concealing import Concealer
from django_lti_ags.admin.learners import Learner, pseudonym
from django_lti_ags.models import DeliveryAttempt, Event, PendingScore, Result, Score, SyncState
from tests.admin.conftest import MODELS, NOON, address, confirm

ID, GRADER, OTHER = "learner-7f31", "teacher-99ab", "classmate-55cd"
SEEING = ("view_score", "view_deliveryattempt", "view_event", "view_result", "retry_score", "cancel_score", "export_score")
calls = []


def names_of(learners):
    """A tool's hook, as ``LEARNER_DISPLAY`` names it."""
    calls.append(list(learners))
    return {learner: "Ada Okafor" for learner in learners if learner.user_id == ID}


@pytest.fixture
def told(world):
    """One learner, named in every place that can name them."""
    url = f"https://lms.example/Quiz/results/{ID}"
    score = world.add_score(
        ID,
        state=SyncState.FAILED,
        due_at=None,
        code="user_not_found",
        detail=f"No such user: {ID.upper()}, see https://lms.example/x?user_id={ID} or write {ID}@x.example",
        comment=f"Well done {ID}",
        delivered_comment=f"Not yet {ID}",
        delivered_version=1,
        scoring_user_id=GRADER,
        extensions={"https://x.example/who": {"user": ID, "note": f"by {ID}"}},
        result_url=url,
    )
    world.add_attempt(
        score,
        url=f"{url}?user_id={ID}&limit=1",
        request_headers={"x-about": ID},
        request_body=json.dumps({"userId": ID, "scoringUserId": GRADER, "comment": f"Well done {ID}", "scoreGiven": 7}),
        reason=f"Unknown {ID}",
        response_headers={"link": f'<https://lms.example/r?user_id={OTHER}>; rel="next"'},
        response_body=json.dumps([{"id": f"{url}/{OTHER}", "userId": OTHER, "resultScore": 3}]),
        detail=f"about {ID}",
        disposition="rejected",
        code="user_not_found",
    )
    world.add_attempt(score, response_body=f"<p>Who is {OTHER}?</p>", request_body=f'{{"userId": "{ID}"')
    payload = {"score": str(score.uid), "user_id": ID, "reason": f"boss: {ID} left"}
    Event.objects.create(name="score_cancelled", score=score, service=world.service, created_at=NOON, payload=payload)
    Result.objects.create(
        line_item=world.line_item, user_id=ID, scoring_user_id=GRADER, url=url, comment=f"from {ID}", read_at=NOON, extensions={"login": ID}
    )
    return score


def every_page(browser, score):
    for model in (Score, PendingScore, DeliveryAttempt, Event, Result):
        yield browser.get(address(model, "changelist"))
        related = {"pk": score.pk} if model in (Score, PendingScore) else {"user_id": ID} if model is Result else {"score": score}
        for row in model.objects.filter(**related):
            yield browser.get(address(model, "change", row))
            yield browser.get(address(model, "history", row))
    yield browser.get(reverse("admin:lti_ags_score_errors"))
    for action in ("deliver", "retry", "cancel", "export"):
        yield browser.post(address(Score, "changelist"), {"action": action, "_selected_action": [score.pk], "index": 0})
    for kind in ("csv", "jsonl"):
        yield browser.post(reverse("admin:lti_ags_score_export"), {"format": kind})


def text_of(response):
    assert response.status_code == 200
    return unescape(b"".join(response).decode())


def test_without_the_permission_nobody_is_named_anywhere(told, person):
    browser = person(*SEEING)
    confirm(browser, browser.post(address(Score, "changelist"), {"action": "retry", "_selected_action": [told.pk], "index": 0}))
    pages = [text_of(response) for response in every_page(browser, told)]
    assert len(pages) > 20
    for who in (ID, GRADER, OTHER):
        assert not [page[:300] for page in pages if who.lower() in page.lower()]
    mark = pseudonym(Learner("https://campus.example", ID))
    assert sum(mark in page for page in pages) >= 8
    assert not [entry for entry in LogEntry.objects.all() if ID in f"{entry}{entry.object_repr}{entry.change_message}"]


def test_a_reason_that_names_the_learner_is_concealed_in_the_history(told, person):
    """Also in what the admin itself shows of the journal."""
    boss = person(*SEEING, "see_learners")
    asked = boss.post(address(Score, "changelist"), {"action": "cancel", "_selected_action": [told.pk], "index": 0})
    confirm(boss, asked, reason=f"{ID} left")
    page = address(Score, "history", told)
    assert f"Cancelled: {ID} left" in text_of(boss.get(page))
    blind = text_of(person(*SEEING).get(page))
    assert "Cancelled: [redacted] left" in blind
    assert ID not in blind


def test_with_the_permission_everything_is_as_it_is(told, person):
    browser = person(*SEEING, "see_learners")
    pages = [text_of(response) for response in every_page(browser, told)]
    page = text_of(browser.get(address(Score, "change", told)))
    for words in (ID, GRADER, OTHER, "Well done", f"user_id={ID}&limit=1", f"No such user: {ID.upper()}", f"Who is {OTHER}?"):
        assert words in page
    assert not [page for page in pages if "redacted" in page.replace("Bearer [redacted]", "")]
    assert not [page for page in pages if "Not shown" in page]


def test_what_can_be_read_without_the_permission(told, person):
    page = text_of(person(*SEEING).get(address(Score, "change", told)))
    assert '"scoreGiven": 7' in page
    assert '"resultScore": 3' in page
    assert '"userId": "Learner ' in page  # the score's own; the classmate's is gone
    assert '"userId": "[redacted]"' in page
    assert "https://lms.example/Quiz/results/…" in page
    assert "Not shown: it may name learners." in page
    assert "Not shown: it may name the learner." in page
    assert "No such user: [redacted]" in page


def test_the_tools_own_names_with_one_call_for_a_page(world, told, person, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"LEARNER_DISPLAY": f"{__name__}.names_of"}
    browser = person(*SEEING, "see_learners")
    for model in (Score, PendingScore, DeliveryAttempt, Event, Result):
        calls.clear()
        page = text_of(browser.get(address(model, "changelist")))
        assert f"Ada Okafor ({ID})" in page
        assert len(calls) == 1
        assert len(calls[0]) == len(set(calls[0]))
    assert f"Ada Okafor ({ID})" in text_of(browser.get(address(Score, "change", told)))
    assert f"<title>Ada Okafor ({ID}) | View score" in browser.get(address(Score, "change", told)).content.decode()
    calls.clear()
    text_of(person(*SEEING).get(address(Score, "changelist")))
    assert calls == []


def test_search_by_a_learners_id_needs_the_permission(told, person):
    for model, one in ((Score, 1), (PendingScore, 1), (Result, 1), (DeliveryAttempt, 2)):
        url = address(model, "changelist")
        assert person(*SEEING).get(url, {"q": ID}).context["cl"].result_count == 0
        assert person(*SEEING, "see_learners").get(url, {"q": ID}).context["cl"].result_count == one


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (Score, "user_id"),
        (Score, "user_id__startswith"),
        (Score, "user_digest"),
        (Score, "comment__contains"),
        (Score, "scoring_user_id"),
        (PendingScore, "user_id__gt"),
        (Result, "user_id__startswith"),
        (Result, "url__contains"),
        (DeliveryAttempt, "request_body__contains"),
        (DeliveryAttempt, "score__user_id"),
        (Event, "payload__user_id"),
    ],
)
def test_an_address_does_not_spell_out_who_it_is(told, person, boss, model, lookup):
    for browser in (person(*SEEING), boss):
        assert browser.get(address(model, "changelist"), {lookup: ID}).status_code == 400


def test_a_list_is_not_sorted_by_what_it_must_not_tell(told, world, person):
    browser = person(*SEEING)
    world.add_score("aaa")
    url = address(Score, "changelist")
    assert not re.search(r'class="sortable[^"]*column-learner', browser.get(url).content.decode())
    newest = [row.pk for row in browser.get(url).context["cl"].result_list]
    for order in ("1", "-1", "2", "x", "99", "1.9"):
        assert [row.pk for row in browser.get(url, {"o": order}).context["cl"].result_list] == newest


class TestConcealing:
    @pytest.fixture
    def concealed(self, rf):
        request = rf.get("/")
        request.user = type("Nobody", (), {"has_perm": lambda self, name: False})()
        return lambda *ids: Concealer(request, [Learner("https://a.example", user_id) for user_id in ids])

    def test_a_short_id_only_where_it_stands_alone(self, concealed):
        assert concealed("5").text("5 of 55 for user 5, u5") == "[redacted] of 55 for user [redacted], u5"

    def test_nobody_to_conceal(self, concealed):
        assert concealed().text("422 too much") == "422 too much"
        assert concealed("").text("422 too much") == "422 too much"
        assert concealed("u1").text("") == concealed("u1").body("") == concealed("u1").free("") == ""

    @pytest.mark.parametrize(
        "key", ["userId", "user_id", "USER", "lis_person_sourcedid", "email", "sub", "name", "https://x.example/y/userName", "commentText"]
    )
    def test_what_is_about_a_person(self, concealed, key):
        assert concealed("u1").value({key: "someone", "other": [1, None, {key: {"a": 1}}]}) == {
            key: "[redacted]",
            "other": [1, None, {key: "[redacted]"}],
        }
        assert concealed("u1").value({key: ""}) == {key: ""}

    def test_results_of_others_in_an_address(self, concealed):
        conceal = concealed("u1").address
        assert conceal("https://a.example/li/1/results/77") == "https://a.example/li/1/results/…"
        assert conceal("https://a.example/li/1/results") == "https://a.example/li/1/results"
        assert conceal("https://a.example/li/1/results?user_id=u1") == "https://a.example/li/1/results?…"
        assert conceal("https://a.example/users/u1/x") == "https://a.example/users/[redacted]/x"

    @given(before=st.text(), after=st.text(), person=st.from_regex(r"[A-Za-z0-9_-]{5,40}", fullmatch=True))
    def test_an_id_is_found_wherever_it_stands(self, before, after, person):
        request = RequestFactory().get("/")
        request.user = type("Nobody", (), {"has_perm": lambda self, name: False})()
        assert (
            person.lower()
            not in Concealer(request, [Learner("i", person)]).text(before + " " + person + " " + after).lower().replace("redacted", "")
            or person.lower() in (before + after).lower() + "redacted"
        )


def test_no_model_is_called_after_its_learner(world):
    for model in MODELS:
        for row in model.objects.all():
            assert "u1" not in str(row)
            assert "u2" not in str(row)
