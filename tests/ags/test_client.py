"""The client against the simulated platform, and against answers that no platform should give."""

import json
import logging
import threading
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.client import Client
from django_lti_ags.ags.exchange import Failure
from django_lti_ags.ags.tokens import Credentials, MemoryTokenStore, Token
from django_lti_ags.ags.types import LineItem, Score
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, MissingScope, NotStarted
from django_lti_ags.testing.platforms import ALL_SCOPES, SimulatedPlatform, User
from tests.ags.conftest import answer
from tests.conftest import KEY_ID


@pytest.fixture
def world(tool_key, transport):
    """A platform with a course, a column and 25 learners, and a client of it."""
    with SimulatedPlatform(line_item_query="type_id=2") as platform:
        tool = platform.register_tool(client_id="quiz", public_jwks={"keys": [tool_key.jwk]})
        course = platform.add_course("c", users=[User(id=f"u{number}", login="", name="") for number in range(25)])
        link = platform.add_link(course, "Quiz", tool, score_maximum=10)

        class World:
            pass

        world = World()
        world.platform, world.course, world.item = platform, course, link.line_item
        world.url = platform.line_item_url(course, link.line_item)
        world.container = platform.gradebook.container_url(course)
        world.seen = []
        world.credentials = Credentials(platform.token_url, "quiz", tool_key.pem, KEY_ID)
        world.transport = transport()

        def client(**options):
            return Client(
                options.pop("credentials", world.credentials),
                scopes=options.pop("scopes", ALL_SCOPES),
                transport=world.transport,
                observe=world.seen.append,
                **options,
            )

        world.make, world.client = client, client()
        yield world


def score(user_id="u1", given=8, **more):
    return Score(user_id=user_id, score_given=given, score_maximum=10, timestamp=datetime.now(UTC), **more)


def test_a_score_is_posted_and_its_result_url_kept(world):
    receipt = world.client.post_score(world.url, score())
    assert receipt.result_url == world.url.replace("?", "/results/u1?")
    entry = world.platform.ledger.scores("u1")[0]
    assert (entry.path, entry.query) == ("/ags/c/lineitems/1/scores", "type_id=2")
    assert entry.headers["content-type"] == vocabulary.MEDIA_SCORE
    assert [(exchange.kind, exchange.status) for exchange in world.seen] == [("token", 200), ("score", 200)]


def test_the_body_on_the_wire_is_compact(world, script, tool_key):
    server = script(["read", answer(json.dumps({"access_token": "abc", "expires_in": 60}).encode()), "read", answer(b"")])
    client = world.make(credentials=replace(world.credentials, token_url=server.url + "/token"))
    client.post_score(server.url + "/li", score(comment="line\nbreak"))
    body = server.requests[1].partition(b"\r\n\r\n")[2]
    assert b"\n" not in body
    assert b'": ' not in body


def test_line_items_from_beginning_to_end(world):
    made = world.client.create_line_item(world.container, LineItem(label="Essay", score_maximum=20, resource_id="e7", tag="t"))
    assert world.client.get_line_item(made.id) == made
    changed = world.client.replace_line_item(made.id, replace(made, label="Essay 2", tag=None))
    assert (changed.label, changed.tag) == ("Essay 2", None)
    assert [item.label for item in world.client.list_line_items(world.container, resource_id="e7")] == ["Essay 2"]
    assert world.client.list_line_items(world.container, tag="t") == []
    assert [item.id for item in world.client.list_line_items(world.container, resource_link_id=world.item.resource_link_id)] == [world.url]
    world.client.delete_line_item(made.id)
    with pytest.raises(ExchangeFailed, match="404"):
        world.client.get_line_item(made.id)


def test_all_pages_are_read(world):
    for number in range(25):
        world.client.create_line_item(world.container, LineItem(label=f"L{number}", score_maximum=1))
        world.client.post_score(world.url, score(f"u{number}", number / 10))
    assert len(world.client.list_line_items(world.container)) == 26
    assert len(world.client.list_line_items(world.container, limit=7)) == 26
    assert len(world.client.list_results(world.url)) == 25
    assert len(world.client.list_results(world.url, limit=3)) == 25
    [result] = world.client.list_results(world.url, user_id="u7")
    assert (result.user_id, result.result_score, result.result_maximum) == ("u7", 0.7, 10)
    assert world.client.get_result(result.id) == result


