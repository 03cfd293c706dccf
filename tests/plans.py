"""How a database goes about a statement, once it knows that a table is large: a small one it reads whole."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from django_lti_ags.models import Score, SyncState
from django_lti_ags.models.identity import digest

ASKS = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN", "mysql": "EXPLAIN"}
COUNTS = "ANALYZE lti_ags_score; SET LOCAL enable_seqscan = off"
"""What PostgreSQL must be told first; the others count on their indexes by themselves."""
COLUMNS, LEARNERS = 40, 75


def add_crowd(world) -> None:
    """Delivered scores of last month, so many that no database reads them all for a few."""
    past = world.score.recorded_at - timedelta(days=30)
    settled = {"state": SyncState.DELIVERED, "due_at": None, "delivered_at": past, "recorded_at": past, "aged_from": past}
    items = [world.add_line_item(f"Crowded {number}") for number in range(COLUMNS)]
    learners = [f"crowd-{number}" for number in range(LEARNERS)]
    Score.objects.bulk_create(
        Score(line_item=item, service=world.service, user_id=user, user_digest=digest(user), **settled)
        for item in items
        for user in learners
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(COUNTS)


def plan_of(sql: str, params=()) -> str:
    """The database's own words."""
    with connection.cursor() as cursor:
        cursor.execute(f"{ASKS[connection.vendor]} {sql}", params or None)
        return "\n".join(" ".join(str(part) for part in row) for row in cursor.fetchall())
