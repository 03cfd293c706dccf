"""Our own addresses: what became of scores, many at once, and a person's decisions."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from django_lti_ags import line_items, registrations
from django_lti_ags.api import scores_seen
from django_lti_ags.models import LineItem, Score, SyncState
from django_lti_ags.sync.engine import deliver_due
from tests.api.conftest import AGS, PREFIX, tool_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.urls")]


def said(user, **more):
    return {"userId": user, "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 8, "scoreMaximum": 10} | more


def many(tool, items, **more):
    return tool.call("POST", "sync/scores", {"lineItem": tool.column, "scores": items} | more)


def test_many_are_recorded_at_once_and_repeating_it_changes_nothing(tool):
    items = [said("u1"), said("u2", scoreMaximum=None), said("u3", comment="Well done")]
    assert many(tool, items).data == {"created": 3, "changed": 0, "unchanged": 0}
    assert many(tool, [*items[:2], said("u3", scoreGiven=9)]).data == {"created": 0, "changed": 1, "unchanged": 2}
    assert set(Score.objects.values_list("user_id", "score_given", "score_maximum")) == {("u1", 8, 10), ("u2", 8, 10), ("u3", 9, 10)}
    thousands = [said(f"x{number}") for number in range(10_000)]
    assert many(tool, thousands).data["created"] == 10_000
    assert many(tool, [*thousands, said("one more")]).status_code == 400


def test_all_or_nothing_with_an_error_per_score(tool):
    wrong = [said("u1"), said("u2", scoreGiven=-1), said("u1"), "u3", said("u4", gradingProgress=None), said("u5", points=3)]
    errors = many(tool, wrong).data["details"]["errors"]
    assert [error["field"] for error in errors] == [
        "scores[1].scoreGiven",
        "scores[2].userId",
        "scores[3]",
        "scores[4].gradingProgress",
        "scores[5].points",
    ]
    errors = many(tool, wrong[:3]).data["details"]["errors"]
    assert [(error["field"], error["rule"]) for error in errors] == [
        ("scores[1].scoreGiven", "must not be negative (AGS 2.0, 3.4.5)"),
        ("scores[2].userId", "given already by item 0"),
    ]
    for wrong in ([said("") for _ in range(500)], [said("", more=1) for _ in range(250)] + [said("", scoreGiven=-1) for _ in range(250)]):
        errors = many(tool, wrong).data["details"]["errors"]
        assert (len(errors), errors[-1]) == (21, {"field": "scores", "rule": "… and 480 more"})
    for body, field in (({"scores": []}, "scores"), ({"scores": "x"}, "scores"), ({"lineItem": 7}, "lineItem"), ({"other": 1}, "other")):
        assert many(tool, [said("u1")], **body).data["details"]["errors"][0]["field"] == field
    assert many(tool, [said("u1")], lineItem="https://x.example/1").status_code == 404
    assert not Score.objects.exists()


def test_what_became_of_them_is_listed_page_by_page(make_campus):
    tool = tool_at(make_campus(learners=3))
    many(tool, [said("u1"), said("u2"), said("stranger")])
    deliver_due()
    first = tool.call("GET", "sync/scores", query={"limit": 2}).data
    second = tool.call("GET", "sync/scores", query={"limit": 2, "cursor": first["next"]}).data
    assert ([len(page["scores"]) for page in (first, second)], "next" in second) == ([2, 1], False)
    everybody = {row["userId"]: row for row in first["scores"] + second["scores"]}
    assert {user: row["state"] for user, row in everybody.items()} == {"u1": "delivered", "u2": "delivered", "stranger": "failed"}
    for query in ({"state": "failed"}, {"userId": "stranger"}, {"lineItem": tool.column, "userId": "stranger"}):
        (row,) = tool.call("GET", "sync/scores", query=query).data["scores"]
        assert row == everybody["stranger"]
    assert tool.call("GET", "sync/scores", query={"lineItem": "https://x.example/1"}).data == {"scores": []}
    assert "Read its answer" in row["advice"]
    assert (row["canRetry"], row["canCancel"], row["deliveredAt"]) == (True, True, None)
    whole = tool.call("GET", f"sync/scores/{row['uid']}").data
    kinds = [attempt["kind"] for attempt in whole["attempts"]]
    assert "score" in kinds
    assert "stranger" not in str([attempt for attempt in whole["attempts"] if attempt["kind"] == "token"])


def test_a_listing_goes_on_where_it_was_though_that_row_is_gone(tool):
    many(tool, [said(f"u{number}") for number in range(5)])
    first = tool.call("GET", "sync/scores", query={"limit": 2}).data
    Score.objects.filter(user_id__in=[row["userId"] for row in first["scores"]]).delete()
    second = tool.call("GET", "sync/scores", query={"limit": 2, "cursor": first["next"]}).data
    assert [row["userId"] for row in second["scores"]] == list(Score.objects.order_by("-pk").values_list("user_id", flat=True)[:2])
    for path in ("sync/lineitems", "sync/registrations"):
        assert tool.call("GET", path, query={"cursor": first["next"]}).status_code == 400, "another listing's"


@pytest.mark.parametrize("branches", [70, 0])
def test_a_key_alone_lists_the_same_scores_as_its_courses_do_in_the_same_order(campus, monkeypatch, branches):
    monkeypatch.setattr(scores_seen, "MOST_BRANCHES", branches)
    tool = tool_at(campus)
    tool_at(campus, **{PREFIX + "context": {"id": "another"}, AGS: {}})  # a course without columns
    many(tool, [said(f"u{number}") for number in range(40)])
    rows = list(Score.objects.order_by("pk"))
    for number, row in enumerate(rows):  # in turns, in several states and with several codes
        state = ("pending", "failed", "blocked", "cancelled")[number % 4]
        code = ("", "score_refused", "forbidden")[number % 3] if state != "pending" else ""
        Score.objects.filter(pk=row.pk).update(state=state, code=code, due_at=row.due_at if state == "pending" else None)
    stranger = tool_at(campus)
    registration = {"registration": str(campus.registration.uid)}
    for where in ({}, {"context": str(tool.launch.context.uid)}):
        for query in ({}, {"state": "failed"}, {"userId": "u7"}, {"lineItem": tool.column}):
            wanted = tool.call("GET", "sync/scores", query=query).data["scores"]
            found, more = [], {}
            while more is not None:
                asked = registration | where | query | {"limit": 7} | more
                page = stranger.call("GET", "sync/scores", header=f"Bearer {stranger.text}", query=asked).data
                found += page["scores"]
                more = {"cursor": page["next"]} if "next" in page else None
            assert found == wanted
            assert len(found) == {"state": 10, "userId": 1}.get(next(iter(query), ""), 40)


def test_a_person_sends_again_or_takes_back(tool):
    many(tool, [said("stranger"), said("u1")])
    deliver_due()
    failed, done = (f"sync/scores/{Score.objects.get(user_id=user).uid}" for user in ("stranger", "u1"))
    assert tool.call("POST", f"{failed}/retry").data["state"] == "pending"
    for body in ({}, {"reason": " "}, {"reason": 7}):
        answer = tool.call("POST", f"{failed}/cancel", body)
        assert (answer.status_code, answer.data["details"]["errors"][0]["field"]) == (400, "reason")
    cancelled = tool.call("POST", f"{failed}/cancel", {"reason": "left the course"}).data
    assert (cancelled["state"], cancelled["detail"]) == ("cancelled", "left the course")
    for path, body, code in (
        (f"{failed}/retry", None, "CANNOT_RETRY"),
        (f"{done}/retry", None, "CANNOT_RETRY"),
        (f"{done}/cancel", {"reason": "x"}, "CANNOT_CANCEL"),
    ):
        answer = tool.call("POST", path, body)
        assert (answer.status_code, answer.data["details"]["message"]) == (409, code)
    assert [
        tool.call(*request).status_code for request in (("POST", done), ("GET", f"{done}/retry"), ("GET", f"sync/scores/{uuid.uuid4()}"))
    ] == [405, 405, 404]
    assert Score.objects.filter(state=SyncState.DELIVERED).count() == 1


def test_how_delivery_stands(tool):
    many(tool, [said("u1"), said("stranger")])
    told = tool.call("GET", "sync/status").data
    assert (told["scores"]["pending"], told["oldestWaitingAt"] is None, told["services"][0]["origin"]) == (
        2,
        False,
        tool.campus.platform.base_url,
    )
    deliver_due()
    registrations.pause(tool.campus.registration, reason="exams")
    told = tool.call("GET", "sync/status", query={"lineItem": tool.column}).data
    assert (told["scores"]["delivered"], told["scores"]["failed"], told["oldestWaitingAt"]) == (1, 1, None)
    assert [(trouble["scores"], trouble["advice"][:12]) for trouble in told["troubles"]] == [(1, "The platform")]
    assert (told["registration"]["paused"], told["registration"]["code"]) == (True, "paused_by_hand")
    assert set(tool.call("GET", "sync/status", query={"lineItem": "https://x.example/1"}).data["scores"].values()) == {0}


def test_how_each_column_and_each_registration_stands(tool):
    many(tool, [said("u1"), said("u2"), said("stranger")])
    deliver_due()
    wanted = line_items.declare(tool.launch.context, resource_id="essay", label="Essay", score_maximum=20)
    first = tool.call("GET", "sync/lineitems", query={"limit": 1}).data
    second = tool.call("GET", "sync/lineitems", query={"limit": 1, "cursor": first["next"]}).data
    (essay,), (quiz,) = first["lineItems"], second["lineItems"]
    assert "next" not in second
    assert (essay["uid"], essay["lineItem"], essay["lastDeliveredAt"], set(essay["scores"].values())) == (str(wanted.uid), None, None, {0})
    assert essay["block"]["code"] == "line_item_wanted"
    assert (quiz["lineItem"], quiz["context"], quiz["block"]) == (tool.column, str(tool.launch.context.uid), None)
    assert {state: count for state, count in quiz["scores"].items() if count} == {"delivered": 2, "failed": 1}
    assert (
        quiz["lastDeliveredAt"]
        == max(tool.call("GET", "sync/scores").data["scores"], key=lambda row: row["deliveredAt"] or "")["deliveredAt"]
    )
    LineItem.objects.filter(url=tool.column).update(block_code="forbidden", blocked_at=timezone.now())
    (blocked,) = tool.call("GET", "sync/lineitems", query={"lineItem": tool.column}).data["lineItems"]
    assert (blocked["block"]["code"], blocked["block"]["advice"][:12], blocked["block"]["since"] is None) == (
        "forbidden",
        "The platform",
        False,
    )
    registrations.pause(tool.campus.registration, reason="exams")
    (campus,) = tool.call("GET", "sync/registrations").data["registrations"]
    assert (campus["clientId"], campus["paused"], campus["reason"], campus["pausedAt"] is None) == ("quiz", True, "exams", False)


def test_a_column_is_compared_with_its_platform(tool):
    many(tool, [said("u1"), said("u2")])
    deliver_due()
    del tool.campus.link.line_item.scores["u2"]
    told = tool.call("POST", "sync/reconcile", {"lineItem": tool.column}).data
    assert (told["learners"], told["resent"], told["inOrder"]) == ({"in_sync": 1, "missing": 1}, 0, False)
    assert tool.call("POST", "sync/reconcile", {"lineItem": tool.column, "policy": "resend"}).data["resent"] == 1
    deliver_due()
    assert tool.call("POST", "sync/reconcile", {"lineItem": tool.column}).data["inOrder"]
    for body, field in (({"policy": "overwrite"}, "policy"), ({"lineItem": None}, "lineItem"), ({"dry": 1}, "dry")):
        answer = tool.call("POST", "sync/reconcile", {"lineItem": tool.column} | body)
        assert (answer.status_code, answer.data["details"]["errors"][0]["field"]) == (400, field)
    tool.campus.platform.faults.add("status", kind="results", status=500)
    assert tool.call("POST", "sync/reconcile", {"lineItem": tool.column}).data["details"]["message"] == "PLATFORM_FAILED"
