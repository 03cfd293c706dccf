"""Declared columns: found or made at the platform, once, before their first score."""

import threading

import pytest
from django.db import connections

from django_lti_ags import line_items, scores
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import DeliveryAttempt, LineItem, Score, Service, SyncState
from django_lti_ags.sync.engine import Engine
from tests.sync.conftest import Tomorrow, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def declare(campus):
    def make(label="Essay", resource_id="essay", **more):
        context = line_items.context_from_launch(campus.claims(lineitem=None, **more.pop("endpoint", {})))
        return line_items.declare(context, label=label, resource_id=resource_id, score_maximum=20, **more)

    return make


def columns(campus, **equal):
    return [item for item in campus.course.line_items.values() if all(getattr(item, name) == value for name, value in equal.items())]


def made_at_the_platform(campus, **values):
    with campus.platform.state.lock:
        return campus.platform.state.add_line_item(
            campus.course, owner="quiz", **({"label": "Essay", "score_maximum": 20.0, "resource_link_id": None, "tag": None} | values)
        )


def test_a_column_is_made_before_its_first_score(campus, declare, deliver):
    essay = declare(tag="draft")
    record(essay)
    deliver()
    deliver()
    essay.refresh_from_db()
    [column] = columns(campus, resource_id="essay")
    assert (essay.state, essay.code, essay.url) == (
        SyncState.DELIVERED,
        "line_item_made",
        campus.platform.line_item_url(campus.course, column),
    )
    assert (column.label, column.score_maximum, column.tag) == ("Essay", 20, "draft")
    assert column.scores["u1"].given == 8
    assert list(essay.attempts.order_by("pk").values_list("kind", "method", "code")) == [
        ("token", "POST", ""),
        ("line_item", "GET", ""),
        ("line_item", "POST", "line_item_made"),
    ]


def test_a_column_that_is_there_is_found_and_not_made_again(campus, declare, deliver):
    """After the copy of a course, or from another installation of the tool."""
    column = made_at_the_platform(campus, resource_id="essay")
    made_at_the_platform(campus, resource_id="Essay")
    essay = declare()
    deliver()
    essay.refresh_from_db()
    assert (essay.code, essay.url) == ("line_item_found", campus.platform.line_item_url(campus.course, column))
    assert len(columns(campus, label="Essay")) == 2


def test_a_platform_that_passes_over_filters_is_searched_by_us(campus, declare, deliver, monkeypatch):
    made_at_the_platform(campus, resource_id="other")
    answer = campus.platform.gradebook.list_line_items

    def everything(request, course_id):
        request.query.clear()
        return answer(request, course_id)

    route = next(route for route in campus.platform._routes if route.handler == answer)
    monkeypatch.setattr(
        campus.platform, "_routes", [type(route)(route.method, route.pattern, everything, route.kind), *campus.platform._routes]
    )
    essay = declare()
    deliver()
    essay.refresh_from_db()
    assert essay.code == "line_item_made"


def test_duplicates_are_reported_and_not_guessed(campus, declare, deliver):
    for _ in range(2):
        made_at_the_platform(campus, resource_id="essay")
    essay = declare()
    record(essay)
    deliver()
    deliver()
    essay.refresh_from_db()
    row = Score.objects.get()
    assert (essay.state, essay.code, essay.url) == (SyncState.BLOCKED, "line_item_ambiguous", "")
    assert "2 columns match" in essay.detail
    assert (row.state, row.code) == (SyncState.BLOCKED, "line_item_ambiguous")
    assert len(columns(campus, resource_id="essay")) == 2

    del campus.course.line_items[columns(campus, resource_id="essay")[0].id]
    scores.retry(row)
    deliver()
    deliver()
    row.refresh_from_db()
    assert row.state == SyncState.DELIVERED


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_creation_without_an_answer_is_searched_for_before_another(campus, declare, deliver, fault):
    essay = declare()
    record(essay)
    campus.platform.faults.add("slow", kind="line_item", count=1, seconds=0)  # the search
    campus.platform.faults.add(fault, kind="line_item", count=1)
    deliver()
    essay.refresh_from_db()
    assert (essay.state, essay.code) == (SyncState.PENDING, "no_answer")
    deliver(Tomorrow(minutes=2))
    deliver(Tomorrow(minutes=2))
    essay.refresh_from_db()
    assert essay.code == ("line_item_found" if fault == "drop_after" else "line_item_made")
    assert len(columns(campus, resource_id="essay")) == 1
    assert Score.objects.get().state == SyncState.DELIVERED


def test_eight_workers_make_one_column(make_campus, declare):
    """Promise 13: first scores of one new column at once, an answer lost in between."""
    campus = make_campus(client_id="other", learners=8)
    context = line_items.context_from_launch(campus.claims(lineitem=None))
    essay = line_items.declare(context, label="Essay", resource_id="essay", score_maximum=20)
    scores.record_many(essay, [{"user_id": f"u{n}", "score_given": n, "score_maximum": 10} for n in range(1, 9)])
    campus.platform.faults.add("slow", kind="line_item", count=1, seconds=0.2)
    campus.platform.faults.add("drop_after", kind="line_item", count=1)

    def together(minutes):
        engines = [Engine(clock=Tomorrow(minutes=minutes)) for _ in range(8)]

        def work(engine):
            try:
                engine.deliver_due()
            finally:
                engine.close()
                connections.close_all()

        threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

    for minutes in (0, 3, 6):
        together(minutes)
    assert len(columns(campus, resource_id="essay")) == 1
    assert {row.user_id: row.state for row in Score.objects.all()} == {f"u{n}": SyncState.DELIVERED for n in range(1, 9)}


