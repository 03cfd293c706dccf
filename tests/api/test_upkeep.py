"""What the API keeps goes when it should, can be read when it must, and stands in nobody's way."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_lti_ags import launches, line_items
from django_lti_ags.ags import vocabulary
from django_lti_ags.exceptions import MalformedLaunch
from django_lti_ags.models import ApiLaunch, LineItem, Registration, Score, ServiceKey
from django_lti_ags.sync.forgetting import Forgetting
from django_lti_ags.sync.reencrypting import rotate_encryption
from django_lti_ags.sync.retention import Keep, prune
from tests.api.conftest import PREFIX, claims, tool_at

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.urls")]


NOWHERE = (
    ("javascript:alert(1)", "https://"),
    ("https://tool.example/start#quiz", "fragment"),
    ("https://tool.example/?a=1&ltik=2", "parameter ltik"),
    ("https://tool.example/?ltik", "parameter ltik"),
    ("https://tool.example/?lt%69k=", "parameter ltik"),
)


def test_expired_launches_are_pruned_and_service_keys_stay(tool):
    old, _ = launches.keep(tool.campus.claims())
    ApiLaunch.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    key = tool.service_key
    assert prune(Keep.configured(), dry_run=True)["launches"] == 1
    assert prune(Keep.configured())["launches"] == 1
    assert tool.call("GET", "idtoken").data["services"]["serviceKey"] == key


def test_a_forgotten_person_has_no_launch(tool):
    other, ltik = launches.keep(tool.campus.claims() | {"sub": "u2"})
    assert Forgetting([tool.campus.registration], "u1", dry_run=True).run()["launches"] == 1
    assert Forgetting([tool.campus.registration], "u1", dry_run=False).run()["launches"] == 1
    assert tool.call("GET", "idtoken").status_code == 401
    assert launches.find(ltik) == other


@pytest.mark.parametrize(
    "naming",
    [{PREFIX + "role_scope_mentor": ["u7", "u1"]}, {PREFIX + "lis": {"person_sourcedid": "u1"}}, {PREFIX + "custom": {"for_user": "u1"}}],
    ids=["mentor", "lis", "custom"],
)
def test_a_forgotten_person_is_not_named_by_anothers_launch(tool, naming):
    mentor = tool_at(tool.campus, sub="u2", **naming)
    other = tool_at(tool.campus, sub="u3")
    assert Forgetting([tool.campus.registration], "u1", dry_run=True).run()["naming_launches"] == 1
    assert mentor.call("GET", "idtoken", query={"raw": "true"}).status_code == 200
    assert Forgetting([tool.campus.registration], "u1", dry_run=False).run()["naming_launches"] == 1
    assert mentor.call("GET", "idtoken", query={"raw": "true"}).data["details"]["message"] == "RAW_ID_TOKEN_NOT_KEPT"
    assert mentor.call("GET", "idtoken").status_code == 200
    assert other.call("GET", "idtoken", query={"raw": "true"}).data["sub"] == "u3"
    assert Forgetting([tool.campus.registration], "u1", dry_run=False).run()["naming_launches"] == 0


def test_a_launchs_claims_outlive_encryption_keys(tool, settings):
    new, old = Fernet.generate_key().decode(), settings.LTI_AGS["ENCRYPTION_KEYS"][0]
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [new, old]}
    assert rotate_encryption().unreadable == []
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [new]}
    assert tool.call("GET", "idtoken", query={"raw": "true"}).data["sub"] == "u1"
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [old]}
    answer = tool.call("GET", "idtoken", query={"raw": "true"})
    assert (answer.status_code, answer.data["details"]["message"]) == (500, "STORED_SECRET_UNREADABLE")
    assert f"launch {tool.launch.uid}" in rotate_encryption().unreadable
    assert Forgetting([tool.campus.registration], "u9", dry_run=False).run()["naming_launches"] == 1, "who knows whom it names"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sub": "u1\x00"}, "sub holds a NUL"),
        ({"sub": "\ud800"}, "sub holds a NUL or a lone surrogate"),
        ({"sub": "x" * 256}, "sub is longer than 255"),
        ({"sub": 7}, "sub must be a string"),
        ({PREFIX + "context": {"id": "c", "title": "x" * 65_536}}, "title is longer than 65535"),
        ({PREFIX + "deployment_id": "x" * 65_536}, "deployment_id is longer"),
    ],
)
def test_a_launch_that_no_database_takes_is_named_and_not_kept(campus, changed, told):
    with pytest.raises(MalformedLaunch, match=told):
        launches.keep(claims(campus) | changed)
    assert not ApiLaunch.objects.exists()


def test_what_is_too_long_to_tell_is_left_out(campus):
    kept, _ = launches.keep(
        claims(campus, name="x" * 65_536, **{PREFIX + "roles": ["x" * 65_536, *(f"r{number}" for number in range(2000))]})
    )
    assert ("name" in kept.told["user"], len(kept.told["user"]["roles"])) == (False, 1000)


def test_service_keys_outlive_encryption_keys(tool, settings, caplog):
    key = tool.service_key
    new, old = Fernet.generate_key().decode(), settings.LTI_AGS["ENCRYPTION_KEYS"][0]
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [new, old]}
    assert rotate_encryption().unreadable == []
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [new]}
    assert tool.service_key == key
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [old]}
    answer = tool.call("GET", "idtoken")
    assert (answer.status_code, answer.data["details"]["message"]) == (500, "STORED_SECRET_UNREADABLE")
    assert "ENCRYPTION_KEYS" in caplog.text
    assert f"service key {ServiceKey.objects.get().uid}" in rotate_encryption().unreadable
    assert tool.call("GET", "lineitems", header=f"SERVICE-AUTH-V1 {tool.text}:{key}").status_code == 500, "so is the signing key"


def test_where_launches_go_is_set_by_the_command_and_in_the_admin(tool):
    registration = tool.campus.registration
    known = ["--issuer", registration.issuer, "--client-id", "quiz", "--update"]
    call_command("lti_ags_register", *known, "--launches-to", "https://tool.example/?a=1")
    registration.refresh_from_db()
    assert registration.tool_url == "https://tool.example/?a=1"
    call_command("lti_ags_register", *known)
    registration.refresh_from_db()
    assert registration.tool_url, "what is not given stays"
    for address, rule in NOWHERE:
        with pytest.raises(CommandError, match=f"--launches-to.*{rule}"):
            call_command("lti_ags_register", *known, "--launches-to", address)
    call_command("lti_ags_register", *known, "--launches-to", "")
    registration.refresh_from_db()
    assert registration.tool_url == ""


@pytest.mark.urls("tests.urls")
def test_the_admins_form_takes_no_address_that_cannot_be_requested(tool):
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = reverse("admin:lti_ags_registration_change", args=[tool.campus.registration.pk])
    form = client.get(page).context["adminform"].form
    values = {name: form.initial.get(name) or "" for name in form.fields} | {"accept_new_deployments": "on"}
    for address, rule in NOWHERE:
        answer = client.post(page, values | {"tool_url": address})
        assert rule in answer.context["adminform"].form.errors["tool_url"][0]
    assert client.post(page, values | {"tool_url": "https://tool.example/"}).status_code == 302
    assert Registration.objects.get().tool_url == "https://tool.example/"


def test_a_launch_that_grants_more_is_good_for_columns_that_only_the_api_knows(tool):
    url = tool.call("POST", "lineitems", {"label": "Essay", "scoreMaximum": 20, "resourceLinkId": tool.campus.link.id}).data["id"]
    tool.post_score(url=url)
    LineItem.objects.filter(url=url).update(scopes=[], block_code="missing_scope")
    Score.objects.update(state="blocked", code="missing_scope", due_at=None)
    line_items.context_from_launch(tool.campus.claims(scope=[vocabulary.SCOPE_SCORE]))
    line_items.from_launch(tool.campus.claims())
    row = LineItem.objects.get(url=url)
    assert vocabulary.SCOPE_SCORE in row.scopes
    assert (row.block_code, Score.objects.get().state) == ("", "pending")
    assert LineItem.objects.get(url=tool.column).pk != row.pk, "the link's own column is another"


def test_it_needs_neither_pylti1p3_nor_a_user_model_and_nothing_else_needs_rest_framework():
    code = """
import sys
sys.modules["pylti1p3"] = None
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["django_lti_ags"], DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SECRET_KEY="x", ROOT_URLCONF="django_lti_ags.api.urls", ALLOWED_HOSTS=["*"], USE_TZ=True)
django.setup()
assert "rest_framework" not in sys.modules
from django.test import Client
assert Client().get("/api/idtoken").json()["details"]["message"] == "MISSING_AUTHORIZATION_HEADER"
for name in [name for name in sys.modules if name.startswith("django_lti_ags.api")]:
    del sys.modules[name]
sys.modules["rest_framework"] = None
try:
    import django_lti_ags.api
except Exception as problem:
    assert "django-lti-ags[api]" in str(problem)
else:
    sys.exit("imported")
"""
    told = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
