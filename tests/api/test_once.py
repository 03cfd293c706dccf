"""``Idempotency-Key``: a repeat is answered as the first request was, and does nothing; no old score replaces a new one."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from django_lti_ags import scores
from django_lti_ags.models import ApiKey, IdempotentRequest, LineItem, Score
from django_lti_ags.sync.engine import deliver_due
from django_lti_ags.sync.retention import Keep, prune
from tests.api.conftest import encoded, tool_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.urls")]

SAID = {"userId": "u1", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 8, "scoreMaximum": 10}
ESSAY = {"label": "Essay", "scoreMaximum": 20}


def post(tool, name="a-1", *, query=None, url="", **more):
    return tool.item("POST", url, SAID | more, scores=True, query=query, HTTP_IDEMPOTENCY_KEY=name)


def many(tool, name="a-1", *items, **more):
    return tool.call("POST", "sync/scores", {"lineItem": tool.column, "scores": list(items) or [SAID]} | more, HTTP_IDEMPOTENCY_KEY=name)


def make(tool, name="a-1", **more):
    return tool.call("POST", "lineitems", ESSAY | more, HTTP_IDEMPOTENCY_KEY=name)


def given():
    return Score.objects.get().score_given


def test_a_late_repeat_does_not_put_the_old_score_over_the_new_one(tool):
    assert post(tool).status_code == 204
    assert post(tool, "a-2", scoreGiven=9).status_code == 204
    assert post(tool).status_code == 204
    assert (given(), Score.objects.get().version) == (9, 2)
    assert tool.item("POST", "", SAID | {"scoreGiven": 7}, scores=True).status_code == 204, "without a key each is carried out"
    assert given() == 7


def test_the_same_of_many_at_once(tool):
    first = many(tool)
    assert (first.status_code, first.data) == (200, {"created": 1, "changed": 0, "unchanged": 0})
    assert many(tool, "a-2", SAID | {"scoreGiven": 9}).data["changed"] == 1
    assert many(tool).data == first.data
    assert given() == 9


def test_a_repeat_that_waits_is_told_the_verdict_on_its_own_score(tool):
    assert post(tool, query={"wait": "0"}).status_code == 202
    deliver_due()
    assert post(tool, query={"wait": "0"}).status_code == 204, "how long is waited is no part of what was asked for"
    post(tool, "a-2", scoreGiven=9)
    assert post(tool, query={"wait": "0"}).status_code == 204, "the platform has had it"
    assert post(tool, "a-2", scoreGiven=9, query={"wait": "0"}).status_code == 202


def test_a_key_belongs_to_one_request(tool):
    other = tool.call("POST", "lineitems", ESSAY).data["id"]
    post(tool)
    for answer in (post(tool, scoreGiven=9), post(tool, url=other), many(tool), make(tool)):
        assert (answer.status_code, answer.data["details"]["message"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (Score.objects.count(), given(), LineItem.objects.count()) == (1, 8, 2)
    for name in ("x" * 256, " ", ""):
        answer = post(tool, name)
        assert (answer.status_code, answer.data["details"]["errors"][0]["field"]) == (400, "Idempotency-Key")


def test_what_was_refused_leaves_the_key_free(tool):
    assert post(tool, scoreGiven=-1).status_code == 400
    assert many(tool, "a-1", SAID, SAID).status_code == 400
    assert not IdempotentRequest.objects.exists()
    assert post(tool).status_code == 204


def test_a_key_counts_for_one_api_key_and_registration(make_campus):
    tool, neighbour = tool_at(make_campus()), tool_at(make_campus(client_id="other"))
    for one in (tool, neighbour, tool):
        assert post(one, scoreGiven=one.campus.registration.pk).status_code == 204
    assert Score.objects.count() == 2
    neighbour.key.registrations.add(tool.campus.registration)
    neighbour.header = f"SERVICE-AUTH-V1 {neighbour.text}:{tool.service_key}"
    assert neighbour.item("POST", tool.column, SAID, scores=True, HTTP_IDEMPOTENCY_KEY="a-1").status_code == 204
    assert IdempotentRequest.objects.count() == 3
    tool.header = f"SERVICE-AUTH-V1 {tool.text}:{tool.service_key}"
    assert post(tool, scoreGiven=tool.campus.registration.pk).status_code == 204, "however the caller shows who it is"
    assert IdempotentRequest.objects.count() == 3
    ApiKey.objects.get(pk=neighbour.key.pk).delete()
    assert IdempotentRequest.objects.count() == 1


def test_two_at_the_same_moment_are_one(tool):
    """And what is said otherwise under the same key is refused, whoever comes first."""
    at, told, ready = f"/lti/api/lineitems/{encoded(tool.column)}/scores", [], threading.Barrier(4)

    def send(number):
        try:
            client = Client()
            ready.wait(20)
            more = {"HTTP_AUTHORIZATION": tool.header, "HTTP_IDEMPOTENCY_KEY": "a-1"}
            for _ in range(5):
                told.append(client.post(at, SAID, content_type="application/json", **more).status_code)
                told.append(client.post(at, SAID | {"scoreGiven": 9}, content_type="application/json", **more).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(set(told)) == [204, 422]
    assert (len(told), told.count(204), told.count(422)) == (40, 20, 20)
    assert (Score.objects.get().version, IdempotentRequest.objects.count()) == (1, 1)


def test_repeats_that_wait_for_one_that_is_refused_are_refused_alike(tool):
    """Its row goes, and the waiting ones want to insert theirs all at once: InnoDB ends all but one of them."""
    told, ready = [], threading.Barrier(5)

    def send():
        try:
            client = Client(raise_request_exception=False)
            for name in range(8):
                more = {"HTTP_AUTHORIZATION": tool.header, "HTTP_IDEMPOTENCY_KEY": str(name)}
                ready.wait(30)
                body = {"lineItem": tool.column, "scores": [SAID, SAID]}
                told.append(client.post("/lti/api/sync/scores", body, content_type="application/json", **more).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert told == [400] * 40
    assert not IdempotentRequest.objects.exists()


def test_the_key_and_the_score_are_there_together_or_not_at_all(tool, monkeypatch):
    recorded = scores.record

    def record(*arguments, **more):
        recorded(*arguments, **more)
        raise RuntimeError("the process dies")

    monkeypatch.setattr(scores, "record", record)
    with pytest.raises(RuntimeError):
        post(tool)
    assert (Score.objects.count(), IdempotentRequest.objects.count()) == (0, 0)
    monkeypatch.undo()
    assert post(tool).status_code == 204


def test_a_column_is_not_made_twice(tool):
    first = make(tool)
    again = make(tool)
    assert (first.status_code, again.status_code, again.data) == (201, 201, first.data)
    assert len(tool.call("GET", "lineitems").data["lineItems"]) == 2
    assert make(tool, "a-2").data["id"] != first.data["id"]


def test_creations_at_the_same_moment_make_one_column(tool):
    tool.campus.platform.faults.add("slow", kind="line_item", seconds=1, count=1)
    told, ready = [], threading.Barrier(3)

    def send():
        try:
            client = Client()
            ready.wait(20)
            more = {"HTTP_AUTHORIZATION": tool.header, "HTTP_IDEMPOTENCY_KEY": "a-1"}
            told.append(client.post("/lti/api/lineitems", ESSAY, content_type="application/json", **more).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(told), set(told) - {201, 409}, 201 in told) == (3, set(), True), told
    assert make(tool).status_code == 201
    assert len(tool.call("GET", "lineitems").data["lineItems"]) == 2


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 200, "body": "not json"}])
def test_where_nobody_knows_whether_the_column_was_made_it_is_not_asked_for_again(tool, fault):
    tool.campus.platform.faults.add("status", kind="line_item", count=1, **fault)
    assert make(tool).status_code == 502
    answer = make(tool)
    assert (answer.status_code, answer.data["details"]["message"]) == (409, "OUTCOME_IN_DOUBT")
    assert "another Idempotency-Key" in answer.data["details"]["description"]
    assert make(tool, "a-2").status_code == 201


@pytest.mark.parametrize("kind", ["line_item", "token"])
def test_what_the_platform_certainly_did_not_do_may_be_asked_again(tool, kind):
    tool.campus.platform.faults.add("status", kind=kind, status=403 if kind == "line_item" else 500, count=1)
    assert make(tool).status_code in (403, 502)
    assert make(tool).status_code == 201


def test_a_creation_under_way_is_waited_for_but_not_for_ever(tool):
    make(tool)
    IdempotentRequest.objects.update(answer="")
    answer = make(tool)
    assert (answer.status_code, answer.data["details"]["message"], answer["Retry-After"]) == (409, "IDEMPOTENCY_KEY_IN_USE", "5")
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    assert make(tool).data["details"]["message"] == "OUTCOME_IN_DOUBT", "whoever asked is gone"


def test_keys_are_kept_for_a_week(tool):
    post(tool)
    row = IdempotentRequest.objects.get()
    assert row.expires_at - row.created_at == timedelta(days=7)
    assert prune(Keep.configured())["requests"] == 0
    IdempotentRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert prune(Keep.configured())["requests"] == 1
    assert not IdempotentRequest.objects.exists()
