"""Every rule of the tables is the database's own: it holds against any writer."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, models, transaction

from django_lti_ags import encryption
from django_lti_ags.models import (
    Context,
    Deployment,
    LineItem,
    LiveAssessment,
    LiveResult,
    QueuedSubmission,
    Registration,
    Result,
    Score,
    Service,
    SigningKey,
    SubmittedFile,
    SyncState,
)
from django_lti_ags.models.leased import OPEN

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOOKALIKES = ["a", "A", "á", "a ", "ａ", "a\u0301"]


class Rows:
    """Makes rows, each with as little said as possible."""

    def __init__(self) -> None:
        self.key = self.add_key("k")
        self.registration = self.add_registration("https://lms.example", "quiz")
        self.service = self.add_service("https://lms.example")
        self.deployment = self.add_deployment("d")
        self.context = self.add_context("c")
        self.line_item = self.add_line_item("https://lms.example/1")

    def add_key(self, kid):
        return SigningKey.objects.create(kid=kid, private_key_encrypted=encryption.encrypt("PEM"), public_jwk={})

    def add_registration(self, issuer, client_id):
        return Registration.objects.create(issuer=issuer, client_id=client_id, signing_key=self.key)

    def add_service(self, origin):
        return Service.objects.create(registration=self.registration, origin=origin)

    def add_deployment(self, deployment_id):
        return Deployment.objects.create(registration=self.registration, deployment_id=deployment_id)

    def add_context(self, context_id):
        return Context.objects.create(deployment=self.deployment, context_id=context_id)

    def add_line_item(self, url, **fields):
        values = {"state": SyncState.DELIVERED} | fields
        return LineItem.objects.create(context=self.context, service=self.service, url=url, **values)

    def add_score(self, user_id, **fields):
        values = {"recorded_at": NOON, "aged_from": NOON, "due_at": NOON} | fields
        return Score.objects.create(line_item=self.line_item, service=self.service, user_id=user_id, **values)

    def add_file(self, url):
        score = Score.objects.first() or self.add_score("u1")
        return SubmittedFile.objects.create(score=score, service=self.service, url=url, created_at=NOON, due_at=NOON)

    def add_result(self, user_id):
        return Result.objects.create(line_item=self.line_item, user_id=user_id, read_at=NOON)

    def add_live_assessment(self, key):
        values = {"course_id": "7", "title": "t", "due_at": NOON, "aged_from": NOON, "recorded_at": NOON}
        return LiveAssessment.objects.create(context=self.context, service=self.service, key=key, **values)

    def row_of(self, model):
        made = {Score: lambda: self.add_score("u1"), LineItem: lambda: self.line_item, SubmittedFile: lambda: self.add_file("f")}
        if model in made:
            return made[model]()
        assessment = self.add_live_assessment("k")
        if model is LiveAssessment:
            return assessment
        return LiveResult.objects.create(assessment=assessment, user_id="1", passed=True, assessed_at=NOON, recorded_at=NOON)


@pytest.fixture
def rows():
    return Rows()


IDENTIFIED = {
    "key": lambda rows, text: rows.add_key(text),
    "issuer": lambda rows, text: rows.add_registration(text, "quiz"),
    "client_id": lambda rows, text: rows.add_registration("https://lms.example", text),
    "service": lambda rows, text: rows.add_service(text),
    "deployment": lambda rows, text: rows.add_deployment(text),
    "context": lambda rows, text: rows.add_context(text),
    "line item": lambda rows, text: rows.add_line_item(text),
    "score": lambda rows, text: rows.add_score(text),
    "result": lambda rows, text: rows.add_result(text),
    "live assessment": lambda rows, text: rows.add_live_assessment(text),
}


@pytest.mark.parametrize("name", IDENTIFIED)
def test_what_only_looks_alike_stays_apart(rows, name):
    made = [IDENTIFIED[name](rows, text) for text in LOOKALIKES]
    assert len({row.pk for row in made}) == len(LOOKALIKES)


@pytest.mark.parametrize("name", IDENTIFIED)
def test_the_same_twice_is_refused(rows, name):
    IDENTIFIED[name](rows, "twice")
    with pytest.raises(IntegrityError), transaction.atomic():
        IDENTIFIED[name](rows, "twice")


@pytest.mark.parametrize("name", IDENTIFIED)
def test_identifiers_of_any_length_are_kept_whole(rows, name):
    row = IDENTIFIED[name](rows, "https://lms.example/" + "x" * 20_000 + "1")
    other = IDENTIFIED[name](rows, "https://lms.example/" + "x" * 20_000 + "2")
    assert row.pk != other.pk
    fresh = type(row).objects.get(pk=row.pk)
    assert any(isinstance(value, str) and len(value) == 20_021 for value in vars(fresh).values())


def test_the_same_id_under_another_parent_is_another_thing(rows):
    row = rows.add_score("u1")
    rows.line_item = rows.add_line_item("https://lms.example/2")
    assert rows.add_score("u1").pk != row.pk


def test_a_queue_has_each_version_once_and_a_score_each_file(rows):
    score = rows.add_score("u1")
    queued = {"score": score, "sequence": 1, "submission_at": NOON, "recorded_at": NOON}
    QueuedSubmission.objects.create(**queued)
    with pytest.raises(IntegrityError), transaction.atomic():
        QueuedSubmission.objects.create(**queued)
    assert len({rows.add_file(text).pk for text in LOOKALIKES}) == len(LOOKALIKES)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.add_file("a")


def test_line_items_that_are_only_wanted_have_no_url_to_collide(rows):
    first, second = rows.add_line_item(""), rows.add_line_item("")
    assert first.url_digest is second.url_digest is None
    rows.add_line_item("", declared_digest="d" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.add_line_item("", declared_digest="d" * 64)


@pytest.mark.parametrize("name", IDENTIFIED)
def test_public_ids_are_unique(rows, name):
    first, second = IDENTIFIED[name](rows, "1"), IDENTIFIED[name](rows, "2")
    with pytest.raises(IntegrityError), transaction.atomic():
        type(second).objects.filter(pk=second.pk).update(uid=first.uid)


BROKEN = {
    "lti_ags_{model}_due_when_open": [
        {"state": SyncState.PENDING, "due_at": None},
        *({"state": state, "due_at": NOON} for state in SyncState.values if state not in OPEN),
        {"state": "unknown", "due_at": None},
    ],
    "lti_ags_{model}_leased_when_sending": [
        {"state": SyncState.SENDING, "due_at": NOON},
        {"state": SyncState.PENDING, "due_at": NOON, "lease_token": uuid.uuid4()},
    ],
    "lti_ags_{model}_version_from_one": [{"version": 0}],
    "lti_ags_{model}_wire_not_ahead": [{"version": 2, "wire_version": 3}],
    "lti_ags_score_given_not_negative": [{"score_given": -0.01, "score_maximum": 10}],
    "lti_ags_score_maximum_above_zero": [{"score_given": 0, "score_maximum": 0}, {"score_given": 0, "score_maximum": -1}],
    "lti_ags_score_given_needs_maximum": [{"score_given": 1, "score_maximum": None}],
    "lti_ags_score_queue_is_earlier": [{"version": 2, "queue_head": 2}],
    "lti_ags_lineitem_maximum_above_zero": [{"score_maximum": 0}],
    "lti_ags_liveresult_state_known": [{"state": SyncState.SENDING}, {"state": SyncState.BLOCKED}, {"state": "unknown"}],
    "lti_ags_liveresult_delivered_when": [{"state": SyncState.DELIVERED}, {"delivered_at": NOON}],
}
LEASED = (Score, LineItem, SubmittedFile, LiveAssessment)
CASES = [
    (model, name.format(model=model._meta.model_name), fields)
    for name, broken in BROKEN.items()
    for model in (*LEASED, LiveResult)
    if ("{model}" in name and model in LEASED) or name.startswith(f"lti_ags_{model._meta.model_name}_")
    for fields in broken
]


@pytest.mark.parametrize(("model", "name", "fields"), CASES)
def test_a_row_that_breaks_a_rule_is_refused_by_the_database(rows, model, name, fields):
    row = rows.row_of(model)
    with pytest.raises(Exception, match=name) as caught, transaction.atomic():
        model.objects.filter(pk=row.pk).update(**fields)
    assert caught.type.__name__ in ("IntegrityError", "OperationalError")  # MariaDB calls a broken CHECK an operational error


def test_every_check_is_tried_above():
    declared = {
        item.name for model in (*LEASED, LiveResult) for item in model._meta.constraints if isinstance(item, models.CheckConstraint)
    }
    assert {name for _, name, _ in CASES} == declared


GOOD = [
    {"state": SyncState.SENDING, "due_at": NOON, "lease_token": uuid.uuid4()},
    *({"state": state, "due_at": None} for state in SyncState.values if state not in OPEN),
    {"wire_version": 1},
    {"score_given": None, "score_maximum": None},
    {"score_given": 0, "score_maximum": 0.5},
    {"score_given": 12, "score_maximum": 10},
    {"score_given": None, "score_maximum": 10},
]


@pytest.mark.parametrize("fields", GOOD)
def test_rows_within_the_rules_are_kept(rows, fields):
    row = rows.add_score("u1")
    assert Score.objects.filter(pk=row.pk).update(**fields) == 1


def test_a_registration_keeps_its_key_and_a_score_its_service(rows):
    rows.add_score("u1")
    for row in (rows.key, rows.service):
        with pytest.raises(models.ProtectedError):
            row.delete()
