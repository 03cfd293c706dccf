"""The platforms' key sets: kept, fetched again when a key is new, and never trusted to be well made."""

from __future__ import annotations

import json

import pytest
from django.core.cache import cache
from django.test import override_settings

from django_lti_ags.launch import keysets
from django_lti_ags.models.identity import digest
from django_lti_ags.sync import clients
from django_lti_ags.testing.platforms import Effect
from django_lti_ags.testing.platforms.http import Response, Route

pytestmark = pytest.mark.urls("tests.launch.urls")


@pytest.fixture
def platform(campus):
    return campus.platform


def asked(platform) -> int:
    return len(platform.ledger.of("jwks"))


def serve(platform, body: str, status: int = 200) -> str:
    """Another key set at the platform."""
    platform.add_routes([Route("GET", "/other-jwks", lambda request: Response(status=status, body=body.encode()), "jwks")])
    return platform.base_url + "/other-jwks"


def good_entry(platform) -> dict[str, str]:
    return json.loads(platform.launches._jwks(None).body)["keys"][0]


def test_a_set_is_fetched_once(platform):
    first = keysets.public_key(platform.jwks_url, platform.launches.kid)
    assert first.public_numbers() == platform.launches._key.public_key().public_numbers()
    for _ in range(3):
        keysets.public_key(platform.jwks_url, platform.launches.kid)
    assert asked(platform) == 1


def test_a_new_key_is_found_at_once(platform):
    keysets.public_key(platform.jwks_url, platform.launches.kid)
    platform.launches.kid = "rotated"
    assert keysets.public_key(platform.jwks_url, "rotated")
    assert asked(platform) == 2


def test_made_up_kids_cost_the_platform_one_request(platform):
    keysets.public_key(platform.jwks_url, platform.launches.kid)
    for number in range(20):
        with pytest.raises(keysets.KeyNotFound, match=f"kid 'made-up-{number}'"):
            keysets.public_key(platform.jwks_url, f"made-up-{number}")
    assert asked(platform) == 2


def test_a_withdrawn_key_is_forgotten_with_its_set(platform):
    old = platform.launches.kid
    keysets.public_key(platform.jwks_url, old)
    platform.launches.kid = "rotated"
    keysets.public_key(platform.jwks_url, "rotated")
    with pytest.raises(keysets.KeyNotFound):
        keysets.public_key(platform.jwks_url, old)


def test_a_dead_platform_is_not_asked_by_every_launch(platform):
    platform.faults.add(Effect.STATUS, kind="jwks", status=503)
    for _ in range(3):
        with pytest.raises(keysets.KeyNotFound, match="503"):
            keysets.public_key(platform.jwks_url, platform.launches.kid)
    assert asked(platform) == 1
    platform.faults.clear()
    cache.delete(f"lti_ags:jwks:{digest(platform.jwks_url)}:failure")  # as it is after five seconds
    assert keysets.public_key(platform.jwks_url, platform.launches.kid)


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "[]", "{}", "null", '{"keys": {}}', '{"keys": "x"}', "[" * 100_000, '{"keys": ' + "[" * 100_000],
)
def test_what_is_no_key_set(platform, body):
    with pytest.raises(keysets.KeyNotFound, match="is no key set"):
        keysets.public_key(serve(platform, body), "k")


@pytest.mark.parametrize(
    "changed",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC"},
        {"alg": "HS256"},
        {"alg": "RS512"},
        {"use": "enc"},
        {"kid": "another"},
        {"kid": None},
        {"n": None},
        {"e": 65537},
    ],
)
def test_keys_that_cannot_have_signed(platform, changed):
    entry = {name: value for name, value in (good_entry(platform) | changed).items() if value is not None}
    url = serve(platform, json.dumps({"keys": ["x", None, entry]}))
    with pytest.raises(keysets.KeyNotFound, match="has no RS256 key"):
        keysets.public_key(url, platform.launches.kid)


@pytest.mark.parametrize("changed", [{"n": "!"}, {"n": ""}, {"e": "AA"}, {"n": "AQ"}])
def test_keys_that_cannot_be_read(platform, changed):
    url = serve(platform, json.dumps({"keys": [good_entry(platform) | changed]}))
    with pytest.raises(keysets.KeyNotFound, match="cannot be read"):
        keysets.public_key(url, platform.launches.kid)


@pytest.mark.parametrize("left_out", ["alg", "use"])
def test_alg_and_use_need_not_be_said(platform, left_out):
    entry = good_entry(platform) | {left_out: None}
    assert keysets.public_key(serve(platform, json.dumps({"keys": [entry]})), platform.launches.kid)


def test_a_private_half_is_not_kept(platform):
    url = serve(platform, json.dumps({"keys": [good_entry(platform) | {"d": "private", "p": "private"}]}))
    keysets.public_key(url, platform.launches.kid)
    assert "private" not in str(cache.get("lti_ags:jwks:" + digest(url)))


def test_the_tool_does_not_look_inside_its_own_network(platform):
    with override_settings(LTI_AGS={"ALLOWED_PRIVATE_HOSTS": []}):
        clients.forget_shared()
        with pytest.raises(keysets.KeyNotFound, match="cannot be fetched"):
            keysets.public_key(platform.jwks_url, platform.launches.kid)
    assert asked(platform) == 0
