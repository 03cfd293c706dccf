"""``lti_ags_import``: takes a pylti1p3 set-up over so that the platforms notice nothing."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.core.management import CommandError, call_command
from pylti1p3.tool_config import ToolConfJsonFile

from django_lti_ags import keys
from django_lti_ags.models import Deployment, Registration, SigningKey

pytestmark = pytest.mark.django_db

ENTRY = {
    "default": True,
    "client_id": "quiz",
    "auth_login_url": "https://lms.example/auth",
    "auth_token_url": "https://lms.example/token",
    "auth_audience": None,
    "key_set_url": "https://lms.example/jwks",
    "key_set": None,
    "private_key_file": "private.key",
    "public_key_file": "public.key",
    "deployment_ids": ["1", "two"],
}
TENANTS = [{"client_id": "a", "auth_audience": "https://aud.example", "deployment_ids": []}, {"client_id": "b", "default": False}]
WHOLE = {"https://lms.example": ENTRY, "https://cloud.example": [ENTRY | changed for changed in TENANTS]}


@pytest.fixture(scope="module")
def pair():
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()), public


@pytest.fixture
def set_up(tmp_path, pair):
    """A directory with a configuration and its keys; gives what writes the file."""
    (tmp_path / "private.key").write_bytes(pair[0])
    (tmp_path / "public.key").write_bytes(pair[1])

    def write(configuration) -> str:
        file = tmp_path / "tool.json"
        file.write_text(configuration if isinstance(configuration, str) else json.dumps(configuration), encoding="utf-8")
        return str(file)

    return write


def run(file: str, *arguments: str) -> str:
    out = StringIO()
    call_command("lti_ags_import", "--pylti1p3-json", file, *arguments, stdout=out)
    assert "PRIVATE" not in out.getvalue()
    return out.getvalue()


def stored() -> tuple[int, int, int]:
    return Registration.objects.count(), SigningKey.objects.count(), Deployment.objects.count()


def test_the_key_set_stays_as_pylti1p3_served_it(set_up):
    file = set_up(WHOLE)
    run(file)
    assert keys.jwks() == ToolConfJsonFile(file).get_jwks()


def test_each_registration_is_as_pylti1p3_had_it(set_up):
    file = set_up(WHOLE)
    said = run(file)
    library = ToolConfJsonFile(file)
    assert stored() == (3, 1, 4)
    for row in Registration.objects.all():
        old = library.find_registration_by_params(row.issuer, row.client_id)
        assert (row.auth_login_url, row.token_url, row.jwks_url) == (
            old.get_auth_login_url(),
            old.get_auth_token_url(),
            old.get_key_set_url(),
        )
        assert row.token_audience == (old.get_auth_audience() or "")
        assert row.signing_key.kid == old.get_kid()
        assert f"kid {row.signing_key.kid}" in said
    assert said.count("Took over") == 3
    # pylti1p3 lets only listed deployments in, and where none is listed nobody.
    assert not Registration.objects.filter(accept_new_deployments=True).exists()
    assert said.count("lists no deployment, so nobody is let in until one is added: manage.py lti_ags_register --update") == 1


def test_again_it_changes_nothing(set_up):
    file = set_up(WHOLE)
    run(file)
    before = list(Registration.objects.values()), list(SigningKey.objects.values()), list(Deployment.objects.values())
    assert run(file).count("Is there already") == 3
    assert before == (list(Registration.objects.values()), list(SigningKey.objects.values()), list(Deployment.objects.values()))


def test_a_dry_run_stores_nothing(set_up):
    said = run(set_up(WHOLE), "--dry-run")
    assert said.count("Took over") == 3
    assert said.endswith("Nothing was stored (--dry-run).\n")
    assert stored() == (0, 0, 0)


def test_without_a_public_key_file(set_up):
    run(set_up({"https://lms.example": {name: value for name, value in ENTRY.items() if name != "public_key_file"}}))
    assert stored() == (1, 1, 2)


def test_key_files_may_be_elsewhere(set_up, tmp_path, pair):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "a.pem").write_bytes(pair[0])
    absolute = str(tmp_path / "public.key")
    run(set_up({"https://lms.example": ENTRY | {"private_key_file": "keys/a.pem", "public_key_file": absolute}}))
    assert SigningKey.objects.get().name == "a.pem"


BAD = [
    ("{", "is not JSON"),
    ("[" * 100_000, "is not JSON"),
    ("[]", "an object with an entry per issuer"),
    ("{}", "an object with an entry per issuer"),
    ({"https://lms.example": 7}, "must be an object"),
    ({"https://lms.example": [7]}, "must be an object"),
    ({" ": ENTRY}, "the issuer .* is blank"),
    ({"https://lms.example": ENTRY | {"client_id": " "}}, "lacks client_id"),
    ({"https://lms.example": ENTRY | {"client_id": 7}}, "lacks client_id"),
    ({"https://lms.example": {}}, "lacks client_id, auth_login_url, auth_token_url, private_key_file"),
    ({"https://lms.example": ENTRY | {"key_set_url": None, "key_set": {"keys": []}}}, "goes stale"),
    ({"https://lms.example": ENTRY | {"key_set_url": "lms"}}, "bad key_set_url"),
    ({"https://lms.example": ENTRY | {"key_set_url": 7}}, "bad key_set_url"),
    ({"https://lms.example": ENTRY | {"auth_token_url": "http://"}}, "bad auth_token_url"),
    ({"https://lms.example": ENTRY | {"auth_audience": ["x"]}}, "bad auth_audience"),
    ({"https://lms.example": ENTRY | {"public_key_file": 7}}, "bad public_key_file"),
    ({"https://lms.example": ENTRY | {"deployment_ids": "1"}}, "bad deployment_ids"),
    ({"https://lms.example": ENTRY | {"deployment_ids": [1]}}, "bad deployment_ids"),
    ({"https://lms.example": ENTRY | {"deployment_ids": [" "]}}, "bad deployment_ids: ' '"),
    ({"https://lms.example": ENTRY | {"deployment_ids": ["1", " sp "]}}, "bad deployment_ids: ' sp '"),
    ({"https://lms.example": ENTRY | {"deployment_ids": ["\ud800"]}}, "bad deployment_ids"),
    ({"https://lms.example": ENTRY | {"deployment_ids": ["a\x00"]}}, "bad deployment_ids"),
    ({"https://lms.example": ENTRY | {"deployment_ids": None}}, "bad deployment_ids"),
    ({"https://lms.example": {name: value for name, value in ENTRY.items() if name != "deployment_ids"}}, "lacks deployment_ids"),
    ({"https://lms.example": ENTRY | {"client_id": " sp "}}, "bad client_id: ' sp '"),
    ({"https://lms.example": ENTRY | {"client_id": "a\ud800"}}, "bad client_id"),
    ({"https://lms.example": ENTRY | {"client_id": "a\x00"}}, "bad client_id"),
    ({"https://lms.example": ENTRY | {"auth_audience": "a\x00"}}, "bad auth_audience"),
    ({"https://lms.example": ENTRY | {"private_key_file": "a\x00"}}, "bad private_key_file"),
    ({"https://lms.example": ENTRY | {"public_key_file": "a\ud800"}}, "bad public_key_file"),
    ({"https://lms.example": ENTRY | {"private_key_file": "-----BEGIN PRIVATE KEY-----\nMII"}}, "private_key_file holds a key"),
    ({"https://lms.example": ENTRY | {"public_key_file": "-----BEGIN PUBLIC KEY-----\nMII"}}, "public_key_file holds a key"),
    ({"https://lms.example ": ENTRY}, "the issuer 'https://lms.example '"),
    ({"https://lms\ud800.example": ENTRY}, "the issuer"),
    ({"https://lms\x00.example": ENTRY}, "the issuer"),
    ({"https://lms.example": []}, "'https://lms.example' has no entry: there is nothing to take over"),
    ({"https://lms.example": [ENTRY, ENTRY]}, "names the client_id 'quiz' twice"),
    ('{"https://lms.example": {}, "https://lms.example": {}}', "names 'https://lms.example' twice"),
    ('{"https://lms.example": {"client_id": "a", "client_id": "b"}}', "names 'client_id' twice"),
    ({"https://lms.example": ENTRY | {"private_key_file": "missing.key"}}, "missing.key.*No such file"),
    ({"https://lms.example": ENTRY | {"private_key_file": "public.key"}}, "not an unencrypted PEM private key"),
    ({"https://lms.example": ENTRY | {"public_key_file": "missing.key"}}, "missing.key.*No such file"),
    ({"https://lms.example": ENTRY | {"public_key_file": "tool.json"}}, "public key .*tool.json"),
    ({"https://lms.example": ENTRY | {"public_key_file": "other.key"}}, "is not that of the private key"),
]


@pytest.mark.parametrize(("configuration", "said"), BAD)
def test_mistakes_are_named_and_nothing_is_stored(set_up, tmp_path, configuration, said):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    (tmp_path / "other.key").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    if isinstance(configuration, dict):
        configuration = {"https://good.example": ENTRY} | configuration
    with pytest.raises(CommandError, match=said) as caught:
        run(set_up(configuration))
    assert "BEGIN" not in str(caught.value)
    assert stored() == (0, 0, 0)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run(str(tmp_path / "missing.json"))


def test_a_registration_that_differs_is_left_alone(set_up):
    run(set_up({"https://lms.example": ENTRY}))
    changed = {"https://new.example": ENTRY, "https://lms.example": ENTRY | {"auth_token_url": "https://evil.example/token"}}
    with pytest.raises(CommandError, match=r"with another token_url\. Change it with lti_ags_register"):
        run(set_up(changed))
    assert Registration.objects.get().token_url == ENTRY["auth_token_url"]


def test_deployments_that_were_added_to_the_file_are_added(set_up):
    run(set_up({"https://lms.example": ENTRY}))
    said = run(set_up({"https://lms.example": ENTRY | {"deployment_ids": ["1", "two", "three", "four"]}}))
    assert "Is there already" in said
    assert "Added the deployments 'three', 'four'." in said
    assert Deployment.objects.count() == 4


def test_deployments_that_left_the_file_are_still_let_in_and_named(set_up):
    run(set_up({"https://lms.example": ENTRY}))
    said = run(set_up({"https://lms.example": ENTRY | {"deployment_ids": ["two"]}}))
    assert "The deployment '1' is not in the file, and is still let in here" in said
    assert Deployment.objects.count() == 2
    assert "Added" not in said


def test_a_registration_that_was_opened_here_is_not_closed_in_passing(set_up):
    file = set_up({"https://lms.example": ENTRY})
    run(file)
    Registration.objects.update(accept_new_deployments=True)
    with pytest.raises(CommandError, match=r"with another accept_new_deployments\. Change it"):
        run(file)
    assert Registration.objects.get().accept_new_deployments


@pytest.mark.parametrize("as_list", [True, False])
def test_a_default_that_logins_without_a_client_id_used_is_told(set_up, as_list):
    said = run(set_up(WHOLE))
    warned = [line for line in said.splitlines() if "without a client_id" in line]
    assert len(warned) == 1
    assert "'https://cloud.example'" in warned[0]
    assert "'a'" in warned[0]
    assert "Warning" in warned[0]
    assert "must send its client_id" in warned[0]
    # A second registration may come from elsewhere, too.
    Registration.objects.create(issuer="https://lms.example", client_id="x", signing_key=SigningKey.objects.get())
    again = run(set_up({"https://lms.example": [ENTRY] if as_list else {name: ENTRY[name] for name in ENTRY if name != "default"}}))
    assert "without a client_id" in again


def test_without_a_default_nothing_is_lost(set_up):
    none = [ENTRY | {"client_id": name, "default": False} for name in "ab"]
    assert "without a client_id" not in run(set_up({"https://cloud.example": none}))


def test_a_long_file_name(set_up, tmp_path, pair):
    name = "k" * 240 + ".pem"
    (tmp_path / name).write_bytes(pair[0])
    run(set_up({"https://lms.example": ENTRY | {"private_key_file": name}}))
    assert SigningKey.objects.get().name == name[:200]
