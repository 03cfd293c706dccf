"""``lti_ags_register``: adds a platform or changes one; a mistake stores nothing."""

from __future__ import annotations

import json
from io import StringIO
from threading import Event

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags import keys
from django_lti_ags.management import private_hosts
from django_lti_ags.models import Deployment, Registration, SigningKey

pytestmark = pytest.mark.django_db

CUSTOM = {
    "issuer": "https://lms.example",
    "auth_login_url": "https://lms.example/auth",
    "token_url": "https://lms.example/token",
    "jwks_url": "https://lms.example/jwks",
}


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Which addresses the platforms' names have; nothing is asked of a network."""
    known = {"lms.example": ["93.184.215.14"]}

    def resolve(host: str, port: int) -> list[str]:
        if host not in known:
            raise OSError("Name or service not known")
        return known[host]

    monkeypatch.setattr(private_hosts, "resolve", resolve)
    return known


def register(client_id="quiz", **options) -> str:
    out, err = StringIO(), StringIO()
    call_command("lti_ags_register", client_id=client_id, stdout=out, stderr=err, **options)
    return out.getvalue() + err.getvalue()


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
        ({"client_id": ""}, "--client-id: '' is blank"),
        ({"client_id": "  "}, "--client-id: '  ' is blank"),
        ({"client_id": " quiz"}, "--client-id: ' quiz' has spaces around it"),
        ({"issuer": ""}, "--issuer: '' is blank"),
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
        ({"deployment_id": [""]}, "--deployment-id: '' is blank"),
        ({"deployment_id": ["1 "]}, "--deployment-id"),
        ({"issuer": "not a url é"}, "--issuer"),
        ({"issuer": "lms.example"}, "--issuer: 'lms.example' must begin with https"),
        ({"issuer": "https://lms.example?a=1"}, "--issuer: .* must not have a query or a fragment"),
        ({"issuer": "https://lms.example#a"}, "--issuer: .* must not have a query or a fragment"),
        ({"issuer": "https://lms\ud800.example"}, "--issuer"),
        ({"tool_url": "https://tool.example/lti?x=1"}, "--tool-url: .* must not have a query or a fragment"),
        ({"tool_url": "https://tool.example/lti#x"}, "--tool-url: .* must not have a query or a fragment"),
        ({"tool_url": ""}, "--tool-url"),
        ({"client_id": "…"}, "--client-id: '…' has a … in it"),
        ({"client_id": "a\ud800"}, "--client-id"),
        ({"deployment_id": ["…"]}, "--deployment-id: '…' has a … in it"),
        ({"deployment_id": ["\ud800"]}, "--deployment-id"),
        ({"token_audience": "a\x00"}, "--token-audience"),
        ({"token_audience": " "}, "--token-audience"),
        ({"name": "n" * 201}, "--name: at most 200 characters, not 201"),
        ({"name": "a\x00"}, "--name"),
        ({"name": "\ud800"}, "--name"),
        ({"preset": "sakai", "platform_url": "https://s.example", "platform_id": "4/2"}, "--platform-id '4/2' cannot be a part of a URL"),
        ({"preset": "moodle", "platform_url": "https://s.example/login/index.php"}, "not a page of it"),
        ({"preset": "moodle", "platform_url": "https://s.example", "platform_id": "42"}, "leave --platform-id out"),
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


