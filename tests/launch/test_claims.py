"""Whatever is in a token, the answer is yes or a MalformedLaunch that names the claim."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.exceptions import MalformedLaunch
from django_lti_ags.launch.claims import check_claims, check_header, client_id
from tests.launch.conftest import PREFIX

GOOD = {
    "iss": "https://lms.example",
    "aud": "quiz",
    "sub": "u1",
    "nonce": "n",
    "iat": 1,
    "exp": 2,
    PREFIX + "message_type": "LtiResourceLinkRequest",
    PREFIX + "version": "1.3.0",
    PREFIX + "deployment_id": "1",
    PREFIX + "roles": [],
    PREFIX + "resource_link": {"id": "r"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_claim_is_needed(name):
    with pytest.raises(MalformedLaunch, match=name.rpartition("/")[2]):
        check_claims({key: value for key, value in GOOD.items() if key != name})


@given(st.dictionaries(st.sampled_from([*GOOD, "azp", "nbf", PREFIX + "target_link_uri"]), JSON, max_size=4))
def test_no_claim_breaks_the_check(changed):
    claims = GOOD | changed
    with contextlib.suppress(MalformedLaunch):
        check_claims(claims)
        # What was let in can be worked with.
        assert client_id(claims).encode()
        assert claims["sub"].encode()
        assert claims[PREFIX + "resource_link"]["id"].encode()
        assert int(claims["exp"]) >= 0


@given(JSON)
def test_no_body_or_header_breaks_the_check(value):
    for check in (check_claims, check_header):
        with pytest.raises(MalformedLaunch):
            check(value)


def test_the_client_id_is_the_authorised_party():
    assert client_id({"aud": ["a", "b"], "azp": "b"}) == "b"
    assert client_id({"aud": ["a"]}) == "a"
    assert client_id({"aud": "a"}) == "a"


def test_other_messages_need_no_resource_link():
    claims = {name: value for name, value in GOOD.items() if not name.endswith("resource_link")}
    check_claims(claims | {PREFIX + "message_type": "LtiDeepLinkingRequest"})
    with pytest.raises(MalformedLaunch, match="resource_link"):
        check_claims(claims | {PREFIX + "message_type": "LtiDeepLinkingRequest", PREFIX + "resource_link": 7})


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [True, "1", -1, float("nan"), 10**400, []])
def test_a_time_is_a_number_of_seconds(name, value):
    with pytest.raises(MalformedLaunch, match=name):
        check_claims(GOOD | {name: value})
