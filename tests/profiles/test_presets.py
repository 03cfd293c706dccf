"""The presets: each is complete, and says what it still needs."""

from __future__ import annotations

import pytest

from django_lti_ags.ags.urls import check_url
from django_lti_ags.profiles.presets import CUSTOM, PRESETS

SITE = "https://lms.example.edu"
EXPECTED = {
    "canvas": (
        "https://canvas.instructure.com",
        "https://sso.canvaslms.com/api/lti/authorize_redirect",
        "https://sso.canvaslms.com/login/oauth2/token",
        "https://sso.canvaslms.com/api/lti/security/jwks",
    ),
    "moodle": (SITE, f"{SITE}/mod/lti/auth.php", f"{SITE}/mod/lti/token.php", f"{SITE}/mod/lti/certs.php"),
    "blackboard": (
        "https://blackboard.com",
        "https://developer.blackboard.com/api/v1/gateway/oidcauth",
        "https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken",
        "https://developer.blackboard.com/api/v1/management/applications/my-id/jwks.json",
    ),
    "d2l": (SITE, f"{SITE}/d2l/lti/authenticate", "https://auth.brightspace.com/core/connect/token", f"{SITE}/d2l/.well-known/jwks"),
    "sakai": (SITE, f"{SITE}/imsoidc/lti13/oidc_auth", f"{SITE}/imsblis/lti13/token/42", f"{SITE}/imsblis/lti13/keyset"),
    "schoology": (
        "https://schoology.schoology.com",
        "https://lti-service.svc.schoology.com/lti-service/authorize-redirect",
        "https://lti-service.svc.schoology.com/lti-service/access-token",
        "https://lti-service.svc.schoology.com/lti-service/.well-known/jwks",
    ),
    "openedx": (
        SITE,
        f"{SITE}/api/lti_consumer/v1/launch/",
        f"{SITE}/api/lti_consumer/v1/token/42",
        f"{SITE}/api/lti_consumer/v1/public_keysets/42",
    ),
}
CLOUDS = ("blackboard", "schoology")


def fields(name: str, site: str = SITE + "/", platform_id: str = "42") -> dict[str, str]:
    preset = PRESETS[name]
    return preset.urls(
        site="" if name in (*CLOUDS, "canvas") else site, client_id="my-id", platform_id=platform_id if preset.needs_id else ""
    )


def test_every_preset_is_tested():
    assert set(PRESETS) == set(EXPECTED)
    assert CUSTOM not in PRESETS


@pytest.mark.parametrize("name", EXPECTED)
def test_the_addresses(name):
    found = fields(name)
    audience = found.pop("token_audience")
    assert tuple(found.values()) == EXPECTED[name]
    assert list(found) == ["issuer", "auth_login_url", "token_url", "jwks_url"]
    assert audience == ("https://api.brightspace.com/auth/token" if name == "d2l" else "")
    for url in found.values():
        check_url(url)
        assert url.startswith("https://")


@pytest.mark.parametrize("name", EXPECTED)
def test_each_has_a_profile_and_a_hint(name):
    assert PRESETS[name].profile == name
    assert len(PRESETS[name].hint) > 20


def test_a_canvas_of_ones_own():
    found = PRESETS["canvas"].urls(site="https://canvas.example.edu", client_id="1")
    assert found["token_url"] == "https://canvas.example.edu/login/oauth2/token"
    assert found["issuer"] == "https://canvas.instructure.com"


@pytest.mark.parametrize("name", ["moodle", "d2l", "sakai", "openedx"])
def test_an_address_is_needed(name):
    with pytest.raises(ValueError, match="--platform-url"):
        fields(name, site="")


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_takes_no_address(name):
    with pytest.raises(ValueError, match="leave --platform-url out"):
        PRESETS[name].urls(site="https://university.example", client_id="1")


@pytest.mark.parametrize("name", ["sakai", "openedx"])
def test_an_id_is_needed(name):
    with pytest.raises(ValueError, match="--platform-id"):
        fields(name, platform_id="")


@pytest.mark.parametrize("name", ["moodle", "canvas", "blackboard"])
def test_an_id_that_no_url_has_a_place_for(name):
    with pytest.raises(ValueError, match="leave --platform-id out"):
        PRESETS[name].urls(site="" if name == "blackboard" else SITE, client_id="1", platform_id="42")


@pytest.mark.parametrize("part", ["a/b", "a?b", "a#b", "..", ".", "a b", "a%2Fb", "ü", "https://s.example/imsblis/lti13/token/42"])
def test_ids_that_would_change_a_url(part):
    with pytest.raises(ValueError, match=r"--platform-id .* cannot be a part of a URL"):
        fields("sakai", platform_id=part)
    with pytest.raises(ValueError, match=r"--client-id .* cannot be a part of a URL"):
        PRESETS["blackboard"].urls(site="", client_id=part)
    # Where no URL carries it, a client_id may be whatever the platform likes.
    assert PRESETS["moodle"].urls(site=SITE, client_id=part)


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("moodle", f"{SITE}/login/index.php"),
        ("moodle", f"{SITE}/course/view.PHP"),
        ("sakai", f"{SITE}/portal.jsp"),
        ("d2l", f"{SITE}/d2l/home"),
        ("moodle", f"{SITE}/mod/lti"),
        ("moodle", f"{SITE}/?redirect=0"),
        ("moodle", f"{SITE}#top"),
        ("moodle", f"{SITE}?"),
    ],
)
def test_a_page_is_not_the_platforms_address(name, site):
    with pytest.raises(ValueError, match="not a page of it"):
        fields(name, site=site, platform_id="42")


@pytest.mark.parametrize("site", [SITE, f"{SITE}/", f"{SITE}/moodle", f"{SITE}/moodle-4.1", "http://localhost:8080/a/b"])
def test_a_platform_may_be_in_a_directory(site):
    assert fields("moodle", site=site)["issuer"] == site.rstrip("/")


def test_the_hint_knows_canvas_clouds_for_trying_out():
    hint = PRESETS["canvas"].hint
    assert "--platform-url https://sso.beta.canvaslms.com --issuer https://canvas.beta.instructure.com" in hint
