"""Tokens of a developer key: fetched when needed, renewed, dropped when refused; secrets nowhere."""

import threading
import time

import pytest

from django_lti_ags.ags.token_stores import MemoryTokenStore
from django_lti_ags.canvas import Client, DeveloperKeyToken, UserToken
from django_lti_ags.exceptions import CanvasThrottled, CanvasTokenRefused, ExchangeFailed, InvalidCanvasArgument, NotStarted
from django_lti_ags.testing.platforms import Effect
from tests.ags.scripted import answer


@pytest.fixture
def key(school):
    school.secret, school.refresh = school.rest.register_key("100")
    return DeveloperKeyToken("100", school.secret, school.refresh)


def kinds(school):
    return [exchange.kind for exchange in school.seen]


def test_one_token_is_enough(school, key):
    client = school.make(key)
    assert len(list(client.outcome_results(7))) == 4
    list(client.outcome_results(7))
    assert kinds(school) == ["token", "outcome_results", "outcome_results"]


def test_a_revoked_token_is_fetched_anew_once(school, key):
    client = school.make(key)
    list(client.outcome_results(7))
    school.rest.revoke_tokens()
    list(client.outcome_results(7))
    assert kinds(school)[2:] == ["outcome_results", "token", "outcome_results"]
    school.platform.faults.add(Effect.STATUS, kind="outcome_results", status=401, body='{"errors":[{"message":"Invalid access token."}]}')
    del school.seen[:]
    with pytest.raises(CanvasTokenRefused):
        list(client.outcome_results(7))
    assert kinds(school) == ["outcome_results", "token", "outcome_results"]


def test_a_refusal_for_another_reason_costs_no_token(school, key):
    client = school.make(key)
    body = '{"status":"unauthorized","errors":[{"message":"user not authorized to perform that action"}]}'
    school.platform.faults.add(Effect.STATUS, kind="outcome_results", status=401, body=body)
    with pytest.raises(ExchangeFailed):
        list(client.outcome_results(7))
    assert kinds(school) == ["token", "outcome_results"]


def test_it_is_renewed_before_it_ends(school):
    secret, refresh = school.rest.register_key("100", lifetime_seconds=3600)
    now = [1_000.0]
    client = school.make(DeveloperKeyToken("100", secret, refresh, clock=lambda: now[0]))
    list(client.outcome_results(7))
    now[0] += 3500
    list(client.outcome_results(7))
    now[0] += 41
    list(client.outcome_results(7))
    assert kinds(school).count("token") == 2


def test_many_threads_fetch_one(school, key):
    client, found = school.make(key), []
    threads = [threading.Thread(target=lambda: found.append(len(list(client.outcome_results(7))))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [4] * 6
    assert kinds(school).count("token") == 1


def test_a_late_refusal_of_an_old_token_does_not_cost_the_new_one(school, key):
    client = school.make(key)
    list(client.outcome_results(7))
    assert key.refused("an older one") is True
    list(client.outcome_results(7))
    assert kinds(school).count("token") == 1


@pytest.mark.parametrize(
    ("changed", "quoted"),
    [
        ({"client_id": "101"}, "invalid client"),
        ({"client_secret": "x" * 30}, "invalid client"),
        ({"refresh_token": "y"}, "refresh_token not found"),
    ],
)
def test_a_key_that_is_no_longer_good(school, key, changed, quoted):
    right = {"client_id": "100", "client_secret": school.secret, "refresh_token": school.refresh}
    with pytest.raises(CanvasTokenRefused, match="authorise the tool again") as caught:
        list(school.make(DeveloperKeyToken(**(right | changed))).outcome_results(7))
    assert caught.value.said == quoted
    assert kinds(school) == ["token"]


def test_secrets_are_nowhere(school, key):
    list(school.make(key).outcome_results(7))
    shown = repr(school.seen) + repr(school.platform.ledger.entries) + repr(key) + repr(UserToken(school.token))
    assert school.secret not in shown
    assert school.refresh not in shown
    assert school.token not in shown
    assert key._store.get(key._key()).access_token not in shown
    assert "client_id=100" in school.seen[0].request_body


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer(b"403 Forbidden (Rate Limit Exceeded)", "403 Forbidden"), CanvasThrottled),
        (answer(b"{}", "429 Too Many"), CanvasThrottled),
        (answer(b"{}", "500 Oops"), ExchangeFailed),
        (answer(b"{}"), ExchangeFailed),
        (answer(b"<html>", "302 Found"), ExchangeFailed),
    ],
)
def test_a_token_endpoint_that_gives_none(script, transport, reply, error):
    server = script(["read", reply])
    with pytest.raises(ExchangeFailed) as caught:
        list(Client(server.url, DeveloperKeyToken("1", "secret", "refresh"), transport=transport).outcome_results(7))
    assert type(caught.value) is error
    assert len(server.requests) == 1
    assert server.requests[0].startswith(b"POST /login/oauth2/token ")


def test_the_token_goes_only_to_its_canvas(school, key, script):
    elsewhere = script(["read", answer(b"{}")])
    school.platform.faults.add(Effect.STATUS, kind="outcome_results", status=302, headers=[("Location", elsewhere.url)])
    with pytest.raises(ExchangeFailed):
        list(school.make(key).outcome_results(7))
    assert elsewhere.requests == []


def test_a_key_is_of_one_canvas(school, key, script, transport):
    list(school.make(key).outcome_results(7))
    elsewhere = script(["read", answer(b"{}")])
    with pytest.raises(InvalidCanvasArgument, match="each Canvas needs its own"):
        list(Client(elsewhere.url, key, transport=transport).outcome_results(7))
    assert elsewhere.requests == []
    list(school.make(key).outcome_results(7))


def test_keys_that_share_a_store_share_their_token(school, key):
    store = MemoryTokenStore()
    for _ in range(2):
        list(school.make(DeveloperKeyToken("100", school.secret, school.refresh, store=store)).outcome_results(7))
    assert kinds(school) == ["token", "outcome_results", "outcome_results"]
    with pytest.raises(CanvasTokenRefused):
        list(school.make(DeveloperKeyToken("100", "x" * 30, school.refresh, store=store)).outcome_results(7))


def test_nothing_is_sent_after_the_time_to_start(school, key):
    for tokens in (key, UserToken(school.token)):
        late = Client(
            school.platform.base_url, tokens, transport=school.transport, observe=school.seen.append, start_by=time.monotonic() - 1
        )
        with pytest.raises(NotStarted):
            list(late.outcome_results(7))
    assert kinds(school) == []


def test_a_client_closes_the_transport_that_is_its_own(school):
    with Client("http://127.0.0.1:9", UserToken("1~abc")) as own, pytest.raises(ExchangeFailed):
        own.assign_outcome_order(7, [1])
    assert own._transport._watchdog._thread is None
    school.client.close()
    assert len(list(school.client.outcome_results(7))) == 4
