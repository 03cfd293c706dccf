"""The whole way over real sockets: a browser, a platform, the tool, its key set and a grade."""

from __future__ import annotations

import json
import sys
from importlib import reload
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from pylti1p3.exception import LtiException

import django_lti_ags.launch
from django_lti_ags import keys, scores
from django_lti_ags.launch.browser import PageRequest
from django_lti_ags.launch.configuration import RegistrationToolConf
from django_lti_ags.launch.validation import Login
from django_lti_ags.models import LineItem, Registration
from django_lti_ags.sync.engine import deliver_due
from example_project.demo.surfer import Surfer

pytestmark = pytest.mark.urls("tests.launch.urls")


@pytest.fixture
def tool_site(campus, live_server):
    """The tool on a port of its own, registered with its key set's URL."""
    site = live_server.url + "/lti/"
    campus.tool.login_url = site + "login/"
    campus.tool.redirect_uris = [site + "launch/"]
    campus.tool.target_link_uri = site + "launch/"
    campus.tool.jwks_url, campus.tool.public_jwks = site + "jwks.json", None
    return campus


@pytest.mark.django_db(transaction=True)
def test_from_the_course_page_to_the_gradebook(tool_site):
    campus = tool_site
    launches = campus.platform.launches
    for number, learner in enumerate(("u1", "u2"), start=1):
        surfer = Surfer()
        page = surfer.get(launches.initiation_url(campus.course.users[learner], campus.course, campus.link))
        arrived = json.loads(surfer.submit(page, page.forms[0]).text)
        assert (arrived["user"], arrived["learner"]) == (learner, True)
        line_item = LineItem.objects.get(url=arrived["column"])
        scores.record(line_item, user_id=learner, score_given=number, score_maximum=2)
    registration = Registration.objects.get()
    registration.signing_key = keys.generate("fetched over HTTP by the platform")
    registration.save()
    deliver_due()
    assert (campus.shown("u1"), campus.shown("u2")) == (5.0, 10.0)
    assert len(campus.platform.ledger.of("jwks")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_second_launch_in_another_browser_with_the_first_ones_form_is_refused(tool_site):
    campus = tool_site
    page = Surfer().get(campus.platform.launches.initiation_url(campus.course.users["u1"], campus.course, campus.link))
    with pytest.raises(HTTPError) as caught:
        Surfer().submit(page, page.forms[0])
    with caught.value:
        assert caught.value.code == 400
        assert "browser" in caught.value.read().decode()


@pytest.mark.django_db(transaction=True)
def test_the_key_set_is_public_and_says_how_long_to_keep_it(live_server):
    key = keys.generate()
    with urlopen(live_server.url + reverse("lti-jwks"), timeout=10) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert json.load(answer) == {"keys": [key.public_jwk]}


def test_the_key_set_answers_only_get(db):
    assert Client().post("/lti/jwks.json").status_code == 405


def test_the_library_gets_no_key_to_sign_with(campus):
    """It makes no service call, so it needs none; what it asks of a tool configuration it gets."""
    configuration = RegistrationToolConf()
    found = configuration.find_registration(campus.platform.issuer)
    assert (found.get_client_id(), found.get_tool_private_key(), found.get_kid()) == ("quiz", None, None)
    assert found.get_key_set_url() == campus.platform.jwks_url
    assert configuration.find_deployment(campus.platform.issuer, "1").get_deployment_id() == "1"
    assert configuration.check_iss_has_many_clients("x")


def test_the_library_gets_no_session(rf):
    """Launches must work where the tool has no sessions, or none in a frame."""
    assert PageRequest(rf.get("/")).session == {}


def test_the_librarys_own_redirect_is_not_used():
    with pytest.raises(LtiException):
        Login(None, None, session_service=None, cookie_service=None).get_redirect("https://x.example")


def test_without_the_library_the_error_names_the_extras(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylti1p3", None)
    with pytest.raises(ImproperlyConfigured, match=r"django-lti-ags\[launch\]"):
        reload(django_lti_ags.launch)
