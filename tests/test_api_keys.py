"""API keys: made, recognised, narrowed, revoked; nothing stored opens anything."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.forms import model_to_dict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_lti_ags import api_keys, keys
from django_lti_ags.models import ApiKey, Context, Deployment, Registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def signing_key(tool_key):
    return keys.import_pem(tool_key.pem)


@pytest.fixture
def campus_row(signing_key):
    return Registration.objects.create(issuer="https://lms.example", client_id="quiz", name="Campus", signing_key=signing_key)


@pytest.fixture
def other(signing_key):
    return Registration.objects.create(issuer="https://other.example", client_id="quiz", name="Other", signing_key=signing_key)


def course(registration, name):
    deployment, _ = Deployment.objects.get_or_create(registration=registration, deployment_id="d1", defaults={})
    return Context.objects.create(deployment=deployment, context_id=name, title=name)


def test_a_key_opens_what_it_was_made_for_and_its_text_is_stored_nowhere(campus_row, other):
    key, text = api_keys.issue(" Quiz in Node ", [campus_row, campus_row])
    assert re.fullmatch(rf"ltiags_{key.prefix}_[A-Za-z0-9_-]{{43}}", text)  # 256 bits in ASCII, and no colon
    assert key.key_hash == hashlib.sha256(text.encode()).hexdigest()
    secret = text.split("_", 2)[2]
    assert secret not in f"{key!r} {key} {ApiKey.objects.values().get()} {model_to_dict(key)}"
    found = api_keys.find(text)
    assert (found, found.name, list(found.registrations.all())) == (key, "Quiz in Node", [campus_row])
    assert api_keys.issue("another", [other])[1] != text
    here, there = course(campus_row, "here"), course(other, "there")
    assert (list(key.seen_contexts()), there in key.seen_contexts()) == ([here], False)


def test_what_is_no_key_opens_nothing_and_costs_at_most_one_query(campus_row):
    _, text = api_keys.issue("tool", [campus_row])
    for wrong in (text[:-1], text + "x", text.upper(), f" {text}", text.replace("ltiags_", "ltiags_0", 1), "ltiags_" + "x" * 43):
        assert api_keys.find(wrong) is None
    with CaptureQueriesContext(connection) as asked:
        for wrong in ("", "é", "ltiags_é", "\x00", "ltiags_" + "x" * 10_000, "Bearer x", None, b"ltiags_x"):
            assert api_keys.find(wrong) is None
    assert len(asked) == 0


def test_its_use_is_noted_once_a_minute(campus_row):
    key, text = api_keys.issue("tool", [campus_row])
    with CaptureQueriesContext(connection) as first:
        used = api_keys.find(text).last_used_at
    with CaptureQueriesContext(connection) as second:
        assert api_keys.find(text).last_used_at == used
    assert len(first) > len(second) == 1
    now = timezone.now()
    for noted in (now - timedelta(seconds=61), now + timedelta(hours=1)):  # the clock was set back in between
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=noted)
        assert now <= api_keys.find(text).last_used_at <= timezone.now()
        key.refresh_from_db()
        assert now <= key.last_used_at <= timezone.now()


def test_a_revoked_key_opens_nothing(campus_row):
    key, text = api_keys.issue("tool", [campus_row])
    stale = ApiKey.objects.get()
    assert (api_keys.revoke(key), key.is_revoked) == (True, True)
    assert (api_keys.revoke(stale), stale.revoked_at) == (False, ApiKey.objects.get().revoked_at)
    assert api_keys.find(text) is None


def test_a_key_narrowed_to_courses_sees_none_once_they_are_gone(campus_row):
    first, second = course(campus_row, "first"), course(campus_row, "second")
    key, _ = api_keys.issue("tool", [campus_row], [first, first])
    assert (key.narrowed, list(key.contexts.all()), list(key.seen_contexts())) == (True, [first], [first])
    first.delete()
    assert (list(key.contexts.all()), list(key.seen_contexts())) == ([], [])
    whole, _ = api_keys.issue("tool", [campus_row])
    assert list(whole.seen_contexts()) == [second]


def test_a_mistake_is_named_and_makes_no_key(campus_row, other):
    here, foreign = course(campus_row, "here"), course(other, "Foreign")
    unsaved = Context(deployment=here.deployment, context_id="x")
    for arguments, field, rule in (
        (("", [campus_row]), "name", "Say which tool"),
        ((" \t", [campus_row]), "name", "Say which tool"),
        ((None, [campus_row]), "name", "Say which tool"),
        (("n" * 201, [campus_row]), "name", "At most 200"),
        (("a\x00b", [campus_row]), "name", "NUL"),
        (("tool", []), "registrations", "At least one"),
        (("tool", ["Campus"]), "registrations", "At least one"),
        (("tool", [campus_row], [here, foreign]), "contexts", "these do not: Foreign."),
        (("tool", [campus_row], [unsaved]), "contexts", "stored courses"),
    ):
        with pytest.raises(ValidationError) as caught:
            api_keys.issue(*arguments)
        assert list(caught.value.message_dict) == [field]
        assert rule in caught.value.message_dict[field][0]
    assert not ApiKey.objects.exists()
