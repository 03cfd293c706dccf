"""Columns from launches, and declared ones."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from django_lti_ags import launches, line_items, scores
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
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.outbox_sql import database_now

PREFIX = vocabulary.LTI_CLAIM_PREFIX
AGS = vocabulary.AGS_ENDPOINT_CLAIM


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


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


def nameless(campus, **endpoint):
    """A launch without a context."""
    found = campus.claims(**endpoint)
    del found[PREFIX + "context"]
    return found


def test_launches_that_name_no_course_are_told_apart_by_where_their_columns_are(campus):
    here = nameless(campus)
    other = nameless(campus, lineitem="https://lms.example/b/1", lineitems="https://lms.example/b")
    first, second = line_items.from_launch(here), line_items.from_launch(other)
    assert first.context != second.context
    assert (first.url, second.url) == (here[AGS]["lineitem"], "https://lms.example/b/1"), "a link of the same id took no column away"
    assert (first.context.line_items_url, second.context.line_items_url) == (here[AGS]["lineitems"], "https://lms.example/b")
    assert line_items.from_launch(here) == first
    assert line_items.context_from_launch(other) == second.context
    assert line_items.from_launch(campus.claims()).context not in (first.context, second.context)


@pytest.mark.parametrize(
    ("endpoint", "told_by"),
    [
        ({"lineitems": None, "lineitem": "https://lms.example/b/1"}, "https://lms.example/b/1"),
        ({"lineitems": None, "lineitem": None}, "the link"),
        ({"lineitems": "https://lms.example/b", "lineitem": None}, "https://lms.example/b"),
    ],
)
def test_what_stands_in_for_a_course_that_is_not_named(campus, endpoint, told_by):
    found = nameless(campus, **endpoint)
    found[PREFIX + "resource_link"]["id"] = "the link"
    _, ltik = launches.keep(found)
    context = launches.find(ltik).context
    assert (context.context_id, context.stand_in) == ("", told_by)
    _, again = launches.keep(found)
    assert launches.find(again).context == context


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


READ_ONLY = [vocabulary.SCOPE_RESULT_READONLY]


@pytest.mark.parametrize("error", [MissingScope, NoLineItem])
def test_a_launch_that_grants_less_is_kept_before_it_is_refused(campus, error):
    old = campus.line_item()
    lineitem = None if error is NoLineItem else "https://other.example/li/9"
    claims = campus.claims(lineitem=lineitem, lineitems="https://other.example/li", scope=READ_ONLY)
    claims[PREFIX + "context"]["title"] = "Maths"
    with pytest.raises(error):
        line_items.from_launch(claims)
    new = LineItem.objects.select_related("context", "service").get()
    assert (new.context.title, new.context.line_items_url, new.context.scopes) == ("Maths", "https://other.example/li", READ_ONLY)
    assert (new.pk, new.scopes) == (old.pk, READ_ONLY)
    # A launch that names no column says nothing of where the known one is.
    assert new.url == (lineitem or old.url)
    assert new.service.origin == ("https://other.example" if lineitem else old.service.origin)


def test_a_launch_that_grants_less_makes_no_column(campus):
    line_items.context_from_launch(campus.claims(lineitem=None))
    with pytest.raises(MissingScope):
        line_items.from_launch(campus.claims(scope=READ_ONLY))
    assert not LineItem.objects.exists()
    assert Context.objects.get().scopes == READ_ONLY


def test_a_scope_that_comes_back_releases_what_waited_for_it(campus):
    line_item = campus.line_item()
    with pytest.raises(MissingScope):
        line_items.from_launch(campus.claims(scope=READ_ONLY))
    LineItem.objects.update(block_code="missing_scope", blocked_at=database_now("default"))
    again = line_items.from_launch(campus.claims())
    assert (again.pk, again.block_code, vocabulary.SCOPE_SCORE in again.scopes) == (line_item.pk, "", True)


def test_a_refused_deployment_refreshes_nothing(campus):
    campus.line_item()
    Deployment.objects.update(deployment_id="2", deployment_digest=digest("2"))
    Registration.objects.update(accept_new_deployments=False)
    with pytest.raises(MissingScope):
        line_items.from_launch(campus.claims(scope=READ_ONLY))
    assert Context.objects.get().scopes != READ_ONLY


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
        ({PREFIX + "context": {"id": "c", "title": "\x00"}}, "claim/context → title holds a NUL"),
        ({PREFIX + "context": {"id": "c", "label": 5}}, "claim/context → label must be a string"),
        ({PREFIX + "resource_link": {"id": 5}}, "claim/resource_link → id must be a string"),
        ({PREFIX + "resource_link": {"id": "r", "title": 5}}, "claim/resource_link → title must be a string"),
        ({PREFIX + "tool_platform": {"product_family_code": 5}}, "claim/tool_platform → product_family_code must be a string"),
        ({"aud": "quiz\ud800"}, "aud holds a NUL or a lone surrogate"),
        ({"aud": ["quiz", "\x00"]}, "aud holds a NUL or a lone surrogate"),
        ({"aud": ["quiz"] * 101}, "aud lists 101 audiences"),
        ({"azp": "\ud800"}, "azp holds a NUL or a lone surrogate"),
        ({PREFIX + "context": nested(5000)}, "must be an object, not (a list|\\[\\[)"),
        ({"iss": 10**5000}, "iss must be a string, not (an int|1000)"),
        ({AGS: {"scope": ["a\x00b"]}}, "endpoint → scope holds a NUL or a lone surrogate"),
        ({AGS: {"scope": ["a", "\ud800"]}}, "endpoint → scope holds a NUL or a lone surrogate"),
        ({AGS: {"scope": "a\x00b"}}, "endpoint → scope holds a NUL or a lone surrogate"),
        ({AGS: {"scope": nested(5000)}}, "scopes as strings"),
        ({AGS: {"scope": [], 5: 5}}, "endpoint has a key that is no string"),
        ({AGS: {"scope": [], "x": 1, "https://x/\ud800": 1}}, "a NUL or a lone surrogate"),
    ],
)
def test_malformed_claims_are_named(campus, changed, told):
    with pytest.raises(MalformedLaunch, match=told):
        line_items.from_launch(campus.claims() | changed)
    assert not Context.objects.exists()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a\x00", "a NUL or a lone surrogate"),
        (["\ud800"], "a NUL or a lone surrogate"),
        ({"a\ud800": 1}, "a NUL or a lone surrogate"),
        ({"deep": {5: 1}}, "a key that is no string"),
        (float("nan"), "a number that JSON has not"),
        ([float("-inf")], "a number that JSON has not"),
        (10**400, "a number that JSON has not"),
        ({1, 2}, "a set, which JSON has not"),
        (b"x", "a bytes, which JSON has not"),
        ((1, 2), "a tuple, which JSON has not"),
        (nested(21), "deeper than 20 levels"),
        (nested(5000), "deeper than 20 levels"),
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_extensions_that_no_database_takes_are_named(campus, value, told):
    with pytest.raises(MalformedLaunch, match=told) as caught:
        line_items.from_launch(campus.claims(**{"https://x.example/more": value}))
    assert "https://x.example/more" in str(caught.value)
    assert not Context.objects.exists()


@pytest.mark.parametrize("value", [[None], True, "ü\U0001f600", 2**64, -0.5, {"a": [{}, []]}, nested(20), ""])
def test_extensions_are_kept_as_they_came(campus, value):
    made = line_items.from_launch(campus.claims(**{"https://x.example/more": value}))
    made.refresh_from_db()
    assert made.extensions == {"https://x.example/more": value}


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


def test_a_second_column_of_a_link_is_warned_of_where_it_moves_no_grade(campus, caplog):
    """That is Canvas, and only what a launch has shown is known."""
    first = line_items.from_launch(campus.claims())
    context, link = first.context, {"resource_link_id": first.resource_link_id, "label": "Draft", "score_maximum": 5}
    for profile, tag, warned in (("", "a", False), ("moodle", "b", False), ("canvas", "c", True)):
        Registration.objects.update(profile=profile)
        context = Context.objects.get(pk=context.pk)
        second = line_items.declare(context, tag=tag, **link)
        line_items.declare(context, tag=tag, **link)
        told = [record for record in caplog.records if str(second.uid) in record.getMessage()]
        assert len(told) == int(warned), "once, when it is declared first"
        assert not warned or f"resource link has the column {first.uid} already" in told[0].getMessage()
    assert line_items.declare(context, resource_link_id=first.resource_link_id, label="Quiz", score_maximum=5) == first
    line_items.declare(context, tag="d", label="Own", score_maximum=5)
    line_items.declare(context, tag="e", **(link | {"resource_link_id": "another"}))
    assert len(caplog.records) == 1


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
