"""What fails, by kind; a kind, or all since a time, sent again as a whole."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.admin import errors
from django_lti_ags.models import Event, Score, Service, SyncState
from tests.admin.conftest import NOON, confirm
from tests.plans import add_crowd, plan_of

PAGE, SINCE = "admin:lti_ags_score_errors", "admin:lti_ags_score_retry_since"


def groups_of(browser):
    response = browser.get(reverse(PAGE))
    assert response.status_code == 200
    return response.context["found"]


def fail(world, user, code="score_refused", detail="", **fields):
    return world.add_score(user, **({"state": SyncState.FAILED, "due_at": None, "code": code, "detail": detail} | fields))


def state(score):
    return Score.objects.get(pk=score.pk).state


@pytest.mark.parametrize(
    ("message", "same"),
    [
        ("422 too much for 17", "500 too much for 9"),
        ("No user 8d1f2c9e-0b7a-4a55-9c1e-5f0d2b9a7c11 here", "No user 0a1f2c9e-0b7a-4a55-9c1e-5f0d2b9a7cff here"),
        ("at https://a.example/1?x=2 refused", "at http://b.example/y refused"),
        ("ask ada@x.example", "ask b.c+d@y.example.org"),
        ("trace deadbeef01", "trace cafebabe99"),
        ("request id 01HV7K3M9Q2X4Z6B8D0F", "request id 01HV7K3M9Q2X4Z6B8D1G"),
        ("two  spaces\nand lines", "two spaces and lines"),
    ],
)
def test_what_differs_from_score_to_score_is_replaced(message, same):
    assert errors.normalised(message) == errors.normalised(same)


@pytest.mark.parametrize(("one", "other"), [("too much", "too little"), ("user unknown", "course unknown"), ("a decade", "a cascade")])
def test_what_tells_errors_apart_stays(one, other):
    assert errors.normalised(one) != errors.normalised(other)


def test_the_learner_is_replaced():
    assert errors.normalised("no such user: ada-o", "ada-o") == "no such user: ‹learner›"


@pytest.mark.parametrize("user_id", ["ada-okafor", "u-" + "long" * 90, "ü b/c@d"])
def test_a_learner_is_replaced_before_the_message_is_cut(world, boss, user_id):
    for room in range(280, 300):
        said = "no such user: ".ljust(room, "x") + " " + user_id
        assert user_id[:4] not in errors.normalised(said, user_id)
    fail(world, user_id, detail="404 no such user: ".ljust(295, "x") + user_id)
    page = unescape(boss.get(reverse(PAGE)).content.decode())
    assert "# no such user: xxx" in page
    assert user_id[:5] not in page


def test_half_an_id_at_the_end_of_what_was_kept_is_replaced_too():
    user_id = "5f0d2b9a-7c11-4a55-9c1e-8d1f2c9e0b7a"
    for kept in range(8, len(user_id)):
        assert errors.normalised(f"no such user: {user_id[:kept]}", user_id) == "no such user: ‹learner›"
    assert errors.normalised("user 7 of a class of 7a", "7") == "user ‹learner› of a class of #a"


@given(st.text())
def test_it_is_stable(text):
    once = errors.normalised(text)
    assert errors.normalised(once) == once


def test_scores_in_trouble_by_registration_code_and_message(world, boss):
    Score.objects.filter(pk=world.pending.pk).update(detail="422 too much")
    fail(world, "a", detail="422 too much")
    fail(world, "b", detail="409 too much")
    fail(world, "c", detail="unknown column")
    fail(world, "d", "unreachable", state=SyncState.PENDING, due_at=timezone.now())
    world.add_score("e")  # it waits, and nothing is wrong with it
    fail(world, "f", "", state=SyncState.DELIVERED)
    elsewhere = Service.objects.create(registration=world.add_registration("Other"), origin="https://b.example")
    fail(world, "g", detail="422 too much", service=elsewhere)
    found = groups_of(boss)
    assert [(str(group.registration), group.code, group.message, group.size) for group in found.groups[:1]] == [
        ("Campus", "score_refused", "# too much", 3)
    ]
    assert {(str(group.registration), group.code, group.message, group.size) for group in found.groups[1:]} == {
        ("Campus", "score_refused", "unknown column", 1),
        ("Campus", "unreachable", "", 1),
        ("Other", "score_refused", "# too much", 1),
    }
    assert (found.read, found.is_whole, found.all_shown) == (6, True, True)
    page = unescape(boss.get(reverse(PAGE)).content.decode())
    assert "6 scores are in trouble." in page
    assert "The platform refuses this score for good." in page


def test_first_and_last_seen_and_a_sample(world, boss):
    scores = [fail(world, f"x{number}", "forbidden", "no", recorded_at=NOON + timedelta(hours=number)) for number in range(50)]
    world.add_attempt(scores[0], code="forbidden", started_at=NOON + timedelta(minutes=5))
    world.add_attempt(scores[0], code="unreachable", started_at=NOON - timedelta(days=5))  # another trouble
    world.add_attempt(scores[49], code="forbidden", started_at=NOON + timedelta(days=9))
    (group,) = [group for group in groups_of(boss).groups if group.code == "forbidden"]
    assert (group.first_seen, group.last_seen) == (NOON + timedelta(minutes=5), NOON + timedelta(days=9))
    assert group.sample == scores[49].pk


def test_only_the_newest_are_read_and_the_page_says_so(world, boss, monkeypatch):
    monkeypatch.setattr(errors, "READ", 5)
    monkeypatch.setattr(errors, "SHOWN", 2)
    scores = [fail(world, f"x{number}", detail="abc"[number % 3]) for number in range(7)]
    found = groups_of(boss)
    assert (found.read, found.is_whole, len(found.groups), found.all_shown) == (5, False, 2, False)
    page = boss.get(reverse(PAGE)).content.decode()
    assert "Of the newest 5 scores in trouble" in page
    assert "The 2 largest kinds are shown." in page
    assert {group.sample for group in found.groups} <= {score.pk for score in scores[-5:]}


def test_more_trouble_takes_no_more_queries(world, boss):
    def count():
        with CaptureQueriesContext(connection) as captured:
            groups_of(boss)
        return len(captured)

    few = count()
    for number in range(30):
        fail(world, f"x{number}", detail="xyz"[number % 3])
    assert count() <= few + 1
    assert few < 15


def test_what_is_well_is_not_read(world):
    add_crowd(world)
    plan = plan_of(*Score.objects.filter(errors.IN_TROUBLE).order_by("-pk").values_list("pk").query.sql_with_params())
    assert "lti_ags_score_trouble" in plan, plan


def test_no_trouble_is_said(world, boss):
    Score.objects.all().update(state=SyncState.DELIVERED, due_at=None, code="delivered")
    assert "No score is in trouble" in boss.get(reverse(PAGE)).content.decode()


class TestRetryOfAGroup:
    @pytest.fixture
    def key(self, world, boss):
        self.alike = [fail(world, f"x{number}", detail=f"{number} too little") for number in range(3)]
        return groups_of(boss).groups[0].key

    def test_it_asks_and_then_sends_the_whole_group(self, world, boss, key):
        page = boss.get(reverse("admin:lti_ags_score_retry_group", args=[key]))
        assert "3 scores are chosen." in page.content.decode()
        assert {state(score) for score in self.alike} == {SyncState.FAILED}
        response = confirm(boss, page)
        assert response.url == reverse(PAGE)
        assert [str(message) for message in get_messages(response.wsgi_request)] == ["3 scores are due now."]
        assert {state(score) for score in self.alike} == {SyncState.PENDING}
        assert state(world.pending) == SyncState.FAILED

    def test_a_group_that_is_gone_is_nobody(self, boss, key):
        Score.objects.filter(pk__in=[score.pk for score in self.alike]).update(state=SyncState.DELIVERED)
        page = boss.get(reverse("admin:lti_ags_score_retry_group", args=[key]))
        assert "0 scores are chosen." in page.content.decode()

    def test_who_may_only_look_gets_no_button_and_no_page(self, person, key):
        viewer = person("view_score", "cancel_score")
        url = reverse("admin:lti_ags_score_retry_group", args=[key])
        assert url not in viewer.get(reverse(PAGE)).content.decode()
        assert viewer.get(url).status_code == viewer.post(url, {"confirmed": "yes"}).status_code == 403
        assert {state(score) for score in self.alike} == {SyncState.FAILED}


class TestRetrySince:
    @pytest.fixture(autouse=True)
    def _failed(self, world):
        self.old, self.new = fail(world, "old"), fail(world, "new")
        self.blocked = fail(world, "blocked", "forbidden", state=SyncState.BLOCKED, line_item=world.add_line_item("other"))
        now = timezone.now()
        for score, name, hours in ((self.old, "failed", 5), (self.new, "failed", 1), (self.blocked, "blocked", 1)):
            Event.objects.create(name=f"score_{name}", score=score, service=world.service, created_at=now - timedelta(hours=hours))
        self.since = timezone.localtime(now - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")

    def test_what_failed_since(self, world, boss):
        page = boss.post(reverse(SINCE), {"since": self.since})
        assert "1 score is chosen." in page.content.decode()
        assert state(self.new) == SyncState.FAILED
        confirm(boss, page)
        assert [state(score) for score in (self.old, self.new, self.blocked)] == ["failed", "pending", "blocked"]

    def test_and_what_is_blocked(self, boss):
        confirm(boss, boss.post(reverse(SINCE), {"since": self.since, "blocked": "on"}))
        assert [state(score) for score in (self.old, self.new, self.blocked)] == ["failed", "pending", "pending"]

    def test_of_one_registration(self, world, boss):
        other = world.add_registration("Other")
        page = boss.post(reverse(SINCE), {"since": self.since, "registration": other.pk})
        assert "0 scores are chosen." in page.content.decode()
        page = boss.post(reverse(SINCE), {"since": self.since, "registration": world.registration.pk})
        confirm(boss, page)
        assert state(self.new) == SyncState.PENDING

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"since": "soon"},
            {"since": "0001-01-01T00:00"},
            {"since": "9999-12-31T23:59"},
            {"since": "2026-03-01T12:00", "registration": "999"},
        ],
    )
    def test_bad_input_is_told_and_changes_nothing(self, boss, given):
        page = boss.post(reverse(SINCE), given | {"confirmed": "yes"})
        assert "errorlist" in page.content.decode()
        assert state(self.new) == SyncState.FAILED

    def test_get_only_asks(self, boss):
        page = boss.get(reverse(SINCE), {"since": self.since, "confirmed": "yes"})
        assert "Asia/Kolkata" in page.content.decode()
        assert state(self.new) == SyncState.FAILED

    def test_who_may_not_retry(self, person):
        viewer = person("view_score", "cancel_score", "export_score")
        assert viewer.get(reverse(SINCE)).status_code == viewer.post(reverse(SINCE), {"since": self.since}).status_code == 403
        assert person("retry_score").get(reverse(SINCE)).status_code == 403


def test_the_list_leads_there(world, boss, person):
    listed = reverse("admin:lti_ags_score_changelist")
    links = re.findall(r'<li class="lti-ags-tool"><a href="([^"]*)"', boss.get(listed).content.decode())
    assert {reverse(PAGE), reverse(SINCE), reverse("admin:lti_ags_score_export")} <= set(links)
    links = re.findall(r'<li class="lti-ags-tool"><a href="([^"]*)"', person("view_score").get(listed).content.decode())
    assert reverse(PAGE) in links
    assert not {reverse(SINCE), reverse("admin:lti_ags_score_export")} & set(links)
