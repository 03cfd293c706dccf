"""Columns, as a tool lists, makes, changes and deletes them."""

import pytest

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms import SimulatedPlatform
from tests.testing.conftest import Plain

ITEM, CONTAINER = vocabulary.MEDIA_LINE_ITEM, vocabulary.MEDIA_LINE_ITEM_CONTAINER


def make(plain, token=None, **changed):
    wanted = {name: value for name, value in ({"label": "E", "scoreMaximum": 5} | changed).items() if value is not None}
    return plain.call("POST", plain.container, wanted, media=ITEM, token=token)


def refusal(answer):
    return answer.status_code, answer.json()["error"]


def labels(plain, query="", **options):
    return [item["label"] for item in plain.call("GET", plain.container + query, **options).json()]


def test_a_links_own_column_is_listed(plain):
    answer = plain.call("GET", plain.container, accept=CONTAINER)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, CONTAINER)
    assert answer.json() == [{"id": plain.item, "label": "Quiz", "scoreMaximum": 10, "resourceLinkId": plain.link.id}]
    assert plain.platform.ledger.of("line_item", method="GET", applied=False, client_id="quiz", status=200)


def test_what_is_made_is_kept_whole(plain):
    sent = {
        "label": "E",
        "scoreMaximum": 5,
        "resourceLinkId": plain.link.id,
        "resourceId": "r",
        "tag": "t",
        "startDateTime": "2026-01-01T00:00:00Z",
        "gradesReleased": False,
        "https://tool.example/more": {"a": 1},
    }
    answer = make(plain, **sent)
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, ITEM)
    url = answer.json()["id"]
    assert url.startswith(plain.container + "/")
    shown = plain.call("GET", url, accept=ITEM)
    assert shown.headers["Content-Type"] == ITEM
    assert shown.json() == sent | {"id": url}
    [entry] = plain.platform.ledger.of("line_item", method="POST")
    assert (entry.applied, entry.status, entry.body) == (True, 201, sent)


@pytest.mark.parametrize("moment", [None, "", " ", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123+01:00"])
def test_dates_may_be_unset(plain, moment):
    body = {"label": "E", "scoreMaximum": 5, "startDateTime": moment, "endDateTime": moment, "submissionReview": {"reviewableStatus": []}}
    answer = plain.call("POST", plain.container, body, media=ITEM)
    assert (answer.status_code, answer.json()["startDateTime"]) == (201, moment)


def test_two_of_the_same_are_two(plain):
    assert make(plain).json()["id"] != make(plain).json()["id"]


def test_replacing_forgets_what_is_left_out(plain):
    url = make(plain, tag="t", resourceId="r", endDateTime="2026-01-01T00:00:00Z").json()["id"]
    answer = plain.call("PUT", url, {"label": "F", "scoreMaximum": 6.5}, media=ITEM)
    assert (answer.status_code, answer.json()) == (200, {"id": url, "label": "F", "scoreMaximum": 6.5})
    assert plain.call("GET", url).json() == answer.json()


def test_a_columns_link_stays(plain):
    moved = {"label": "Quiz", "scoreMaximum": 10, "resourceLinkId": "other"}
    assert refusal(plain.call("PUT", plain.item, moved, media=ITEM)) == (400, "resourceLinkId must not change")
    kept = moved | {"resourceLinkId": plain.link.id, "id": plain.item}
    assert plain.call("PUT", plain.item, kept, media=ITEM).status_code == 200
    assert refusal(plain.call("PUT", plain.item, kept | {"id": "x"}, media=ITEM)) == (400, "id must not change")


def test_deleting(plain):
    answer = plain.call("DELETE", plain.item)
    assert (answer.status_code, answer.content) == (204, b"")
    assert labels(plain) == []
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/results")):
        assert refusal(plain.call(method, plain.item + path)) == (404, "no such line item")
    assert [entry.applied for entry in plain.platform.ledger.of("line_item", method="DELETE")] == [True, False]


def test_filters_narrow_together(plain):
    for label, tag, resource in (("A", "t", "r"), ("B", "t", "s"), ("C", "u", "r"), ("D", None, None)):
        make(plain, label=label, tag=tag, resourceId=resource)
    assert labels(plain, "?tag=t") == ["A", "B"]
    assert labels(plain, "?resource_id=r") == ["A", "C"]
    assert labels(plain, "?tag=t&resource_id=r") == ["A"]
    assert labels(plain, f"?resource_link_id={plain.link.id}") == ["Quiz"]
    assert labels(plain, f"?resource_link_id={plain.link.id}&tag=t") == []
    assert labels(plain, "?tag=") == []


def test_pages_follow_one_another_and_keep_the_filter(plain):
    token = plain.token()
    for number in range(7):
        make(plain, label=f"L{number}", tag="a b&c", token=token)
    url, pages = plain.container + "?tag=a+b%26c&limit=3", []
    while url:
        answer = plain.call("GET", url, token=token)
        pages.append([item["label"] for item in answer.json()])
        url = answer.links.get("next", {}).get("url")
    assert pages == [["L0", "L1", "L2"], ["L3", "L4", "L5"], ["L6"]]
    assert "Link" not in plain.call("GET", plain.container + "?limit=8").headers


@pytest.mark.parametrize("query", ["limit=x", "from=x", "limit=", "from=-1", "limit=0", "limit=-1"])
def test_bad_pages(plain, query):
    assert plain.call("GET", f"{plain.container}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"label": None}, 400, "label must not be blank"),
        ({"label": " "}, 400, "label must not be blank"),
        ({"label": 1}, 400, "label must not be blank"),
        ({"scoreMaximum": None}, 400, "scoreMaximum"),
        ({"scoreMaximum": 0}, 400, "scoreMaximum"),
        ({"scoreMaximum": -1}, 400, "scoreMaximum"),
        ({"scoreMaximum": "5"}, 400, "scoreMaximum"),
        ({"scoreMaximum": True}, 400, "scoreMaximum"),
        ({"resourceLinkId": "foreign"}, 404, "no such resource link"),
        ({"resourceLinkId": []}, 400, "resourceLinkId must be text"),
        ({"resourceId": 7}, 400, "resourceId must be text"),
        ({"tag": {}}, 400, "tag must be text"),
        ({"startDateTime": "garbage"}, 400, "startDateTime must be ISO 8601"),
        ({"startDateTime": 5}, 400, "startDateTime must be ISO 8601"),
        ({"endDateTime": "2026-01-01T00:00:00"}, 400, "endDateTime must be ISO 8601"),
        ({"endDateTime": "2026-01-01"}, 400, "endDateTime must be ISO 8601"),
        ({"gradesReleased": "yes"}, 400, "gradesReleased must be true or false"),
        ({"gradesReleased": 1}, 400, "gradesReleased must be true or false"),
        ({"submissionReview": 7}, 400, "submissionReview must be an object"),
        ({"maximum": 1, "name": "x"}, 400, "unknown fields: maximum, name"),
    ],
)
def test_bad_columns(plain, changed, status, words):
    answer = refusal(make(plain, **changed))
    assert answer[0] == status
    assert words in answer[1]
    assert len(plain.course.line_items) == 1
    assert plain.platform.ledger.of("line_item", applied=True) == []


@pytest.mark.parametrize(
    "data", ["", "x", "[]", '"text"', "1", '{"label": "E", "scoreMaximum": Infinity}', '{"label": "E", "scoreMaximum": 1e999}']
)
def test_bad_bodies(plain, data):
    assert plain.call("POST", plain.container, data=data, media=ITEM).status_code == 400
    assert len(plain.course.line_items) == 1


def test_media_types(plain):
    body = {"label": "E", "scoreMaximum": 5}
    for method, url in (("POST", plain.container), ("PUT", plain.item)):
        assert refusal(plain.call(method, url, body, media="application/json")) == (415, f"Content-Type must be {ITEM}")
    assert plain.call("POST", plain.container, body, media=ITEM + "; charset=utf-8").status_code == 201
    assert refusal(plain.call("GET", plain.container, accept=ITEM + ", */*")) == (406, f"Accept must be {CONTAINER}")
    assert refusal(plain.call("GET", plain.item, accept=CONTAINER.replace("container", "x"))) == (406, f"Accept must be {ITEM}")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (CONTAINER, 200),
        (CONTAINER.upper(), 200),
        (f"text/html;q=0.9, {CONTAINER} ; q=0.5", 200),
        (f"{CONTAINER};charset=utf-8", 200),
        (f"{CONTAINER};charset=utf-8;q=0", 406),
        (f"{CONTAINER};q=0", 406),
        (f"{CONTAINER}; Q=0.000, application/json", 406),
        (f"{CONTAINER};q=x", 406),
        (f"x{CONTAINER}", 406),
        (f"{CONTAINER}x", 406),
    ],
)
def test_what_is_accepted(plain, accept, status):
    assert plain.call("GET", plain.container, accept=accept).status_code == status


