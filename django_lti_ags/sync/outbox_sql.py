"""Where databases differ: their clock, their upsert, their locks. SQL for one vendor stands here only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from django.db import connections, models
from django.db.models import DateTimeField, Func

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler


_PORTION: Final = 1000


class UtcNow(Func):
    """The database's clock, in UTC, at this moment.

    Not Django's ``Now``: that is the time of the transaction's start on PostgreSQL, and in the
    session's zone on MariaDB.
    """

    output_field = DateTimeField()
    arity = 0

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        """The wall clock, not the transaction's."""
        return self.as_sql(compiler, connection, template="clock_timestamp()", **context)

    def as_mysql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        """With microseconds, and in UTC whatever the session's zone is."""
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **context)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        """In the form that Django stores; SQLite counts milliseconds."""
        return self.as_sql(compiler, connection, template="strftime('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'now')", **context)


def database_now(alias: str) -> datetime:
    """The database's clock, aware."""
    connection = connections[alias]
    query = models.sql.Query(None)
    now = UtcNow()
    sql, parameters = query.get_compiler(using=alias).compile(now)
    suffix = connection.features.bare_select_suffix
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}{suffix}", parameters)
        value = cursor.fetchone()[0]
    for converter in [*connection.ops.get_db_converters(now), *now.get_db_converters(connection)]:
        value = converter(value, now, connection)
    return cast("datetime", value)


def locked(rows: models.QuerySet[Any], *, skip: bool = False) -> models.QuerySet[Any]:
    """``rows``, locked for this transaction; ``skip``: without those that somebody else has locked.

    SQLite knows no row locks: there an IMMEDIATE transaction holds the whole database already.
    ``no_key`` lets PostgreSQL insert rows that refer to the locked ones.
    """
    features = connections[rows.db].features
    if not features.has_select_for_update:
        return rows
    options: dict[str, Any] = {"skip_locked": skip and features.has_select_for_update_skip_locked}
    if features.has_select_for_update_of:
        options["of"] = ("self",)
    if features.has_select_for_no_key_update:
        options["no_key"] = True
    return rows.select_for_update(**options)


def portions(pks: Sequence[int]) -> list[Sequence[int]]:
    """``pks`` in portions that every database takes as parameters of one statement."""
    return [pks[start : start + _PORTION] for start in range(0, len(pks), _PORTION)]


def insert_or_lock(rows: models.QuerySet[Any], objects: Sequence[models.Model], *, unique: Sequence[str]) -> None:
    """Insert ``objects``; where a row with the same ``unique`` fields stands already, lock it and leave it as it is.

    Not ``ignore_conflicts``: MariaDB would then hide every other error too, and take a shared
    lock on the row that is there, over which three writers of one new row deadlock.
    """
    rows.bulk_create(objects, update_conflicts=True, update_fields=[unique[-1]], **_target(rows, unique))


def upsert_by_pk(rows: models.QuerySet[Any], objects: Sequence[models.Model], *, fields: Sequence[str]) -> None:
    """Write ``fields`` of ``objects``, whose rows are there and locked, in as few statements as the database allows."""
    rows.bulk_create(objects, update_conflicts=True, update_fields=list(fields), **_target(rows, ["id"]))


def _target(rows: models.QuerySet[Any], unique: Sequence[str]) -> dict[str, Any]:
    if connections[rows.db].features.supports_update_conflicts_with_target:
        return {"unique_fields": list(unique)}
    return {}
