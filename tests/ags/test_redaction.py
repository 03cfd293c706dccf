"""Secrets in a text, however they are written and however long both are."""

import copy
import html
import json
import pickle
import time
from dataclasses import asdict
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.ags.exchange import Failure
from django_lti_ags.ags.redaction import redacted
from django_lti_ags.ags.types import Score
from django_lti_ags.exceptions import ExchangeFailed
from tests.ags.scripted import answer

TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
WAYS = [
    str,
    str.swapcase,
    json.dumps,
    lambda text: json.dumps(text).replace("/", "\\/"),
    lambda text: "".join(f"\\u{ord(character):04X}" for character in text),
    lambda text: quote(text, safe=""),
    lambda text: quote(text, safe="").lower(),
    html.escape,
    lambda text: "".join(f"&#{ord(character):05};" for character in text),
    lambda text: "".join(f"&#X{ord(character):x};" for character in text),
]


@pytest.mark.parametrize("write", WAYS)
@given(TOKENS)
def test_a_secret_is_found_however_it_is_written(write, secret):
    shown = redacted(f" \t {write(secret)} \t ", [secret])
    assert "[redacted]" in shown
    assert shown.startswith(" \t ")
    assert shown.endswith(" \t ")
    assert len(shown) <= len(' \t "[redacted]" \t ') + shown.count("[redacted]") * 10


def test_json_within_json_is_looked_through():
    secret = "ab/cd+ef=="
    for text in (json.dumps(json.dumps({"saw": secret})), quote(quote(secret, safe=""), safe="")):
        assert "cd" not in redacted(text, [secret])


@given(st.text())
def test_what_holds_no_secret_stays(text):
    assert redacted(text, ["S3cr3t-t0ken"]) == text.replace("S3cr3t-t0ken", "[redacted]")
    assert redacted(text, [""]) == text


@pytest.mark.parametrize("text", ["-" * 65_536, "\\" * 65_536, "%2d" * 21_845, "&#" * 32_768, "&#00000002d" * 6000, "\\u002d" * 10_922])
@pytest.mark.parametrize("secret", ["-" * 8000 + "x", "-" * 8000, "x" + "-" * 8000, "%2d" * 2600])
def test_the_time_to_look_grows_with_the_lengths_alone(text, secret):
    begun = time.thread_time()
    redacted(text, [secret], cut_off=True)
    assert time.thread_time() - begun < 5  # with their product: minutes; linear: milliseconds


def score():
    return Score(user_id="u1", score_given=8, score_maximum=10, timestamp=datetime.now(UTC))


@pytest.mark.parametrize("token", ["-" * 1_000_000, "a" * 8193])
def test_a_token_of_any_length_costs_little(scripted, token):
    client, server = scripted(token=json.dumps({"access_token": token}).encode())
    begun = time.thread_time()
    with pytest.raises(ExchangeFailed) as caught:
        client.post_score(server.url, score())
    assert caught.value.exchange.failure is Failure.BAD_TOKEN_ANSWER
    assert token[:100] not in repr(caught.value.exchange)
    assert time.thread_time() - begun < 5


def test_a_long_token_and_long_answers_cost_little(world, scripted):
    headers = [f"X-{number}: {'-' * 60_000}" for number in range(10)]
    echo = answer(b"-" * 1_000_000, "400 Bad", headers)
    client, server = scripted("read", echo, token=json.dumps({"access_token": "-" * 8000 + "x"}).encode())
    begun = time.thread_time()
    with pytest.raises(ExchangeFailed):
        client.post_score(server.url, score())
    assert time.thread_time() - begun < 5
    assert len(world.seen[-1].body) <= 65_536
    assert sum(len(value) for value in world.seen[-1].headers.values()) <= 65_536


def test_an_id_that_holds_the_token_is_read_as_it_is(world, scripted):
    """The token's text is no secret of the platform's URLs; only what is kept is cleaned."""
    token = "tenantA-session"
    first = answer(
        b'[{"id": "http://x.example/tenantA-session/li/21", "label": "E", "scoreMaximum": 1}]', headers=[f"Link: </{token}/2>; rel=next"]
    )
    second = answer(b'[{"id": "http://x.example/tenantA-session/li/22", "label": "E", "scoreMaximum": 1}]')
    client, server = scripted("read", first, "read", second, token=json.dumps({"access_token": token}).encode())
    items = client.list_line_items(server.url + "/li")
    assert [item.id for item in items] == [f"http://x.example/{token}/li/{number}" for number in (21, 22)]
    assert server.requests[2].startswith(b"GET /tenantA-session/2 ")
    assert token not in repr(world.seen)
    assert "[redacted]" in world.seen[1].body


def test_a_result_url_that_holds_the_token_is_returned(world, scripted):
    client, server = scripted(token=b'{"access_token": "tenantA-session"}')
    url = f"{server.url}/tenantA-session/results/1"
    server._connections[0] += ["read", answer(json.dumps({"resultUrl": url}).encode())]
    receipt = client.post_score(server.url + "/tenantA-session/li", score())
    assert receipt.result_url == url
    assert "tenantA" not in repr(receipt.exchange)


def test_what_came_is_in_nothing_that_is_kept(world, script, transport):
    """Canaries: a record, its copies, its pickle, and what is observed and returned hold no answer as it came."""
    exchange = transport().send("results", "GET", script(["read", answer(b'"c4nary"', headers=["X: c4nary"])]).url, secrets=["c4nary"])
    assert exchange.json() == "c4nary"
    assert exchange.header("x") == "c4nary"
    told = [
        repr(exchange),
        exchange.summary(),
        repr(asdict(exchange)),
        repr(copy.deepcopy(exchange)),
        repr(pickle.loads(pickle.dumps(exchange))),
    ]
    assert "c4nary" not in "".join(told)
    assert b"c4nary" not in pickle.dumps(exchange)
    for kept in (exchange.recorded(), copy.deepcopy(exchange), pickle.loads(pickle.dumps(exchange))):
        assert kept.answer is None
        assert kept.json() == "[redacted]"
        assert kept == exchange
    world.client.post_score(world.url, score())
    receipt = world.client.post_score(world.url, score())
    world.platform.faults.add("status", kind="score", status=500, body="no")
    with pytest.raises(ExchangeFailed) as caught:
        world.client.post_score(world.url, score())
    for kept in (*world.seen, receipt.exchange, *caught.value.exchanges):
        assert kept.answer is None


def test_a_long_listing_is_read_whole(world, scripted):
    """The record keeps the beginning of a body; the call reads all of it."""
    body = json.dumps([{"userId": f"learner-{number:06}"} for number in range(10_000)]).encode()
    client, server = scripted("read", answer(body))
    assert len(client.list_results(server.url)) == 10_000
    assert len(world.seen[-1].body) == 65_536


def test_a_secret_at_the_end_of_what_is_kept_does_not_show_its_beginning(script, transport):
    secret = "s3cr3t-t0ken-0123456789"
    for offset in (65_526, 65_536 - len(secret), 65_530):
        body = b"x" * offset + secret.encode() + b"y" * 1000
        exchange = transport().send("score", "GET", script(["read", answer(body)]).url, secrets=[secret])
        assert exchange.ok
        assert "s3cr3t-t" not in repr(exchange)
