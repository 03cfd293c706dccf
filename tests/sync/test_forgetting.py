"""A learner who is forgotten is nowhere in the package's tables; everybody else is as before."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partialmethod
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections

from django_lti_ags import canvas, results
from django_lti_ags.models import DeliveryAttempt, PendingScore, QueuedSubmission, Registration, Result, Score, SyncState
from django_lti_ags.sync import forgetting, outbox_sql
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.forgetting import Forgetting
from django_lti_ags.testing.platforms import User as Person
from tests.sync.conftest import record

pytestmark = pytest.mark.django_db(transaction=True)

WHO = "canary-4711"


@pytest.fixture
def line_item(campus):
    campus.course.enrol(Person(id=WHO, login="canary", name="Canary"))
    return campus.line_item()


def forget(registration, user_id=WHO, *, dry_run=False):
    return Forgetting([registration], user_id, dry_run=dry_run).run()


def everything():
    """Every row of the package and of the admin's history, as text."""
    models = [*apps.get_app_config("lti_ags").get_models(), LogEntry]
    return {model.__name__: json.dumps(list(model.objects.values()), default=str) for model in models}


def naming(user_id=WHO):
    return [name for name, text in everything().items() if user_id in text]


def lived_through(line_item, deliver):
    """A learner with a long history: delivered, read, doubted, taught, logged."""
    record(line_item, user="u1", scoring_user_id=WHO)
    row = record(line_item, user=WHO, comment="To canary-4711")
    deliver()
    results.fetch(line_item)
    results.fetch(line_item, user_id=WHO)
    Result.objects.filter(user_id="u1").update(scoring_user_id=WHO)
    Score.objects.filter(pk=row.pk).update(doubtful=[{"score_given": 1.0, "score_maximum": 2.0, "comment": WHO, "fingerprint": ""}])
    person = User.objects.create(username="operator")
    for model, pk in ((Score, row.pk), (PendingScore, row.pk), (Result, Result.objects.get(user_id=WHO).pk)):
        kind = ContentType.objects.get_for_model(model, for_concrete_model=False)
        LogEntry.objects.create(
            user=person,
            content_type=kind,
            object_id=str(pk),
            object_repr=f"{WHO} in Quiz",
            action_flag=CHANGE,
            change_message=f"Retried {WHO}.",
        )
    return row


def test_nothing_names_the_learner_any_more_and_the_others_stay(campus, line_item, deliver):
    lived_through(line_item, deliver)
    assert set(naming()) >= {"Score", "DeliveryAttempt", "Result", "Event", "LogEntry"}
    before = {row.pk: row for row in DeliveryAttempt.objects.exclude(score__user_id=WHO)}
    dry = forget(campus.registration, dry_run=True)
    assert set(naming()) >= {"Score", "DeliveryAttempt", "Result", "Event", "LogEntry"}
    counts = forget(campus.registration)
    assert naming() == []
    assert dry == counts
    assert (counts["scores"], counts["results"], counts["being_sent"], counts["graded_by"], counts["log_entries"]) == (1, 1, 0, 2, 3)
    assert counts["attempts"] >= 1
    assert counts["events"] == 1
    assert counts["naming_attempts"] >= 3
    other = Score.objects.get()
    assert (other.user_id, other.scoring_user_id, other.state) == ("u1", "", SyncState.DELIVERED)
    assert Result.objects.get().user_id == "u1"
    assert set(DeliveryAttempt.objects.values_list("pk", flat=True)) == set(before)
    assert not sum(forget(campus.registration).values())


def test_what_was_queued_goes_too_and_is_blanked_where_they_graded_others(campus, line_item):
    for hour, who in ((1, WHO), (2, "u2")):
        essay = canvas.Submission(
            submitted_at=datetime(2026, 3, 1, hour, tzinfo=UTC), submission_type="online_text_entry", submission_data=WHO
        )
        for user in (WHO, "u1"):
            work = essay if user == WHO else replace(essay, submission_data="u1")
            record(line_item, user=user, submission=work, keep="every", scoring_user_id=who)
    assert "QueuedSubmission" in naming()
    dry = forget(campus.registration, dry_run=True)
    counts = forget(campus.registration)
    assert naming() == []
    assert dry == counts
    assert (counts["submissions"], counts["graded_by"], QueuedSubmission.objects.get().payload["scoring_user_id"]) == (1, 1, "")


