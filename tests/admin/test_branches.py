"""The newest scores of a filter that leaves many: the same as by sorting, and along the index."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from django_lti_ags.admin import branches, lists
from django_lti_ags.admin.readonly import KeptAdmin
from django_lti_ags.models import LineItem, PendingScore, Score, Service, SyncState
from tests.admin.conftest import NOON, address
from tests.plans import plan_of

MANY = 40
_STATES = {
    "delivered": {"state": SyncState.DELIVERED, "delivered_at": NOON},
    "pending": {"state": SyncState.PENDING, "due_at": NOON},
    "late": {"state": SyncState.PENDING, "due_at": NOON, "code": "unavailable"},
    "failed": {"state": SyncState.FAILED, "code": "score_refused"},
    "blocked": {"state": SyncState.BLOCKED, "code": "forbidden"},
}


@pytest.fixture
def campuses(world, monkeypatch):
    """Two campuses of one platform, their scores in turns; more under every filter than a list counts."""
    monkeypatch.setattr(lists, "LISTED", 3)
    monkeypatch.setattr(KeptAdmin, "list_per_page", 2)
    monkeypatch.setattr(KeptAdmin, "list_max_show_all", 1)
    second = Service.objects.create(registration=world.registration, origin="https://second.example")
    places = [world.line_item, world.add_line_item("Second")]
    LineItem.objects.filter(pk=places[1].pk).update(service=second)
    for number in range(MANY):
        name, values = list(_STATES.items())[number % len(_STATES)]
        score = world.add_score(f"{name}-{number}", places[number // 5 % 2])
        service = places[number // 5 % 2] if number // 5 % 2 == 0 else None
        Score.objects.filter(pk=score.pk).update(
            **{"due_at": None, "code": "", "lease_token": None} | values, service=second if service is None else world.service
        )
    return [world.service, second]


def _queries(campuses, registration):
    place = {"service__registration__id__exact": registration.pk}
    first, second = ({"service__id__exact": service.pk} for service in campuses)
    for where in (place, first, second, place | first, {}):
        yield where
        for state in ("delivered", "pending", "failed", "cancelled"):
            yield where | {"state__exact": state}
        yield where | {"due_at__isnull": "0"}
        yield where | {"due_at__isnull": "1"}
        yield where | {"due_at__lte": NOON.isoformat()}
        yield where | {"state__exact": "delivered", "delivered_at__gte": NOON.isoformat()}
        yield where | {"code": "score_refused"}
        yield where | {"code": ""}
        yield where | {"code": "score_refused", "state__exact": "failed"}


def _keys(response):
    return [row.pk for row in response.context["cl"].result_list]


@pytest.mark.parametrize("model", [Score, PendingScore])
def test_every_filter_shows_the_same_as_by_sorting(campuses, world, admin_user, model, monkeypatch):
    def shown(query):
        """The page's keys; nothing is rendered, which takes most of the time."""
        request = RequestFactory().get(address(model, "changelist"), query)
        request.user = admin_user
        return [row.pk for row in site.get_model_admin(model).get_changelist_instance(request).result_list]

    asked = list(_queries(campuses, world.registration))
    along = [shown(query) for query in asked]
    monkeypatch.setattr(branches, "MOST_BRANCHES", 0)
    assert along == [shown(query) for query in asked]
    assert sum(len(keys) == 2 for keys in along) > len(asked) / 3
    unfiltered = model.objects.order_by("-pk").values_list("pk", flat=True)[:2]
    assert along[asked.index({"service__registration__id__exact": world.registration.pk})] == list(unfiltered)


def test_further_pages_go_on_where_the_one_before_ended(campuses, boss, monkeypatch):
    monkeypatch.setattr(lists, "LISTED", 15)
    query = {"service__registration__id__exact": campuses[0].registration_id}
    monkeypatch.setattr(KeptAdmin, "list_per_page", 6)
    pages = [_keys(boss.get(address(Score, "changelist"), query | {"p": number})) for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [6, 6, 3]
    assert [pk for page in pages for pk in page] == list(Score.objects.order_by("-pk").values_list("pk", flat=True)[:15])


def test_nobody_is_shown_another_platforms_rows(campuses, world, boss, settings):
    settings.LTI_AGS = {**settings.LTI_AGS, "ADMIN_SCOPE": "tests.admin.test_branches.nothing"}
    assert _keys(boss.get(address(Score, "changelist"), {"service__id__exact": campuses[0].pk})) == []


def nothing(request):
    """A scope."""
    return type(Service.objects.first().registration).objects.none()


@pytest.mark.parametrize("query", [{"q": "Second"}, {"age": "older"}, {"line_item__id__exact": "1"}])
def test_what_may_lie_inside_the_branches_is_sorted(campuses, boss, query):
    with CaptureQueriesContext(connection) as captured:
        boss.get(address(PendingScore, "changelist"), query)
    assert not [item["sql"] for item in captured if re.search(r'"?code"? > ', item["sql"])]


def test_a_given_code_is_not_looked_for(campuses, boss):
    with CaptureQueriesContext(connection) as captured:
        boss.get(address(PendingScore, "changelist"), {"code": "score_refused"})
    assert not [item["sql"] for item in captured if re.search(r'"?code"? > ', item["sql"])]


def test_each_branch_is_read_from_its_end(campuses, boss):
    with CaptureQueriesContext(connection) as captured:
        boss.get(address(Score, "changelist"), {"service__id__exact": campuses[0].pk, "state__exact": "failed"})
    [branch] = {item["sql"] for item in captured if "LIMIT 2" in item["sql"] and "score_refused" in item["sql"]}
    given = set(re.findall(r"(\w+)[`\"]? = ", branch))
    assert given == {"state", "service_id", "code"}  # those that the index lti_ags_score_trouble begins with, and then
    assert re.match(r"SELECT \S+\bid\b", branch)
    assert branch.endswith("ORDER BY 1 DESC LIMIT 2")
    if connection.vendor == "sqlite":  # the others read so few rows in any order
        assert "lti_ags_score_trouble (state=? AND service_id=? AND code=?)" in plan_of(branch)
        assert "TEMP B-TREE" not in plan_of(branch)