def test_the_user_filter_is_checked_again(world, script):
    everybody = [{"userId": "a", "resultScore": 1}, {"userId": "A", "resultScore": 2}]
    server = script(["read", answer(b'{"access_token":"a-token"}'), "read", answer(json.dumps(everybody).encode())])
    client = world.make(credentials=replace(world.credentials, token_url=server.url))
    assert [result.result_score for result in client.list_results(server.url + "/li", user_id="A")] == [2.0]


def test_one_result_may_come_as_a_list_or_not_at_all(world, script):
    answers = [b'[{"userId":"a"}]', b"[]", b'{"userId":"b"}']
    steps = [step for body in answers for step in ("read", answer(body))]
    server = script(["read", answer(b'{"access_token":"a-token"}'), *steps])
    client = world.make(credentials=replace(world.credentials, token_url=server.url))
    found = [client.get_result(server.url + "/r") for _ in answers]
    assert [result and result.user_id for result in found] == ["a", None, "b"]


@pytest.mark.parametrize(
    ("body", "link", "told"),
    [
        (b"<html>", "", "AGS 2.0"),
        (b'{"a":1}', "", "array"),
        (b"[1]", "", "object"),
        (b"[" * 100_000, "", "AGS 2.0"),
        (b"[]", '<https://evil.example/p>; rel="next"', "another origin"),
        (b"[]", '<?page=1>; rel="next"', "circle"),
    ],
)
def test_an_answer_that_is_no_container_is_refused(world, script, body, link, told):
    page = answer(body, headers=[f"Link: {link}"] if link else [])
    server = script(["read", answer(b'{"access_token":"a-token"}'), "read", page, "read", page])
    client = world.make(credentials=replace(world.credentials, token_url=server.url))
    with pytest.raises(InvalidAnswer, match=told):
        client.list_results(server.url + "/li?page=1")
    assert all(b"evil" not in request for request in server.requests)


def test_pages_without_end_are_ended(world, script, monkeypatch):
    monkeypatch.setattr("django_lti_ags.ags.client._MOST_PAGES", 3)
    pages = [step for number in range(5) for step in ("read", answer(b"[]", headers=[f'Link: <?p={number}>; rel="next"']))]
    server = script(["read", answer(b'{"access_token":"a-token"}'), *pages])
    client = world.make(credentials=replace(world.credentials, token_url=server.url))
    with pytest.raises(InvalidAnswer, match="more than 3 pages"):
        client.list_results(server.url + "/li")


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


def test_nothing_is_started_too_late(world):
    with pytest.raises(NotStarted):
        world.client.post_score(world.url, score(), start_by=time.monotonic() - 1)
    assert world.platform.ledger.of("score") == []
    world.client.post_score(world.url, score(), start_by=time.monotonic() + 60)


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


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_key_that_is_none_is_refused_without_showing_it(pem):
    with pytest.raises(ValueError, match="PEM private key"):
        Credentials("https://x.example", "c", pem, "k")
    with pytest.raises(ValueError, match="RSA"):
        Credentials("https://x.example", "c", None, "k")


def test_no_secret_is_in_any_record_error_or_log(world, tool_key, caplog):
    caplog.set_level(logging.DEBUG)
    store = MemoryTokenStore()
    client = world.make(token_store=store)
    client.post_score(world.url, score())
    token = store.get(world.credentials.token_key(ALL_SCOPES)).access_token
    world.platform.faults.add("status", kind="score", status=500, body=f"you sent {token}")
    with pytest.raises(ExchangeFailed) as caught:
        client.post_score(world.url, score())
    told = "".join(
        [*traceback.format_exception(caught.value), caplog.text, repr(world.seen), repr(client), repr(world.credentials), repr(store)]
    )
    told += repr(vars(client)) + repr(store._tokens)
    for secret in (token, "eyJ", tool_key.pem.splitlines()[1]):
        assert secret not in told


