"""A column's page decides: compare, send again, retry; by whom, and what each says first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_lti_ags import scores
from django_lti_ags.admin import column_pages
from django_lti_ags.models import Agreement, LineItem, Registration, Result, Score, SyncState
from django_lti_ags.sync.engine import deliver_due
from tests.admin.column_page import decide, page_of, told, totals_of
from tests.admin.conftest import address


@pytest.fixture
def campus_column(campus):
    line_item = campus.line_item()
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": n, "score_maximum": 10} for n in (1, 2, 3)])
    deliver_due()
    return line_item


needs_campus = pytest.mark.django_db(transaction=True)


@needs_campus
def test_compare_asks_first_and_then_reads(campus, campus_column, boss):
    campus.platform.set_result(campus.link.line_item, "u1", 9)
    asked = decide(boss, campus_column, "compare")
    assert "3 learners are known here." in asked.content.decode()
    assert not Result.objects.exists()
    response = decide(boss, campus_column, "compare", confirmed="yes")
    assert told(response) == [("success", "Compared with the platform: 2 In sync, 1 Changed by a teacher.")]
    assert response.url == address(LineItem, "change", campus_column)
    assert totals_of(boss, campus_column) == {Agreement.IN_SYNC: 2, Agreement.CHANGED_BY_TEACHER: 1}
    assert "Compared with the platform: 2 In sync" in boss.get(address(LineItem, "history", campus_column)).content.decode()


@needs_campus
def test_resend_counts_first_and_sends_only_when_confirmed(campus, campus_column, boss):
    del campus.link.line_item.scores["u1"]
    campus.platform.set_result(campus.link.line_item, "u2", 9)
    page = decide(boss, campus_column, "resend").content.decode()
    assert "1 score would be sent again." in page
    assert "1 In sync, 1 Missing, 1 Changed by a teacher" in page
    assert "Also overwrite 1 grade that a teacher changed" in page
    assert not Score.objects.exclude(state=SyncState.DELIVERED).exists()
    response = decide(boss, campus_column, "resend", confirmed="yes")
    assert told(response) == [("success", "1 score is due again.")]
    deliver_due()
    assert (campus.shown("u1"), campus.shown("u2")) == (1, 9)
    response = decide(boss, campus_column, "resend", confirmed="yes", overwrite="on")
    assert told(response) == [("success", "1 score is due again. Teachers' changes are overwritten.")]
    deliver_due()
    assert campus.shown("u2") == 2
    assert LogEntry.objects.count() == 2


@needs_campus
def test_resend_with_nothing_to_send_says_so(campus_column, boss):
    assert told(decide(boss, campus_column, "resend")) == [("success", "Nothing is missing, and nothing differs: 3 In sync.")]


@needs_campus
def test_a_slow_platform_gets_a_clear_message_and_nothing_is_lost(campus, campus_column, boss, monkeypatch):
    decide(boss, campus_column, "compare", confirmed="yes")
    before = list(Result.objects.values("user_id", "agreement", "compared_at"))
    monkeypatch.setattr(column_pages, "READING_SECONDS", -1)
    for what in ("compare", "resend"):
        ((level, message),) = told(decide(boss, campus_column, what, confirmed="yes"))
        assert level == "error"
        assert "did not show the whole column within" in message
        assert f"lti_ags_reconcile --line-item {campus_column.uid}" in message
    assert list(Result.objects.values("user_id", "agreement", "compared_at")) == before
    assert not Score.objects.exclude(state=SyncState.DELIVERED).exists()


@needs_campus
def test_a_platform_that_fails_gets_a_clear_message(campus, campus_column, boss):
    campus.platform.faults.add("status", kind="results", status=500, body="sorry")
    ((level, message),) = told(decide(boss, campus_column, "compare", confirmed="yes"))
    assert level == "error"
    assert message.startswith("Nothing was compared or sent.")
    assert "500" in message
    assert LogEntry.objects.count() == 0


def test_a_column_that_is_not_there_yet_says_so(world, boss):
    LineItem.objects.filter(pk=world.line_item.pk).update(url="", url_digest=None)
    ((level, message),) = told(decide(boss, world.line_item, "resend"))
    assert (level, "has not been made at the platform yet" in message) == ("error", True)


def test_retry_sends_what_rests(world, boss):
    world.add_score("u3", state=SyncState.BLOCKED, due_at=None, code="forbidden")
    assert "2 scores failed or are blocked." in decide(boss, world.line_item, "retry").content.decode()
    assert Score.objects.get(pk=world.pending.pk).state == SyncState.FAILED
    assert told(decide(boss, world.line_item, "retry", confirmed="yes")) == [("success", "2 scores are due now.")]
    assert told(decide(boss, world.line_item, "retry", confirmed="yes")) == [("warning", "0 scores are due now.")]
    assert Score.objects.filter(state=SyncState.PENDING).count() == 2
    assert Score.objects.get(pk=world.score.pk).state == SyncState.DELIVERED


WHO = {
    "compare": ({"reconcile_lineitem"}, {"retry_score"}),
    "resend": ({"reconcile_lineitem", "retry_score"}, {"reconcile_lineitem"}),
    "retry": ({"retry_score"}, {"reconcile_lineitem"}),
}


@pytest.mark.parametrize("what", WHO)
def test_who_decides_what(world, person, what, monkeypatch):
    enough, too_little = WHO[what]
    asked = []
    monkeypatch.setattr(column_pages.ColumnAdmin, f"_{what}", lambda self, *args, **options: asked.append(args))
    link = f"/{world.line_item.pk}/{what}/"
    allowed = person("view_lineitem", *enough)
    assert link in page_of(allowed, world.line_item).content.decode()
    assert decide(allowed, world.line_item, what, confirmed="yes").status_code == 302
    assert len(asked) == 1
    for permissions in (too_little | {"view_lineitem"}, {"view_lineitem", "change_lineitem", "change_score"}, enough):
        browser = person(*permissions)
        page = page_of(browser, world.line_item)
        assert page.status_code == 403 or link not in page.content.decode()
        assert decide(browser, world.line_item, what, confirmed="yes").status_code == 403
    assert decide(Client(), world.line_item, what).status_code == 302  # to the login
    assert len(asked) == 1


@pytest.mark.parametrize("what", WHO)
def test_nothing_happens_on_get_or_without_the_pages_token(world, boss, what):
    url = reverse(f"admin:lti_ags_lineitem_{what}", args=[world.line_item.pk])
    assert boss.get(url, {"confirmed": "yes"}).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create(username="strict", is_staff=True, is_superuser=True))
    assert strict.post(url, {"confirmed": "yes"}).status_code == 403
    assert Score.objects.get(pk=world.pending.pk).state == SyncState.FAILED


@pytest.mark.parametrize("what", WHO)
def test_a_column_that_is_not_there(boss, what):
    assert boss.post(f"/admin/lti_ags/lineitem/4711/{what}/").status_code == 404


def nobodys(request):
    return Registration.objects.none()


def test_columns_and_courses_of_others_are_not_shown(world, boss, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": "tests.admin.test_column_decisions.nobodys"}
    for row in (world.line_item, world.context):
        assert boss.get(address(type(row), "changelist")).context["cl"].result_count == 0
        assert boss.get(address(type(row), "change", row)).status_code == 302
    for what in WHO:
        assert decide(boss, world.line_item, what, confirmed="yes").status_code == 404
    assert Score.objects.get(pk=world.pending.pk).state == SyncState.FAILED


@needs_campus
def test_no_transaction_waits_for_a_platform(campus_column, boss, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    seen = []
    real = column_pages.results.reconcile

    def look(*args, **options):
        seen.append(connection.in_atomic_block)
        return real(*args, **options)

    monkeypatch.setattr(column_pages.results, "reconcile", look)
    decide(boss, campus_column, "compare", confirmed="yes")
    assert seen == [False]
    assert LineItem.objects.get().compared_at <= timezone.now() + timedelta(minutes=1)
