"""A launch that is as it should be, and what a tool sees of it."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client

from django_lti_ags.launch import Launch
from django_lti_ags.launch.validation import StrictLaunch
from django_lti_ags.models import Deployment, LineItem, Registration
from tests.launch.conftest import PREFIX, post
from tests.launch.urls import Quiz

pytestmark = pytest.mark.urls("tests.launch.urls")

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"


def test_a_student_is_let_in(desk, client):
    answer = desk.launch(client)
    assert answer.status_code == 200
    assert answer.json() == {
        "user": "u1",
        "instructor": False,
        "learner": True,
        "link": desk.campus.link.id,
        "target": "http://testserver/lti/launch/",
        "column": LineItem.objects.get().url,
        "course": "Mathematics",
    }
    assert Deployment.objects.get().deployment_id == "1"
    assert answer["Cache-Control"].startswith("max-age=0")
    assert "X-Frame-Options" not in answer


def test_a_teacher_is_known_as_one(desk, client):
    desk.teacher()
    seen = desk.launch(client).json()
    assert (seen["user"], seen["instructor"], seen["learner"]) == ("t1", True, False)


def test_a_launch_needs_no_csrf_token_and_no_session(desk, db):
    client = Client(enforce_csrf_checks=True)
    assert desk.launch(client).status_code == 200
    assert "sessionid" not in client.cookies


def test_the_state_cookie_is_taken_away(desk, client):
    begun = desk.begin(client)
    answer = post(client, begun.state, desk.token(begun.nonce))
    assert answer.cookies["lti_ags_" + begun.state].value == ""
    assert answer.cookies["lti_ags_" + begun.state]["max-age"] == 0


def test_two_launches_of_one_browser_may_cross(desk, client):
    first, second = desk.begin(client), desk.begin(client)
    for begun in (second, first):
        assert post(client, begun.state, desk.token(begun.nonce)).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["quiz"], "azp": None},
        {"aud": "quiz", "azp": None},
        {"aud": ["another", "quiz"], "azp": "quiz"},
        {"nbf": 1},
        {"exp": 2_000_000_000.5, PREFIX + "target_link_uri": None},
        {PREFIX + "roles": []},
        {"https://vendor.example/claim": {"deep": [None]}},
    ],
)
def test_what_the_standard_allows_is_let_in(desk, client, changed):
    assert desk.launch(client, **changed).status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "http://testserver.evil.example/"]
)
def test_a_target_elsewhere_is_not_handed_on(desk, client, elsewhere):
    assert desk.launch(client, **{PREFIX + "target_link_uri": elsewhere}).json()["target"] == ""


def test_a_clock_that_is_a_little_off_is_forgiven(desk, client):
    begun = desk.begin(client)
    claims = desk.claims(begun.nonce)
    claims |= {"iat": claims["iat"] + 50, "exp": claims["exp"] - 110}
    assert post(client, begun.state, desk.platform.launches.sign(claims)).status_code == 200


def test_new_deployments_are_welcome_unless_the_registration_says_otherwise(desk, client):
    assert desk.launch(client, **{PREFIX + "deployment_id": "another"}).status_code == 200
    Registration.objects.update(accept_new_deployments=False)
    assert desk.launch(client, **{PREFIX + "deployment_id": "another"}).status_code == 200
    refused = desk.launch(client, **{PREFIX + "deployment_id": "a third"})
    assert refused.status_code == 400
    assert "lti_ags_register --update --deployment-id" in refused.content.decode()
    assert Deployment.objects.count() == 1


def test_a_launch_that_brings_no_grades_is_a_clear_page(desk, client):
    answer = desk.launch(client, **{"https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": None})
    assert answer.status_code == 400
    assert "granted no Assignment and Grade Services" in answer.content.decode()


def test_other_messages_are_let_in_only_where_the_tool_says_so(desk, client, monkeypatch):
    message = {
        PREFIX + "message_type": "LtiSubmissionReviewRequest",
        PREFIX + "for_user": {"user_id": "u2"},
    }
    refused = desk.launch(client, **message)
    assert refused.status_code == 400
    assert "LtiSubmissionReviewRequest" in refused.content.decode()
    monkeypatch.setattr(Quiz, "message_types", ("LtiResourceLinkRequest", "LtiSubmissionReviewRequest"))
    assert desk.launch(client, **message).status_code == 200
    assert desk.launch(client, **message | {PREFIX + "for_user": None}).status_code == 400
    assert desk.launch(client, **message | {PREFIX + "for_user": 7}).status_code == 400


def test_a_view_without_its_method_says_so(desk, client):
    desk.campus.tool.redirect_uris = ["http://testserver/unwritten/launch/"]
    begun = desk.begin(client, "/unwritten/login/")
    with pytest.raises(TypeError, match="Unwritten must define launched"):
        post(client, begun.state, desk.token(begun.nonce), "/unwritten/launch/")


def test_only_post_launches(client):
    assert client.get("/lti/launch/").status_code == 405
    assert client.put("/lti/login/").status_code == 405


@pytest.mark.parametrize(
    ("role", "instructor", "learner"),
    [
        (MEMBERSHIP + "#Instructor", True, False),
        (MEMBERSHIP + "#Learner", False, True),
        (MEMBERSHIP + "/Instructor#TeachingAssistant", True, False),
        ("Learner", False, True),
        ("http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor", False, False),
        (MEMBERSHIP + "#Mentor", False, False),
        ("InstructorX", False, False),
    ],
)
def test_roles(role, instructor, learner):
    launch = Launch({PREFIX + "roles": [role]})
    assert (launch.is_instructor, launch.is_learner, launch.roles) == (instructor, learner, [role])


def test_a_launch_does_not_show_the_person(desk, client, monkeypatch):
    seen = []
    monkeypatch.setattr(Quiz, "launched", lambda self, request, launch: seen.append(launch) or HttpResponse())
    desk.launch(client)
    assert "User 1" not in repr(seen[0])
    assert seen[0].claims["name"] == "User 1"
    assert isinstance(seen[0].message_launch, StrictLaunch)
