"""What answers mean: the verdict table of strict AGS 2.0."""

from datetime import UTC, datetime

import pytest

from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.times import retry_after_seconds
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.profiles.answers import clock_skew_seconds
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.verdict import Disposition, Reach

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def exchange(status=None, failure=None, kind="score", sent=True, **more):
    return Exchange(kind=kind, method="POST", url="https://l.example/x", status=status, failure=failure, sent=sent, started_at=NOW, **more)


@pytest.mark.parametrize(
    ("status", "code", "disposition", "reach"),
    [
        (200, "delivered", "delivered", "score"),
        (204, "delivered", "delivered", "score"),
        (302, "redirected", "rejected", "line_item"),
        (400, "score_refused", "rejected", "score"),
        (401, "unauthorised", "rejected", "registration"),
        (402, "score_refused", "rejected", "score"),
        (403, "forbidden", "rejected", "line_item"),
        (404, "line_item_gone", "rejected", "line_item"),
        (408, "throttled", "retry", "service"),
        (409, "conflict", "ambiguous", "score"),
        (410, "line_item_gone", "rejected", "line_item"),
        (412, "score_refused", "rejected", "score"),
        (422, "score_refused", "rejected", "score"),
        (429, "throttled", "retry", "service"),
        (500, "server_error", "retry", "score"),
        (502, "gateway_error", "ambiguous", "score"),
        (503, "throttled", "retry", "service"),
        (504, "gateway_error", "ambiguous", "score"),
    ],
)
def test_statuses(status, code, disposition, reach):
    verdict = Profile().judge(exchange(status))
    assert (verdict.code, verdict.disposition, verdict.reach) == (code, disposition, reach)
    assert verdict.advice


@pytest.mark.parametrize(
    ("failure", "sent", "status", "code", "disposition"),
    [
        (Failure.DNS, False, None, "unreachable", Disposition.RETRY),
        (Failure.CONNECT, False, None, "unreachable", Disposition.RETRY),
        (Failure.TLS, False, None, "unreachable", Disposition.RETRY),
        (Failure.NO_ANSWER, True, None, "no_answer", Disposition.AMBIGUOUS),
        (Failure.ADDRESS_REFUSED, False, None, "address_refused", Disposition.REJECTED),
        (Failure.BAD_URL, False, None, "bad_address", Disposition.REJECTED),
        (Failure.TOO_LARGE, True, 200, "answer_unreadable", Disposition.AMBIGUOUS),
        (Failure.TOO_LARGE, True, 422, "score_refused", Disposition.REJECTED),
    ],
)
def test_failures(failure, sent, status, code, disposition):
    verdict = Profile().judge(exchange(status, failure, sent=sent, detail="why"))
    assert (verdict.code, verdict.disposition) == (code, disposition)
    assert verdict.advice


@pytest.mark.parametrize(
    ("status", "failure", "code", "reach"),
    [
        (400, None, "client_refused", Reach.REGISTRATION),
        (401, None, "client_refused", Reach.REGISTRATION),
        (500, None, "server_error", Reach.SERVICE),
        (429, None, "throttled", Reach.SERVICE),
        (200, Failure.BAD_TOKEN_ANSWER, "token_unusable", Reach.REGISTRATION),
        (200, Failure.SCOPE_NOT_GRANTED, "scope_refused", Reach.REGISTRATION),
        (200, Failure.TOO_LARGE, "token_unusable", Reach.REGISTRATION),
        (None, Failure.ADDRESS_REFUSED, "token_address_refused", Reach.REGISTRATION),
        (None, Failure.BAD_URL, "token_address_refused", Reach.REGISTRATION),
        (None, Failure.NO_ANSWER, "unreachable", Reach.SERVICE),
        (None, Failure.CONNECT, "unreachable", Reach.SERVICE),
    ],
)
def test_no_token_is_never_the_scores_fault(status, failure, code, reach):
    verdict = Profile().judge(exchange(status, failure, kind="token"))
    assert (verdict.code, verdict.reach) == (code, reach)
    assert verdict.advice


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "Sun, 01 Mar 2026 12:02:00 GMT", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, 120),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, 0),
    ],
)
def test_retry_after_in_seconds_and_dates(headers, seconds):
    assert retry_after_seconds(exchange(429, headers=headers)) == seconds


def test_a_date_without_a_clock_is_counted_from_ours():
    assert retry_after_seconds(exchange(429, headers={"retry-after": "Sun, 01 Mar 2020 12:00:00 GMT"})) == 0


def test_the_platforms_clock():
    assert clock_skew_seconds({"date": "Sun, 01 Mar 2026 12:00:05 GMT"}, NOW) == 5
    assert clock_skew_seconds({"date": "Sun, 01 Mar 2026 12:00:05 -0000"}, NOW) == 5
    assert clock_skew_seconds({}, NOW) is None


def test_every_sentence_of_advice_is_one():
    assert all(sentence.endswith(".") and sentence[0].isupper() for sentence in ADVICE.values())
