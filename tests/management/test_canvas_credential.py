"""``lti_ags_canvas_credential``: secrets come in by a terminal, standard input or a file, and never out."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags import keys
from django_lti_ags.management.commands import lti_ags_canvas_credential as command
from django_lti_ags.models import CanvasCredential, Registration

pytestmark = pytest.mark.django_db
SCHOOL = "https://school.example"


@pytest.fixture(autouse=True)
def registration():
    return Registration.objects.create(issuer="https://canvas.example", client_id="10", name="Campus", signing_key=keys.generate())


@pytest.fixture
def run(monkeypatch):
    def call(*arguments, stdin="", terminal=False):
        given, out = io.StringIO(stdin), io.StringIO()
        given.isatty = lambda: terminal
        monkeypatch.setattr("sys.stdin", given)
        call_command("lti_ags_canvas_credential", *arguments, stdout=out)
        assert "canary" not in out.getvalue()
        return out.getvalue()

    return call


def here(*more):
    return ["--registration", "Campus", "--base-url", SCHOOL, *more]


def test_a_users_token_from_standard_input(run):
    assert "stored, encrypted, for https://school.example" in run(*here(), stdin="1~canary\n")
    assert CanvasCredential.objects.get().secret == {"access_token": "1~canary"}


def test_a_developer_key_from_a_file(run, tmp_path):
    (tmp_path / "secrets").write_text("canary-secret\n1~canary-refresh\n\n")
    answer = json.loads(run(*here("--developer-key", "100", "--secret-file", str(tmp_path / "secrets"), "--json")))
    assert (answer["kind"], answer["client_id"], answer["base_url"]) == ("developer_key", "100", SCHOOL)
    assert CanvasCredential.objects.get().secret == {"client_secret": "canary-secret", "refresh_token": "1~canary-refresh"}


def test_a_terminal_is_asked_without_an_echo(run, monkeypatch):
    asked = []
    monkeypatch.setattr(command, "getpass", lambda prompt: asked.append(prompt) or " canary ")
    run(*here("--developer-key", "100"), terminal=True)
    assert asked == ["The developer key's secret: ", "Refresh token: "]
    assert CanvasCredential.objects.get().secret == {"client_secret": "canary", "refresh_token": "canary"}


def test_what_is_stored_is_listed_and_removed(run, registration):
    assert "Nothing is stored" in run()
    run(*here("--developer-key", "100"), stdin="canary-secret\n1~canary")
    for listed in (run(), run("--registration", "Campus")):
        assert f"Campus  {SCHOOL}  developer key 100, stored 20" in listed
    [shown] = json.loads(run("--json"))["credentials"]
    assert set(shown) == {"registration", "name", "base_url", "kind", "client_id", "changed_at"}
    assert "removed" in run("--registration", "Campus", "--remove")
    assert "there was none" in run("--registration", "Campus", "--remove")
    assert not CanvasCredential.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (here(), "", "standard input holds 0 lines, and must hold 1: access token"),
        (here(), "canary\ncanary", "holds 2 lines, and must hold 1"),
        (here("--developer-key", "100"), "canary", "must hold 2: the developer key's secret, then refresh token"),
        (here(), "canary canary", "Access token: must be text without blanks"),
        (here("--developer-key", " "), "canary\ncanary", "--developer-key: must be text without blanks"),
        (here("--secret-file", "/nowhere/canary.txt"), "", "cannot be read: FileNotFoundError"),
        (["--registration", "Campus", "--base-url", f"{SCHOOL}/courses/7"], "canary", "--base-url: must be Canvas' address alone"),
        (["--registration", "Nowhere", "--base-url", SCHOOL], "canary", "no registration 'Nowhere'"),
        (["--base-url", SCHOOL], "canary", "--registration must be given"),
        (["--remove"], "", "--registration must be given"),
        (["--registration", "Campus", "--developer-key", "100"], "canary", "belongs to --base-url"),
        (here("--remove"), "", "Either --remove"),
    ],
)
def test_a_mistake_is_named_and_stores_nothing(run, arguments, stdin, said):
    with pytest.raises(CommandError, match=said) as caught:
        run(*arguments, stdin=stdin)
    assert "canary canary" not in str(caught.value)
    assert not CanvasCredential.objects.exists()
