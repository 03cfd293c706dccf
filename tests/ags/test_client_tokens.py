"""How the client obtains, renews and replaces its token."""

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.exchange import Failure
from django_lti_ags.ags.tokens import MemoryTokenStore, Token
from django_lti_ags.ags.types import Score
from django_lti_ags.exceptions import ExchangeFailed, MissingScope, NotStarted
from django_lti_ags.testing.platforms import ALL_SCOPES
from tests.ags.scripted import answer
from tests.conftest import KEY_ID


def score(user_id="u1", given=8, **more):
    return Score(user_id=user_id, score_given=given, score_maximum=10, timestamp=datetime.now(UTC), **more)


def test_a_revoked_token_is_replaced_once(world):
    world.client.post_score(world.url, score())
    world.platform.desk.revoke_all()
    world.client.post_score(world.url, score())
    assert [entry.status for entry in world.platform.ledger.of("score")] == [200, 401, 200]
    world.platform.faults.add("status", kind="score", status=401, body="{}")
    with pytest.raises(ExchangeFailed) as caught:
        world.client.post_score(world.url, score())
    assert [(exchange.kind, exchange.status) for exchange in caught.value.exchanges] == [("score", 401), ("token", 200), ("score", 401)]
    assert caught.value.exchange.kind == "score"


def test_what_was_not_granted_is_not_tried(world):
    client = world.make(scopes=[vocabulary.SCOPE_SCORE, "https://other.example/scope"])
    with pytest.raises(MissingScope) as caught:
        client.list_results(world.url)
    assert caught.value.scope == vocabulary.SCOPE_RESULT_READONLY
    assert world.seen == []
    with pytest.raises(MissingScope):
        world.make(scopes=[vocabulary.SCOPE_LINE_ITEM_READONLY]).delete_line_item(world.url)
    assert world.make(scopes=[vocabulary.SCOPE_LINE_ITEM_READONLY]).get_line_item(world.url).label == "Quiz"


def test_a_token_with_less_than_was_asked_for_is_not_used(world):
    world.platform.desk.cut_scopes = True
    world.platform.tools["quiz"].scopes = [vocabulary.SCOPE_SCORE]
    client = world.make()
    client.post_score(world.url, score())
    for _ in range(2):
        with pytest.raises(ExchangeFailed) as caught:
            client.list_results(world.url)
        assert caught.value.exchange.failure is Failure.SCOPE_NOT_GRANTED
    assert world.platform.ledger.of("results") == []
    world.platform.tools["quiz"].scopes = ALL_SCOPES
    client.post_score(world.url, score("u2"))
    assert len(client.list_results(world.url)) == 2


def test_an_old_token_without_the_scope_is_replaced_by_one_that_has_it(world):
    store = MemoryTokenStore()
    client = world.make(token_store=store)
    store.set(world.credentials.token_key(ALL_SCOPES), Token("old", frozenset(), time.time() + 99))
    client.post_score(world.url, score())
    assert world.platform.ledger.of("score")[0].status == 200


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (body, Failure.BAD_TOKEN_ANSWER)
        for body in (b"<html>maintenance", b"[]", b'{"access_token": ""}', b'{"access_token": "a\\nb"}', b'{"access_token": 7}')
    ],
)
def test_a_token_answer_without_a_token(world, body, failure):
    world.platform.faults.add("status", kind="token", status=200, body=body.decode())
    with pytest.raises(ExchangeFailed) as caught:
        world.client.post_score(world.url, score())
    assert caught.value.exchange.failure is failure
    assert "not kept" in caught.value.exchange.body


def test_a_token_that_is_refused(world):
    world.platform.tools.clear()
    with pytest.raises(ExchangeFailed) as caught:
        world.client.post_score(world.url, score())
    assert (caught.value.exchange.kind, caught.value.exchange.status) == ("token", 401)
    assert world.platform.ledger.of("score") == []


@pytest.mark.parametrize(
    ("expires_in", "alive_after"), [("null", 200), ('"soon"', 200), ("-5", 200), ("3600", 3000), ('"3600"', 3000), ("10", 5)]
)
def test_a_token_is_renewed_before_it_ends(world, script, expires_in, alive_after):
    token = answer(b'{"access_token":"a-token","expires_in":%s}' % expires_in.encode())
    server = script(["read", token, "read", answer(b""), "read", answer(b""), "read", token, "read", answer(b"")])
    now = [1_000_000.0]
    client = world.make(credentials=replace(world.credentials, token_url=server.url), clock=lambda: now[0])
    client.post_score(server.url + "/li", score())
    now[0] += alive_after
    client.post_score(server.url + "/li", score())
    now[0] += 3600
    client.post_score(server.url + "/li", score())
    assert [b"client_assertion" in request for request in server.requests] == [True, False, False, True, False]


def test_many_threads_fetch_one_token(world):
    world.platform.faults.add("slow", kind="token", count=1, seconds=0.2)
    client, problems = world.make(), []

    def post(number):
        try:
            client.post_score(world.url, score(f"u{number}"))
        except ExchangeFailed as problem:
            problems.append(problem)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(world.platform.ledger.of("token")) == 1


def test_tenants_share_no_token(world):
    keys = {
        replace(world.credentials, **changed).token_key(scopes)
        for changed in ({}, {"client_id": "other"}, {"token_url": "https://x.example/t"}, {"audience": "https://a.example"})
        for scopes in (ALL_SCOPES, ALL_SCOPES[:1])
    }
    assert len(keys) == 8
    assert world.credentials.token_key(reversed(ALL_SCOPES)) == world.credentials.token_key(ALL_SCOPES)


