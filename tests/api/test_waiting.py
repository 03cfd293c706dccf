"""`?wait=`: the verdict on a score, if it comes in time."""

from __future__ import annotations

import pytest
from django.db import connections
from django.utils import timezone

from django_lti_ags.models import LineItem, Score
from django_lti_ags.sync.engine import deliver_due
from tests.api.conftest import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.urls")]


def test_waiting_ends_although_nobody_delivers(tool):
    for wait in ("0", "0.1"):
        answer = tool.post_score(query={"wait": wait})
        assert (answer.status_code, answer.data["state"]) == (202, "pending")


def test_waiting_tells_the_verdict(tool):
    tool.post_score()
    deliver_due()
    assert tool.post_score(query={"wait": "5"}).status_code == 204, "the same again is there already"
    with Worker():
        assert tool.post_score("u2", query={"wait": "20"}).status_code == 204
        answer = tool.post_score("stranger", query={"wait": "20"})
        LineItem.objects.update(block_code="forbidden", blocked_at=timezone.now())
        rests = tool.post_score("u3", query={"wait": "20"})
    assert answer.status_code == 422
    assert answer.data["details"]["message"] == Score.objects.get(user_id="stranger").code.upper()
    assert (answer.data["details"]["state"], "stranger" in answer.data["details"]["detail"]) == ("failed", False)
    assert "refuses this score" in answer.data["details"]["description"]
    assert (rests.status_code, rests.data["details"]["message"]) == (409, "FORBIDDEN")
    assert rests.data["details"]["description"].startswith("The platform does not let this tool write")


def test_a_projects_transaction_around_requests_holds_nothing_up(tool, monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    with Worker():
        assert tool.post_score(query={"wait": "20"}).status_code == 204
