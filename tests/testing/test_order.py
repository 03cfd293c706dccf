"""Many threads at once: the ledger tells what happened in the order in which it happened."""

import itertools
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from django_lti_ags.ags import vocabulary

THREADS = 6


@pytest.fixture(autouse=True)
def _often_another_thread():
    """Threads change between any two steps, as on a busy machine."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def at_once(work):
    """Run ``work(number, session)`` in several threads; its results."""
    together = threading.Barrier(THREADS)

    def run(number):
        with requests.Session() as session:
            session.trust_env = False
            together.wait(10)
            return work(number, session)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def headers(plain, media=None):
    return {"Authorization": f"Bearer {plain.token()}", "Accept": None} | ({"Content-Type": media} if media else {})


def test_applied_scores_stand_in_the_order_of_their_application(plain):
    count, sent = itertools.count(), headers(plain, vocabulary.MEDIA_SCORE)

    def work(number, session):
        for _ in range(40):
            stamp = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=next(count))
            body = {"userId": "u1", "activityProgress": "Completed", "gradingProgress": "FullyGraded"}
            body["timestamp"] = stamp.isoformat(timespec="microseconds")
            session.post(plain.item + "/scores", data=json.dumps(body), headers=sent, timeout=20)

    at_once(work)
    applied = plain.platform.ledger.scores("u1")
    stamps = [entry.body["timestamp"] for entry in applied]
    assert stamps == sorted(set(stamps))
    assert [entry.sequence for entry in plain.platform.ledger.entries] == list(range(1, len(plain.platform.ledger.entries) + 1))
    assert plain.link.line_item.scores["u1"].timestamp == datetime.fromisoformat(stamps[-1])


def test_an_applied_change_is_written_down_before_the_next_is_made(plain, monkeypatch):
    """The same without luck: the first score's entry is held up until the second has come as far as it can."""
    ledger, token = plain.platform.ledger, plain.token()
    append, second = ledger.append, []

    def slow(self, **values):
        if values["kind"] == "score" and not second:
            second.append(threading.Thread(target=plain_post, args=(plain, token, "2026-01-01T00:00:02.0Z")))
            second[0].start()
            second[0].join(0.5)
        append(**values)

    monkeypatch.setattr(type(ledger), "append", slow)
    plain_post(plain, token, "2026-01-01T00:00:01.0Z")
    second[0].join(10)
    assert [entry.body["timestamp"][17:19] for entry in ledger.scores("u1")] == ["01", "02"]


def plain_post(plain, token, stamp):
    body = {"userId": "u1", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "timestamp": stamp}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": vocabulary.MEDIA_SCORE}
    with requests.Session() as session:
        session.trust_env = False
        session.post(plain.item + "/scores", json=body, headers=headers, timeout=20)


def test_listing_while_columns_are_made(plain):
    reading, making = headers(plain), headers(plain, vocabulary.MEDIA_LINE_ITEM)

    def work(number, session):
        if number % 2:
            return {session.get(plain.container, headers=reading, timeout=20).status_code for _ in range(30)}
        body = json.dumps({"label": "E", "scoreMaximum": 5})
        return {session.post(plain.container, data=body, headers=making, timeout=20).status_code for _ in range(30)}

    assert at_once(work) == [{201}, {200}] * (THREADS // 2)


def test_of_deletions_at_once_one_does_it(plain):
    sent = headers(plain)
    statuses = at_once(lambda number, session: session.delete(plain.item, headers=sent, timeout=20).status_code)
    assert sorted(statuses) == [204] + [404] * (THREADS - 1)
    assert [entry.applied for entry in plain.platform.ledger.of("line_item")].count(True) == 1
