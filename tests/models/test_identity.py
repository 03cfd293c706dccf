"""Digests, public ids, the one database, secrets at rest, predicates."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags import encryption
from django_lti_ags.models import (
    OPEN,
    RESTING,
    SETTLED,
    Context,
    DeliveryAttempt,
    Deployment,
    Event,
    LineItem,
    PendingScore,
    Registration,
    Result,
    Score,
    Service,
    SigningKey,
    SyncState,
)
from django_lti_ags.models.identity import DIGEST_LENGTH, digest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_digest_is_sha256_over_each_part_with_its_length():
    assert digest("a", "bc") == hashlib.sha256(b"1:a2:bc").hexdigest()
    assert digest("é") == hashlib.sha256(b"2:\xc3\xa9").hexdigest()
    assert len(digest()) == DIGEST_LENGTH


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_different_parts_have_different_digests(left, right):
    assert (digest(*left) == digest(*right)) == (left == right)


@pytest.mark.parametrize(
    ("row", "field", "parts"),
    [
        (SigningKey(kid="k"), "kid_digest", ["k"]),
        (Registration(issuer="i", client_id="c"), "key", ["i", "c"]),
        (Service(origin="https://a.example"), "origin_digest", ["https://a.example"]),
        (Deployment(deployment_id="d"), "deployment_digest", ["d"]),
        (Context(context_id="c"), "context_digest", ["c"]),
        (Context(context_id="c", stand_in="https://lms.example/7/lineitems"), "context_digest", ["c"]),
        (Context(stand_in="https://lms.example/7/lineitems"), "context_digest", ["", "https://lms.example/7/lineitems"]),
        (LineItem(url="https://a.example/1"), "url_digest", ["https://a.example/1"]),
        (Score(user_id="u"), "user_digest", ["u"]),
        (Result(user_id="u"), "user_digest", ["u"]),
    ],
)
def test_saving_keeps_the_digest_true(row, field, parts, monkeypatch):
    saved = []
    monkeypatch.setattr("django.db.models.Model.save", lambda self, *args, **kwargs: saved.append(self))
    row.save()
    assert getattr(saved[0], field) == digest(*parts)


@pytest.mark.parametrize(
    "model", [Context, DeliveryAttempt, Deployment, Event, LineItem, PendingScore, Registration, Result, Score, Service]
)
def test_rows_are_read_from_the_configured_database(model, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"DATABASE": "elsewhere"}
    assert model.objects.all().db == "elsewhere"
    assert model.objects.using("default").db == "default"
    assert model.objects.db_manager("default").all().db == "default"


@pytest.fixture
def key(db, tool_key):
    return SigningKey.objects.create(kid="k", private_key_encrypted=encryption.encrypt(tool_key.pem), public_jwk=tool_key.jwk)


def test_a_private_key_is_encrypted_at_rest(key, tool_key):
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM lti_ags_signingkey")
        stored = " ".join(str(value) for value in cursor.fetchone())
    assert tool_key.pem.splitlines()[1] not in stored
    assert "PRIVATE KEY" not in stored
    assert SigningKey.objects.get(pk=key.pk).private_key_pem == tool_key.pem


def test_no_text_of_a_key_shows_it(key, tool_key):
    shown = f"{key!r} {key} {key.public_jwk}"
    assert "PRIVATE" not in shown
    assert key.private_key_encrypted not in shown
    assert set(key.public_jwk) == {"kty", "n", "e", "kid", "alg", "use", "key_ops"}


@pytest.fixture
def score(key):
    registration = Registration.objects.create(issuer="https://lms.example", client_id="quiz", signing_key=key)
    service = Service.objects.create(registration=registration, origin="https://lms.example")
    context = Context.objects.create(deployment=Deployment.objects.create(registration=registration, deployment_id="d"))
    line_item = LineItem.objects.create(context=context, service=service, url="https://lms.example/1", state=SyncState.DELIVERED)
    return Score.objects.create(line_item=line_item, service=service, user_id="u1", recorded_at=NOON, aged_from=NOON, due_at=NOON)


def test_the_states_fall_into_three_kinds():
    assert sorted([*OPEN, *RESTING, *SETTLED]) == sorted(SyncState)


@pytest.mark.parametrize("state", SyncState)
def test_what_a_person_may_do_follows_from_the_state(state):
    decidable = state in (SyncState.PENDING, SyncState.FAILED, SyncState.BLOCKED)
    for model in (Score, LineItem):
        row = model(state=state)
        assert (row.can_retry, row.can_cancel) == (decidable, decidable)


@pytest.mark.parametrize("state", SyncState)
def test_pending_scores_are_those_the_platform_does_not_hold(score, state):
    lease = score.uid if state == SyncState.SENDING else None
    Score.objects.update(state=state, due_at=NOON if state in OPEN else None, lease_token=lease)
    assert PendingScore.objects.exists() == (state not in SETTLED)


def test_a_block_stands_on_the_line_item_or_its_context(score):
    line_item = score.line_item
    assert line_item.standing_block == ""
    line_item.context.block_code = "missing_scope"
    assert line_item.standing_block == "missing_scope"
    line_item.block_code = "forbidden"
    assert line_item.standing_block == "forbidden"


def test_a_registration_is_paused_while_it_has_a_date(score):
    registration = score.registration
    assert not registration.is_paused
    registration.paused_at = NOON
    assert registration.is_paused


def test_rows_say_what_they_are(score, key):
    line_item, service = score.line_item, score.service
    # Not whose they are: these stand in the admin's log, for people who may not see learners, too.
    result = Result(user_id="u1", line_item=line_item)
    assert str(score) == f"https://lms.example/1 · {str(score.uid)[:8]}"
    assert str(result) == f"https://lms.example/1 · {str(result.uid)[:8]}"
    assert str(line_item) == "https://lms.example/1"
    assert str(LineItem(label="Quiz")) == "Quiz"
    assert str(LineItem(pk=7)) == "line item 7"
    assert (str(service), str(key), str(SigningKey(name="of 2026", kid="k"))) == ("https://lms.example", "k", "of 2026")
    assert str(score.registration) == "https://lms.example (quiz)"
    assert str(line_item.context) == "(no context)"
    assert str(line_item.context.deployment) == "d"
    attempt = DeliveryAttempt(kind="score", started_at=NOON, status=422)
    assert str(attempt) == "score 2026-03-01 12:00:00 → 422"
    attempt.status, attempt.failure = None, "no_answer"
    assert str(attempt).endswith("→ no_answer")
    attempt.abandoned = True
    assert str(attempt).endswith("→ abandoned")
    assert str(Event(name="score_failed", created_at=NOON)) == "score_failed 2026-03-01 12:00:00"
