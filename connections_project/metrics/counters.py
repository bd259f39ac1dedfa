"""How many rows of large tables have which status, kept by the database itself.

To count a million rows once a minute costs more than all else that is done then. So triggers write
each change as a row of its own, which nobody waits for, and the counts are sums of these rows; now
and then many of them become one. SQLite drops a table's triggers when it remakes the table, so they
are put in place after every migrate, as the audit log's are, and all is counted anew.
"""

from collections import Counter
from typing import Any

from django.apps import AppConfig
from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Sum

from connections_project.connections.registry import connection_types
from connections_project.core.database import wait_briefly_for_locks
from connections_project.metrics.models import CountedChange
from connections_project.revocation.models import RevocationJob

JOBS = "revocation jobs"
# So many rows become few at a time.
BATCH = 10_000

_ADD = "INSERT INTO metrics_countedchange (name, status, number)"
_EVENTS = ("insert", "update", "delete")

_SQLITE = {
    "insert": "AFTER INSERT ON {table} BEGIN {add} VALUES ('{name}', NEW.{column}, 1); END",
    "update": "AFTER UPDATE OF {column} ON {table} WHEN OLD.{column} <> NEW.{column} BEGIN"
    " {add} VALUES ('{name}', OLD.{column}, -1), ('{name}', NEW.{column}, 1); END",
    "delete": "AFTER DELETE ON {table} BEGIN {add} VALUES ('{name}', OLD.{column}, -1); END",
}
# Once for a statement, however many rows it changes (PostgreSQL, CREATE TRIGGER: REFERENCING).
_POSTGRESQL = {
    "insert": "AFTER INSERT ON {table} REFERENCING NEW TABLE AS added",
    "update": "AFTER UPDATE ON {table} REFERENCING NEW TABLE AS added OLD TABLE AS gone",
    "delete": "AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone",
}
_CHANGES = {
    "insert": "SELECT {column} AS status, 1 AS one FROM added",
    "update": "SELECT {column} AS status, 1 AS one FROM added"
    " UNION ALL SELECT {column}, -1 FROM gone",
    "delete": "SELECT {column} AS status, -1 AS one FROM gone",
}
_FUNCTION = """
CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
{add} SELECT '{name}', status, sum(one) FROM ({changes}) AS changes
GROUP BY status HAVING sum(one) <> 0; RETURN NULL; END $$
"""


def counted_tables() -> dict[str, tuple[str, str]]:
    """Return what is counted: a name for it, its table, and the column of its status."""
    types = {one.app: (one.model._meta.db_table, "status") for one in connection_types()}
    return types | {JOBS: (RevocationJob._meta.db_table, "state")}


def counts() -> dict[str, dict[str, int]]:
    """Return how many rows there are, by name and status."""
    found: dict[str, dict[str, int]] = {name: {} for name in counted_tables()}
    rows = CountedChange.objects.order_by().values_list("name", "status")
    for name, status, number in rows.annotate(total=Sum("number")):
        if name in found and number:
            found[name][status] = number
    return found


def compact() -> None:
    """Make few rows of many; whoever reads meanwhile sees the ones or the others."""
    while CountedChange.objects.count() > BATCH // 10:
        if _compact_some() < BATCH:
            return


def _compact_some() -> int:
    database = _database()
    with transaction.atomic(using=database.alias), database.cursor() as cursor:
        cursor.execute(
            "DELETE FROM metrics_countedchange WHERE id IN "
            "(SELECT id FROM metrics_countedchange ORDER BY id LIMIT %s) "
            "RETURNING name, status, number",
            [BATCH],
        )
        gone, totals = cursor.fetchall(), Counter[tuple[str, str]]()
        for name, status, number in gone:
            totals[name, status] += number
        CountedChange.objects.bulk_create(
            CountedChange(name=name, status=status, number=number)
            for (name, status), number in totals.items()
            if number
        )
    return len(gone)


def install_after_migrate(sender: AppConfig, using: str, **_: Any) -> None:  # noqa: ARG001
    """Put the triggers in place after a migrate (Django's `post_migrate`), and count anew."""
    database = connections[using]
    made = database.introspection.table_names()
    if using != _database().alias or CountedChange._meta.db_table not in made:
        return
    for name, (table, column) in counted_tables().items():
        if table in made:
            _install(database, name, table, column)


def _install(database: BaseDatabaseWrapper, name: str, table: str, column: str) -> None:
    """Install a table's triggers; until they stand and all is counted, nobody else writes to it."""
    words = {"name": name, "table": table, "column": column, "add": _ADD}
    with transaction.atomic(using=database.alias), database.cursor() as cursor:
        wait_briefly_for_locks(database)
        if database.vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        for event in _EVENTS:
            for statement in _statements(database.vendor, event, words):
                cursor.execute(statement)
        cursor.execute("DELETE FROM metrics_countedchange WHERE name = %s", [name])
        cursor.execute(
            f"{_ADD} SELECT %s, {column}, count(*) FROM {table} GROUP BY {column}",  # noqa: S608
            [name],
        )


def _statements(vendor: str, event: str, words: dict[str, str]) -> list[str]:
    trigger = f"{words['table']}_counted_{event}"
    if vendor == "sqlite":
        return [f"CREATE TRIGGER IF NOT EXISTS {trigger} {_SQLITE[event].format(**words)}"]
    changes = _CHANGES[event].format(**words)
    return [
        _FUNCTION.format(**words, trigger=trigger, changes=changes),
        f"CREATE OR REPLACE TRIGGER {trigger} {_POSTGRESQL[event].format(**words)}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {trigger}()",
    ]


def _database() -> BaseDatabaseWrapper:
    return connections[router.db_for_write(CountedChange)]
