"""Columns from launches, and declared ones."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from django_lti_ags import line_items, scores
from django_lti_ags.ags import vocabulary
from django_lti_ags.exceptions import (
    InvalidLineItem,
    LaunchRefused,
    MalformedLaunch,
    MissingScope,
    NoAgsClaim,
    NoLineItem,
    UnknownRegistration,
)
from django_lti_ags.models import Context, Deployment, LineItem, Registration, Score, Service, SyncState

PREFIX = vocabulary.LTI_CLAIM_PREFIX
AGS = vocabulary.AGS_ENDPOINT_CLAIM


def test_a_launch_makes_deployment_context_and_line_item_once(campus):
    first = line_items.from_launch(campus.claims())
    again = line_items.from_launch(campus.claims())
    assert first == again
    assert (Deployment.objects.count(), Context.objects.count(), LineItem.objects.count(), Service.objects.count()) == (1, 1, 1, 1)
    assert first.context.title == "Mathematics"
    assert first.context.line_items_url.endswith("/lineitems")
    assert (first.state, first.label, first.resource_link_id) == (SyncState.DELIVERED, "Quiz", campus.link.id)


def test_a_message_launch_is_as_good_as_its_claims(campus):
    class Message:
        def get_launch_data(self):
            return campus.claims()

    assert line_items.from_launch(Message()) == campus.line_item()


def test_the_newest_urls_and_scopes_are_kept(campus):
    old = campus.line_item()
    scores.record(old, user_id="u1", score_given=1, score_maximum=10)
    claims = campus.claims(
        lineitem="https://other.example/li/9?x=1",
        lineitems="https://other.example/li",
        scope=[vocabulary.SCOPE_SCORE],
        **{"https://x.example/more": {"a": 1}},
    )
    claims[PREFIX + "context"]["title"] = "Maths"
    new = line_items.from_launch(claims)
    assert new.pk == old.pk
    assert (new.url, new.scopes, new.extensions) == (
        "https://other.example/li/9?x=1",
        [vocabulary.SCOPE_SCORE],
        {"https://x.example/more": {"a": 1}},
    )
    assert new.context.title == "Maths"
    assert new.service.origin == "https://other.example"
    assert Score.objects.get().service == new.service
    assert line_items.from_launch(claims).url == new.url


def test_links_that_only_look_alike_have_columns_of_their_own(campus):
    found = set()
    for number, link in enumerate(["abc", "ABC", "abc "]):
        claims = campus.claims(lineitem=f"https://lms.example/li/{number}")
        claims[PREFIX + "resource_link"]["id"] = link
        found.add(line_items.from_launch(claims).pk)
    assert len(found) == 3


def test_long_identifiers_and_urls_fit(campus):
    claims = campus.claims(lineitem="https://lms.example/" + "x" * 3000)
    claims[PREFIX + "deployment_id"] = "d" * 1000
    claims[PREFIX + "context"]["id"] = "c" * 2000
    assert len(line_items.from_launch(claims).url) == 3020


def test_a_launch_without_a_context_is_fine(campus):
    claims = campus.claims()
    del claims[PREFIX + "context"]
    assert line_items.from_launch(claims).context.context_id == ""


def test_the_authorised_party_of_several_audiences_counts(campus):
    assert line_items.from_launch(campus.claims() | {"aud": ["other", "quiz"], "azp": "quiz"})
    assert line_items.from_launch(campus.claims() | {"aud": ["other", "quiz"]})


def test_an_unknown_registration_names_the_commands(campus):
    with pytest.raises(UnknownRegistration) as caught:
        line_items.from_launch(campus.claims() | {"aud": "stranger"})
    assert (caught.value.issuer, caught.value.client_id) == (campus.platform.issuer, "stranger")
    assert "lti_ags_register" in str(caught.value)
    assert "lti_ags_import" in str(caught.value)
    assert not Context.objects.exists()


def test_what_the_platform_did_not_grant_is_said(campus):
    with pytest.raises(NoLineItem, match="no gradebook column"):
        line_items.from_launch(campus.claims(lineitem=None))
    with pytest.raises(MissingScope, match="scope/score"):
        line_items.from_launch(campus.claims(scope=[vocabulary.SCOPE_LINE_ITEM]))
    claims = campus.claims()
    del claims[AGS]
    with pytest.raises(NoAgsClaim, match="no AGS endpoint claim"):
        line_items.from_launch(claims)
    with pytest.raises(NoAgsClaim):
        line_items.context_from_launch(claims)
    assert not Context.objects.exists()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"iss": None}, "no claim iss"),
        ({"iss": 7}, "iss must be a string"),
        ({"aud": None}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": [7]}, "aud"),
        ({PREFIX + "deployment_id": ""}, "deployment_id"),
        ({PREFIX + "deployment_id": "a\x00"}, "NUL"),
        ({PREFIX + "context": {}}, "context → id"),
        ({PREFIX + "context": "c"}, "must be an object"),
        ({AGS: []}, "must be an object"),
        ({AGS: {"scope": [7]}}, "scopes as strings"),
        ({AGS: {"scope": [], "lineitem": "ftp://x"}}, "lineitem"),
        ({AGS: {"scope": [], "lineitem": "https://x/ y"}}, "lineitem"),
        ({AGS: {"scope": [], "lineitem": ["https://x"]}}, "lineitem"),
        ({AGS: {"scope": [], "lineitems": "/relative"}}, "lineitems"),
    ],
)
def test_malformed_claims_are_named(campus, changed, told):
    with pytest.raises(MalformedLaunch, match=told):
        line_items.from_launch(campus.claims() | changed)
    assert not Context.objects.exists()


def test_claims_must_be_a_mapping(campus):
    class Message:
        def get_launch_data(self):
            return None

    with pytest.raises(MalformedLaunch, match="mapping"):
        line_items.from_launch(Message())


def test_scopes_may_come_in_oauths_form(campus):
    assert line_items.from_launch(campus.claims(scope=f"{vocabulary.SCOPE_SCORE} x")).scopes == [vocabulary.SCOPE_SCORE, "x"]


def test_a_registration_may_refuse_new_deployments(campus):
    campus.line_item()
    Registration.objects.update(accept_new_deployments=False)
    campus.line_item()
    with pytest.raises(LaunchRefused, match="not listed"):
        line_items.from_launch(campus.claims() | {PREFIX + "deployment_id": "2"})


def test_the_profile_is_suggested_and_never_overruled(campus):
    claims = campus.claims() | {PREFIX + "tool_platform": {"product_family_code": "BlackboardLearn"}}
    line_items.from_launch(claims)
    assert Registration.objects.get().profile == "blackboard"
    line_items.from_launch(campus.claims() | {PREFIX + "tool_platform": {"product_family_code": "canvas"}})
    assert Registration.objects.get().profile == "blackboard"


def test_a_declared_column_is_there_once_and_wanted(campus):
    context = line_items.context_from_launch(campus.claims(lineitem=None))
    first = line_items.declare(context, resource_id="essay", label="Essay", score_maximum=20)
    again = line_items.declare(context, resource_id="essay", label="Essay 2", score_maximum=30)
    other = line_items.declare(context, resource_id="Essay", label="Essay", score_maximum=20)
    assert first.pk == again.pk != other.pk
    assert (again.url, again.state, again.label, again.score_maximum) == ("", SyncState.PENDING, "Essay 2", 30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": " "},
        {"label": None},
        {"score_maximum": 0},
        {"score_maximum": float("nan")},
        {"score_maximum": "9"},
        {"score_maximum": True},
        {"resource_id": ""},
        {"resource_id": 5},
        {"tag": None},
        {"label": "half \ud800"},
        {"tag": "nul \x00"},
        {"resource_link_id": "\udfff"},
        {"score_maximum": 10**400},
        {"label": "x" * 5000},
    ],
)
def test_a_bad_declaration_is_refused(campus, wrong):
    context = line_items.context_from_launch(campus.claims())
    with pytest.raises(InvalidLineItem):
        line_items.declare(context, **({"resource_id": "e", "label": "E", "score_maximum": 1} | wrong))


def test_a_column_cannot_be_declared_where_the_platform_lets_none_be_made(campus):
    with pytest.raises(NoAgsClaim, match="container"):
        line_items.declare(line_items.context_from_launch(campus.claims(lineitems=None)), resource_id="e", label="E", score_maximum=1)
    context = line_items.context_from_launch(campus.claims(scope=[vocabulary.SCOPE_SCORE]))
    with pytest.raises(MissingScope):
        line_items.declare(context, resource_id="e", label="E", score_maximum=1)


def test_a_maximum_may_be_a_decimal(campus):
    context = line_items.context_from_launch(campus.claims())
    assert line_items.declare(context, resource_id="e", label="E", score_maximum=Decimal("20.5")).score_maximum == 20.5


@pytest.mark.parametrize("minutes", [5, 15])
def test_a_launch_that_brings_nothing_new_tries_again_what_was_blocked_a_while_ago(campus, minutes):
    line_item = campus.line_item()
    scores.record(line_item, user_id="u1", score_given=1, score_maximum=10)
    LineItem.objects.update(block_code="forbidden", blocked_at=timezone.now() - timedelta(minutes=minutes))
    Score.objects.update(state=SyncState.BLOCKED, due_at=None, code="forbidden")
    campus.line_item()
    assert Score.objects.get().state == (SyncState.PENDING if minutes == 15 else SyncState.BLOCKED)