@pytest.fixture
def scripted(world, script):
    """A client, and a scripted server that gives it a token first."""

    def start(*steps, token=b'{"access_token":"a-token"}', token_headers=(), **options):
        server = script(["read", answer(token, headers=token_headers), *steps])
        client = world.make(credentials=replace(world.credentials, token_url=server.url + "/token"), **options)
        return client, server

    return start


def test_the_next_page_elsewhere_gets_neither_request_nor_token(world, script, scripted):
    elsewhere = script(["read", answer(b"[]")])
    client, _ = scripted("read", answer(b"[]", headers=[f'Link: <{elsewhere.url}/p2>; rel="next"']))
    with pytest.raises(InvalidAnswer, match="another origin"):
        client.list_line_items(world.container.replace(world.platform.issuer, _.url))
    assert elsewhere.requests == []


def test_a_circle_of_two_pages_ends(scripted):
    pages = [answer(b"[]", headers=[f"Link: <?page={number}>; rel=next"]) for number in (2, 1, 2)]
    client, server = scripted(*[step for page in pages for step in ("read", page)])
    with pytest.raises(InvalidAnswer, match="circle") as caught:
        client.list_results(server.url + "/li?page=1")
    assert [exchange.kind for exchange in caught.value.exchanges] == ["token", "results", "results"]
    assert len(server.requests) == 3


def test_filters_and_limits_are_added_to_the_query(scripted):
    client, server = scripted(*["read", answer(b"[]")] * 2)
    client.list_line_items(server.url + "/items?type_id=2", resource_link_id="a&b", resource_id="r 1", tag="ü", limit=7)
    client.list_results(server.url + "/items/1?type_id=2", user_id="a=b", limit=3)
    assert server.requests[1].startswith(b"GET /items?type_id=2&resource_link_id=a%26b&resource_id=r+1&tag=%C3%BC&limit=7 HTTP/1.1\r\n")
    assert f"\r\nAccept: {vocabulary.MEDIA_LINE_ITEM_CONTAINER}\r\n".encode() in server.requests[1]
    assert server.requests[2].startswith(b"GET /items/1/results?type_id=2&user_id=a%3Db&limit=3 HTTP/1.1\r\n")
    assert f"\r\nAccept: {vocabulary.MEDIA_RESULT_CONTAINER}\r\n".encode() in server.requests[2]


def test_each_write_as_it_is_on_the_wire(scripted):
    item = answer(b'{"id":"https://lms.example/1","label":"L","scoreMaximum":5}')
    client, server = scripted("read", item, "read", item, "read", answer(b"", "204 No Content"), "read", answer(b"", "201 Created"))
    client.create_line_item(server.url + "/items", LineItem(label="L", score_maximum=5))
    client.replace_line_item(server.url + "/items/1", LineItem(label="L", score_maximum=5))
    client.delete_line_item(server.url + "/items/1")
    receipt = client.post_score(server.url + "/items/1?a=1&b=/x", score())
    token, create, change, delete, post = server.requests
    assert token.startswith(b"POST /token HTTP/1.1\r\n")
    for request, line in ((create, b"POST /items "), (change, b"PUT /items/1 ")):
        assert request.startswith(line)
        assert request.endswith((b'\r\n\r\n{"label":"L","scoreMaximum":5}', b'\r\n\r\n{"scoreMaximum":5,"label":"L"}'))
        assert f"\r\nContent-Type: {vocabulary.MEDIA_LINE_ITEM}\r\n".encode() in request
    assert delete.startswith(b"DELETE /items/1 ")
    assert post.startswith(b"POST /items/1/scores?a=1&b=/x HTTP/1.1\r\n")
    assert all(request.count(b"\r\nAuthorization: Bearer a-token\r\n") == 1 for request in server.requests[1:])
    body = post.partition(b"\r\n\r\n")[2]
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in post
    assert body == json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()
    assert (receipt.exchange.status, receipt.result_url) == (201, None)


