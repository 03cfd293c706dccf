"""``lti_ags_register``: adds a platform or changes one; a mistake stores nothing."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags import keys
from django_lti_ags.models import Deployment, Registration, SigningKey

pytestmark = pytest.mark.django_db

CUSTOM = {
    "issuer": "https://lms.example",
    "auth_login_url": "https://lms.example/auth",
    "token_url": "https://lms.example/token",
    "jwks_url": "https://lms.example/jwks",
}


def register(client_id="quiz", **options) -> str:
    out = StringIO()
    call_command("lti_ags_register", client_id=client_id, stdout=out, **options)
    return out.getvalue()


def test_a_platform_address_by_address():
    said = register(**CUSTOM, name="Campus", tool_url="https://tool.example/lti/")
    row = Registration.objects.get()
    assert {name: getattr(row, name) for name in CUSTOM} == CUSTOM
    assert (row.client_id, row.name, row.profile, row.token_audience, row.accept_new_deployments) == ("quiz", "Campus", "", "", True)
    for line in (
        "https://tool.example/lti/login/",
        "https://tool.example/lti/launch/",
        "https://tool.example/lti/jwks.json",
        "https://purl.imsglobal.org/spec/lti-ags/scope/score",
        json.dumps(row.signing_key.public_jwk, sort_keys=True),
    ):
        assert line in said
    assert "--tool-url" not in said
    assert "PRIVATE" not in said


def test_a_platform_by_preset():
    said = register(preset="d2l", platform_url="https://school.brightspace.com")
    row = Registration.objects.get()
    assert (row.profile, row.issuer) == ("d2l", "https://school.brightspace.com")
    assert row.token_audience == "https://api.brightspace.com/auth/token"
    assert "Manage Extensibility" in said
    assert "--tool-url" in said


def test_what_is_given_goes_before_the_preset():
    register(preset="canvas", issuer="https://canvas.beta.instructure.com", token_audience="https://aud.example")
    row = Registration.objects.get()
    assert (row.issuer, row.token_audience) == ("https://canvas.beta.instructure.com", "https://aud.example")
    assert row.auth_login_url == "https://sso.canvaslms.com/api/lti/authorize_redirect"


def test_the_first_registration_makes_a_key_and_the_next_ones_share_it():
    register(**CUSTOM)
    register("another", **CUSTOM)
    assert SigningKey.objects.get().registrations.count() == 2


def test_the_newest_published_key_is_taken_unless_one_is_named():
    old, new = keys.generate("old"), keys.generate("new")
    register(**CUSTOM)
    register("another", **CUSTOM, key=str(old.uid))
    assert Registration.objects.get(client_id="quiz").signing_key == new
    assert Registration.objects.get(client_id="another").signing_key == old


def test_deployments_are_listed():
    register(**CUSTOM, deployment_id=["1", "two"], only_listed_deployments=True)
    row = Registration.objects.get()
    assert not row.accept_new_deployments
    assert set(row.deployments.values_list("deployment_id", flat=True)) == {"1", "two"}


def test_update_changes_what_is_given_and_nothing_else():
    register(**CUSTOM, name="Campus", token_audience="https://aud.example", deployment_id=["1"], only_listed_deployments=True)
    key = keys.generate("next")
    said = register(
        update=True, issuer=CUSTOM["issuer"], token_url="https://lms.example/token2", key=str(key.uid), deployment_id=["1", "2"]
    )
    row = Registration.objects.get()
    assert said.startswith("Changed Campus")
    assert (row.token_url, row.signing_key) == ("https://lms.example/token2", key)
    assert (row.name, row.token_audience, row.auth_login_url) == ("Campus", "https://aud.example", CUSTOM["auth_login_url"])
    assert not row.accept_new_deployments
    assert Deployment.objects.count() == 2


def test_update_opens_a_registration_and_takes_an_audience_away():
    register(**CUSTOM, token_audience="https://aud.example", only_listed_deployments=True)
    register(update=True, issuer=CUSTOM["issuer"], token_audience="", only_listed_deployments=False)
    row = Registration.objects.get()
    assert (row.accept_new_deployments, row.token_audience) == (True, "")


def test_update_adds_what_is_not_there():
    assert register(**CUSTOM, update=True).startswith("Registered")


def test_from_the_command_line():
    call_command(
        "lti_ags_register",
        "--preset=moodle",
        "--platform-url=https://moodle.example",
        "--client-id=abc",
        "--deployment-id=1",
        "--no-only-listed-deployments",
        stdout=StringIO(),
    )
    assert Registration.objects.get().token_url == "https://moodle.example/mod/lti/token.php"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_id": ""}, "--client-id must not be blank"),
        ({"client_id": "  "}, "--client-id must not be blank"),
        ({"client_id": " quiz"}, "--client-id: ' quiz' has spaces around it"),
        ({"issuer": ""}, "--issuer must not be blank"),
        ({"issuer": None}, "--issuer must be given"),
        ({"issuer": "https://lms.example\n"}, "--issuer"),
        ({"issuer": "https://lms.\x00example"}, "NUL"),
        ({"token_url": None}, "--token-url must be given"),
        ({"token_url": "", "jwks_url": None}, "--token-url, --jwks-url must be given"),
        ({"jwks_url": "lms.example/jwks"}, "--jwks-url: 'lms.example/jwks' must begin with https"),
        ({"auth_login_url": "ftp://lms.example"}, "--auth-login-url"),
        ({"token_url": "https://me:secret@lms.example"}, "--token-url: a URL must not carry a user name"),
        ({"token_url": "https://lms.example/a b"}, "--token-url"),
        ({"tool_url": "tool.example"}, "--tool-url"),
        ({"deployment_id": [""]}, "--deployment-id must not be blank"),
        ({"deployment_id": ["1 "]}, "--deployment-id"),
        ({"key": "x"}, "no published key 'x'"),
        ({"key": "00000000-0000-4000-8000-000000000000"}, "no published key"),
        ({"platform_url": "https://lms.example"}, "belong to a preset"),
        ({"preset": "moodle"}, "--preset moodle: .*--platform-url"),
        ({"preset": "moodle", "platform_url": "moodle"}, "--platform-url: 'moodle' must begin with"),
        ({"preset": "sakai", "platform_url": "https://s.example"}, "--platform-id"),
        ({"preset": "schoology", "platform_url": "https://s.example"}, "leave --platform-url out"),
    ],
)
def test_mistakes_are_named_and_store_nothing(changed, said):
    options = {name: value for name, value in ({"client_id": "quiz"} | CUSTOM | changed).items() if value is not None}
    with pytest.raises(CommandError, match=said):
        register(**options)
    assert not Registration.objects.exists()
    assert not SigningKey.objects.exists()
    assert not Deployment.objects.exists()


def test_twice_is_a_mistake():
    register(**CUSTOM)
    with pytest.raises(CommandError, match="registered already"):
        register(**CUSTOM | {"token_url": "https://evil.example/"}, deployment_id=["9"])
    assert Registration.objects.get().token_url == CUSTOM["token_url"]
    assert not Deployment.objects.exists()


def test_a_retired_key_is_not_taken():
    key = keys.generate()
    call_command("lti_ags_keys", retire=str(key.uid), stdout=StringIO())
    with pytest.raises(CommandError, match="no published key"):
        register(**CUSTOM, key=str(key.uid))


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(CommandError, match=r"invalid choice: 'unknown'.*blackboard.*custom"):
        call_command("lti_ags_register", "--client-id=quiz", "--preset=unknown")
