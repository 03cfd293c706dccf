"""What a request is about may be deleted while it is under way: that is told as such, nothing is half done, and nothing is a 500."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from django.test import Client

from django_lti_ags import scores
from django_lti_ags.ags.client import Client as Asking
from django_lti_ags.api import columns as writing
from django_lti_ags.api import scores_seen
from django_lti_ags.models import ApiKey, IdempotentRequest, LineItem, Score
from tests.api.conftest import encoded
from tests.api.test_bad_input import check

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.urls")]

SAID = {"userId": "u1", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 8, "scoreMaximum": 10}
ESSAY = {"label": "Essay", "scoreMaximum": 20}


def after(monkeypatch, owner, name, delete):
    """Let ``delete`` happen as soon as ``owner``'s ``name`` was called."""
    real = getattr(owner, name)

    def act(*arguments, **more):
        answer = real(*arguments, **more)
        delete()
        return answer

    monkeypatch.setattr(owner, name, act)


def before(monkeypatch, owner, name, delete):
    real = getattr(owner, name)

    def act(*arguments, **more):
        delete()
        return real(*arguments, **more)

    monkeypatch.setattr(owner, name, act)


def columns():
    LineItem.objects.all().delete()


@pytest.mark.parametrize("many", [False, True])
def test_a_line_item_that_a_score_is_recorded_in(tool, monkeypatch, many):
    before(monkeypatch, scores, "record_many" if many else "record", columns)
    said = {"lineItem": tool.column, "scores": [SAID]}
    answer = tool.call("POST", "sync/scores", said) if many else tool.item("POST", "", SAID, scores=True)
    check(answer, 404)
    assert answer.data["details"]["message"] == "DELETED_MEANWHILE"
    assert not Score.objects.exists()


def test_its_idempotency_key_is_free_again(tool, monkeypatch):
    before(monkeypatch, scores, "record", columns)
    check(tool.item("POST", "", SAID, scores=True, HTTP_IDEMPOTENCY_KEY="a-1"), 404)
    assert not IdempotentRequest.objects.exists()
    monkeypatch.undo()
    assert tool.item("POST", "", SAID, scores=True, HTTP_IDEMPOTENCY_KEY="a-1").status_code == 204, "it is found at the platform again"


def test_a_line_item_that_is_replaced_or_read(tool, monkeypatch):
    column = tool.call("POST", "lineitems", ESSAY).data["id"]
    after(monkeypatch, Asking, "get_line_item", columns)
    assert tool.item("PUT", column, ESSAY | {"label": "Report"}).data["label"] == "Report"
    tool.item("GET", column)
    after(monkeypatch, Asking, "results_page", columns)
    assert tool.item("GET", column, scores=True).data == {"scores": []}


def test_a_line_item_that_is_compared(tool, monkeypatch):
    tool.post_score()
    after(monkeypatch, Asking, "each_result", columns)
    answer = tool.call("POST", "sync/reconcile", {"lineItem": tool.column})
    assert answer.status_code in (200, 404), answer.data


def test_a_score_that_is_tried_again(tool, monkeypatch):
    tool.post_score()
    uid = Score.objects.get().uid
    after(monkeypatch, scores, "retry", Score.objects.all().delete)
    check(tool.call("POST", f"sync/scores/{uid}/retry"), 404)


def test_the_api_key_itself(tool, monkeypatch):
    after(monkeypatch, writing, "writable", ApiKey.objects.all().delete)
    answer = tool.item("POST", "", SAID, scores=True, HTTP_IDEMPOTENCY_KEY="a-1")
    check(answer, 401)
    assert not Score.objects.exists()


def test_a_page_whose_rows_leave_the_filter_is_not_the_last(tool, monkeypatch):
    """They are looked for first, and read then."""
    for number in range(6):
        tool.post_score(f"u{number}")
    asked = {"state": "pending", "limit": 2}
    real = scores_seen._sorted

    def delivered(rows, many):
        keys = real(rows, many)
        Score.objects.filter(pk__in=keys[:2]).update(state="delivered", due_at=None)
        return keys

    def deleted(rows, many):
        keys = real(rows, many)
        Score.objects.filter(pk__in=keys[:2], user_id__in=["u3", "u2"]).delete()
        return keys

    monkeypatch.setattr(scores_seen, "_sorted", delivered)
    first = tool.call("GET", "sync/scores", query=asked).data
    assert first["scores"] == []
    monkeypatch.setattr(scores_seen, "_sorted", deleted)
    second = tool.call("GET", "sync/scores", query=asked | {"cursor": first["next"]}).data
    assert second["scores"] == []
    monkeypatch.setattr(scores_seen, "_sorted", real)
    third = tool.call("GET", "sync/scores", query=asked | {"cursor": second["next"]}).data
    assert ([row["userId"] for row in third["scores"]], "next" in third) == (["u1", "u0"], False)


def test_deletions_at_the_same_moment(tool):
    """A client that did not wait for the answer, say: the platform answers all but one of them 404, and that is told."""
    urls = [tool.call("POST", "lineitems", ESSAY).data["id"] for _ in range(4)]
    told, ready = [], threading.Barrier(4)

    def delete():
        try:
            client = Client(raise_request_exception=False)
            for url in urls:
                ready.wait(30)
                told.append(client.delete(f"/lti/api/lineitems/{encoded(url)}", HTTP_AUTHORIZATION=tool.header).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=delete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (told.count(204), told.count(404), len(told)) == (4, 12, 16)
