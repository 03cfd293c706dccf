"""A client of LTIAAS drives the whole way: a launch over real sockets, its line item, a score, the worker, what the gradebook shows."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from django_lti_ags import api_keys
from django_lti_ags.sync.engine import deliver_due
from example_project.demo.surfer import Surfer
from tests.api.ltiaas import LtiaasClient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.urls")]


@pytest.fixture
def base_url(campus, live_server):
    """This site beside a tool whose own address has a query already."""
    site = live_server.url + "/lti"
    campus.tool.login_url = site + "/login/"
    campus.tool.redirect_uris = [site + "/launch/"]
    campus.tool.target_link_uri = site + "/launch/"
    campus.registration.tool_url = live_server.url + "/tool/?quiz=7#ignored"
    campus.registration.save()
    return site


def launched(campus, learner="u1"):
    """A learner's browser goes from the platform's page to the tool's; the ltik that arrives."""
    surfer = Surfer()
    page = surfer.get(campus.platform.launches.initiation_url(campus.course.users[learner], campus.course, campus.link))
    arrived = parse_qs(urlsplit(surfer.submit(page, page.forms[0]).text).query)
    assert set(arrived) == {"quiz", "ltik"}
    return arrived["ltik"][0]


def test_a_client_in_python(campus, base_url):
    _, key = api_keys.issue("Quiz", [campus.registration])
    client = LtiaasClient(base_url, key, ltik=launched(campus))
    launch = client.id_token()
    assert (launch["user"]["id"], launch["user"]["name"]) == ("u1", "User 1")
    assert launch["launch"]["target"] == base_url + "/launch/"
    assert launch["services"]["assignmentAndGrades"] == {
        "available": True,
        "lineItemId": campus.platform.line_item_url(campus.course, campus.link.line_item),
    }
    progress = {"activityProgress": "Completed", "gradingProgress": "FullyGraded"}
    client.submit_score(launch["services"]["assignmentAndGrades"]["lineItemId"], userId="u1", scoreGiven=8, **progress)
    line_item = client.create_line_item(label="Essay", scoreMaximum=20, resourceId="essay-7")
    assert [item["id"] for item in client.line_items(resourceId="essay-7")["lineItems"]] == [line_item["id"]]
    outside = LtiaasClient(base_url, key, service_key=launch["services"]["serviceKey"])
    outside.submit_score(line_item["id"], userId="u2", scoreGiven=17, scoreMaximum=20, comment="Well done", **progress)
    assert outside.scores(line_item["id"])["scores"] == []
    assert deliver_due().finished == 2
    assert campus.shown("u1") == 8
    (score,) = outside.scores(line_item["id"], userId="u2", limit=1)["scores"]
    assert score | {"userId": "u2", "scoreOf": line_item["id"], "resultScore": 17, "resultMaximum": 20, "comment": "Well done"} == score
    client.delete_line_item(line_item["id"])
    with pytest.raises(requests.HTTPError, match="404"):
        client.scores(line_item["id"] + "0")