def test_a_learner_at_another_platform_with_the_same_id_stays(campus, make_campus, line_item, deliver):
    other = make_campus(client_id="other")
    other.course.enrol(Person(id=WHO, login="c", name="C"))
    column = other.line_item()
    record(line_item, user=WHO)
    record(column, user=WHO)
    deliver()
    forget(campus.registration)
    assert Score.objects.get().line_item_id == column.pk
    assert WHO in json.dumps(list(DeliveryAttempt.objects.values("request_body")))


@pytest.mark.parametrize("other", ["Canary-4711", "canary-4711x", "CANARY-4711", "canary-471", "cánary-4711"])
def test_ids_are_told_apart_byte_for_byte(campus, line_item, deliver, other):
    campus.course.enrol(Person(id=other, login="o", name="O"))
    record(line_item, user=other, scoring_user_id=WHO)
    record(line_item, user="u2", scoring_user_id=other)
    record(line_item, user=WHO)
    deliver()
    results.fetch(line_item)
    forget(campus.registration)
    assert set(Score.objects.values_list("user_id", "scoring_user_id")) == {(other, ""), ("u2", other)}
    assert set(Result.objects.values_list("user_id", flat=True)) == {other, "u2"}


def test_a_score_that_is_being_sent_goes_and_its_worker_walks_away(campus, line_item, caplog):
    record(line_item, user=WHO)
    record(line_item, user="u1")
    gone = []

    class Forgetful(DatabaseClock):
        """Forgets between the claim and the finish: the engine asks for the time at both."""

        def now(self):
            if not gone and campus.platform.ledger.of("score"):
                gone.append(forget(campus.registration))
            return super().now()

    engine = Engine(clock=Forgetful())
    try:
        engine.deliver_due()
    finally:
        engine.close()
    [counts] = gone
    assert (counts["scores"], counts["being_sent"]) == (1, 1)
    assert set(Score.objects.values_list("user_id", "state")) == {("u1", SyncState.DELIVERED)}
    assert "the lease was lost" in caplog.text
    assert naming() == []
    assert campus.shown(WHO) == 8  # what was on the wire arrives: the platform is told separately


def test_forgetting_beside_workers_and_recorders_leaves_no_trace_of_what_was_there(campus, line_item, deliver):
    from tests.sync.test_contention import together

    for user in (WHO, "u1", "u2", "u3"):
        record(line_item, user=user)

    def work():
        engine = Engine()
        try:
            engine.deliver_due()
        finally:
            engine.close()
            connections.close_all()

    assert together(work, lambda: forget(campus.registration), lambda: record(line_item, user="u4")) == []
    deliver()
    forget(campus.registration)
    assert naming() == []
    assert set(Score.objects.values_list("user_id", "state")) == {(f"u{number}", SyncState.DELIVERED) for number in range(1, 5)}


def test_many_columns_go_in_steps_that_are_told(campus, line_item, monkeypatch):
    monkeypatch.setattr(forgetting, "_COLUMNS", 2)
    monkeypatch.setattr(forgetting, "_WINDOW", 3)
    for number in range(5):
        column = type(line_item).objects.create(
            context=line_item.context, service=line_item.service, url=f"{line_item.url}?{number}", state=SyncState.DELIVERED
        )
        record(column, user=WHO)
        for user in range(4):
            record(column, user=f"n{user}", scoring_user_id=WHO)
    told = []
    counts = Forgetting([campus.registration], WHO, dry_run=False, told=lambda counts: told.append(dict(counts))).run()
    assert (counts["scores"], counts["graded_by"]) == (5, 20)
    assert [step["scores"] for step in told][:3] == [1, 3, 5]
    assert naming() == []


