"""Export: the list as it is filtered, or what is chosen, streamed, harmless to spreadsheets."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import tracemalloc

import pytest
from django.contrib.admin.models import LogEntry
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags import exporting
from django_lti_ags.admin import export
from django_lti_ags.models import PendingScore, Score, SyncState
from tests.admin.conftest import address, confirm

URL = "admin:lti_ags_score_export"


@pytest.mark.parametrize("asked", ["due_at__lte=soon", "service__id__exact=x"])
def test_an_address_that_makes_no_sense_leads_to_the_list(world, boss, asked):
    url = f"{reverse(URL)}?{asked}"
    for answer in (boss.get(url), boss.post(url, {"format": "csv"})):
        assert (answer.status_code, answer.url) == (302, f"{address(Score, 'changelist')}?e=1")


def file_of(response):
    assert response.status_code == 200
    assert response.streaming
    return b"".join(response).decode()


def rows_of(response):
    return list(csv.DictReader(io.StringIO(file_of(response).removeprefix("\ufeff"))))


def lines_of(response):
    return [json.loads(line) for line in file_of(response).splitlines()]


def test_csv(world, boss):
    response = boss.post(reverse(URL), {"format": "csv"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="scores-')
    text = file_of(response)
    assert text.startswith("\ufeffuid,learner,registration,")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["user_id"] for row in rows] == ["u2", "u1"]
    assert rows[1] | {"state": "delivered", "score_given": "8.0", "course": "Mathematics", "line_item": "Quiz"} == rows[1]
    assert rows[0]["recorded_at"] == "2026-03-01T12:00:00+00:00"
    assert rows[0]["delivered_at"] == ""


def test_json_lines(world, boss):
    response = boss.post(reverse(URL), {"format": "jsonl"})
    assert response["Content-Type"] == "application/x-ndjson; charset=utf-8"
    rows = lines_of(response)
    assert rows[1]["score_given"] == 8.0
    assert rows[1]["delivered_at"] is None
    assert rows[0]["detail"] == "422 too much"


def test_the_filter_holds(world, boss):
    assert [row["user_id"] for row in rows_of(boss.post(reverse(URL) + "?state__exact=failed", {"format": "csv"}))] == ["u2"]
    assert [row["user_id"] for row in rows_of(boss.post(reverse(URL) + "?q=u1", {"format": "csv"}))] == ["u1"]
    pending = reverse("admin:lti_ags_pendingscore_export")
    assert [row["user_id"] for row in rows_of(boss.post(pending, {"format": "csv"}))] == ["u2"]


def test_a_page_asks_first_and_get_exports_nothing(world, boss):
    page = boss.get(reverse(URL) + "?state__exact=failed")
    assert "1 score is exported." in page.content.decode()
    assert not page.streaming
    assert not boss.post(reverse(URL), {"format": "xml"}).streaming
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("model", [Score, PendingScore])
def test_what_is_chosen(world, boss, model):
    form = {"action": "export", "_selected_action": [world.pending.pk], "index": 0}
    response = confirm(boss, boss.post(address(model, "changelist"), form), format="csv")
    assert [row["user_id"] for row in rows_of(response)] == ["u2"]


def test_it_is_put_down_without_whom_was_searched_for(world, boss):
    file_of(boss.post(reverse(URL) + "?state__exact=failed&q=u2", {"format": "csv"}))
    (entry,) = LogEntry.objects.all()
    assert (entry.object_repr, entry.change_message) == ("1 scores", "Exported as csv; filter: state__exact=failed")


def test_who_may(world, person):
    for codenames in (("view_score",), ("export_score",), ("view_score", "retry_score", "see_learners")):
        browser = person(*codenames)
        assert browser.get(reverse(URL)).status_code == browser.post(reverse(URL), {"format": "csv"}).status_code == 403
        form = {"action": "export", "_selected_action": [world.pending.pk], "index": 0, "format": "csv"}
        assert not browser.post(address(Score, "changelist"), form).streaming
    assert not LogEntry.objects.exists()


def test_ids_only_for_those_who_may_see_learners(world, person):
    browser = person("view_score", "export_score")
    (row, _) = lines_of(browser.post(reverse(URL), {"format": "jsonl"}))
    assert not {"user_id", "issuer"} & set(row)
    assert row["learner"].startswith("Learner ")
    assert "user_id" not in browser.get(reverse(URL)).content.decode()
    assert "user_id" in person("view_score", "export_score", "see_learners").get(reverse(URL)).content.decode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "|calc", "%x", "  =1", "\u00a0=1"])
def test_nothing_becomes_a_formula(world, boss, text):
    Score.objects.filter(pk=world.pending.pk).update(comment=text)
    told = rows_of(boss.post(reverse(URL) + "?state__exact=failed", {"format": "csv"}))[0]["comment"]
    assert told == f"'{text}"
    assert lines_of(boss.post(reverse(URL) + "?state__exact=failed", {"format": "jsonl"}))[0]["comment"] == text


@given(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.none()))
def test_numbers_stay_numbers_and_no_text_begins_like_a_formula(value):
    told = exporting.harmless(value)
    if isinstance(value, str):
        assert not told.lstrip(" \u00a0").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert told.endswith(value)
    else:
        assert told is value


def test_any_text_comes_back_as_it_was(world, boss):
    text = 'a "quoted", text\r\nwith é and ; and \u2028'
    Score.objects.filter(pk=world.pending.pk).update(comment=text)
    assert rows_of_exactly(boss.post(reverse(URL) + "?state__exact=failed", {"format": "csv"}))["comment"] == text


def rows_of_exactly(response):
    return next(csv.DictReader(io.StringIO(file_of(response).removeprefix("\ufeff"), newline="")))


def test_portions_by_key(world, boss, monkeypatch):
    monkeypatch.setattr(export, "PORTION", 3)
    for number in range(8):
        world.add_score(f"m{number}")
    response = boss.post(reverse(URL), {"format": "jsonl"})
    with CaptureQueriesContext(connection) as captured:
        rows = lines_of(response)
    assert [row["user_id"] for row in rows] == [f"m{number}" for number in reversed(range(8))] + ["u2", "u1"]
    reads = [query["sql"] for query in captured if "LIMIT 3" in query["sql"]]
    assert len(reads) == 4
    assert not [sql for sql in reads if "OFFSET" in sql]


def test_memory_does_not_grow_with_the_rows(world, boss, monkeypatch):
    monkeypatch.setattr(export, "PORTION", 50)
    Score.objects.bulk_create(
        Score(
            line_item=world.line_item,
            service=world.service,
            user_id=f"b{n}",
            user_digest=f"{n:064}",
            comment="x" * 20_000,
            recorded_at=world.score.recorded_at,
            due_at=None,
            state=SyncState.DELIVERED,
        )
        for n in range(600)
    )
    peaks = []
    for asked in ("?age=hour", ""):  # nothing, then twelve megabytes
        response = boss.post(reverse(URL) + asked, {"format": "jsonl"})
        tracemalloc.start()
        size = sum(len(part) for part in response)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert size > 12_000_000
    assert peaks[1] < size / 2


def test_the_language_of_whoever_asked(world, rf, boss):
    user = boss.get(reverse(URL)).wsgi_request.user
    request = rf.post("/")
    request.user = user
    with translation.override("de"):
        lines = iter(export.response(request, Score.objects.all(), "jsonl"))
        next(lines)
        assert translation.get_language() == "de"


def test_under_asgi_it_is_streamed_too(world, boss):
    user = boss.get(reverse(URL)).wsgi_request.user
    plain = RequestFactory().post("/")
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    request = ASGIRequest(scope, io.BytesIO())
    request.user = plain.user = user
    response = export.response(request, Score.objects.none(), "csv")
    assert response.is_async

    async def read():
        return [part async for part in response]

    assert b"".join(asyncio.run(read())).decode().removeprefix("\ufeff").startswith("uid,learner")
    assert not export.response(plain, Score.objects.none(), "csv").is_async
