"""No token, key or assertion gets into a record, an error or a log."""

import json
import logging
import threading
import traceback
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from django_lti_ags.ags.exchange import Failure
from django_lti_ags.ags.tokens import Credentials, MemoryTokenStore
from django_lti_ags.ags.types import Score
from django_lti_ags.exceptions import ExchangeFailed
from django_lti_ags.testing.platforms import ALL_SCOPES
from tests.ags.scripted import answer


def score(user_id="u1", given=8, **more):
    return Score(user_id=user_id, score_given=given, score_maximum=10, timestamp=datetime.now(UTC), **more)


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


def told_by(error, client, seen):
    """Everything that an error, its chain, a client and its records can show."""
    chain = []
    while error is not None:
        chain.append(error)
        error = error.__cause__ or error.__context__
    shown = [text for one in chain for text in (str(one), repr(one), repr(vars(one)), *traceback.format_exception(one))]
    return "".join(shown) + repr(client) + repr(seen)


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


TOKEN = '"access_token": "c4nary/t0ken-0123456789+="'


@pytest.mark.parametrize("status", ["200 OK", "400 Bad", "401 Unauthorized", "302 Found", "500 c4nary0123456789t0ken"])
@pytest.mark.parametrize(
    "body",
    [
        f'{{{TOKEN}, "error": "odd"}}',
        f'{{"data": {{{TOKEN}, "refresh_token": "c4nary2"}}, "error": "odd"}}',
        f'{{{TOKEN}, "Refresh_Token": "c4nary2", "ID_TOKEN": "c4nary3", "error": "odd"}}',
        f'{{"errors": [{{"message": "odd", {TOKEN}}}], {TOKEN}}}',
        '{"access_token": 5, "error": "odd", "error_description": "access_token=c4nary"}',
        '{"error": "odd", "message": "you had c4nary0123456789t0ken-c4nary"}',
        f"[{{{TOKEN}}}]",
        "odd&access_token=c4nary&refresh_token=c4nary",
        "<p>odd: c4nary0123456789t0kenc4nary</p>",
        f"odd {{{TOKEN}",
    ],
)
def test_no_answer_of_a_token_endpoint_gets_a_token_into_a_record(world, scripted, status, body):
    headers = ["X-Access-Token: c4nary", "Location: https://x.example/cb?code=c4nary#access_token=c4nary", "Retry-After: 7"]
    server = scripted(token=b"")[1]
    server._connections[0][1:] = [answer(body.encode(), status, headers), "read", answer(b"", "204 No Content")]
    client = world.make(credentials=replace(world.credentials, token_url=server.url + "/token"))
    told = ""
    try:
        client.post_score(server.url, score())
    except ExchangeFailed as problem:
        told = told_by(problem, client, world.seen)
        assert world.seen[0].headers["retry-after"] == "7"
        assert world.seen[0].headers["location"] == "https://x.example/cb"
        assert "odd" in told or status == "200 OK" or body.startswith("[")
    told += repr(world.seen)
    for secret in ("c4nary", "t0ken"):
        assert secret not in told


@pytest.mark.parametrize("part", [1, 2])
def test_a_part_of_the_assertion_is_in_no_record(world, part):
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from urllib.parse import parse_qs

    sent = []

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            sent.append(form["client_assertion"][0].split(".")[part])
            self.send_response(400)
            self.end_headers()
            self.wfile.write(f"<p>odd: {sent[0]}".encode())

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
    assert "odd: [redacted]" in told
    assert sent[0][:12] not in told
    assert sent[0][-12:] not in told


def test_a_refusals_words_are_kept(world, scripted):
    said = {
        "error": "invalid_scope",
        "error_description": "Scope https://x.example/scope/score is not granted",
        "error_uri": "https://x.example/e",
    }
    server = scripted(token=b"")[1]
    server._connections[0][1:] = [answer(json.dumps(said | {"trace": "internal"}).encode(), "400 Bad Request")]
    with pytest.raises(ExchangeFailed) as caught:
        world.make(credentials=replace(world.credentials, token_url=server.url)).post_score(server.url, score())
    assert caught.value.exchange.json() == said
    assert "invalid_scope" in str(caught.value)
