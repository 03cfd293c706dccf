"""LTIAAS' addresses, parameters, shapes and statuses; scores go through the outbox."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from django_lti_ags import registrations
from django_lti_ags.models import ApiLaunch, DeliveryAttempt, LineItem, Score, SyncState
from django_lti_ags.scores import retry
from django_lti_ags.sync.engine import deliver_due
from tests.api.conftest import AGS, PREFIX, Tool, claims, encoded, tool_at
from tests.test_line_items import nested

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.urls")]


def test_a_launch_is_told_as_it_was(tool):
    answer = tool.call("GET", "idtoken")
    assert answer.status_code == 200
    assert answer["Cache-Control"].startswith("max-age=0")
    registration = tool.campus.registration
    assert answer.data == {
        "user": {
            "id": "u1",
            "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            "name": "Ada Lovelace",
            "email": "ada@school.example",
        },
        "platform": {
            "id": str(registration.uid),
            "url": registration.issuer,
            "clientId": "quiz",
            "deploymentId": tool.campus.tool.deployment_id,
            "name": str(registration),
            "productFamilyCode": "simulated",
        },
        "launch": {
            "type": "LtiResourceLinkRequest",
            "target": "https://tool.example/quiz/7",
            "context": {"id": "course-1", "label": "M1", "title": "Mathematics", "type": []},
            "resourceLink": {"id": tool.campus.link.id, "title": "Quiz"},
            "custom": {"quiz": "7"},
        },
        "services": {
            "deepLinking": {"available": False},
            "namesAndRoles": {"available": False},
            "assignmentAndGrades": {"available": True, "lineItemId": tool.column},
            "outcomes": {"available": False},
            "serviceKey": tool.service_key,
        },
        "ltiVersion": "1.3.0",
    }


def test_the_platforms_own_claims_are_told_as_they_came(campus):
    said = {
        "nonce": "n-1",
        PREFIX + "lti1p1": {"user_id": "42", "oauth_consumer_key_sign": "c2lnbmF0dXJl"},
        "https://x.example/odd": ["\ud800", "a\x00", 7, None, {"deep": nested(100)}],
        "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings": {"data": "eyJhIjoxfQ.e30.x"},
    }
    tool = tool_at(campus, **said)
    answer = tool.call("GET", "idtoken", query={"raw": "true"})
    assert answer.status_code == 200
    assert answer.data == claims(campus, **said) | {PREFIX + "lti1p1": {"user_id": "42"}, "ltiVersion": "1.3.0"}
    stored = ApiLaunch.objects.values().get()
    assert "n-1" not in str(stored), "encrypted: nobody here knows what is in it"
    assert tool.call("GET", "idtoken", query={"raw": "True"}).data == answer.data, "as Python writes it"
    assert tool.call("GET", "idtoken", query={"raw": "false"}).data["user"]["id"] == "u1"
    for method, header in (("SERVICE-AUTH-V1", tool.service_key), ("Bearer", "")):
        assert tool.call("GET", "idtoken", query={"raw": "true"}, header=f"{method} {tool.text}:{header}").status_code == 401


@pytest.mark.parametrize(
    "much", ["x" * 65_536, float("nan"), {1, 2}, nested(100_000), nested(300)], ids=["long", "nan", "a set", "abyss", "deep"]
)
def test_claims_that_cannot_be_kept_cost_no_launch(campus, much):
    tool = tool_at(campus, **{"https://x.example/much": much})
    answer = tool.call("GET", "idtoken", query={"raw": "true"})
    assert (answer.status_code, answer.data["details"]["message"]) == (404, "RAW_ID_TOKEN_NOT_KEPT")
    assert tool.call("GET", "idtoken").data["user"]["id"] == "u1"


def test_line_items_are_made_listed_read_changed_and_deleted(tool):
    made = tool.call("POST", "lineitems", {"label": "Essay", "scoreMaximum": 20, "resourceId": "essay-7", "tag": "essay"})
    assert made.status_code == 201
    url = made.data["id"]
    assert made.data | {"label": "Essay", "scoreMaximum": 20, "resourceId": "essay-7", "tag": "essay"} == made.data
    listed = tool.call("GET", "lineitems", query={"resourceId": "essay-7"})
    assert (listed.status_code, [item["id"] for item in listed.data["lineItems"]]) == (200, [url])
    assert [len(tool.call("GET", "lineitems", query={"tag": tag}).data["lineItems"]) for tag in ("essay", "other")] == [1, 0]
    changed = tool.item("PUT", url, made.data | {"label": "Long essay", "scoreMaximum": 40, "submissionReview": {"reviewableStatus": []}})
    assert (changed.status_code, changed.data["label"], changed.data["scoreMaximum"]) == (200, "Long essay", 40)
    assert tool.item("GET", url).data["label"] == "Long essay"
    assert LineItem.objects.get(url=url).score_maximum == 40
    assert DeliveryAttempt.objects.filter(kind="line_item").count() == 7
    deleted = tool.item("DELETE", url)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert tool.item("GET", url).status_code == 404
    assert not LineItem.objects.filter(url=url).exists()


def test_a_page_is_found_whether_its_address_is_encoded_once_or_twice(tool):
    """LTIAAS' own clients quote it, and their HTTP libraries do so again."""
    for user in ("u1", "u2"):
        tool.call("POST", "lineitems", {"label": "Essay", "scoreMaximum": 20})
        tool.post_score(user=user)
    deliver_due()
    for path in ("lineitems", f"lineitems/{encoded(tool.column)}/scores"):
        following = tool.call("GET", path, query={"limit": 1}).data["next"]
        once = tool.call("GET", path, query={"url": following})
        assert once.status_code == 200
        for twice in (quote(following), encoded(following)):
            assert tool.call("GET", path, query={"url": twice}).data == once.data
        for outside in ("https%3A//evil.example/", "https%253A//evil.example/", "https%3A//evil.example/%FF"):
            assert tool.call("GET", path, query={"url": outside}).data["details"]["message"] == "INVALID_URL"


