"""The page "Grade sync": numbers with their lists, the worst first, what is missing, and stopping a registration."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_lti_ags import registrations
from django_lti_ags.models import Registration, Score, Service, SyncSample, SyncState
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.sync import report

SCOPE = "tests.admin.test_overview.only_campus"


def only_campus(request):
    return Registration.objects.filter(name="Campus")


@pytest.fixture
def url():
    return reverse("admin:lti_ags_syncsample_changelist")


def text_of(browser, url, **query):
    response = browser.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


def rows_of(browser, url, **query):
    return browser.get(url, query).context["rows"]


NUMBERS = {"waiting": 5, "due": 3, "sending": 2, "blocked": 4, "failed": 5, "delivered": 6}


def test_it_stands_in_the_index_as_grade_sync(boss, url):
    page = text_of(boss, reverse("admin:index"))
    assert re.search(rf'<a href="{url}"[^>]*>Grade sync</a>', page)
    assert "<h1>Grade sync</h1>" in text_of(boss, url)


def test_every_number_leads_to_what_it_counts(busy, boss, url):
    answer = boss.get(url)
    page, (row,) = answer.content.decode(), answer.context["rows"]
    for numbers in (row.numbers, answer.context["totals"]):
        assert {number.name: number.text for number in numbers} == {name: str(value) for name, value in NUMBERS.items()}
        for number in numbers:
            assert f'href="{number.url}"'.replace("&", "&amp;") in page
            listed = boss.get(number.url)
            assert listed.status_code == 200, number.url
            assert listed.context["cl"].result_count == NUMBERS[number.name], number.url
    assert (row.oldest, row.p50, row.p95) == ("20 min", "4.0 s", "4.0 s")
    assert row.is_late


def test_only_its_own_are_listed(busy, boss, url):
    other = Service.objects.create(registration=busy.registration, origin="https://second.example")
    busy.add_score("elsewhere", service=other, state=SyncState.FAILED, due_at=None)
    found = {row.report.service_id: row for row in rows_of(boss, url)}
    (failed,) = [number for number in found[other.pk].numbers if number.name == "failed"]
    assert [row.user_id for row in boss.get(failed.url).context["cl"].queryset] == ["elsewhere"]
    (all_failed,) = [
        number for number in boss.get(url, {"registration": busy.registration.pk}).context["totals"] if number.name == "failed"
    ]
    assert boss.get(all_failed.url).context["cl"].result_count == 6


def test_who_may_not_see_scores_gets_no_links(busy, person, url):
    page = text_of(person("view_syncsample"), url)
    assert "state__exact" not in page
    assert ">5<" in page.replace("\n", "")


def test_counts_that_ended_say_so(busy, boss, url, monkeypatch):
    monkeypatch.setattr(report.measure, "__kwdefaults__", {"now": None, "counted_to": 2})
    monkeypatch.setattr("django_lti_ags.admin.overview.COUNTED_TO", 2)
    (row,) = rows_of(boss, url)
    assert [number.text for number in row.numbers] == ["2+", "2+", "2", "2+", "2+", "2+"]
    assert [number.text for number in boss.get(url).context["totals"]] == ["2+", "2+", "2", "2+", "2+", "2+"]


def test_large_numbers_are_grouped(busy, boss, url, monkeypatch):
    monkeypatch.setattr("django_lti_ags.sync.report.SyncReport.total", lambda self, name: 1234567)
    assert boss.get(url).context["totals"][0].text == "1,234,567"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ["well"]),
        ({"concurrency": 2.5}, ["throttled", "2 at once"]),
        ({"failing_since": True, "last_failure_code": "server_error"}, ["failing", "server_error", ADVICE["server_error"]]),
        (
            {"failing_since": True, "closed_until": True, "last_failure_code": "unreachable"},
            ["not answering", "next probe", ADVICE["unreachable"]],
        ),
    ],
)
def test_conditions_in_words(busy, boss, url, now, fields, words):
    Service.objects.update(**{name: now if value is True else value for name, value in fields.items()})
    page = text_of(boss, url).replace("&#x27;", "'")
    for word in words:
        assert word in page


def test_a_pause_shows_its_reason_and_how_to_end_it(busy, boss, url):
    registrations.pause(Registration.objects.get(), reason="<exam> week")
    page = text_of(boss, url)
    assert "&lt;exam&gt; week" in page
    assert ADVICE["paused_by_hand"] in page
    assert reverse("admin:lti_ags_registration_resume", args=[busy.registration.pk]) in page
    assert reverse("admin:lti_ags_registration_pause", args=[busy.registration.pk]) not in page


def test_last_success_and_trouble(busy, boss, url, now):
    Service.objects.update(last_success_at=now, last_failure_at=now, last_failure_code="throttled")
    assert "throttled" in text_of(boss, url)


class TestWhatIsMissing:
    """An empty page says what comes next."""

    def steps(self, boss, url, expected):
        response = boss.get(url)
        assert response.context["next_step"] == expected
        return response.content.decode()

    def test_a_platform(self, boss, url):
        page = self.steps(boss, url, "register")
        assert "lti_ags_register" in page
        assert reverse("admin:lti_ags_registration_add") in page

    def test_who_may_not_add_one_is_not_sent_there(self, person, url):
        assert reverse("admin:lti_ags_registration_add") not in self.steps(person("view_syncsample"), url, "register")

    def test_a_launch(self, world, boss, url):
        Score.objects.all().delete()
        SyncSample.objects.all().delete()
        world.line_item.results.all().delete()
        world.line_item.delete()
        world.live_assessment.delete()
        Service.objects.all().delete()
        page = self.steps(boss, url, "launch")
        assert "Launch the tool" in page
        assert re.search(r"never launched from</h2>\s*<ul[^>]*>\s*<li>Campus\s", page)

    def test_what_was_never_launched_from_can_be_paused_and_resumed(self, world, boss, url):
        late = world.add_registration("Late", client_id="late")
        pause, resume = (reverse(f"admin:lti_ags_registration_{name}", args=[late.pk]) for name in ("pause", "resume"))
        page = boss.get(url).content.decode()
        assert f'href="{pause}"' in page
        assert f'href="{resume}"' not in page
        boss.post(pause, {"reason": "moving <b>house</b>"})
        page = boss.get(url).content.decode()
        assert f'href="{resume}"' in page
        assert f'href="{pause}"' not in page
        assert "moving &lt;b&gt;house" in page

    def test_a_worker(self, world, boss, url):
        SyncSample.objects.all().delete()
        assert "manage.py lti_ags_worker" in self.steps(boss, url, "worker")

    def test_a_score(self, world, boss, url):
        Score.objects.all().delete()
        assert "scores.record" in self.steps(boss, url, "record")

    def test_nothing(self, busy, boss, url):
        self.steps(boss, url, "")


@pytest.mark.parametrize(("minutes", "warned"), [(1, False), (11, True)])
def test_a_silent_worker_is_told_of_while_scores_are_due(busy, boss, url, now, minutes, warned):
    SyncSample.objects.update(taken_at=now - timedelta(minutes=minutes))
    assert ("no worker seems to run" in text_of(boss, url)) is warned
    Score.objects.filter(state=SyncState.PENDING).delete()
    assert "no worker seems to run" not in text_of(boss, url)


def test_one_registration_can_be_chosen(busy, boss, url):
    other = busy.add_registration("Other")
    Service.objects.create(registration=other, origin="https://other.example")
    assert len(rows_of(boss, url)) == 2
    assert [row.report.registration for row in rows_of(boss, url, registration=other.pk)] == ["Other"]
    assert len(rows_of(boss, url, registration="")) == 2
    for unknown in ("999", "x", "-1"):
        assert boss.get(url, {"registration": unknown}).status_code == 404


def test_only_the_rows_of_whoever_asks(busy, boss, url, settings):
    other = busy.add_registration("Secret")
    Service.objects.create(registration=other, origin="https://secret.example", last_failure_code="server_error")
    settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": SCOPE}
    page = text_of(boss, url)
    assert "Secret" not in page
    assert "secret.example" not in page
    assert boss.get(url, {"registration": other.pk}).status_code == 404
    for name in ("pause", "resume"):
        there = reverse(f"admin:lti_ags_registration_{name}", args=[other.pk])
        assert boss.get(there).status_code == boss.post(there, {"reason": "x"}).status_code == 404
    assert not Registration.objects.get(pk=other.pk).is_paused


def test_the_places_lists_are_scoped_too(world, boss, settings):
    other = world.add_registration("Secret", signing_key=type(world.key).objects.create(kid="s", private_key_encrypted="x", public_jwk={}))
    service = Service.objects.create(registration=other, origin="https://secret.example")
    deployment = other.deployments.create(deployment_id="secret-1")
    settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": SCOPE}
    for row in (other, service, deployment, other.signing_key):
        name = f"admin:lti_ags_{row._meta.model_name}"
        assert row not in boss.get(reverse(f"{name}_changelist")).context["cl"].queryset
        assert boss.get(reverse(f"{name}_change", args=[row.pk])).status_code == 302
    assert "Secret" not in text_of(boss, reverse("admin:lti_ags_deployment_add"))


class TestCharts:
    """What samples say, drawn and told."""

    def add(self, world, now, minutes, **fields):
        SyncSample.objects.create(service=world.service, taken_at=now - timedelta(minutes=minutes), **fields)

    def chart(self, browser, url, name, **query):
        (found,) = [chart for chart in browser.get(url, query).context["charts"] if chart.name == name]
        return found

    def test_four_with_a_table_each(self, busy, boss, url):
        page = text_of(boss, url)
        names = re.findall(r'<figure class="lti-ags-figure" id="([\w-]+)">', page)
        assert names == ["backlog-day", "deliveries-day", "backlog-week", "deliveries-week"]
        for name in names:
            assert f'aria-labelledby="{name}-title {name}-desc"' in page
            assert f'<title id="{name}-title">' in page
            assert f'<details id="{name}-data">' in page
        assert page.count('role="img"') == 4
        assert page.count('class="lti-ags-table"') == 5

    def test_their_numbers_are_the_samples(self, busy, boss, url, now):
        SyncSample.objects.all().delete()
        other = Service.objects.create(registration=busy.registration, origin="https://second.example")
        base = now - timedelta(minutes=60)
        for service, waiting in ((busy.service, 10), (other, 5)):
            SyncSample.objects.create(service=service, taken_at=base, waiting=waiting, blocked=1, failed=2, delivered=20)
        self.add(busy, now, 60 * 24 + 40, waiting=7, delivered=500)
        day = self.chart(boss, url, "backlog-day")
        told = [(step.waiting, step.resting, step.delivered) for step in day.steps if step.waiting is not None]
        assert told == [(15, 6, 40)]
        assert day.top == 20
        assert "At most 15 scores waited, at the end 15; 6 were blocked or failed at the end." in text_of(boss, url)
        assert "540 scores were delivered." in text_of(boss, url)
        assert self.chart(boss, url, "deliveries-week").top == 500

    def test_a_step_takes_the_highest_backlog_and_all_deliveries(self, busy, boss, url, now):
        SyncSample.objects.all().delete()
        step = self.chart_steps_start(now)
        for minutes, waiting in ((0, 3), (5, 9), (10, 4)):
            SyncSample.objects.create(service=busy.service, taken_at=step + timedelta(minutes=minutes), waiting=waiting, delivered=2)
        (found,) = [one for one in self.chart(boss, url, "backlog-day").steps if one.waiting is not None]
        assert (found.at, found.waiting, found.delivered) == (step, 9, 6)

    @staticmethod
    def chart_steps_start(now):
        seconds = (now - timedelta(hours=5)).timestamp()
        return now - timedelta(hours=5) - timedelta(seconds=seconds % 1800)

    def test_only_of_the_chosen_registration(self, busy, boss, url, now):
        other = Service.objects.create(registration=busy.add_registration("Other"), origin="https://other.example")
        SyncSample.objects.create(service=other, taken_at=now - timedelta(minutes=2), waiting=777)
        chosen = self.chart(boss, url, "backlog-day", registration=busy.registration.pk)
        assert max(step.waiting or 0 for step in chosen.steps) == 0
        assert max(step.waiting or 0 for step in self.chart(boss, url, "backlog-day").steps) == 777

    def test_only_of_what_the_person_sees(self, busy, boss, url, now, settings):
        other = Service.objects.create(registration=busy.add_registration("Other"), origin="https://other.example")
        SyncSample.objects.create(service=other, taken_at=now - timedelta(minutes=2), waiting=777)
        settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": SCOPE}
        assert "777" not in text_of(boss, url)

    def test_a_sample_of_the_future_is_left_out(self, busy, boss, url, now):
        self.add(busy, now, -60 * 24, waiting=777)
        assert "777" not in text_of(boss, url)

    def test_without_samples_there_is_none(self, world, boss, url):
        SyncSample.objects.all().delete()
        assert boss.get(url).context["charts"] == []


class TestPausing:
    """By POST, with a reason, with the permission."""

    @pytest.fixture
    def keeper(self, person) -> Client:
        return person("view_syncsample", "pause_registration")

    def place(self, world, name):
        return reverse(f"admin:lti_ags_registration_{name}", args=[world.registration.pk])

    def paused(self):
        return Registration.objects.exclude(paused_at=None).exists()

    def test_the_question_changes_nothing(self, world, keeper):
        page = text_of(keeper, self.place(world, "pause"))
        assert 'name="reason"' in page
        assert "csrfmiddlewaretoken" in page
        assert not self.paused()

    def test_a_reason_is_needed(self, world, keeper):
        page = keeper.post(self.place(world, "pause"), {"reason": "  "})
        assert "errorlist" in page.content.decode()
        assert not self.paused()

    def test_there_and_back(self, world, keeper, url):
        answer = keeper.post(self.place(world, "pause"), {"reason": "exam week"})
        assert (answer.status_code, answer.url) == (302, url)
        assert [str(message) for message in get_messages(answer.wsgi_request)] == ["1 registration paused."]
        row = Registration.objects.get()
        assert row.paused_reason == "staff0: exam week"
        again = keeper.post(self.place(world, "pause"), {"reason": "other"})
        assert "0 registrations paused. What is paused keeps the reason that it has." in [str(m) for m in get_messages(again.wsgi_request)]
        assert Registration.objects.get().paused_reason == "staff0: exam week"

        page = text_of(keeper, self.place(world, "resume"))
        assert "exam week" in page
        assert self.paused()
        answer = keeper.post(self.place(world, "resume"))
        assert answer.url == url
        assert not self.paused()
        assert "0 registrations resumed." in [str(m) for m in get_messages(keeper.post(self.place(world, "resume")).wsgi_request)]
        told = [(entry.change_message, entry.object_id) for entry in LogEntry.objects.order_by("pk")]
        assert told == [("Paused delivery.", str(row.pk)), ("Resumed delivery.", str(row.pk))]

    @pytest.mark.parametrize("permissions", [(), ("view_syncsample",), ("view_syncsample", "change_registration"), ("pause_registration",)])
    def test_nobody_else(self, world, person, permissions):
        browser = person(*permissions)
        for name in ("pause", "resume"):
            assert browser.get(self.place(world, name)).status_code == 403
            assert browser.post(self.place(world, name), {"reason": "x"}).status_code == 403
        assert not self.paused()

    def test_not_without_the_pages_token(self, world, keeper):
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = keeper.cookies
        assert strict.post(self.place(world, "pause"), {"reason": "x"}).status_code == 403
        assert not self.paused()

    def test_buttons_for_those_who_may(self, busy, keeper, person, url):
        assert self.place(busy, "pause") in text_of(keeper, url)
        assert self.place(busy, "pause") not in text_of(person("view_syncsample", "view_score"), url)

    def test_what_is_not_there(self, world, keeper):
        assert keeper.post(reverse("admin:lti_ags_registration_pause", args=[999]), {"reason": "x"}).status_code == 404


def test_the_overview_takes_no_post(busy, boss, url):
    assert boss.post(url).status_code == 405
    assert boss.head(url).status_code == 200


def test_more_scores_take_no_more_queries(busy, boss, url):
    with CaptureQueriesContext(connection) as few:
        boss.get(url)
    for number in range(20):
        busy.add_score(f"more-{number}", state=SyncState.FAILED, due_at=None)
        Service.objects.create(registration=busy.registration, origin=f"https://quiet-{number}.example")
    with CaptureQueriesContext(connection) as many:
        boss.get(url)
    assert len(many) == len(few) <= 22
