"""Where databases differ: their clock, their upsert, their locks. SQL for one vendor stands here only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from django.db import OperationalError, connections, models, transaction
from django.db.models import DateTimeField, Func

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

T = TypeVar("T")

_PORTION: Final = 1000
_VICTIM_TRIES: Final = 20
_DEADLOCK: Final = {"mysql": 1213, "postgresql": "40P01"}


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


def locked(rows: models.QuerySet[Any], *, skip: bool = False, wholly: bool = False) -> models.QuerySet[Any]:
    """``rows``, locked for this transaction; ``skip``: without those that somebody else has locked.

    SQLite knows no row locks: there an IMMEDIATE transaction holds the whole database already.
    PostgreSQL lets others insert rows that refer to the locked ones, unless ``wholly``: who is to change
    a column with a unique index would wait for them otherwise, at the change.
    """
    features = connections[rows.db].features
    if not features.has_select_for_update:
        return rows
    options: dict[str, Any] = {"skip_locked": skip and features.has_select_for_update_skip_locked}
    if features.has_select_for_update_of:
        options["of"] = ("self",)
    if features.has_select_for_no_key_update:
        options["no_key"] = not wholly
    return rows.select_for_update(**options)


def share(row: models.Model, alias: str) -> bool:
    """Hold ``row`` as a row that refers to it will, before anything below it is locked; False: it was deleted.

    Databases take this lock while they insert, when the transaction may hold rows below already; who has
    the parent and waits for one of those would deadlock with it.
    """
    connection = connections[alias]
    how = {"mysql": "LOCK IN SHARE MODE", "postgresql": "FOR KEY SHARE"}.get(connection.vendor, "")
    table = connection.ops.quote_name(row._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table} WHERE id = %s {how}", [row.pk])  # noqa: S608 - quoted
        return cursor.fetchone() is not None


def in_transaction(act: Callable[[], T], alias: str) -> T:
    """What ``act`` answers, in a transaction, which is begun again where the database ended it to end a deadlock.

    Where several wait to insert one row, and who inserted it first rolls back, InnoDB lets all of them have the gap,
    and each wait for the others.
    """
    connection = connections[alias]
    tries = 1 if connection.in_atomic_block else _VICTIM_TRIES
    while True:
        tries -= 1
        try:
            with transaction.atomic(using=alias):
                return act()
        except OperationalError as problem:
            if not tries or not _is_deadlock(connection, problem):
                raise


def _is_deadlock(connection: BaseDatabaseWrapper, problem: OperationalError) -> bool:
    cause = problem.__cause__
    code = problem.args[0] if connection.vendor == "mysql" else getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return code is not None and code == _DEADLOCK.get(connection.vendor)


def portions(pks: Sequence[T], most: int = _PORTION) -> list[Sequence[T]]:
    """``pks`` in portions that every database takes as parameters of one statement."""
    return [pks[start : start + most] for start in range(0, len(pks), most)]


def insert_or_lock(rows: models.QuerySet[Any], objects: Sequence[models.Model], *, unique: Sequence[str]) -> None:
    """Insert ``objects``; where a row with the same ``unique`` fields stands already, lock it and leave it as it is.

    Not ``ignore_conflicts``: MariaDB would then hide every other error too, and take a shared
    lock on the row that is there, over which three writers of one new row deadlock.
    """
    connection, meta = connections[rows.db], rows.model._meta
    if connection.vendor == "postgresql":
        columns = [connection.ops.quote_name(meta.get_field(name).column) for name in unique]
        _insert_from_arrays(rows, objects, f" ON CONFLICT ({', '.join(columns)}) DO UPDATE SET {columns[-1]} = EXCLUDED.{columns[-1]}")
        return
    rows.bulk_create(objects, update_conflicts=True, update_fields=[unique[-1]], **_target(rows, unique))


def upsert_by_pk(rows: models.QuerySet[Any], objects: Sequence[models.Model], *, fields: Sequence[str]) -> None:
    """Write ``fields`` of ``objects``, whose rows are there and locked, in as few statements as the database allows.

    PostgreSQL updates from arrays: an upsert would carry every column of every row there and back.
    """
    if connections[rows.db].vendor == "postgresql":
        _update_from_arrays(rows, objects, fields)
        return
    rows.bulk_create(objects, update_conflicts=True, update_fields=list(fields), **_target(rows, ["id"]))


def insert_many(rows: models.QuerySet[Any], objects: Sequence[models.Model]) -> None:
    """Insert ``objects``, whose keys nobody needs to know afterwards."""
    if connections[rows.db].vendor == "postgresql" and objects:
        _insert_from_arrays(rows, objects)
    else:
        rows.bulk_create(objects)


def _insert_from_arrays(rows: models.QuerySet[Any], objects: Sequence[models.Model], on_conflict: str = "") -> None:
    connection = connections[rows.db]
    fields = [field for field in rows.model._meta.concrete_fields if not field.primary_key]
    split = _Split(connection, {field: [field.pre_save(row, True) for row in objects] for field in fields})
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(rows.model._meta.db_table)
    sql = f"INSERT INTO {table} ({names}) SELECT {', '.join(split.terms.values())} FROM {split.source}{on_conflict}"  # noqa: S608 - quoted names
    with connection.cursor() as cursor:
        cursor.execute(sql, split.parameters)


def _update_from_arrays(rows: models.QuerySet[Any], objects: Sequence[models.Model], fields: Sequence[str]) -> None:
    connection, meta = connections[rows.db], rows.model._meta
    quote = connection.ops.quote_name
    chosen = [meta.pk, *(meta.get_field(name) for name in fields)]
    split = _Split(connection, {field: [getattr(row, field.attname) for row in objects] for field in chosen}, always=[meta.pk])
    table, pk = quote(meta.db_table), quote(meta.pk.column)
    changes = ", ".join(f"{quote(field.column)} = {term}" for field, term in split.terms.items() if field is not meta.pk)
    sql = f"UPDATE {table} SET {changes} FROM {split.source} WHERE {table}.{pk} = v.{pk}"  # noqa: S608 - quoted names
    with connection.cursor() as cursor:
        cursor.execute(sql, split.parameters)


class _Split:
    """Columns for one statement: what all rows have in common goes once, as a value; the rest as arrays, unnested as ``v``.

    Most of what a batch writes is the same for all of it, and the dear part is quoting values.
    """

    def __init__(self, connection: BaseDatabaseWrapper, columns: Mapping[Any, list[Any]], always: Sequence[Any] = ()) -> None:
        self.terms: dict[Any, str] = {}
        common: list[Any] = []
        arrays: list[Any] = []
        types: list[str] = []
        names: list[str] = []
        for field, column in columns.items():
            kind = (field.rel_db_type(connection) if field.primary_key else field.db_type(connection)).partition("(")[0]
            if isinstance(column[0], Func):
                self.terms[field], _ = models.sql.Query(None).get_compiler(connection=connection).compile(column[0])
            elif field not in always and _all_the_same(field, column):
                self.terms[field] = f"%s::{kind}"
                common.append(field.get_db_prep_save(column[0], connection))
            else:
                name = connection.ops.quote_name(field.column)
                self.terms[field] = f"v.{name}"
                arrays.append([field.get_db_prep_save(value, connection) for value in column])
                types.append(f"%s::{kind}[]")
                names.append(name)
        many = len(next(iter(columns.values())))
        self.source = f"unnest({', '.join(types)}) AS v ({', '.join(names)})" if arrays else f"generate_series(1, {many})"
        self.parameters = [*common, *arrays]


def _all_the_same(field: models.Field[Any, Any], column: list[Any]) -> bool:
    if isinstance(field, models.JSONField):
        column = [repr(value) for value in column]  # 1 equals True, but not in JSON
    return column.count(column[0]) == len(column)


def _target(rows: models.QuerySet[Any], unique: Sequence[str]) -> dict[str, Any]:
    if connections[rows.db].features.supports_update_conflicts_with_target:
        return {"unique_fields": list(unique)}
    return {}
