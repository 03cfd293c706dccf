"""What a path means, whichever server it came through."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from django_lti_ags.models import LineItem, Score
from tests.api.conftest import encoded, tool_at
from tests.servers.processes import ONLY_DECODED

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

SCORE = {"userId": "u1", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 8, "scoreMaximum": 10}
ODD = [
    "/1/scores",
    "/1/",
    "//1",
    "/1?next=/scores&d=e+f;~!'()*",
    "/1%2F2",
    "/%25",
    "/%C3%A9%20",
    "/lti/api/lineitems/1",
    "/a:b@c,$=",
]


def spellings(url: str) -> list[str]:
    """Ways to encode one id: JavaScript's, lower-case digits, every character."""
    hexed = "".join(f"%{byte:02X}" for byte in url.encode())
    return [encoded(url), quote(url, safe="").replace("%3A", "%3a").replace("%2F", "%2f").replace("%3F", "%3f"), hexed]


def renamed(moodle, url: str) -> LineItem:
    row = LineItem.objects.get(context=moodle.launch.context)
    row.url = url
    row.save()
    return row


def test_a_known_id_whatever_is_in_it(wire, moodle):
    for odd in ODD:
        row = renamed(moodle, moodle.container + odd)
        for number, spelled in enumerate(spellings(row.url)[: None if odd == ODD[0] else 1]):
            posted = wire.call("POST", f"lineitems/{spelled}/scores", SCORE | {"scoreGiven": number})
            assert posted.status == 204, (spelled, posted)
            assert Score.objects.get().score_given == number
            assert wire.call("POST", f"lineitems/{spelled}", {}).is_error(405), "it is a column"
        listed = wire.call("GET", f"sync/lineitems?lineItem={spelled}").data["lineItems"]
        assert [one["lineItem"] for one in listed] == [row.url]
    assert LineItem.objects.count() == 1


def test_an_unknown_id_that_ends_like_the_address_of_scores(server, wire, moodle):
    url = encoded(f"{moodle.container}/9/scores")
    answer = wire.call("POST", f"lineitems/{url}", {})
    if server.name in ONLY_DECODED:
        assert answer.is_error(400, "INVALID_SCORE"), "the address of scores, as the guide says"
    else:
        assert answer.is_error(405)
    assert wire.call("POST", f"lineitems/{url}/scores", {}).is_error(400, "INVALID_SCORE")


def test_an_id_that_is_none(server, wire):
    told = [
        "x",
        "%zz",
        "https%3A%2F%2Fx.example%2F%zz",
        "https%3A%2F%2Fx.example%2F%25zz",
        "https%3A%2F%2Fx.example%2F%00",
        "https%3A%2F%2Fx.example%2Fa%0Ab",
        "https%3A%2F%2Fx.example%2F%C3%A9",
        *([] if server.name in ONLY_DECODED else ["%FF", "https%3A%2F%2Fx.example%2F%FF"]),
    ]
    for segment in told:
        assert wire.call("GET", f"lineitems/{segment}").is_error(400, "INVALID_LINE_ITEM_ID"), segment
        assert wire.call("POST", f"lineitems/{segment}/scores", {}).is_error(400, "INVALID_LINE_ITEM_ID"), segment


def test_what_others_have_is_not_there(wire, moodle, make_campus):
    other = tool_at(make_campus(client_id="other"))
    for url in (other.column, f"{moodle.container}/../../course-2/lineitems/1", "https://x.example/1", moodle.container):
        item = f"lineitems/{encoded(url)}"
        for method, path, body in (("GET", item, None), ("GET", f"{item}/scores", None), ("POST", f"{item}/scores", SCORE)):
            assert wire.call(method, path, body).is_error(404, "UNKNOWN_LINE_ITEM"), (method, url)
    assert not Score.objects.exists()
    assert other.campus.platform.ledger.entries == []
