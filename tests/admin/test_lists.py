"""Lists on a million rows: bounded counts and pages, filters and searches that an index carries, nothing distinct."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_lti_ags.admin import filters, history, lists, searching
from django_lti_ags.models import Context, DeliveryAttempt, Event, PendingScore, Result, Score, SyncState
from tests.admin.conftest import NOON, address
from tests.plans import add_crowd, plan_of

BOTH = [Score, PendingScore]


def listed(browser, model, **query):
    response = browser.get(address(model, "changelist"), query)
    assert response.status_code == 200
    return [row.user_id for row in response.context["cl"].result_list]


def page_of(browser, model, **query):
    return browser.get(address(model, "changelist"), query).content.decode()


def test_pending_offers_only_its_states(world, boss):
    offered = {model: set(re.findall(r"\?state__exact=(\w+)", page_of(boss, model))) for model in BOTH}
    assert offered[PendingScore] == {"pending", "sending", "blocked", "failed"}
    assert offered[Score] == set(SyncState.values)
    assert listed(boss, PendingScore, state__exact="delivered") == []
    assert listed(boss, PendingScore, state__exact="failed") == ["u2"]


@pytest.mark.parametrize("model", BOTH)
def test_by_age(world, boss, model):
    now = timezone.now()
    spans = {"h": timedelta(minutes=30), "d": timedelta(hours=10), "w": timedelta(days=3), "o": timedelta(days=30)}
    Score.objects.all().delete()
    for name, span in spans.items():
        world.add_score(name, recorded_at=now - span)
    found = {age: "".join(sorted(listed(boss, model, age=age))) for age in ("hour", "day", "week", "older", "never")}
    assert found == {"hour": "h", "day": "dh", "week": "dhw", "older": "o", "never": "dhow"}
    assert listed(boss, model, age="week") == ["h", "d", "w"]
    title = "By recorded" if model is Score else "By waiting since"
    assert title in re.sub(r"\s+", " ", page_of(boss, model))


@pytest.mark.parametrize("model", BOTH)
def test_by_platform_course_and_line_item(world, boss, model):
    other = world.add_line_item("Essay")
    other.context = Context.objects.create(deployment=world.deployment, context_id="c2", title="History")
    other.save()
    world.add_score("elsewhere", other)
    assert "elsewhere" in listed(boss, model)
    assert listed(boss, model, line_item__id__exact=other.pk) == ["elsewhere"]
    assert listed(boss, model, line_item__context__id__exact=other.context.pk) == ["elsewhere"]
    assert "elsewhere" not in listed(boss, model, line_item__id__exact=world.line_item.pk)
    assert "elsewhere" in listed(boss, model, service__registration__id__exact=world.registration.pk)
    assert "elsewhere" in listed(boss, model, service__id__exact=world.service.pk)
    page = page_of(boss, model)
    assert f'href="?line_item__id__exact={other.pk}"' in page
    assert f'href="?line_item__context__id__exact={other.context.pk}"' in page
    assert "By course" not in re.sub(r"\s+", " ", page)
    page = page_of(boss, model, line_item__context__id__exact=other.context.pk)
    assert re.search(r"By course.*History", page, re.DOTALL)


@pytest.mark.parametrize("given", ["x", "-1", "9" * 30, "", "0", "1'"])
@pytest.mark.parametrize("name", ["line_item__id__exact", "line_item__context__id__exact", "service__registration__id__exact"])
def test_a_place_that_is_none_is_no_place(world, boss, name, given):
    assert listed(boss, Score, **{name: given}) == []


def test_one_platform_needs_no_filter_but_obeys_one(world, boss):
    assert "By platform" not in page_of(boss, Score)
    assert listed(boss, Score, service__registration__id__exact=world.registration.pk + 1) == []
    world.add_registration("Second")
    page = page_of(boss, Score)
    assert "Second" in page


def test_not_more_platforms_than_a_page_takes(world, boss, monkeypatch):
    monkeypatch.setattr(filters, "REGISTRATIONS", 3)
    for number in range(5):
        world.add_registration(f"n{number}")
    assert len(set(re.findall(r"\?service__registration__id__exact=(\d+)", page_of(boss, Score)))) == 3


class TestSearch:
    def test_by_a_part_of_a_line_items_label(self, world, boss):
        world.add_score("far", world.add_line_item("Final essay"))
        assert listed(boss, Score, q="essay") == ["far"]
        assert listed(boss, Score, q="FINAL") == ["far"]
        assert listed(boss, Score, q="es") == []
        assert sorted(listed(boss, Score, q="Quiz")) == ["u1", "u2"]

    def test_by_a_line_items_uid(self, world, boss):
        other = world.add_line_item("x")
        world.add_score("far", other)
        assert listed(boss, Score, q=str(other.uid)) == ["far"]

    def test_one_label_leads_to_so_many_line_items(self, world, boss, monkeypatch):
        monkeypatch.setattr(searching, "_LINE_ITEMS", 2)
        for number in range(3):
            world.add_score(f"x{number}", world.add_line_item(f"weekly {number}"))
        assert listed(boss, Score, q="weekly") == ["x2", "x1"]

    def test_attempts_and_results_too(self, world, boss):
        for model, term in ((DeliveryAttempt, "Quiz"), (Result, "Quiz"), (DeliveryAttempt, str(world.line_item.uid))):
            assert boss.get(address(model, "changelist"), {"q": term}).context["cl"].result_count == 1

    @pytest.mark.parametrize("term", [" ", "\x00", "\x00\x00"])
    def test_nothing_is_everything(self, world, boss, term):
        assert len(listed(boss, Score, q=term)) == 2


class TestBounds:
    @pytest.fixture(autouse=True)
    def _few(self, world, monkeypatch):
        monkeypatch.setattr(lists, "LISTED", 120)
        for number in range(150):
            world.add_score(f"m{number}")

    @pytest.mark.parametrize("model", BOTH)
    def test_no_count_and_no_page_goes_further(self, boss, model):
        with CaptureQueriesContext(connection) as captured:
            response = boss.get(address(model, "changelist"))
        counts = [query["sql"] for query in captured if "LIMIT 121" in query["sql"]]
        assert len(counts) == 1
        assert "ORDER BY" not in counts[0]
        assert [query["sql"] for query in captured if "COUNT(" in query["sql"]] == (counts if model is Score else [])
        page = response.content.decode()
        assert "more than 120" in page
        assert "filter or search for older ones" in page
        assert response.context["cl"].paginator.num_pages == 3
        assert len(boss.get(address(model, "changelist"), {"p": 3}).context["cl"].result_list) == 20
        assert boss.get(address(model, "changelist"), {"p": 4}).status_code == 302

    def test_what_a_filter_leaves_is_found_by_its_index_and_put_in_order_here(self, world, boss, monkeypatch):
        monkeypatch.setattr(lists, "LISTED", 1000)
        url, query = address(PendingScore, "changelist"), {"line_item__id__exact": world.line_item.pk}
        with CaptureQueriesContext(connection) as captured:
            pages = [[row.pk for row in boss.get(url, query | {"p": number}).context["cl"].result_list] for number in (1, 2, 3, 4)]
        assert not [item["sql"] for item in captured if "ORDER BY" in item["sql"] and "LIMIT 50" in item["sql"]]
        assert [pk for page in pages for pk in page] == sorted(PendingScore.objects.values_list("pk", flat=True), reverse=True)
        assert boss.get(url, query | {"p": 5}).status_code == 302
        assert len(boss.get(url, query | {"all": ""}).context["cl"].result_list) == 151

    def test_what_is_fewer_is_counted(self, boss):
        page = page_of(boss, Score, state__exact="failed")
        assert "more than" not in page
        assert re.search(r"1\s+score\b", page)

    def test_another_page_takes_no_more_queries(self, boss):
        counts = []
        for number in (1, 1, 2, 3):
            with CaptureQueriesContext(connection) as captured:
                boss.get(address(Score, "changelist"), {"p": number})
            counts.append(len(captured))
        assert len(set(counts[1:])) == 1


class TestOnlyTheNewest:
    """Attempts and events: as many as there are sends, and no index for what their lists filter by."""

    @pytest.fixture(autouse=True)
    def _history(self, world, monkeypatch):
        for model in (DeliveryAttempt, Event):
            from django.contrib import admin

            monkeypatch.setattr(admin.site._registry[model], "newest_rows", 3)
        for number in range(10):
            world.add_attempt(world.score, status=200 + number)
            Event.objects.create(name="score_delivered", score=world.score, service=world.service, created_at=NOON)

    @pytest.mark.parametrize("model", [DeliveryAttempt, Event])
    def test_a_list_looks_at_the_newest(self, boss, model):
        response = boss.get(address(model, "changelist"))
        assert [row.pk for row in response.context["cl"].result_list] == list(model.objects.values_list("pk", flat=True)[:3])
        assert "among the newest 3" in response.content.decode()

    @pytest.mark.parametrize("model", [DeliveryAttempt, Event])
    def test_one_scores_are_all_there(self, world, boss, model):
        response = boss.get(address(model, "changelist"), {"score__id__exact": world.score.pk})
        assert response.context["cl"].result_count == 11
        assert "among the newest" not in response.content.decode()

    def test_so_are_those_that_are_searched_for(self, boss):
        assert boss.get(address(DeliveryAttempt, "changelist"), {"q": "u1"}).context["cl"].result_count == 11

    def test_an_empty_table(self, boss):
        DeliveryAttempt.objects.all().delete()
        assert boss.get(address(DeliveryAttempt, "changelist")).context["cl"].result_count == 0

    def test_it_is_many(self):
        assert history.NEWEST >= 100_000


def test_a_list_sorts_by_what_an_index_carries(world, boss):
    Score.objects.filter(pk=world.score.pk).update(recorded_at=NOON + timedelta(days=1))
    columns = boss.get(address(Score, "changelist")).context["cl"].list_display
    index = columns.index("recorded_at")
    assert listed(boss, Score, o=f"-{index}") == ["u1", "u2"]
    assert listed(boss, Score, o=str(index)) == ["u2", "u1"]
    assert listed(boss, Score) == ["u2", "u1"]


def test_through_an_index(world, boss):
    add_crowd(world)
    unique = "sqlite_autoindex_lti_ags_score_" if connection.vendor == "sqlite" else "lti_ags_score_unique"
    for query, index in [
        ({"state__exact": "failed"}, "lti_ags_score_trouble"),
        ({"code": "score_refused"}, "lti_ags_score_trouble"),
        ({"code": "score_refused", "state__exact": "failed"}, "lti_ags_score_"),  # of two that do, either
        ({"age": "hour"}, "lti_ags_score_recorded"),
        ({"q": "u1"}, unique),
        ({"line_item__id__exact": world.line_item.pk}, unique),
    ]:
        rows = boss.get(address(Score, "changelist"), query).context["cl"].queryset
        plan = plan_of(*rows.order_by().values_list("pk").query.sql_with_params())  # as the keys are found
        assert index in plan, f"{query}: {plan}"
