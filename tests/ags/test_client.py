"""The client against the simulated platform, and against answers that no platform should give."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.client import Client
from django_lti_ags.ags.types import LineItem, Score
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, NotStarted
from django_lti_ags.testing.platforms import ALL_SCOPES
from tests.ags.scripted import answer


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


def test_canvas_columns_are_changed_in_part_and_asked_for_their_launch(world, script):
    body = b'{"id":"x","label":"L","scoreMaximum":1,"https://canvas.instructure.com/lti/launch_url":"https://l.example"}'
    server = script(["read", answer(b'{"access_token":"a-token"}'), "read", answer(body), "read", answer(body)])
    client = world.make(credentials=replace(world.credentials, token_url=server.url))
    client.change_line_item(server.url + "/li", {"label": "L"})
    told = client.get_line_item(server.url + "/li", include=["launch_url"])
    assert server.requests[1].endswith(b'\r\n\r\n{"label":"L"}')
    assert server.requests[2].startswith(b"GET /li?include%5B%5D=launch_url ")
    assert told.extensions["https://canvas.instructure.com/lti/launch_url"] == "https://l.example"


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
    monkeypatch.setattr("django_lti_ags.ags.asking._MOST_PAGES", 3)
    pages = [step for number in range(5) for step in ("read", answer(b"[]", headers=[f'Link: <?p={number}>; rel="next"']))]
    server = script(["read", answer(b'{"access_token":"a-token"}'), *pages])
    client = world.make(credentials=replace(world.credentials, token_url=server.url))
    with pytest.raises(InvalidAnswer, match="more than 3 pages"):
        client.list_results(server.url + "/li")


def test_nothing_is_started_too_late(world):
    with pytest.raises(NotStarted):
        world.client.post_score(world.url, score(), start_by=time.monotonic() - 1)
    assert world.platform.ledger.of("score") == []
    world.client.post_score(world.url, score(), start_by=time.monotonic() + 60)


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


def test_a_client_closes_the_transport_that_is_its_own(world):
    with world.make() as client:
        client.post_score(world.url, score())
    assert len(world.transport._pool._idle) == 1  # shared: whoever made it closes it
    with Client(world.credentials, scopes=ALL_SCOPES) as own:
        own._wire.transport.send("score", "GET", "http://127.0.0.1:9/")
        thread = own._wire.transport._watchdog._thread
        assert thread is not None
    assert not thread.is_alive()


def endless(body=b"[]", seconds=0.0, count=50):
    pages = (answer(body, headers=[f"Link: <?p={number}>; rel=next"]) for number in range(count))
    return [step for page in pages for step in ("read", seconds, page)]


def test_a_listing_as_a_whole_has_a_deadline(world, scripted):
    world.transport.deadline_seconds = 0.5
    client, server = scripted(*endless(seconds=0.4))
    world.transport.deadline_seconds = 0.5
    begun = time.monotonic()
    with pytest.raises(InvalidAnswer, match="no end within 5 s"):
        client.list_results(server.url)
    assert time.monotonic() - begun < 10


def test_a_listing_as_a_whole_has_a_size(world, scripted, monkeypatch):
    monkeypatch.setattr("django_lti_ags.ags.asking.Asking.most_bytes", 2_500_000)
    client, server = scripted(*endless(b"[]" + b" " * 999_998))
    with pytest.raises(InvalidAnswer, match="more than 2500000 bytes") as caught:
        client.list_results(server.url)
    assert [len(exchange.body) < 100 for exchange in caught.value.exchanges] == [True, True, True, False]
    assert len(server.requests) == 4
