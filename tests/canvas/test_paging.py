"""Pages, in every form in which Canvas names them, and in forms in which it should not."""

import json
from types import SimpleNamespace

import pytest

from django_lti_ags.canvas.calls import RestCall
from django_lti_ags.exceptions import InvalidAnswer
from tests.ags.scripted import answer


def empty(link="", **meta):
    body = {"outcome_results": [], "assessments": []} | ({"meta": {"pagination": meta}} if meta else {})
    return answer(json.dumps(body).encode(), headers=[f"Link: {link}"] if link else [])


def test_results_by_the_link_header_and_lazily(school):
    listing = school.client.outcome_results(7, per_page=1)
    assert school.seen == []
    found = iter(listing)
    next(found)
    assert len(school.platform.ledger.of("outcome_results")) == 1
    assert [one.user for one in found] == ["2", "3", "4"]
    assert len(school.platform.ledger.of("outcome_results")) == 4
    assert [one.user for one in listing] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("page_links", [True, False])
def test_rollups_by_link_header_or_meta(school, page_links):
    school.rest.page_links = page_links
    pages = list(school.client.outcome_rollups(7, per_page=2, include=["users"], sort_by="student").pages())
    assert [len(page.items) for page in pages] == [3, 2, 1]  # paged by learner, one row per section
    assert [[user.id for user in page.linked.users] for page in pages] == [["2", "1"], ["3", "5"], ["4"]]
    assert {page.count for page in pages} == {5}
    queries = [entry.query for entry in school.platform.ledger.of("outcome_rollups")]
    assert all("sort_by=student" in query and query.count("include") == 1 for query in queries)


def test_the_header_counts_if_both_are_there(scripted):
    client, server = scripted("read", empty('<?page=2>; rel="next"', next="http://127.0.0.1:1/elsewhere"), "read", empty())
    assert list(client.outcome_results(7)) == []
    assert server.requests[1].startswith(b"GET /api/v1/courses/7/outcome_results?page=2 ")


@pytest.mark.parametrize("named", [{"next": None}, {"next": 7}, {"next": ["x"]}, {"last": "http://x"}])
def test_a_page_that_names_no_next_is_the_last(scripted, named):
    client, server = scripted("read", empty(**named), "read", empty())
    assert list(client.live_assessments(7)) == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (empty(next="http://evil.example/api"), "another origin"),
        (empty('<http://evil.example/api>; rel="next"'), "another origin"),
        (empty(next="/api/v1/courses/7/outcome_results?per_page=25"), "circle"),
        (empty(next="http://[::1/"), "cannot be used"),
        (empty(next="http://127.0.0.1 /x"), "cannot be used"),
        (answer(b"[]"), "JSON object"),
        (answer(b'{"outcome_results": null}'), "has no outcome_results"),
        (answer(b'{"outcome_results": {}}'), "JSON array"),
        (answer(b'{"outcome_results": [7]}'), "must be a JSON object"),
        (answer(b"<html>login</html>"), "Canvas' API documentation"),
        (answer(b"[" * 90_000), "Canvas' API documentation"),
    ],
)
def test_hostile_answers(scripted, page, told):
    client, server = scripted("read", page, "read", page)
    with pytest.raises(InvalidAnswer, match=told):
        list(client.outcome_results(7))
    assert all(b"evil" not in request for request in server.requests)


@pytest.mark.parametrize("meta", [b"7", b"[]", b'{"pagination":7}', b'{"pagination":{"count":true}}', b'{"pagination":{"count":"9"}}'])
def test_an_odd_meta_is_passed_over(scripted, meta):
    client, _ = scripted("read", answer(b'{"outcome_results":[],"linked":7,"meta":' + meta + b"}"))
    [page] = client.outcome_results(7).pages()
    assert (page.items, page.count) == ((), None)


def test_pages_without_end_are_ended(scripted, monkeypatch):
    monkeypatch.setattr("django_lti_ags.ags.asking._MOST_PAGES", 3)
    pages = [step for number in range(5) for step in ("read", empty(next=f"?page={number}"))]
    client, _ = scripted(*pages)
    with pytest.raises(InvalidAnswer, match="more than 3 pages"):
        list(client.outcome_results(7))


def test_who_reads_slowly_does_not_use_up_the_time_of_the_listing(school, monkeypatch):
    monkeypatch.setattr(RestCall, "deadlines", 0.01)
    now = [0.0]
    monkeypatch.setattr("django_lti_ags.ags.asking.time", SimpleNamespace(monotonic=lambda: now[0]))
    found = []
    for result in school.client.outcome_results(7, per_page=1):
        now[0] += 3600
        found.append(result.user)
    assert found == ["1", "2", "3", "4"]


def test_a_listing_that_canvas_takes_too_long_for_is_ended(school, monkeypatch):
    monkeypatch.setattr(RestCall, "deadlines", 0)
    with pytest.raises(InvalidAnswer, match="no end within 0 s"):
        list(school.client.outcome_results(7, per_page=1))
