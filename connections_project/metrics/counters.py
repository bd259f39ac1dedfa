"""How many rows of large tables have which status and the like, kept by the database itself.

To count a million rows once a minute costs more than all else that is done then. So triggers write
each change as a row of its own, which nobody waits for, and the counts are sums of these rows; now
and then many of them become one. SQLite drops a table's triggers when it remakes the table, so they
are put in place after every migrate, as the audit log's are, and all is counted anew.

Several columns may tell a table's rows apart; their values are kept in one, between blanks.
"""

from collections import Counter
from typing import Any, TypeAlias

from django.apps import AppConfig
from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Sum

from connections_project.connections.registry import connection_types
from connections_project.core.database import wait_briefly_for_locks
from connections_project.metrics.models import CountedChange
from connections_project.revocation.models import RevocationJob

JOBS = "revocation jobs"
Values: TypeAlias = tuple[str, ...]
# So many rows become few at a time.
BATCH = 10_000

_ADD = "INSERT INTO metrics_countedchange (name, status, number)"
_EVENTS = ("insert", "update", "delete")

# What the columns are of in the statements below.
_ROWS = {"values": "", "old": "OLD.", "new": "NEW."}
_SQLITE = {
    "insert": "AFTER INSERT ON {table} BEGIN {add} VALUES ('{name}', {new}, 1); END",
    "update": "AFTER UPDATE OF {columns} ON {table} WHEN {old} <> {new} BEGIN"
    " {add} VALUES ('{name}', {old}, -1), ('{name}', {new}, 1); END",
    "delete": "AFTER DELETE ON {table} BEGIN {add} VALUES ('{name}', {old}, -1); END",
}
# Once for a statement, however many rows it changes (PostgreSQL, CREATE TRIGGER: REFERENCING).
_POSTGRESQL = {
    "insert": "AFTER INSERT ON {table} REFERENCING NEW TABLE AS added",
    "update": "AFTER UPDATE ON {table} REFERENCING NEW TABLE AS added OLD TABLE AS gone",
    "delete": "AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone",
}
_CHANGES = {
    "insert": "SELECT {values} AS status, 1 AS one FROM added",
    "update": "SELECT {values} AS status, 1 AS one FROM added"
    " UNION ALL SELECT {values}, -1 FROM gone",
    "delete": "SELECT {values} AS status, -1 AS one FROM gone",
}
_FUNCTION = """
CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
{add} SELECT '{name}', status, sum(one) FROM ({changes}) AS changes
GROUP BY status HAVING sum(one) <> 0; RETURN NULL; END $$
"""


def counted_tables() -> dict[str, tuple[str, Values]]:
    """Return what is counted: a name for it, its table, and the columns that tell rows apart."""
    needs = ("status", "attention_reason")
    types = {one.app: (one.model._meta.db_table, needs) for one in connection_types()}
    return types | {JOBS: (RevocationJob._meta.db_table, ("state", "platform", "verification"))}


def counts() -> dict[str, dict[Values, int]]:
    """Return how many rows there are, by name and the columns' values."""
    found: dict[str, dict[Values, int]] = {name: {} for name in counted_tables()}
    rows = CountedChange.objects.order_by().values_list("name", "status")
    for name, status, number in rows.annotate(total=Sum("number")):
        if name in found and number:
            found[name][tuple(status.split(" "))] = number
    return found


def by(found: dict[Values, int], *columns: int) -> dict[Values, int]:
    """Return counts by some of the columns, given by their places, without those that are empty."""
    totals = Counter[Values]()
    for values, number in found.items():
        # Until the next migrate an earlier release's triggers write the first column alone.
        known = dict(enumerate(values))
        totals[tuple(known.get(place, "") for place in columns)] += number
    return {values: number for values, number in totals.items() if all(values)}


def compact() -> None:
    """Make few rows of many; whoever reads meanwhile sees the ones or the others."""
    while CountedChange.objects.count() > BATCH // 10:
        if _compact_some() < BATCH // 2:
            return


def _compact_some() -> int:
    """Return by how many rows there are fewer."""
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
    return len(gone) - len(totals)


def install_after_migrate(sender: AppConfig, using: str, **_: Any) -> None:  # noqa: ARG001
    """Put the triggers in place after a migrate (Django's `post_migrate`), and count anew."""
    database = connections[using]
    made = database.introspection.table_names()
    if using != _database().alias or CountedChange._meta.db_table not in made:
        return
    for name, (table, columns) in counted_tables().items():
        if table in made:
            _install(database, name, table, columns)


def _install(database: BaseDatabaseWrapper, name: str, table: str, columns: Values) -> None:
    """Install a table's triggers; until they stand and all is counted, nobody else writes to it."""
    words = {"name": name, "table": table, "columns": ", ".join(columns), "add": _ADD}
    words |= {key: _joined(columns, of) for key, of in _ROWS.items()}
    with transaction.atomic(using=database.alias), database.cursor() as cursor:
        wait_briefly_for_locks(database)
        if database.vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        for event in _EVENTS:
            for statement in _statements(database.vendor, event, words):
                cursor.execute(statement)
        cursor.execute("DELETE FROM metrics_countedchange WHERE name = %s", [name])
        cursor.execute(
            f"{_ADD} SELECT %s, {words['values']} AS status, count(*) FROM {table} GROUP BY 2",  # noqa: S608
            [name],
        )


def _joined(columns: Values, of: str) -> str:
    return " || ' ' || ".join(f"coalesce({of}{column}, '')" for column in columns)


def _statements(vendor: str, event: str, words: dict[str, str]) -> list[str]:
    trigger = f"{words['table']}_counted_{event}"
    if vendor == "sqlite":
        made = f"CREATE TRIGGER {trigger} {_SQLITE[event].format(**words)}"
        # An earlier release's may count by other columns.
        return [f"DROP TRIGGER IF EXISTS {trigger}", made]
    changes = _CHANGES[event].format(**words)
    return [
        _FUNCTION.format(**words, trigger=trigger, changes=changes),
        f"CREATE OR REPLACE TRIGGER {trigger} {_POSTGRESQL[event].format(**words)}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {trigger}()",
    ]


def _database() -> BaseDatabaseWrapper:
    return connections[router.db_for_write(CountedChange)]