def test_another_tools_columns_and_links_are_out_of_reach(plain, tool_key):
    other = plain.platform.register_tool(client_id="other", public_jwks={"keys": [tool_key.jwk]})
    link = plain.platform.add_link(plain.course, "Theirs", other)
    url = plain.platform.line_item_url(plain.course, link.line_item)
    assert labels(plain) == ["Quiz"]
    for method in ("GET", "DELETE"):
        assert refusal(plain.call(method, url)) == (403, "another tool's line item")
    assert refusal(make(plain, resourceLinkId=link.id)) == (404, "no such resource link")


def test_places_that_are_not_there(plain):
    assert refusal(plain.call("GET", plain.container.replace("/c/", "/x/"))) == (404, "no such course")
    assert refusal(plain.call("GET", plain.container.replace("/c/", "/x/") + "/1")) == (404, "no such course")
    assert refusal(plain.call("GET", plain.container + "/99")) == (404, "no such line item")
    assert refusal(plain.call("PUT", plain.container)) == (405, "no such method here")


def test_a_link_without_a_column(plain):
    link = plain.platform.add_link(plain.course, "Reading", plain.tool, score_maximum=None)
    assert link.line_item is None
    assert labels(plain) == ["Quiz"]
    assert make(plain, resourceLinkId=link.id).json()["resourceLinkId"] == link.id


def test_a_query_belongs_to_each_columns_url(tool_key):
    with SimulatedPlatform(line_item_query="type_id=2") as platform:
        plain = Plain(platform, tool_key)
        url = make(plain).json()["id"]
        assert url.endswith("?type_id=2")
        assert plain.call("GET", url).status_code == 200
        for query in ("", "?type_id=25", "?my_type_id=2", "?type_id=", "?other=type_id%3D2"):
            assert refusal(plain.call("GET", url.partition("?")[0] + query)) == (400, "the URL lost its query type_id=2")
        assert plain.call("GET", url.partition("?")[0] + "?a=1&type_id=2&b=").status_code == 200
        plain.session.close()
