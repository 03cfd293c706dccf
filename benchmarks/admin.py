"""What operators look at, with 1 000 000 scores: no query may take more than 200 ms on PostgreSQL.

Ten campuses with a hundred columns each; of twenty scores twelve are delivered (within a month), four are due, two failed, one is
blocked and one superseded. Beside them a week of samples of every campus, and the events of a day. Every page is asked for as
often as there are rounds; what counts is its slowest query, and all its queries together.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from benchmarks import campus
from benchmarks.ratios import Ratio, conclude
from django_lti_ags import scores
from django_lti_ags.models import LineItem, Registration, Score, Service
from django_lti_ags.sync import sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

_CAMPUSES = 10
_COLUMNS = 100
_LEARNERS = 10_000
_LARGE = "large"
_LIMIT_SECONDS = 0.2
_TOKEN = "benchmark"
_STATE = """CASE WHEN number %% 20 < 12 THEN 'delivered' WHEN number %% 20 < 16 THEN 'pending' WHEN number %% 20 < 18 THEN 'failed'
    WHEN number %% 20 < 19 THEN 'blocked' ELSE 'superseded' END"""
_WHEN = "now() - (number::float / %(many)s) * interval '30 days'"
_OWN_VALUES = {
    "uid": "gen_random_uuid()",
    "user_id": "'learner-' || number",
    "user_digest": "encode(sha256(convert_to(length('learner-' || number) || ':learner-' || number, 'UTF8')), 'hex')",
    "line_item_id": "(%(columns)s::bigint[])[1 + number %% %(many_columns)s]",
    "state": _STATE,
    "due_at": "CASE WHEN number %% 20 BETWEEN 12 AND 15 THEN now() - number * interval '1 millisecond' END",
    "code": "CASE WHEN number %% 20 IN (16, 17) THEN 'score_refused' WHEN number %% 20 = 18 THEN 'forbidden' ELSE '' END",
    "recorded_at": f"{_WHEN} - interval '5 seconds'",
    "delivered_at": f"CASE WHEN number %% 20 < 12 THEN {_WHEN} END",
    "delivered_version": "CASE WHEN number %% 20 < 12 THEN 1 END",
}
_EVENTS = """INSERT INTO lti_ags_event (uid, name, score_id, service_id, version, code, payload, created_at)
    SELECT gen_random_uuid(), 'score_' || state, id, service_id, 1, code, '{}', recorded_at FROM lti_ags_score
    WHERE state IN ('delivered', 'failed', 'blocked') AND recorded_at > now() - interval '1 day'"""
_RESULTS = """INSERT INTO lti_ags_result (uid, line_item_id, user_id, user_digest, url, result_score, result_maximum, comment,
    scoring_user_id, extensions, read_at, agreement, compared_at, compared_version, divergence)
    SELECT gen_random_uuid(), s.line_item_id, s.user_id, s.user_digest, '', 8, 10, '', '', '{}', now() - interval '1 hour',
    CASE WHEN s.id %% 10 = 0 THEN 'differs' ELSE 'in_sync' END, now(), s.version, ''
    FROM lti_ags_score s JOIN lti_ags_lineitem l ON l.id = s.line_item_id WHERE l.tag = %(tag)s AND s.state = 'delivered'"""
_ATTEMPTS = """INSERT INTO lti_ags_deliveryattempt (score_id, service_id, kind, version, started_at, duration_ms, method, url,
    request_headers, request_body, status, reason, response_headers, response_body, failure, abandoned, disposition, reach, code, detail)
    SELECT id, service_id, 'score', 1, recorded_at, 10, 'POST', '', '{}', '', 422, '', '{}', '', '', false, '', '', code, ''
    FROM lti_ags_score WHERE state IN ('failed', 'blocked')"""
_SAMPLES = """INSERT INTO lti_ags_syncsample
    (service_id, taken_at, waiting, due, blocked, failed, oldest_due_seconds, delivered, p50_seconds, p95_seconds, totals)
    SELECT s.id, slot, 100, 50, 5, 10, 30, 60, 3, 9, '{"score_delivered": 1000000}' FROM lti_ags_service s,
    generate_series(date_trunc('hour', now()) - interval '7 days', date_trunc('hour', now()), interval '5 minutes') AS slot"""


def fill(many: int) -> None:
    """``many`` scores, and what stands beside them."""
    for number in range(_CAMPUSES):
        registration = campus.register(f"http://campus-{number}.example", 0)
        _add_scores([campus.new_column(registration) for _ in range(_COLUMNS)], many // _CAMPUSES)
    large = campus.new_column(registration)
    LineItem.objects.filter(pk=large.pk).update(tag=_LARGE)
    _add_scores([large], _LEARNERS)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lti_ags_lineitem SET label = 'Quiz ' || id")
        cursor.execute(_RESULTS, {"tag": _LARGE})
        cursor.execute(_ATTEMPTS)
        cursor.execute(_EVENTS)
        cursor.execute(_SAMPLES)
        cursor.execute("VACUUM ANALYZE")


def _add_scores(columns: list[LineItem], many: int) -> None:
    template = scores.record(columns[0], user_id="template", score_given=8, score_maximum=10)
    names = [field.column for field in Score._meta.concrete_fields if not field.primary_key]
    values = ", ".join(_OWN_VALUES.get(name, f'"{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    table = Score._meta.db_table
    sql = f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table}, generate_series(1, %(many)s) AS number WHERE id = %(template)s"
    keys = [column.pk for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(sql, {"many": many, "template": template.pk, "columns": keys, "many_columns": len(keys)})


class Watch:
    """Times every query."""

    def __init__(self) -> None:
        self.queries: list[tuple[float, str]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.queries.append((time.perf_counter() - started, sql))


def looks() -> Iterator[tuple[str, Callable[[], Any]]]:
    """What operators look at: its name, and how to."""
    browser = Client()
    browser.force_login(User.objects.create(username="boss", is_staff=True, is_superuser=True))
    page = partial(_page, browser)
    one, service = Registration.objects.all()[0], Service.objects.all()[0]
    place = f"service__registration__id__exact={one.pk}&service__id__exact={service.pk}"
    yield "overview", page("syncsample/")
    yield "overview of one registration", page(f"syncsample/?registration={one.pk}")
    yield "status command", lambda: call_command("lti_ags_status", stdout=io.StringIO())
    yield "metrics", lambda: _scrape(browser)
    yield "a sample", _sample
    yield from _lists_of_scores(page, place)
    yield "one score", page(f"score/{Score.objects.filter(state='failed').latest('pk').pk}/change/")
    yield "errors", page("score/errors/")
    yield "export, the first portion", lambda: _export(browser)
    yield "pending scores", page("pendingscore/")
    yield "pending scores, one campus", page(f"pendingscore/?{place}")
    yield "pending scores, failed at one campus", page(f"pendingscore/?{place}&state__exact=failed")
    yield "pending scores, one code", page("pendingscore/?code=forbidden")
    yield "line items", page("lineitem/")
    large = LineItem.objects.get(tag=_LARGE)
    yield f"one line item of {_LEARNERS} learners", page(f"lineitem/{large.pk}/change/")
    yield "one line item, those that differ", page(f"lineitem/{large.pk}/change/?agreement=differs")
    yield "scores of that line item", page(f"score/?line_item__id__exact={large.pk}")
    yield "line items, searched", page("lineitem/?q=Quiz+77", finds="Quiz 77")
    yield "contexts", page("context/")
    yield "events", page("event/")
    yield "registrations", page("registration/")


def _lists_of_scores(page: Callable[..., Callable[[], Any]], place: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "scores", page("score/")
    yield "scores, last page but some", page("score/?p=90")
    for state in ("pending", "sending", "failed", "blocked", "delivered"):
        yield f"scores, {state}", page(f"score/?state__exact={state}")
        yield f"scores, {state} at one campus", page(f"score/?{place}&state__exact={state}")
    yield "scores waiting at one campus", page(f"score/?{place}&due_at__isnull=0")
    now = quote(timezone.now().isoformat())
    yield "scores due at one campus", page(f"score/?{place}&due_at__lte={now}")
    yield "scores due", page(f"score/?due_at__lte={now}")
    yesterday = quote((timezone.now() - timedelta(days=1)).isoformat())
    delivered = f"state__exact=delivered&delivered_at__gte={yesterday}"
    yield "scores delivered in 24 h at one campus", page(f"score/?{place}&{delivered}")
    yield "scores delivered in 24 h", page(f"score/?{delivered}")
    yield "scores, one registration", page(f"score/?service__registration__id__exact={Registration.objects.all()[0].pk}")
    yield "scores, one code", page("score/?code=score_refused")
    yield "scores, one learner", page("score/?q=learner-77", finds="learner-77")
    yield "scores, one registration, last page but some", page(f"score/?{place}&p=190")
    label = f"Quiz {LineItem.objects.latest('pk').pk}"
    yield "scores, one label", page(f"score/?q={quote(label)}", finds=label)
    yield "scores, a part of every label", page("score/?q=Quiz", finds="Quiz")


def _page(browser: Client, address: str, *, finds: str = "") -> Callable[[], Any]:
    def look() -> None:
        answer = browser.get(f"/admin/lti_ags/{address}")
        if answer.status_code != 200:
            raise AssertionError(f"{address}: {answer.status_code}")
        if finds and answer.content.decode().count(finds) < 2:  # once in the search box
            raise AssertionError(f"{address} does not find {finds}")

    return look


def _export(browser: Client) -> None:
    answer = browser.post("/admin/lti_ags/score/export/", {"format": "csv"})
    if answer.status_code != 200:
        raise AssertionError(f"export: {answer.status_code}")
    for number, _ in enumerate(answer.streaming_content):
        if number == 1:  # the first is the heading
            break
    answer.close()


def _scrape(browser: Client) -> None:
    cache.clear()
    answer = browser.get("/metrics", headers={"Authorization": f"Bearer {_TOKEN}"})
    if answer.status_code != 200:
        raise AssertionError(f"metrics: {answer.status_code}")


_later: list[datetime] = []


def _sample() -> None:
    """Of a slot that nobody has sampled yet."""
    _later.append((_later[-1] if _later else timezone.now()) + timedelta(minutes=10))
    if not sampling.sample(_later[-1]):
        raise AssertionError("there was a sample already")


def measure(name: str, look: Callable[[], Any], rounds: int, *, shows_slowest: bool) -> list[Ratio]:
    """The limit ÷ the slowest query, and ÷ all queries; the first look warms up."""
    slowest = Ratio(f"{name}: 200 ms ÷ slowest query", 1)
    whole = Ratio(f"{name}: 200 ms ÷ all queries")
    worst = (0.0, "")
    for number in range(rounds + 1):
        watch = Watch()
        with connection.execute_wrapper(watch):
            look()
        if number:
            slowest.add(_LIMIT_SECONDS, max(watch.queries)[0])
            whole.add(_LIMIT_SECONDS, sum(seconds for seconds, _ in watch.queries))
            worst = max(worst, *watch.queries)
    if shows_slowest or slowest.missed:
        print(f"{name}: {len(watch.queries)} queries; {worst[0] * 1000:.0f} ms: {worst[1][:600]}", file=sys.stderr)
    return [slowest, whole]


def main() -> int:
    """Fill, and look."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="looks at each page (default: 5)")
    parser.add_argument("--scores", type=int, default=1_000_000, help="how many (default: 1 000 000)")
    parser.add_argument("--show", action="store_true", help="print each page's slowest query")
    options = parser.parse_args()
    ratios: list[Ratio] = []
    with campus.databases("default"), override_settings(LTI_AGS=campus.settings_for(METRICS_TOKEN=_TOKEN)):
        started = time.perf_counter()
        fill(options.scores)
        print(f"{options.scores} scores in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        for name, look in looks():
            ratios += measure(name, look, options.rounds, shows_slowest=options.show)
    return conclude(ratios)


if __name__ == "__main__":
    sys.exit(main())