def test_what_the_platform_calls_null_is_not_there(tool):
    nulls = ("startDateTime", "endDateTime", "tag", "resourceId", "resourceLinkId", "gradesReleased", "submissionReview")
    shown = dict.fromkeys((*nulls, "https://x.example/more")) | {"id": tool.column, "label": "Quiz", "scoreMaximum": 10}
    for body in ([shown], shown, shown, shown):
        tool.campus.platform.faults.add("status", kind="line_item", status=200, body=json.dumps(body), count=1)
    (listed,) = tool.call("GET", "lineitems").data["lineItems"]
    read, made = tool.item("GET").data, tool.call("POST", "lineitems", {"label": "Quiz", "scoreMaximum": 10}).data
    for told in (listed, read, made):
        assert told == {"id": tool.column, "label": "Quiz", "scoreMaximum": 10}
    tool.campus.platform.faults.clear()
    changed = tool.item("PUT", "", {"label": "Quiz", "scoreMaximum": 10, "startDateTime": None, "tag": None})
    assert (changed.status_code, None in changed.data.values()) == (200, False)


def test_while_a_registration_is_paused_its_columns_are_read_but_not_changed(tool):
    made = tool.call("POST", "lineitems", {"label": "Essay", "scoreMaximum": 20}, HTTP_IDEMPOTENCY_KEY="essay").data
    asked = len(tool.campus.platform.ledger.of("line_item"))
    registrations.pause(tool.campus.registration, reason="The campus moves.")
    for answer in (
        tool.call("POST", "lineitems", {"label": "Another", "scoreMaximum": 20}),
        tool.item("PUT", made["id"], {"label": "Long essay", "scoreMaximum": 20}),
        tool.item("DELETE", made["id"]),
    ):
        told = answer.data["details"]
        assert (answer.status_code, told["message"], told["code"]) == (409, "REGISTRATION_PAUSED", "paused_by_hand")
        assert ("Resume it" in told["description"], told["reason"]) == (True, "The campus moves.")
    assert len(tool.campus.platform.ledger.of("line_item")) == asked
    assert tool.call("POST", "lineitems", {"label": "Essay", "scoreMaximum": 20}, HTTP_IDEMPOTENCY_KEY="essay").data == made
    assert tool.post_score(url=made["id"]).status_code == 204
    assert tool.call("GET", "lineitems").status_code == tool.item("GET").status_code == tool.item("GET", scores=True).status_code == 200
    registrations.resume(tool.campus.registration)
    assert tool.item("PUT", made["id"], {"label": "Long essay", "scoreMaximum": 20}).status_code == 200