@pytest.mark.parametrize("told", ["https://evil.example/r", 7, "no url"])
def test_a_result_url_elsewhere_is_not_kept(scripted, told):
    client, server = scripted("read", answer(json.dumps({"resultUrl": told}).encode()))
    assert client.post_score(server.url + "/li", score()).result_url is None


@pytest.mark.parametrize("body", [b"<html>login</html>", b'{"label": ', b"", b"[]", b"7", b'"x"', b"\xff\xfe"])
@pytest.mark.parametrize("call", ["get_line_item", "get_result"])
def test_an_answer_that_is_no_object_is_refused(scripted, body, call):
    client, server = scripted("read", answer(body))
    if (call, body) == ("get_result", b"[]"):
        assert client.get_result(server.url) is None
        return
    with pytest.raises(InvalidAnswer, match=r"AGS 2\.0") as caught:
        getattr(client, call)(server.url)
    assert caught.value.exchange.status == 200
    assert caught.value.problem


def told_by(error, client, seen):
    """Everything that an error, its chain, a client and its records can show."""
    chain = []
    while error is not None:
        chain.append(error)
        error = error.__cause__ or error.__context__
    shown = [text for one in chain for text in (str(one), repr(one), repr(vars(one)), *traceback.format_exception(one))]
    return "".join(shown) + repr(client) + repr(seen)


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


CANARY = "c4nary/t0ken+x=="


@pytest.mark.parametrize("written", [CANARY, CANARY.replace("/", "\\/"), CANARY.replace("+", "\\u002b"), CANARY.replace("c", "\\u0063")])
@pytest.mark.parametrize("headers", [[], [f"X-Token: {CANARY}", f"Link: <https://x/{CANARY}>"]])
def test_no_way_to_write_a_token_gets_it_into_a_record(world, scripted, written, headers):
    token = f'{{"access_token":"{written}","refresh_token":"r3fresh","id_token":"1dent","again":["{written}"]}}'.encode()
    echoes = [CANARY, CANARY.replace("/", "\\/"), CANARY.replace("+", "\\u002B"), "c4nary%2ft0ken%2bx%3D%3D", "c4nary&#x2F;t0ken&#43;x=="]
    echo = answer(" ".join(echoes).encode(), f"500 Broken {CANARY}", headers)
    client, server = scripted("read", echo, token=token, token_headers=headers)
    with pytest.raises(ExchangeFailed) as caught:
        client.post_score(server.url, score())
    assert b"Bearer " + CANARY.encode() in server.requests[1]
    told = told_by(caught.value, client, world.seen)
    assert "access_token" in told
    for secret in ("c4nary", "t0ken", "r3fresh", "1dent", "eyJ", "u0063"):
        assert secret not in told


@pytest.mark.parametrize("cut", ["short", "long"])
def test_a_token_answer_that_is_cut_off_shows_no_token(world, script, cut):
    body = b'{"access_token":"c4nary-t0ken","pad":"' + b"x" * 40_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"
    server = script(["read", head + body[:40]] if cut == "short" else ["read", head + body, "read"])
    world.transport._max_body_bytes = 20_000
    client = world.make(credentials=replace(world.credentials, token_url=server.url))
    with pytest.raises(ExchangeFailed) as caught:
        client.post_score(world.url, score())
    assert caught.value.exchange.failure is (Failure.NO_ANSWER if cut == "short" else Failure.TOO_LARGE)
    assert "c4nary" not in told_by(caught.value, client, world.seen)


@pytest.mark.parametrize("status", ["400 Bad", "401 Unauthorized", "302 Found"])
def test_an_assertion_that_is_echoed_is_in_no_record(world, status):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(int(status[:3]), body.decode()[:3000])
            self.send_header("X-Echo", body.decode())
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        client = world.make(credentials=replace(world.credentials, token_url=f"http://127.0.0.1:{server.server_port}/token"))
        with pytest.raises(ExchangeFailed) as caught:
            client.post_score(world.url, score())
        thread.join()
    told = told_by(caught.value, client, world.seen)
    assert "client_assertion=[redacted]" in told
    assert "eyJ" not in told
