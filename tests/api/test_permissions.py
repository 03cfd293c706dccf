"""Route × caller: nobody sees beyond what the key and the launch cover, and a refusal tells nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_lti_ags import api_keys, launches, live_assessments
from django_lti_ags.models import ApiLaunch, Context, LineItem, LiveAssessment, LiveResult, Registration, Score
from tests.api.conftest import AGS, PREFIX, claims, encoded, tool_at

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.urls")]

SCORE = {"userId": "u1", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 1, "scoreMaximum": 2}
OF_ITS_OWN = (
    ("GET", "sync/scores"),
    ("GET", "sync/status"),
    ("GET", "sync/lineitems"),
    ("GET", "sync/registrations"),
    ("GET", "canvas/outcome_results"),
    ("GET", "canvas/outcome_rollups"),
    ("GET", "canvas/live_assessments"),
    ("POST", "canvas/live_assessments"),
)
PASSED = {"results": [{"user_id": 1, "passed": True, "assessed_at": "2026-03-01T12:00:00Z"}]}
ITEM = {"label": "Essay", "scoreMaximum": 20}


def routes(tool):
    column = f"lineitems/{encoded(tool.column)}"
    return [
        ("GET", "idtoken", None),
        ("GET", "lineitems", None),
        ("POST", "lineitems", ITEM),
        ("GET", column, None),
        ("PUT", column, ITEM),
        ("DELETE", column, None),
        ("GET", f"{column}/scores", None),
        ("POST", f"{column}/scores", SCORE),
        ("GET", "sync/scores", None),
        ("POST", "sync/scores", {"lineItem": tool.column, "scores": [SCORE]}),
        ("POST", "sync/reconcile", {"lineItem": tool.column}),
        ("GET", "sync/status", None),
        ("GET", "sync/lineitems", None),
        ("GET", "sync/registrations", None),
        ("GET", "canvas/outcome_results", None),
        ("GET", "canvas/outcome_rollups", None),
        ("GET", "canvas/live_assessments", None),
        ("POST", "canvas/live_assessments", {"key": "k", "title": "t"}),
        *[
            (method, f"canvas/live_assessments/{uid}{end}", body)
            for uid in [LiveAssessment.objects.get().uid]
            for method, end, body in (("GET", "", None), ("POST", "/retry", None), ("GET", "/results", None), ("POST", "/results", PASSED))
        ],
        *[
            (method, f"sync/scores/{uid}{end}", {"reason": "x"} if end else None)
            for uid in [Score.objects.get(user_id="u5").uid]
            for method, end in (("GET", ""), ("POST", "/retry"), ("POST", "/cancel"))
        ],
    ]


@pytest.fixture
def callers(tool, make_campus):
    """Every caller that must not get in, by name."""
    campus = tool.campus
    elsewhere = tool_at(make_campus(client_id="other"))
    revoked, revoked_text = api_keys.issue("revoked", [campus.registration])
    api_keys.revoke(revoked)
    other_course, _ = launches.keep(claims(campus, **{PREFIX + "context": {"id": "course-2", "title": "Physics"}}))
    _, narrowed = api_keys.issue("narrowed", [campus.registration], [other_course.context])
    expired, expired_ltik = launches.keep(claims(campus))
    ApiLaunch.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    registration, course = campus.registration.uid, tool.launch.context.uid
    return {
        "nobody": ("", "", 401),
        "another scheme": ("Basic dTpw", "", 401),
        "half a header": ("LTIK-AUTH-V2", "", 401),
        "no ltik": (f"LTIK-AUTH-V2 {tool.text}", "", 401),
        "not ASCII": (f"LTIK-AUTH-V2 {tool.text}:é", "", 401),
        "a guess": (f"LTIK-AUTH-V2 {tool.text}:{'x' * 43}", "", 401),
        "a very long guess": (f"LTIK-AUTH-V2 {tool.text}:{'x' * 5000}", "", 401),
        "the ltik without a key": (f"LTIK-AUTH-V2 :{tool.ltik}", "", 401),
        "a revoked key": (f"LTIK-AUTH-V2 {revoked_text}:{tool.ltik}", "", 401),
        "another registration's key": (f"LTIK-AUTH-V2 {elsewhere.text}:{tool.ltik}", "", 401),
        "a key of another course": (f"LTIK-AUTH-V2 {narrowed}:{tool.ltik}", "", 401),
        "an ltik of another registration": (f"LTIK-AUTH-V2 {tool.text}:{elsewhere.ltik}", "", 401),
        "an expired ltik": (f"LTIK-AUTH-V2 {tool.text}:{expired_ltik}", "", 401),
        "a service key as an ltik": (f"LTIK-AUTH-V2 {tool.text}:{tool.service_key}", "", 401),
        "an ltik as a service key": (f"SERVICE-AUTH-V1 {tool.text}:{tool.ltik}", "", 401),
        "another registration's service key": (f"SERVICE-AUTH-V1 {tool.text}:{elsewhere.service_key}", "", 401),
        "a service key under a key of another course": (f"SERVICE-AUTH-V1 {narrowed}:{tool.service_key}", "", 401),
        "a key alone": (f"Bearer {tool.text}", "", 401),
        "a key for what it does not cover": (f"Bearer {elsewhere.text}", f"?registration={registration}", 401),
        "a revoked key alone": (f"Bearer {revoked_text}", f"?registration={registration}", 401),
        "a registration that is none": (f"Bearer {tool.text}", "?registration=x", 401),
        "a narrowed key alone": (f"Bearer {narrowed}", f"?registration={registration}&context={course}", 404),
        "another registration's launch": (f"LTIK-AUTH-V2 {elsewhere.text}:{elsewhere.ltik}", "", 404),
    }


def state():
    return LineItem.objects.count(), *(list(kind.objects.values()) for kind in (Score, LiveAssessment, LiveResult))


def test_nobody_gets_in_who_should_not(tool, callers):
    tool.post_score("u5")
    live_assessments.declare(tool.launch.context, course_id=7, key="reading", title="Reading")
    before = state()
    for name, (header, query, expected) in callers.items():
        for method, path, body in routes(tool):
            own = name == "another registration's launch" and (path == "lineitems" or (method, path) in OF_ITS_OWN)
            if expected == 404 and (path == "idtoken" or own):
                continue  # its own course's; and a key alone is told no launch, as below
            if path == "sync/registrations" and name in ("a key alone", "a narrowed key alone"):
                continue  # what it was issued for, as below
            answer = tool.call(method, path + query, body, header=header)
            assert answer.status_code == expected, (name, method, path, answer.content)
            assert answer.data["status"] == expected
            assert tool.ltik not in str(answer.data)
    assert tool.campus.platform.ledger.of("line_item") == [], "nothing was asked of the platform"
    assert state() == before


def test_the_refusal_is_ltiaas_own(tool):
    answer = tool.call("GET", "idtoken", header=f"LTIK-AUTH-V2 {tool.text}:x")
    assert answer.data == {
        "status": 401,
        "error": "Unauthorized",
        "details": {"message": "INVALID_LTIK_AUTH_AUTHORIZATION_HEADER", "description": "Invalid or expired ltik."},
    }
    assert answer["WWW-Authenticate"] == "LTIK-AUTH-V2"
    assert tool.call("GET", "idtoken", header="").data["details"]["message"] == "MISSING_AUTHORIZATION_HEADER"
    for scheme, code in (
        ("SERVICE-AUTH-V1", "INVALID_SERVICE_AUTH_AUTHORIZATION_HEADER"),
        ("Bearer", "INVALID_BEARER_AUTHORIZATION_HEADER"),
    ):
        assert tool.call("GET", "lineitems", header=f"{scheme} x:y").data["details"]["message"] == code


def test_a_launch_is_told_to_its_ltik_alone(tool):
    for header, query in (
        (f"SERVICE-AUTH-V1 {tool.text}:{tool.service_key}", ""),
        (f"Bearer {tool.text}", f"?registration={tool.campus.registration.uid}"),
    ):
        assert tool.call("GET", f"idtoken{query}", header=header).status_code == 401


def test_a_key_is_told_what_it_was_issued_for_and_a_launch_its_own(tool, make_campus):
    other, strange = make_campus(client_id="other").registration, make_campus(client_id="strange").registration
    key, text = api_keys.issue("both", [tool.campus.registration, other])
    mine, second = str(tool.campus.registration.uid), str(other.uid)
    for header, query, seen in (
        (f"Bearer {text}", {}, [second, mine]),
        (f"Bearer {text}", {"registration": mine}, [mine]),
        (f"LTIK-AUTH-V2 {text}:{tool.ltik}", {}, [mine]),
        (f"SERVICE-AUTH-V1 {text}:{tool.service_key}", {}, [mine]),
    ):
        answer = tool.call("GET", "sync/registrations", header=header, query=query)
        assert [row["uid"] for row in answer.data["registrations"]] == seen
    for query in ({"registration": strange.uid}, {"registration": "x"}, {"registration": ""}):
        assert tool.call("GET", "sync/registrations", header=f"Bearer {text}", query=query).status_code == 401
    assert tool.call("GET", "sync/registrations", header="Bearer x").status_code == 401
    api_keys.revoke(key)
    assert tool.call("GET", "sync/registrations", header=f"Bearer {text}").status_code == 401


def test_a_key_alone_names_its_course_where_it_has_several(tool):
    launches.keep(claims(tool.campus, **{PREFIX + "context": {"id": "course-2", "title": "Physics"}}))
    assert Context.objects.count() == 2
    whole = {"header": f"Bearer {tool.text}", "query": {"registration": str(Registration.objects.get().uid)}}
    assert tool.call("GET", "lineitems", **whole).data["details"]["errors"][0]["field"] == "context"
    assert tool.item("GET", **whole).status_code == 200, "a line item says itself where it is"
    for uid, status in (("x", 400), (tool.campus.registration.uid, 404)):
        assert tool.call("GET", "lineitems", header=whole["header"], query=whole["query"] | {"context": uid}).status_code == status


def test_a_key_that_asks_too_often_is_told_when_to_come_back(tool, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"API_REQUESTS_PER_MINUTE": 2}
    # Two a minute, and a minute may end in between.
    answers = [tool.call("GET", "idtoken") for _ in range(6)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    answer = next(answer for answer in answers if answer.status_code != 200)
    assert answer.status_code == 429
    assert answer.data["details"]["message"] == "TOO_MANY_REQUESTS"
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert tool_at(tool.campus).call("GET", "idtoken").status_code == 200, "another key has a count of its own"


def test_a_cache_that_is_away_keeps_nobody_out(tool, settings, caplog):
    settings.CACHES = {"default": {"BACKEND": "tests.api.conftest.AwayCache"}}
    assert tool.post_score().status_code == 204
    assert "no API key's requests are counted" in caplog.text


def test_launches_that_name_nothing_but_canvas_number_of_the_course_share_none(campus):
    """Two courses' launches in one context would read one another's outcomes, and the newest would say whose."""
    unnamed = (PREFIX + "context", PREFIX + "resource_link", AGS)
    kept = [
        launches.keep({name: value for name, value in claims(campus, **{PREFIX + "custom": custom}).items() if name not in unnamed})[0]
        for custom in ({"canvas_course_id": "5"}, {"canvas_course_id": "6"}, {"canvas_course_id": "5"}, {})
    ]
    assert [launch.context.canvas_course_id for launch in kept] == ["5", "6", "5", ""]
    assert kept[0].context == kept[2].context
    assert len({launch.context.pk for launch in kept}) == 3