def test_a_deadlock_with_who_prunes_costs_no_trace_and_counts_nothing_twice(campus, line_item, deliver, monkeypatch):
    lived_through(line_item, deliver)
    expected = forget(campus.registration, dry_run=True)
    victims = {"_clean_log": 2, "_clean_attempts": 2}  # both are begun again
    for name in victims:
        monkeypatch.setattr(Forgetting, name, partialmethod(_victim, name, getattr(Forgetting, name), victims))
    monkeypatch.setattr(outbox_sql, "_is_deadlock", lambda connection, problem: str(problem) == "a deadlock")
    assert forget(campus.registration) == expected
    assert (naming(), victims) == ([], {"_clean_log": 0, "_clean_attempts": 0})


def _victim(self, name, real, victims, *arguments):
    found = real(self, *arguments)
    if victims[name]:
        victims[name] -= 1
        raise OperationalError("a deadlock")
    return found


def test_without_the_admin_there_is_no_history_to_clean(campus, line_item, monkeypatch):
    record(line_item, user=WHO)
    monkeypatch.setattr(apps, "is_installed", lambda name: False)
    assert forget(campus.registration)["scores"] == 1


def run(*arguments):
    out = StringIO()
    call_command("lti_ags_forget_user", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_counts_first(campus, line_item, deliver):
    lived_through(line_item, deliver)
    before = everything()
    said = run("--user", WHO, "--issuer", campus.registration.issuer)
    assert everything() == before
    assert f"To be forgotten: '{WHO}'" in said
    assert "1  scores" in said
    assert said.endswith("Nothing was changed. Do it with --yes.\n")


def test_the_command_forgets_at_all_registrations_of_an_issuer(campus, line_item, deliver):
    issuer = campus.registration.issuer
    second = Registration.objects.get()
    second.pk, second.client_id, second.uid = None, "quiz-2", "6d9e5b41-93c4-4a75-9c8c-2b6e21c9c1c0"
    second.save()
    lived_through(line_item, deliver)
    record(line_item, user="u2", scoring_user_id=WHO)
    said = run("--user", WHO, "--issuer", issuer, "--yes")
    assert naming() == []
    for word in ("Forgotten", "gradebook", "logs", "backups"):
        assert word in said
    assert f"Nothing here names '{WHO}'" in run("--user", WHO, "--issuer", issuer, "--yes")


def test_the_command_answers_programs(campus, line_item):
    record(line_item, user=WHO)
    told = json.loads(run("--user", WHO, "--registration", "quiz", "--json"))
    assert told["done"] is False
    assert told["registrations"] == [campus.registration.pk]
    assert told["counts"]["scores"] == 1
    assert json.loads(run("--user", WHO, "--registration", str(campus.registration.pk), "--json", "--yes"))["done"] is True
    assert not Score.objects.exists()


@pytest.mark.parametrize("odd", [f" {WHO}", f"{WHO} ", f"{WHO}…"])
def test_whoever_was_recorded_can_be_forgotten(campus, line_item, odd):
    record(line_item, user=odd)
    record(line_item, user=WHO)
    run("--user", odd, "--registration", "quiz", "--yes")
    assert [row.user_id for row in Score.objects.all()] == [WHO]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", WHO], "one of the arguments --issuer --registration is required"),
        (["--issuer", "https://lms.example"], "required: --user"),
        (["--user", WHO, "--issuer", "x", "--registration", "y"], "not allowed with"),
        (["--user", WHO, "--issuer", "https://nowhere.example"], "No registration has the issuer"),
        (["--user", WHO, "--registration", "nowhere"], "There is no registration 'nowhere'"),
        (["--user", " ", "--registration", "quiz"], "--user: .* blank"),
        (["--user", "a\x00", "--registration", "quiz"], "--user: .* NUL"),
    ],
)
def test_mistakes_are_named_and_change_nothing(campus, line_item, arguments, said):
    record(line_item, user=WHO)
    with pytest.raises(CommandError, match=said):
        run(*arguments, "--yes")
    assert Score.objects.count() == 1
