"""What a path means, by what servers tell of it."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from django_lti_ags.api.addressing import Address, address
from django_lti_ags.api.errors import ApiError
from tests.api.conftest import encoded

PLAIN, ODD = "https://x.example/li/1", "https://x.example/a%2Fb//c/scores?d=/scores&e=%3F"


def told(raw, decoded, *, asgi=False):
    request = RequestFactory().get("/", **({} if asgi else {"REQUEST_URI": raw}))
    if asgi:
        request.scope = {"raw_path": raw.partition("?")[0].encode()}
    return address(request, decoded)


@pytest.mark.parametrize("asgi", [False, True])
@pytest.mark.parametrize("url", [PLAIN, ODD, PLAIN + "/scores", PLAIN + "/"])
def test_as_it_came(url, asgi):
    for raw in (f"/lti/api/lineitems/{encoded(url)}", f"https://proxy.example/lti/api/lineitems/{encoded(url)}?limit=/scores"):
        assert told(raw, "whatever", asgi=asgi) == Address(url, of_scores=False)
    assert told(f"/lti/api/lineitems/{encoded(url)}/scores?x=1", "whatever", asgi=asgi) == Address(url, of_scores=True)


@pytest.mark.parametrize("raw", ["", "/elsewhere", "/lti/api/lineitems/https://x.example/li/1", "/lti/api/lineitems//scores"])
def test_as_it_was_decoded(raw):
    assert told(raw, PLAIN) == Address(PLAIN, of_scores=False)
    assert told(raw, PLAIN + "/scores") == Address(PLAIN, of_scores=True, otherwise=PLAIN + "/scores")
    assert told(raw, ODD + "/scores") == Address(ODD, of_scores=True, otherwise=ODD + "/scores")
    merged = PLAIN.replace("//", "/")
    assert told(raw, merged + "/scores") == Address(PLAIN, of_scores=True, otherwise=PLAIN + "/scores")


@pytest.mark.parametrize("segment", ["", "x", "%", "%2", "%zz", "%FF", "https%3A%2F%2Fx.example%2F%25%25", "https%3A%2F%2F%00"])
def test_what_no_client_encodes_so(segment):
    with pytest.raises(ApiError) as caught:
        told(f"/lti/api/lineitems/{segment}", "%zz")
    assert (caught.value.status_code, caught.value.message) == (400, "INVALID_LINE_ITEM_ID")
    assert caught.value.more["errors"][0]["field"] == "id"