def test_pages_are_followed_by_their_url(make_campus):
    tool = tool_at(make_campus(learners=3))
    for number in range(3):
        tool.call("POST", "lineitems", {"label": f"Essay {number}", "scoreMaximum": 20})
        tool.post_score(f"u{number + 1}")
    deliver_due()
    first = tool.call("GET", "lineitems", query={"limit": 3}).data
    second = tool.call("GET", "lineitems", query={"url": first["next"], "limit": "ignored", "tag": "ignored"}).data
    assert (len(first["lineItems"]), len(second["lineItems"]), "next" in second) == (3, 1, False)
    first = tool.item("GET", scores=True, query={"limit": 2}).data
    second = tool.item("GET", scores=True, query={"url": first["next"], "userId": "ignored"}).data
    assert [len(page["scores"]) for page in (first, second)] == [2, 1]
    assert {row["userId"] for page in (first, second) for row in page["scores"]} == {"u1", "u2", "u3"}


def test_a_score_is_recorded_and_shown_once_the_worker_has_delivered_it(tool):
    answer = tool.post_score(comment="Well done", timestamp="1999-01-01T00:00:00Z", submission={"submittedAt": "2026-03-01T12:00:00+01:00"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert tool.item("GET", scores=True).data == {"scores": []}
    assert deliver_due().finished == 1
    score = Score.objects.get()
    (shown,) = tool.item("GET", scores=True).data["scores"]
    assert shown == {
        "id": shown["id"],
        "userId": "u1",
        "scoreOf": tool.column,
        "timestamp": score.wire_timestamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "resultScore": 8,
        "resultMaximum": 10,
        "comment": "Well done",
    }
    assert tool.item("GET", scores=True, query={"userId": "u2"}).data == {"scores": []}
    tool.campus.platform.set_result(tool.campus.link.line_item, "u1", 9)
    (shown,) = tool.item("GET", scores=True, query={"userId": "u1"}).data["scores"]
    assert shown["resultScore"] == 9
    assert shown["timestamp"] > score.wire_timestamp.isoformat(), "somebody else's grade: when it was read"


def test_a_score_without_a_maximum_takes_the_columns(tool):
    assert tool.post_score(scoreMaximum=...).status_code == 204
    assert tool.post_score("u2", scoreMaximum=...).status_code == 204
    assert set(Score.objects.values_list("score_maximum", flat=True)) == {10.0}
    assert DeliveryAttempt.objects.filter(kind="line_item").count() == 1, "it is asked for once"


def test_a_score_without_a_number_is_progress(tool):
    assert tool.post_score(scoreGiven=..., scoreMaximum=..., activityProgress="Started", gradingProgress="NotReady").status_code == 204
    assert Score.objects.get().score_given is None


def test_a_column_that_is_not_known_here_is_read_first(tool):
    platform, course = tool.campus.platform, tool.campus.course
    url = tool.call("POST", "lineitems", {"label": "Essay", "scoreMaximum": 20}).data["id"]
    LineItem.objects.filter(url=url).delete()
    assert tool.post_score(url=url).status_code == 204
    deliver_due()
    assert Score.objects.get().state == SyncState.DELIVERED
    (row,) = tool.item("GET", url, scores=True).data["scores"]
    assert (row["resultScore"], row["resultMaximum"]) == (16, 20)
    assert tool.post_score(url=platform.gradebook.container_url(course) + "/4711").status_code == 404


def test_an_older_address_of_a_column_is_the_same_column(tool):
    """Two rows of one gradebook column would not keep each other's order."""
    row = LineItem.objects.get(url=tool.column)
    older = tool.container + "/old-1"
    tool.campus.platform.faults.add(
        "status", kind="line_item", status=200, body=json.dumps({"id": tool.column, "label": "Quiz", "scoreMaximum": 10})
    )
    assert tool.post_score(url=older).status_code == 204
    assert Score.objects.get().line_item == row


def test_one_learner_is_found_on_a_later_page_but_not_for_ever(tool):
    """Some platforms pass over the filter."""
    page = tool.column + "/results?page={}"
    for number, user in ((2, "u1"), (3, "u2"), (2, "u1")):
        tool.campus.platform.faults.add(
            "status",
            kind="results",
            status=200,
            count=1 if number == 2 and user == "u1" else None,
            body=json.dumps([{"id": page.format(number), "userId": user, "resultScore": 1}]),
            headers=[("Link", f'<{page.format(number)}>; rel="next"')],
        )
    shown = tool.item("GET", scores=True, query={"userId": "u2"}).data["scores"]
    assert [row["userId"] for row in shown] == ["u2"]
    answer = tool.item("GET", scores=True, query={"userId": "u9"})
    assert (answer.status_code, answer.data["details"]["message"]) == (502, "PLATFORM_ANSWER_UNUSABLE")


def test_a_links_own_column_is_not_deleted_and_scores_outlive_their_column(tool):
    refused = tool.item("DELETE")
    assert (refused.status_code, refused.data["details"]["message"]) == (409, "LINE_ITEM_OF_A_LINK")
    url = tool.call("POST", "lineitems", {"label": "Second", "scoreMaximum": 5, "resourceLinkId": tool.campus.link.id}).data["id"]
    assert tool.post_score(url=url).status_code == 204
    assert tool.item("DELETE", url).status_code == 204
    score = Score.objects.get()
    assert (score.state, score.line_item.block_code) == (SyncState.BLOCKED, "line_item_gone")


def test_a_column_is_one_however_its_address_is_spelled(tool):
    """Two rows would have an order each, and an older score would replace a newer one."""
    variant, score = tool.column + "?x=1", {"userId": "u1", "activityProgress": "Completed", "gradingProgress": "FullyGraded"}
    assert tool.item("DELETE", variant).status_code == 409
    assert tool.item("PUT", variant, {"label": "Quiz", "scoreMaximum": 10}).data["id"] == variant
    tool.campus.platform.faults.add("status", kind="score", status=500)
    assert tool.item("POST", body=score | {"scoreGiven": 1, "scoreMaximum": 2}, scores=True).status_code == 204
    deliver_due()
    tool.campus.platform.faults.clear()
    assert tool.item("POST", variant, score | {"scoreGiven": 2, "scoreMaximum": 2}, scores=True).status_code == 204
    deliver_due()
    retry(Score.objects.exclude(state="delivered"))
    deliver_due()
    assert tool.item("GET", scores=True).data["scores"][0]["resultScore"] == 10, "the newer one, on the column's scale"
    assert LineItem.objects.count() == 1


def test_ltiaas_own_words_are_taken(tool):
    said = {"activityProgress": "Initiated", "gradingProgress": "NotReady", "scoreOf": tool.column}
    assert tool.post_score(**said).status_code == 204
    assert Score.objects.get().activity_progress == "Initialized"


def test_canvas_is_told_what_was_handed_in(make_campus):
    campus = make_campus(dialect="canvas")
    campus.registration.profile = "canvas"
    campus.registration.save()
    tool = tool_at(campus)
    work = {"submission_type": "online_url", "submission_data": "https://tool.example/essays/1", "submitted_at": "2026-03-01T12:00:00Z"}
    assert tool.post_score(**{"https://canvas.instructure.com/lti/submission": work}).status_code == 204
    deliver_due()
    score = Score.objects.get()
    assert (score.state, score.submission["submission_data"]) == (SyncState.DELIVERED, "https://tool.example/essays/1")
    assert score.submitted_at.isoformat() == "2026-03-01T12:00:00+00:00"


def test_every_way_to_show_who_calls(tool):
    service = {"header": f"service-auth-v1 {tool.text}:{tool.service_key}"}
    whole = {"registration": str(tool.campus.registration.uid)}
    bearer = {"header": f"Bearer {tool.text}", "query": whole}
    named = {"header": f"Bearer {tool.text}", "query": whole | {"context": str(tool.launch.context.uid)}}
    for more in ({}, service, bearer, named):
        assert tool.call("GET", "lineitems", **more).status_code == 200
        assert tool.item("GET", **more).data["id"] == tool.column
        assert tool.item("GET", scores=True, **more).status_code == 200


def test_ids_are_told_apart_whatever_is_in_them(make_campus):
    tool = tool_at(make_campus(line_item_query="type_id=2"))
    assert tool.column.endswith("?type_id=2")
    assert tool.item("GET").data["id"] == tool.column
    assert tool.item("GET", scores=True).data == {"scores": []}
    raw = {"RAW_URI": f"/lti/api/lineitems/{encoded(tool.column)}?x=1"}
    assert tool.item("GET", **raw).data["id"] == tool.column
    # A proxy that merges slashes does so in a decoded id, too; and some clients encode nothing.
    merged = tool.column.replace("://", ":/")
    assert tool.call("GET", f"lineitems/{encoded(merged)}").data["id"] == tool.column
    plain = tool.column.replace("?", "%3F")
    assert tool.call("GET", f"lineitems/{plain}", REQUEST_URI=f"/lti/api/lineitems/{plain}").data["id"] == tool.column


def test_an_id_that_ends_like_the_address_of_scores(tool):
    row = LineItem.objects.get(url=tool.column)
    row.url = tool.column + "/scores"
    row.save()
    assert tool.item("POST", row.url, {}).status_code == 405, "it is known here: a column"
    assert tool.item("POST", row.url, {}, scores=True).data["details"]["message"] == "INVALID_SCORE"
    assert tool.item("POST", tool.column + "/other", {}, scores=True).data["details"]["message"] == "INVALID_SCORE"
    # Where the server tells the path as it came, nothing needs to be known.
    row.delete()
    raw = {"RAW_URI": f"/lti/api/lineitems/{encoded(row.url)}"}
    assert tool.item("POST", row.url, {}, **raw).status_code == 405
    assert tool.item("POST", row.url, {}, scores=True, RAW_URI=raw["RAW_URI"] + "/scores").data["details"]["message"] == "INVALID_SCORE"


def test_a_course_that_launches_do_not_name_is_a_tenant_too(campus):
    nameless = {PREFIX + "context": None}
    ours = tool_at(campus, **nameless)
    elsewhere = {"lineitem": "https://lms.example/b/1", "lineitems": "https://lms.example/b"}
    theirs = tool_at(campus, **nameless, **{AGS: campus.claims()[AGS] | elsewhere})
    assert ours.service_key != theirs.service_key
    assert ours.item("GET").status_code == 200
    theirs_outside = Tool(campus, theirs.key, theirs.text, theirs.launch, "", f"SERVICE-AUTH-V1 {theirs.text}:{theirs.service_key}")
    for foreign in (theirs, theirs_outside):
        assert foreign.item("GET", ours.column).status_code == 404
        assert foreign.post_score(url=ours.column).status_code == 404
    assert not Score.objects.exists()
