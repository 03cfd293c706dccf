"""``lti_ags_apikey``: a key's text is printed once, when it is made."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from django_lti_ags import api_keys, keys
from django_lti_ags.models import ApiKey, Context, Deployment, Registration

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("lti_ags_apikey", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def registration(tool_key):
    key = keys.import_pem(tool_key.pem)
    return Registration.objects.create(issuer="https://lms.example", client_id="10", name="Campus", signing_key=key)


@pytest.fixture
def course(registration):
    deployment = Deployment.objects.create(registration=registration, deployment_id="d1")
    return Context.objects.create(deployment=deployment, context_id="algebra", title="Algebra")


def test_a_key_is_made_listed_and_revoked(registration, course):
    assert "There is no API key yet" in run()
    text = run("--create", "Quiz in Node", "--registration", "Campus").splitlines()[0]
    whole = api_keys.find(text)
    assert (whole.name, list(whole.registrations.all()), whole.narrowed) == ("Quiz in Node", [registration], False)
    answer = json.loads(run("--create", "One course", "--registration", "10", "--context", "algebra", "--json"))
    narrow = api_keys.find(answer["key"])
    assert (answer["prefix"], answer["contexts"], list(narrow.contexts.all())) == (narrow.prefix, [str(course.uid)], [course])
    listed = run("--list")
    assert f"{whole.prefix}  Quiz in Node  used 20" in listed
    assert "sees Campus, 1 of its courses" in listed
    for key in (text, answer["key"]):
        assert key.split("_", 2)[2] not in listed + run("--json")
    assert "revoked." in run("--revoke", whole.prefix)
    assert "revoked before" in run("--revoke", str(whole.uid))
    assert (api_keys.find(text), api_keys.find(answer["key"])) == (None, narrow)
    assert f"{whole.prefix}  Quiz in Node  revoked 20" in run()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--create", "", "--registration", "Campus"], "--create: Say which tool has it"),
        (["--create", "tool"], "--registration: At least one"),
        (["--create", "tool", "--registration", "Nowhere"], "no registration 'Nowhere'"),
        (["--create", "tool", "--registration", "Campus", "--context", "botany"], "--context: there is no 'botany'"),
        (["--create", "tool", "--registration", "Other", "--context", "algebra"], "--context: They must belong.*Algebra"),
        (["--registration", "Campus"], "belong to --create"),
        (["--revoke", "nothing"], "no API key 'nothing'"),
        (["--revoke", "\x00"], "no API key"),
        (["--revoke", "twice"], "Several keys have the prefix"),
    ],
)
def test_a_mistake_is_named_and_changes_nothing(registration, course, arguments, said):
    Registration.objects.create(issuer="https://other.example", client_id="2", name="Other", signing_key=registration.signing_key)
    for _ in range(2):
        api_keys.issue("there", [registration])
    ApiKey.objects.update(prefix="twice")
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    assert (ApiKey.objects.count(), ApiKey.objects.filter(revoked_at=None).count()) == (2, 2)
