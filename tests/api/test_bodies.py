"""Bodies without a length, and bodies that do not arrive: chunks, HTTP/2, and clients that hang up."""

from __future__ import annotations

import io
import json
import logging

import pytest
from django.core.handlers.asgi import ASGIRequest

from django_lti_ags.api.bodies import MOST_BYTES
from django_lti_ags.api.one_line_item import LineItemView
from django_lti_ags.models import Score
from tests.api.conftest import encoded

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.urls")]
SCORE = json.dumps(
    {"userId": "u1", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 8, "scoreMaximum": 10}
).encode()


class BrokenOff(io.BytesIO):
    """What a server gives when the client is gone."""

    def read(self, *size):
        raise OSError("the client is gone")


def without_length(tool, body, **environ):
    return tool.item(
        "POST",
        body=b"",
        scores=True,
        **{
            "CONTENT_LENGTH": "",
            "CONTENT_TYPE": "application/json",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": body if isinstance(body, io.BytesIO) else io.BytesIO(body),
        }
        | environ,
    )


def under_asgi(tool, body):
    path = f"/lti/api/lineitems/{encoded(tool.column)}/scores"
    headers = {"authorization": tool.header, "content-type": "application/json"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/lti/api/lineitems/{tool.column}/scores",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    return LineItemView.as_view()(ASGIRequest(scope, io.BytesIO(body)), id=f"{tool.column}/scores").render()


def test_a_server_that_tells_where_it_ends(tool):
    assert without_length(tool, SCORE, **{"wsgi.input_terminated": True}).status_code == 204
    assert Score.objects.get().score_given == 8
    too_long = without_length(tool, b" " * (MOST_BYTES + 1), **{"wsgi.input_terminated": True})
    assert (too_long.status_code, too_long.data["details"]["message"]) == (413, "BODY_TOO_LARGE")
    nothing = without_length(tool, b"", **{"wsgi.input_terminated": True})
    assert (nothing.status_code, nothing.data["details"]["message"]) == (400, "INVALID_SCORE")


def test_a_server_that_does_not(tool):
    answer = without_length(tool, SCORE)
    assert (answer.status_code, answer.data["details"]["message"]) == (411, "LENGTH_REQUIRED")
    assert not Score.objects.exists()


def test_a_server_of_asgi_has_read_it_already(tool):
    """HTTP/2 needs no length, and has no chunks."""
    assert under_asgi(tool, SCORE).status_code == 204
    assert Score.objects.get().score_given == 8
    assert b"INVALID_SCORE" in under_asgi(tool, b"").content


@pytest.mark.parametrize("environ", [{"CONTENT_LENGTH": "100", "HTTP_TRANSFER_ENCODING": ""}, {"wsgi.input_terminated": True}])
def test_one_that_breaks_off_is_no_fault_of_ours(tool, caplog, environ):
    with caplog.at_level(logging.ERROR):
        answer = without_length(tool, BrokenOff(), **environ)
    assert (answer.status_code, answer.data["details"]["message"]) == (400, "INCOMPLETE_BODY")
    assert caplog.records == []


def test_what_is_not_possible_says_what_is(tool):
    assert tool.item("PUT", body={}, scores=True)["Allow"] == "GET, HEAD, POST"
    assert tool.item("POST", body={})["Allow"] == "GET, HEAD, PUT, DELETE"
