"""Liveness and readiness: cheap, open to all, and silent about everything but a few words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import RequestFactory
from django.urls import include, path

from django_lti_ags import health, registrations
from django_lti_ags.models import Registration, Score
from django_lti_ags.sync.outbox_sql import database_now
from tests.admin.conftest import World

urlpatterns = [
    path("health/", include("django_lti_ags.health")),
    path("health/delivery", health.ReadyView.as_view(max_oldest_seconds=600)),
]
pytestmark = pytest.mark.urls("tests.test_health")
WELL = {"status": "ok", "problems": []}


@pytest.fixture(autouse=True)
def _nothing_remembered():
    health._migrated.clear()
    yield
    health._migrated.clear()


def problem_of(answer):
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    (problem,) = answer.json()["problems"]
    return problem["code"]


def test_live_asks_nothing(client):
    """Without the mark for it, a query would fail the test."""
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json(), answer["Cache-Control"]) == (200, WELL, "no-store")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
@pytest.mark.parametrize("name", ["live", "ready"])
def test_they_are_only_read(client, name, method):
    assert getattr(client, method)(f"/health/{name}").status_code == 405


@pytest.mark.parametrize("view", [health.LiveView, health.ReadyView])
def test_atomic_requests_do_not_reach_for_the_database_first(view):
    assert view.as_view()._non_atomic_requests == {"default"}


def test_ready(client, db, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        assert client.get("/health/ready").json() == WELL
    with django_assert_max_num_queries(1):
        assert client.head("/health/ready").status_code == 200


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_a_database_that_is_away(client, monkeypatch, kind, caplog):
    def away(alias):
        raise kind("could not connect to db-7.internal as admin")

    monkeypatch.setattr(health, "database_now", away)
    answer = client.get("/health/ready")
    assert problem_of(answer) == "database"
    assert b"internal" not in answer.content
    assert "db-7.internal" in caplog.text


def test_migrations_that_are_not_applied(client, db):
    MigrationRecorder.Migration.objects.filter(app="lti_ags").delete()
    assert problem_of(client.get("/health/ready")) == "migrations"
    assert problem_of(client.get("/health/ready")) == "migrations"


def test_late_scores_where_that_is_asked_for(client, db, tool_key):
    world = World(tool_key)
    Score.objects.all().delete()
    assert client.get("/health/delivery").json() == WELL
    row = world.add_score("u9", due_at=database_now("default") - timedelta(seconds=590))
    assert client.get("/health/delivery").json() == WELL
    Score.objects.filter(pk=row.pk).update(due_at=database_now("default") - timedelta(seconds=610))
    answer = client.get("/health/delivery")
    assert problem_of(answer) == "late"
    assert b"u9" not in answer.content
    assert client.get("/health/ready").json() == WELL
    registrations.pause(Registration.objects.get(), reason="x")
    assert client.get("/health/delivery").json() == WELL


def test_a_late_live_assessment_counts_too(client, db, tool_key):
    world = World(tool_key)
    Score.objects.all().delete()
    world.add_live_assessment("late", state="pending", due_at=database_now("default") - timedelta(seconds=610))
    assert problem_of(client.get("/health/delivery")) == "late"
    registrations.pause(Registration.objects.get(), reason="x")
    assert client.get("/health/delivery").json() == WELL


def test_an_age_can_be_given_to_the_view(db, tool_key):
    world = World(tool_key)
    world.add_score("u9", due_at=database_now("default") - timedelta(seconds=5))
    answer = health.ReadyView.as_view(max_oldest_seconds=1)(RequestFactory().get("/"))
    assert answer.status_code == 503
