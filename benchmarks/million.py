"""An outbox of 1 000 000 scores, on PostgreSQL.

Ten campuses with a hundred columns each; of twenty scores twelve are delivered (within a month), four are due, two failed, one is
blocked and one superseded. Beside them a week of samples of every campus, and the events of a day.
"""

from __future__ import annotations

from django.db import connection

from benchmarks import campus
from django_lti_ags import scores
from django_lti_ags.models import LineItem, Score

LEARNERS = 10_000
"""Of one column, which is tagged ``LARGE``."""
LARGE = "large"
_CAMPUSES = 10
_COLUMNS = 100
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
    LineItem.objects.filter(pk=large.pk).update(tag=LARGE)
    _add_scores([large], LEARNERS)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lti_ags_lineitem SET label = 'Quiz ' || id")
        cursor.execute(_RESULTS, {"tag": LARGE})
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
