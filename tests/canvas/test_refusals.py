"""Canvas' error answers: typed, quoted, and with what to change."""

import json

import pytest

from django_lti_ags import exceptions
from django_lti_ags.canvas.scopes import SCOPES
from django_lti_ags.canvas.throttling import is_low, is_rate_limit, remaining
from django_lti_ags.exceptions import ExchangeFailed
from django_lti_ags.testing.platforms import Effect
from tests.ags.scripted import answer

UNAUTHORIZED = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}
RATE = b"403 Forbidden (Rate Limit Exceeded)\n"


@pytest.mark.parametrize(
    ("status", "body", "kind", "quoted", "advice"),
    [
        (401, {"errors": [{"message": "Invalid access token."}]}, "CanvasTokenRefused", "Invalid access token.", "new access token"),
        (401, {"errors": [{"message": "Expired access token."}]}, "CanvasTokenRefused", "Expired access token.", "new access token"),
        (401, "", "CanvasTokenRefused", "", "new access token"),
        (401, {"errors": [{"message": "Insufficient scopes on access token."}]}, "CanvasScopeMissing", "Insufficient scopes", SCOPES[0]),
        (403, {"errors": [{"message": "Insufficient scopes on access token."}]}, "CanvasScopeMissing", "Insufficient scopes", SCOPES[0]),
        (401, UNAUTHORIZED, "CanvasNotAuthorized", "user not authorized", "teacher"),
        (403, UNAUTHORIZED, "CanvasNotAuthorized", "user not authorized", "teacher"),
        (403, {"message": "Rate Limit Exceeded is a fine name"}, "CanvasNotAuthorized", "fine name", "teacher"),
        (403, RATE, "CanvasThrottled", "Rate Limit Exceeded", "Wait"),
        (429, {"errors": [{"message": "Too many"}]}, "CanvasThrottled", "Too many", "Wait"),
        (404, {"errors": [{"message": "The specified resource does not exist."}]}, "CanvasNotFound", "does not exist", "ids"),
        (400, {"status": "bad_request", "message": "invalid include: x"}, "CanvasBadRequest", "invalid include: x", "names"),
        (403, {"message": "users not specified and no access to all grades"}, "CanvasNotAuthorized", "no access", "teacher"),
        (400, {"message": "missing required key :user"}, "CanvasBadRequest", "missing required key :user", "every field"),
        (422, {"errors": {"passed": [{"message": "is wrong"}], "x": [{}], "y": 1}}, "CanvasBadRequest", "passed: is wrong", "names"),
        (422, {"errors": {"type": "x", "message": "no"}}, "CanvasBadRequest", "no", "names"),
        (418, b"<html><h1>teapot</h1>", "CanvasBadRequest", "", "names"),
        (400, ["a", 7, None, {"message": "b"}], "CanvasBadRequest", "a; b", "names"),
        (400, b"[" * 50_000, "CanvasBadRequest", "[[[", "names"),
    ],
)
def test_each_is_told_apart(scripted, status, body, kind, quoted, advice):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
    client, server = scripted("read", answer(raw, f"{status} X"))
    with pytest.raises(exceptions.CanvasRefused) as caught:
        list(client.outcome_results(7))
    assert type(caught.value).__name__ == kind
    assert caught.value.said.startswith(quoted) or quoted in caught.value.said
    assert (caught.value.said == "") == (quoted == "")
    assert advice in caught.value.advice
    assert caught.value.advice in str(caught.value)
    assert (f"“{caught.value.said}”" in str(caught.value)) == bool(quoted)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["500 Oops", "302 Found", "504 Gateway"])
def test_what_is_no_refusal_stays_a_failed_exchange(scripted, status):
    client, _ = scripted("read", answer(b"{}", status, headers=["Location: /login"]))
    with pytest.raises(ExchangeFailed) as caught:
        list(client.outcome_results(7))
    assert not isinstance(caught.value, exceptions.CanvasRefused)


