"""The platforms' key sets: kept, fetched again when a key is new, and never trusted to be well made."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import override_settings

from django_lti_ags.launch import keysets
from django_lti_ags.models.identity import digest
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


def after_a_while(platform, kept: str) -> None:
    """As it is when ``kept`` has run out."""
    cache.delete(f"lti_ags:jwks:{digest(platform.jwks_url)}:{kept}")


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
    after_a_while(platform, "failure")
    assert keysets.public_key(platform.jwks_url, platform.launches.kid)


def test_a_platform_that_hangs_is_given_up_on_soon(platform, monkeypatch):
    assert keysets.DEADLINE_SECONDS <= 4
    monkeypatch.setattr(keysets, "DEADLINE_SECONDS", 0.4)
    platform.faults.add(Effect.SLOW, kind="jwks", seconds=5)
    begun = time.monotonic()
    with pytest.raises(keysets.KeyNotFound, match=r"cannot be fetched: no whole answer within 0\.4 s"):
        keysets.public_key(platform.jwks_url, "k")
    with pytest.raises(keysets.KeyNotFound, match=r"cannot be fetched"):
        keysets.public_key(platform.jwks_url, "k")
    assert time.monotonic() - begun < 3
    assert asked(platform) <= 1, "a busy machine may take all of the 0.4 s for the way there"


def test_a_deadline_that_is_set_lower_holds_here_too(platform):
    platform.faults.add(Effect.SLOW, kind="jwks", seconds=5)
    with override_settings(LTI_AGS=django_settings.LTI_AGS | {"SEND_DEADLINE_SECONDS": 0.3}):
        begun = time.monotonic()
        with pytest.raises(keysets.KeyNotFound):
            keysets.public_key(platform.jwks_url, "k")
    assert time.monotonic() - begun < 2


def test_a_platform_that_hangs_up_did_not_take_long(platform):
    platform.faults.add(Effect.DOWN, kind="jwks")
    with pytest.raises(keysets.KeyNotFound, match="cannot be fetched: the connection broke off"):
        keysets.public_key(platform.jwks_url, "k")


class TestTwoAtOnce:
    """A class begins, and all its launches need the same key set."""

    @pytest.fixture(autouse=True)
    def short_patience(self, monkeypatch):
        monkeypatch.setattr(keysets, "PATIENCE_SECONDS", 0.3)

    def fetching(self, platform):
        cache.set(f"lti_ags:jwks:{digest(platform.jwks_url)}:fetching", True)

    def test_a_set_that_comes_soon_is_waited_for_and_fetched_once(self, platform, monkeypatch):
        monkeypatch.setattr(keysets, "PATIENCE_SECONDS", 5)
        platform.faults.add(Effect.SLOW, kind="jwks", seconds=0.4)
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(lambda _: keysets.public_key(platform.jwks_url, platform.launches.kid), range(6)))
        assert len(found) == 6
        assert asked(platform) == 1

    def test_the_others_do_not_wait_for_a_platform_that_hangs(self, platform, monkeypatch):
        self.fetching(platform)
        begun = time.monotonic()
        with pytest.raises(keysets.KeyNotFound, match="is being fetched just now, and takes long"):
            keysets.public_key(platform.jwks_url, platform.launches.kid)
        assert time.monotonic() - begun < 1
        assert asked(platform) == 0

    def test_the_others_use_the_older_set(self, platform):
        keysets.public_key(platform.jwks_url, platform.launches.kid)
        after_a_while(platform, "fresh")
        self.fetching(platform)
        begun = time.monotonic()
        assert keysets.public_key(platform.jwks_url, platform.launches.kid)
        assert time.monotonic() - begun < 0.2
        assert asked(platform) == 1

    def test_a_new_key_that_somebody_asks_for_is_waited_for(self, platform, monkeypatch):
        monkeypatch.setattr(keysets, "PATIENCE_SECONDS", 5)
        keysets.public_key(platform.jwks_url, platform.launches.kid)
        platform.launches.kid = "rotated"
        platform.faults.add(Effect.SLOW, kind="jwks", seconds=0.4)
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(lambda _: keysets.public_key(platform.jwks_url, "rotated"), range(4)))
        assert asked(platform) == 2

    def test_who_waited_for_a_failure_is_told_of_it(self, platform, monkeypatch):
        monkeypatch.setattr(keysets, "PATIENCE_SECONDS", 5)
        platform.faults.add(Effect.SLOW, kind="jwks", seconds=0.3, count=1)
        monkeypatch.setattr(keysets, "DEADLINE_SECONDS", 0.2)
        with ThreadPoolExecutor(3) as pool:
            waiting = [pool.submit(keysets.public_key, platform.jwks_url, "k") for _ in range(3)]
        assert all("cannot be fetched" in str(future.exception()) for future in waiting)
        platform.ledger.wait_for(lambda ledger: bool(ledger.of("jwks")))  # which notes a request when it has answered
        assert asked(platform) == 1


def test_an_older_set_does_while_the_platform_is_down(platform):
    keysets.public_key(platform.jwks_url, platform.launches.kid)
    after_a_while(platform, "fresh")
    platform.faults.add(Effect.STATUS, kind="jwks", status=503)
    for _ in range(3):
        assert keysets.public_key(platform.jwks_url, platform.launches.kid)
    assert asked(platform) == 2


def test_new_keys_and_a_failure_at_once_do_not_shut_everybody_out(platform):
    keysets.public_key(platform.jwks_url, platform.launches.kid)
    platform.launches.kid = "rotated"
    platform.faults.add(Effect.STATUS, kind="jwks", status=500, count=1)
    for _ in range(2):
        with pytest.raises(keysets.KeyNotFound, match="cannot be fetched: it answered 500"):
            keysets.public_key(platform.jwks_url, "rotated")
    assert asked(platform) == 2
    after_a_while(platform, "failure")
    assert keysets.public_key(platform.jwks_url, "rotated")


def test_what_a_platform_says_goes_to_the_log_only(platform, caplog):
    platform.faults.add(Effect.STATUS, kind="jwks", status=500, body="<b>canary</b> \x1b[31m\ninjected line")
    with pytest.raises(keysets.KeyNotFound) as caught:
        keysets.public_key(platform.jwks_url, "k")
    assert "canary" not in str(caught.value)
    assert "canary" in caplog.text
    assert "\x1b" not in caplog.text
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()


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


def test_the_tool_does_not_look_inside_its_own_network(platform, caplog):
    nowhere_inside = override_settings(LTI_AGS={"ALLOWED_PRIVATE_HOSTS": []})
    with nowhere_inside, pytest.raises(keysets.KeyNotFound, match=r"LTI_AGS\['ALLOWED_PRIVATE_HOSTS'\]") as caught:
        keysets.public_key(platform.jwks_url, platform.launches.kid)
    assert asked(platform) == 0
    # Where the tool's own network is, is not a student's business; the operator reads it in the log.
    assert "127.0.0.1" not in str(caught.value)
    assert "127.0.0.1" in caplog.text