def test_a_column_that_a_launch_brought_is_not_declared_beside_it(campus, declare, deliver):
    launched = campus.line_item()
    campus.link.line_item.resource_id = "essay"
    essay = declare(resource_id="essay", resource_link_id=campus.link.id)
    deliver()
    essay.refresh_from_db()
    assert (essay.state, essay.code, essay.detail) == (SyncState.BLOCKED, "line_item_known", launched.url)
    assert LineItem.objects.exclude(url="").count() == 1


def test_a_link_that_was_launched_has_its_column_already(campus, deliver):
    launched = campus.line_item()
    context = line_items.context_from_launch(campus.claims())
    again = line_items.declare(context, label="Quiz", resource_link_id=campus.link.id, score_maximum=10)
    assert again == launched


def test_a_tool_that_may_only_look_says_so_until_a_launch_grants_more(campus, declare, deliver):
    reading = [vocabulary.SCOPE_LINE_ITEM_READONLY, vocabulary.SCOPE_SCORE]
    essay = declare(endpoint={"scope": reading})
    record(essay)
    deliver()
    deliver()
    essay.refresh_from_db()
    assert (essay.state, essay.code) == (SyncState.BLOCKED, "missing_line_item_scope")
    line_items.context_from_launch(campus.claims(lineitem=None))
    LineItem.objects.update(scopes=list(campus.tool.scopes))
    deliver()
    deliver()
    essay.refresh_from_db()
    assert essay.state == SyncState.DELIVERED
    assert Score.objects.get().state == SyncState.DELIVERED


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (400, "line_item_refused", SyncState.BLOCKED),
        (404, "line_item_refused", SyncState.BLOCKED),
        (403, "line_item_refused", SyncState.BLOCKED),
        (500, "server_error", SyncState.PENDING),
        (503, "throttled", SyncState.PENDING),
        (504, "gateway_error", SyncState.PENDING),
    ],
)
def test_what_a_container_says(campus, declare, deliver, status, code, state):
    essay = declare()
    campus.platform.faults.add("slow", kind="line_item", count=1, seconds=0)
    campus.platform.faults.add("status", kind="line_item", count=1, status=status)
    deliver()
    essay.refresh_from_db()
    assert (essay.code, essay.state) == (code, state)
    campus.platform.faults.clear()
    if state == SyncState.BLOCKED:
        record(essay)
        deliver()
        scores.retry(Score.objects.get())
    deliver(Tomorrow(hours=1))
    deliver(Tomorrow(hours=1))
    essay.refresh_from_db()
    assert essay.state == SyncState.DELIVERED


@pytest.mark.parametrize(
    "body", ["[]", "<html>", '{"label": "Essay", "scoreMaximum": 20}', '{"id": "nonsense", "label": "E", "scoreMaximum": 1}']
)
def test_an_answer_that_tells_no_url_is_followed_by_a_search(campus, declare, deliver, body):
    essay = declare()
    campus.platform.faults.add("slow", kind="line_item", count=1, seconds=0)
    campus.platform.faults.add("status", kind="line_item", count=1, status=201, body=body)
    deliver()
    essay.refresh_from_db()
    assert (essay.code, essay.state) == ("line_items_unreadable", SyncState.PENDING)
    deliver(Tomorrow(minutes=2))
    essay.refresh_from_db()
    assert essay.code == "line_item_made"


def test_a_list_that_cannot_be_read_is_read_again(campus, declare, deliver):
    essay = declare()
    campus.platform.faults.add("status", kind="line_item", count=1, status=200, body="<html>")
    deliver()
    essay.refresh_from_db()
    assert (essay.code, essay.state) == ("line_items_unreadable", SyncState.PENDING)
    assert columns(campus, resource_id="essay") == []


def test_a_refused_client_pauses_before_any_column_is_made(campus, declare, deliver):
    essay = declare()
    campus.platform.tools.pop("quiz")
    deliver()
    essay.refresh_from_db()
    assert (essay.state, essay.tries) == (SyncState.PENDING, 0)
    campus.registration.refresh_from_db()
    assert campus.registration.is_paused


def test_a_column_at_another_address_than_its_container(campus, declare, deliver):
    """Its scores go where it is."""
    essay = declare()
    record(essay)
    campus.platform.faults.add("slow", kind="line_item", count=1, seconds=0)
    elsewhere = campus.platform.base_url.replace("127.0.0.1", "localhost") + "/ags/course-1/lineitems/77"
    body = f'{{"id": "{elsewhere}", "label": "Essay", "scoreMaximum": 20}}'
    campus.platform.faults.add("status", kind="line_item", count=1, status=201, body=body)
    deliver()
    essay.refresh_from_db()
    assert (essay.url, essay.service.origin) == (elsewhere, elsewhere[: elsewhere.index("/ags")])
    assert Score.objects.get().service == essay.service
    assert Service.objects.count() == 2


def test_the_first_score_of_a_column_travels_alone_at_brightspace(make_campus, deliver):
    campus = make_campus(client_id="d2l", learners=12)
    campus.registration.profile = "d2l"
    campus.registration.save()
    line_item = campus.line_item()
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": n, "score_maximum": 20} for n in range(1, 13)])
    campus.platform.faults.add("slow", kind="score", seconds=0.1, count=2)
    engines = Engine(), Engine()

    def work(engine):
        engine.deliver_due(limit=6)
        engine.close()
        connections.close_all()

    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    deliver()
    posts = DeliveryAttempt.objects.filter(kind="score").order_by("started_at")
    assert posts.count() == 12
    earliest = posts[0]
    ended = earliest.started_at.timestamp() + earliest.duration_ms / 1000
    assert all(later.started_at.timestamp() >= ended for later in posts[1:])
    line_item.refresh_from_db()
    assert line_item.opened_at is not None
