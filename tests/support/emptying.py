"""Empties the tables after a transactional test, in a fraction of the time of Django's `flush`.

That truncates each table, which makes PostgreSQL write files for each test, and has permissions and
groups made anew. Here rows are deleted, in one transaction, but for what `migrate` has made; and of
tables without any nothing is asked but whether they have some.
"""

from functools import cache
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.test import TransactionTestCase

from audit.triggers import install
from connections_project.metrics.models import CountedChange
from tests.support.audit_triggers import TABLES, drop_triggers

# What `post_migrate` fills.
KEPT = (
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
)
# Each trigger's table, and the statements that make it; on PostgreSQL its function's code too.
_TRIGGERS = {
    "sqlite": "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": (
        "SELECT tgrelid::regclass::text, format('%s; ALTER TABLE %s ENABLE ALWAYS TRIGGER %I',"
        " pg_get_triggerdef(pg_trigger.oid), tgrelid::regclass, tgname), tgenabled, prosrc"
        " FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal ORDER BY 2"
    ),
}
_as_made: list[Any] = []
_triggers_as_made: list[Any] = []


def empty_tables(_: TransactionTestCase) -> None:
    """Delete all rows that a test may have made."""
    with transaction.atomic():
        _delete_from([table for (table,) in _rows(_filled())])
        if _rows(_TRIGGERS[connection.vendor]) != _triggers_as_made:
            # The test has changed them itself.
            drop_triggers()
            install(connection)
    if _kept() != _as_made:
        drop_triggers()
        call_command("flush", verbosity=0, interactive=False)
        remember_what_is_kept()


def remember_what_is_kept() -> None:
    """Note what `migrate` has made, before a test changes any of it."""
    _as_made[:] = _kept()
    _triggers_as_made[:] = _rows(_TRIGGERS[connection.vendor])


def _delete_from(tables: list[str]) -> None:
    # The product has no way past the triggers of the audit log.
    guarded = [table for table in tables if table in TABLES]
    if guarded:
        drop_triggers(*guarded)
    # Last what the triggers of others write into.
    emptied = [*tables, CountedChange._meta.db_table]
    statements = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in emptied]
    statements += [made for table, made, *_ in _triggers_as_made if table in guarded]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@cache
def _filled() -> str:
    """Return the question which tables have rows."""
    known = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})"
        for table in known
        if table not in KEPT
    )


def _kept() -> list[Any]:
    tables = map(connection.ops.quote_name, KEPT)
    return [_rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]


def _rows(question: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())