def test_the_assertion_is_what_platforms_check(world, tool_key):
    import jwt

    token = replace(world.credentials, audience="https://aud.example").assertion(1000.7)
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}
    claims = jwt.decode(
        token, tool_key.private.public_key(), algorithms=["RS256"], audience="https://aud.example", options={"verify_exp": False}
    )
    assert claims.pop("jti")
    assert claims == {"iss": "quiz", "sub": "quiz", "aud": "https://aud.example", "iat": 995, "exp": 1295}


def test_the_token_endpoint_is_down(world, script):
    server = script()
    server.stop()
    client = world.make(credentials=replace(world.credentials, token_url=server.url))
    with pytest.raises(ExchangeFailed) as caught:
        client.post_score(world.url, score())
    assert [(exchange.kind, exchange.failure, exchange.sent) for exchange in caught.value.exchanges] == [("token", Failure.CONNECT, False)]
    assert len(world.seen) == 1
    assert world.platform.ledger.of("score") == []


def test_the_token_endpoint_is_down_when_a_token_was_refused(world):
    world.client.post_score(world.url, score())
    world.platform.desk.revoke_all()
    world.platform.faults.add("down", kind="token")
    with pytest.raises(ExchangeFailed) as caught:
        world.client.post_score(world.url, score())
    assert [(exchange.kind, exchange.status) for exchange in caught.value.exchanges] == [("score", 401), ("token", None)]
    assert world.platform.ledger.of("score")[-1].status == 401


def test_the_token_endpoint_is_down_when_a_stored_token_lacks_the_scope(world):
    store = MemoryTokenStore()
    client = world.make(token_store=store)
    store.set(world.credentials.token_key(ALL_SCOPES), Token("old", frozenset(), time.time() + 99))
    world.platform.faults.add("down", kind="token")
    with pytest.raises(ExchangeFailed) as caught:
        client.post_score(world.url, score())
    assert [exchange.kind for exchange in caught.value.exchanges] == ["token"]


def test_a_token_without_the_scope_that_another_thread_put_back(world):
    """Between the refusal and the new request another thread may have stored such a token again."""
    narrow = Token("narrow", frozenset({vocabulary.SCOPE_LINE_ITEM}), time.time() + 99)

    class Contended(MemoryTokenStore):
        def delete(self, key, token):
            self.set(key, narrow)

    store = Contended()
    store.set(world.credentials.token_key(ALL_SCOPES), narrow)
    client = world.make(token_store=store)
    with pytest.raises(ExchangeFailed) as caught:
        client.post_score(world.url, score())
    assert caught.value.exchange.failure is Failure.SCOPE_NOT_GRANTED
    assert world.platform.ledger.of("score") == []


def test_a_new_token_after_a_401_that_lacks_the_scope(scripted):
    narrow = answer(json.dumps({"access_token": "b-token", "scope": vocabulary.SCOPE_LINE_ITEM}).encode())
    client, server = scripted("read", answer(b"", "401 Unauthorized"), "read", narrow)
    with pytest.raises(ExchangeFailed) as caught:
        client.post_score(server.url, score())
    assert [(exchange.kind, exchange.status) for exchange in caught.value.exchanges] == [("token", 200), ("score", 401), ("token", 200)]
    assert caught.value.exchange.failure is Failure.SCOPE_NOT_GRANTED
    assert vocabulary.SCOPE_LINE_ITEM in str(caught.value)


def test_the_time_to_start_passes_while_a_token_is_fetched(world):
    world.platform.faults.add("slow", kind="token", count=1, seconds=0.4)
    with pytest.raises(NotStarted):
        world.client.post_score(world.url, score(), start_by=time.monotonic() + 0.2)
    assert world.platform.ledger.of("score") == []


def test_the_time_to_start_passes_between_a_401_and_its_repetition(scripted):
    refused = answer(b"", "401 Unauthorized")
    client, server = scripted("read", 0.4, refused, "read", answer(b'{"access_token":"b-token"}'), "read", answer())
    with pytest.raises(NotStarted):
        client.post_score(server.url, score(), start_by=time.monotonic() + 0.3)
    assert sum(b"/scores" in request for request in server.requests) == 1


@pytest.mark.parametrize("token", [b"[" * 100_000, b'{"a":' * 100_000])
def test_a_token_answer_too_deep_to_read(scripted, token):
    client, server = scripted(token=token)
    with pytest.raises(ExchangeFailed) as caught:
        client.post_score(server.url, score())
    assert caught.value.exchange.failure is Failure.BAD_TOKEN_ANSWER


def test_a_dead_token_endpoint_is_asked_once_by_many_threads(world, script):
    """Eight scores wait for it: one request, one deadline, and those that may not start so late do not."""
    server = script(["read", 30])
    world.transport.deadline_seconds = 1
    client = world.make(credentials=replace(world.credentials, token_url=server.url))
    found, begun = [], time.monotonic()

    def post(number):
        start_by = time.monotonic() + 0.4 if number % 2 else None
        try:
            client.post_score(world.url, score(f"u{number}"), start_by=start_by)
        except (ExchangeFailed, NotStarted) as problem:
            found.append((number % 2, type(problem).__name__, time.monotonic() - begun))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(8)]
    threads[0].start()
    while not server.requests:
        threads[0].join(0.01)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((late, name) for late, name, _ in found) == [(0, "ExchangeFailed")] * 4 + [(1, "NotStarted")] * 4
    assert max(seconds for *_, seconds in found) < 4
    assert len(server.requests) == 1
    assert [(exchange.kind, exchange.failure) for exchange in world.seen] == [("token", Failure.NO_ANSWER)] * 4


def test_a_byte_order_mark_before_a_token(scripted):
    client, server = scripted("read", answer(b"\xef\xbb\xbf[]"), token=b"\xef\xbb\xbf" + b'{"access_token":"a-token"}')
    assert client.list_results(server.url) == []
