"""A launch for a tool in another language: verified here, handed over to its own address, or refused."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from django_lti_ags import launches
from django_lti_ags.launch import HandOverView, lti_urls
from django_lti_ags.models import ApiLaunch
from django_lti_ags.models.identity import digest


class Both(HandOverView):
    def launched_here(self, request, launch):
        return HttpResponse(f"here: {launch.user_id}")


urlpatterns = [path("lti/", include(lti_urls(HandOverView))), path("both/", include((lti_urls(Both), "both")))]
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.launch.test_handing_over")]


def test_the_browser_is_sent_on_with_a_secret_of_which_only_a_hash_is_kept(desk):
    registration = desk.campus.registration
    registration.tool_url = "https://tool.example/start?school=7&ltiks=1"
    registration.save()
    answer = desk.launch(Client())
    assert (answer.status_code, answer["Referrer-Policy"]) == (302, "no-referrer")
    place, query = answer["Location"].split("?")
    (ltik,) = parse_qs(query).pop("ltik")
    assert (place, query) == ("https://tool.example/start", f"school=7&ltiks=1&ltik={ltik}")
    assert len(ltik) == 43, "256 random bits"
    kept = launches.find(ltik)
    assert (kept.user_id, kept.ltik_hash) == ("u1", digest(ltik))
    assert ltik not in str(ApiLaunch.objects.values().get())
    assert round((kept.expires_at - kept.created_at).total_seconds()) == 24 * 3600
    assert str(kept.user_id) not in str(kept)


def test_a_registration_without_a_tool_is_answered_here_or_refused(desk):
    answer = desk.launch(Client())
    assert answer.status_code == 400
    assert b"--launches-to" in answer.content
    assert not ApiLaunch.objects.exists()
    desk.campus.tool.redirect_uris = ["http://testserver/both/launch/"]
    begun = desk.begin(client := Client(), "/both/login/")
    answer = client.post("/both/launch/", {"state": begun.state, "id_token": desk.token(begun.nonce)})
    assert answer.content == b"here: u1"


def test_what_a_platform_says_oddly_is_left_out(desk):
    desk.campus.registration.tool_url = "https://tool.example/"
    desk.campus.registration.save()
    prefix = "https://purl.imsglobal.org/spec/lti/claim/"
    odd = {
        prefix + "launch_presentation": {"locale": "de", "document_target": "iframe", "width": "wide", "height": 400, "return_url": 7},
        prefix + "custom": {"a": "\ud800"},
        "email": ["a@b.example"],
        "given_name": "A\x00",
    }
    location = desk.launch(Client(), **odd)["Location"]
    told = launches.find(parse_qs(urlsplit(location).query)["ltik"][0]).told
    assert told["user"] == {"id": "u1", "roles": told["user"]["roles"], "name": "User 1"}
    assert told["launch"]["presentation"] == {
        "locale": "de",
        "document_target": "iframe",
        "documentTarget": "iframe",
        "height": 400,
    }
    assert told["launch"]["custom"] == {}


def test_a_courses_service_key_stays_the_same_and_is_nobody_elses(desk):
    first, _ = launches.keep(desk.campus.claims())
    second, _ = launches.keep(desk.campus.claims() | {"sub": "u2"})
    other, _ = launches.keep(
        desk.campus.claims() | {prefix: {"id": "c2"} for prefix in ["https://purl.imsglobal.org/spec/lti/claim/context"]}
    )
    key = launches.service_key(first.context)
    assert launches.service_key(second.context) == key != launches.service_key(other.context)
    assert launches.context_of(key) == first.context
    for wrong in ("", key[:-1], key.swapcase(), "é", "x" * 500):
        assert launches.context_of(wrong) is None
        assert launches.find(wrong) is None
    assert key not in str(vars(first.context.service_key))


def test_where_the_site_wraps_requests_in_transactions(desk, monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    desk.campus.registration.tool_url = "https://t.example/"
    desk.campus.registration.save()
    assert desk.launch(Client()).status_code == 302
