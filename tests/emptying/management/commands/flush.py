"""``flush``, which Django calls after each test that commits: only what has rows is emptied, and what migrations made stays.

Django's own makes every content type and permission anew, which takes longer than most of our tests.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands.flush import Command as Flush
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

KEPT = (ContentType, Permission)


class Command(Flush):
    """Empties the tables that have rows."""

    def handle(self, **options: Any) -> None:
        """Delete every row but those of ``KEPT``."""
        connection = connections[options["database"]]
        with connection.constraint_checks_disabled(), transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for table in _with_rows(connection):
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


def _with_rows(connection: BaseDatabaseWrapper) -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = sorted(set(names) - {model._meta.db_table for model in KEPT})
    asked = [f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})" for table in tables]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return [row[0] for row in cursor.fetchall()]