def test_an_outage_is_a_failed_exchange_and_a_posting_is_not_repeated(school):
    school.platform.faults.add(Effect.DROP_AFTER, kind="live_assessments", count=1)
    from django_lti_ags.canvas import LiveAssessment

    with pytest.raises(ExchangeFailed) as caught:
        school.client.create_or_find_live_assessments(7, [LiveAssessment(key="k", title="t")])
    assert caught.value.exchange.sent
    assert len(school.platform.ledger.of("live_assessments")) == 1


def test_a_token_without_the_scope_names_it(school):
    client = school.make(school.rest.issue_token(scopes=[SCOPES[0]]))
    assert len(list(client.outcome_results(7))) == 4
    with pytest.raises(exceptions.CanvasScopeMissing) as caught:
        list(client.outcome_rollups(7))
    assert caught.value.scope == "url:GET|/api/v1/courses/:course_id/outcome_rollups"
    assert caught.value.scope in SCOPES
    with pytest.raises(exceptions.CanvasScopeMissing) as caught:
        client.enqueue_outcome_rollup_calculation(7)
    assert caught.value.scope == "url:POST|/api/v1/enqueue_outcome_rollup_calculation"


def test_every_scope_is_enough_for_its_call_and_all_are_needed(school):
    from django_lti_ags.canvas import LiveAssessment, LiveAssessmentResult
    from tests.canvas.conftest import NOON

    client = school.make(school.rest.issue_token(scopes=SCOPES))
    list(client.outcome_results(7))
    list(client.outcome_rollups(7))
    client.contributing_scores(7, 1)
    client.assign_outcome_order(7, [1])
    client.enqueue_outcome_rollup_calculation(7)
    [made] = client.create_or_find_live_assessments(7, [LiveAssessment(key="k", title="t")])
    list(client.live_assessments(7))
    client.create_live_assessment_results(7, made.id, [LiveAssessmentResult(user=1, passed=True, assessed_at=NOON)])
    list(client.live_assessment_results(7, made.id))
    assert [exchange.status for exchange in school.seen] == [200, 200, 200, 204, 200, 200, 200, 200, 200]


def test_a_student_and_a_stranger(school):
    with pytest.raises(exceptions.CanvasNotAuthorized, match="user not authorized to perform that action"):
        list(school.make(school.rest.issue_token(teaches=False)).outcome_results(7))
    with pytest.raises(exceptions.CanvasNotFound):
        list(school.client.outcome_results(8))
    with pytest.raises(exceptions.CanvasTokenRefused, match="Invalid access token"):
        list(school.make("1~nobody").outcome_results(7))
    with pytest.raises(exceptions.CanvasTokenRefused, match="Expired access token"):
        list(school.make(school.rest.issue_token(lifetime_seconds=-1)).outcome_results(7))


def test_the_bucket_is_read(school):
    list(school.client.outcome_results(7))
    [exchange] = school.seen
    assert remaining(exchange) == 599.5
    assert not is_low(exchange)
    assert not is_rate_limit(exchange)


@pytest.mark.parametrize(
    ("header", "left", "low"),
    [(["X-Rate-Limit-Remaining: 20.5"], 20.5, True), (["X-Rate-Limit-Remaining: x"], None, False), ([], None, False)],
)
def test_a_bucket_that_is_nearly_empty(scripted, transport, header, left, low):
    _, server = scripted("read", answer(b"{}", headers=header))
    exchange = transport.send("x", "GET", server.url)
    assert (remaining(exchange), is_low(exchange)) == (left, low)


def test_an_echoed_token_is_neither_quoted_nor_recorded(scripted):
    client, _ = scripted("read", answer(b'{"message": "bad 1~canvas-token-0123456789 token"}', "400 Bad"))
    with pytest.raises(exceptions.CanvasBadRequest) as caught:
        list(client.outcome_results(7))
    assert "canvas-token" not in str(caught.value) + repr(caught.value.exchanges)
    assert caught.value.said == "bad [redacted] token"