class TestBeforeThePlatformShowsAClientId:
    """Many platforms show it only after the tool's addresses were pasted."""

    def test_it_prints_what_to_paste_and_stores_nothing(self):
        said = register(None, preset="moodle", platform_url="https://moodle.example", tool_url="https://tool.example/lti")
        assert said.startswith("Nothing is stored yet")
        for line in ("https://tool.example/lti/login/", "https://tool.example/lti/jwks.json", "External tool", "scope/score"):
            assert line in said
        assert "run this again with --client-id" in said
        assert not Registration.objects.exists()
        assert not SigningKey.objects.exists()

    def test_without_a_key_it_says_how_to_make_one(self):
        assert "lti_ags_keys --generate" in register(None, preset="canvas")
        key = keys.generate()
        said = register(None, preset="canvas")
        assert "lti_ags_keys --generate" not in said
        assert json.dumps(key.public_jwk, sort_keys=True) in said

    def test_a_named_key_is_the_one_to_paste(self):
        old = keys.generate()
        keys.generate()
        assert old.kid in register(None, preset="canvas", key=str(old.uid))

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"update": True}, "--update needs --client-id"),
            ({"tool_url": "tool"}, "--tool-url"),
            ({"preset": "moodle", "platform_url": "moodle"}, "--platform-url"),
            ({"key": "x"}, "no published key"),
        ],
    )
    def test_mistakes_are_named(self, options, said):
        with pytest.raises(CommandError, match=said):
            register(None, **options)

    def test_from_the_command_line(self):
        out = StringIO()
        call_command("lti_ags_register", "--preset=canvas", stdout=out)
        assert "--client-id" in out.getvalue()


def test_an_update_reaches_a_registration_whose_issuer_came_from_elsewhere():
    """As ``lti_ags_import`` may have taken it over."""
    register(**CUSTOM)
    row = Registration.objects.get()
    row.issuer = "lms"
    row.save()
    register(update=True, issuer="lms", name="Campus")
    assert Registration.objects.get().name == "Campus"


class TestPrivateAddresses:
    def test_a_platform_inside_is_warned_of(self, names, settings):
        settings.LTI_AGS = settings.LTI_AGS | {"ALLOWED_PRIVATE_HOSTS": []}
        names["lms.example"] = ["10.1.2.3"]
        said = register(**CUSTOM)
        assert said.count("Warning") == 1
        assert "lms.example resolves to 10.1.2.3, which is not a public address" in said
        assert 'LTI_AGS["ALLOWED_PRIVATE_HOSTS"]' in said
        assert Registration.objects.exists()

    @pytest.mark.parametrize("allowed", ["lms.example", "*.example", "10.0.0.0/8", "lms.example:443"])
    def test_one_that_is_listed_is_not(self, names, settings, allowed):
        settings.LTI_AGS = settings.LTI_AGS | {"ALLOWED_PRIVATE_HOSTS": [allowed]}
        names["lms.example"] = ["10.1.2.3"]
        assert "Warning" not in register(**CUSTOM)

    def test_nor_a_public_one_nor_one_that_does_not_resolve(self, names):
        assert "Warning" not in register(**CUSTOM)
        del names["lms.example"]
        assert "Warning" not in register("other", **CUSTOM)

    def test_what_only_the_browser_opens_may_be_inside(self, names, settings):
        settings.LTI_AGS = settings.LTI_AGS | {"ALLOWED_PRIVATE_HOSTS": []}
        names["inside.example"] = ["10.1.2.3"]
        assert "Warning" not in register(**CUSTOM | {"auth_login_url": "https://inside.example/auth"})

    def test_a_name_server_that_hangs_holds_nobody_up(self, monkeypatch):
        over = Event()
        monkeypatch.setattr(private_hosts, "PATIENCE_SECONDS", 0.1)
        monkeypatch.setattr(private_hosts, "resolve", lambda host, port: over.wait(20) and [])
        assert register(**CUSTOM).startswith("Registered")
        over.set()

    def test_a_name_that_is_none_breaks_nothing(self, monkeypatch):
        def fail(host, port):
            raise UnicodeError("label too long")

        monkeypatch.setattr(private_hosts, "resolve", fail)
        assert "Warning" not in register(**CUSTOM)

    def test_a_list_that_cannot_be_read_is_told(self, settings):
        settings.LTI_AGS = settings.LTI_AGS | {"ALLOWED_PRIVATE_HOSTS": ["https://lms.example"]}
        assert "write it without a scheme" in register(**CUSTOM)
