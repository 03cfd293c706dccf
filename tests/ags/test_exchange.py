"""The record of one request."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.ags.exchange import Exchange, Failure


def exchange(**fields):
    return Exchange(**({"kind": "score", "method": "POST", "url": "https://lms.example/1", "started_at": datetime.now(UTC)} | fields))


@pytest.mark.parametrize(
    ("status", "failure", "ok"),
    [
        (200, None, True),
        (204, None, True),
        (299, None, True),
        (199, None, False),
        (300, None, False),
        (None, None, False),
        (200, Failure.TOO_LARGE, False),
        (None, Failure.DNS, False),
    ],
)
def test_only_a_whole_2xx_is_a_success(status, failure, ok):
    assert exchange(status=status, failure=failure).ok is ok


def test_an_exchange_says_first_that_nothing_went_out():
    assert exchange().sent is False


def test_the_body_as_json():
    assert exchange(body='{"a":[1]}').json() == {"a": [1]}
    for body in ("", "<html>", "{"):
        with pytest.raises(ValueError):
            exchange(body=body).json()


@pytest.mark.parametrize(
    ("fields", "summary"),
    [
        ({"status": 200, "reason": "OK", "body": "grade"}, "POST https://lms.example/1 → 200 OK"),
        ({"status": 422, "reason": "No", "body": "the\r\n  score"}, "POST https://lms.example/1 → 422 No the score"),
        ({"failure": Failure.CONNECT, "detail": "refused"}, "POST https://lms.example/1 → connect refused"),
        ({"status": 200, "failure": Failure.TOO_LARGE, "body": "xxx"}, "POST https://lms.example/1 → 200 too_large"),
        ({}, "POST https://lms.example/1 →"),
    ],
)
def test_the_summary(fields, summary):
    assert exchange(**fields).summary() == summary


@given(st.text(), st.text(max_size=500), st.none() | st.sampled_from(Failure), st.none() | st.integers(100, 599))
def test_a_summary_is_one_short_line(reason, body, failure, status):
    summary = exchange(reason=reason, body=body, failure=failure, status=status).summary()
    assert len(summary) <= 300
    assert len(summary.splitlines()) == 1
