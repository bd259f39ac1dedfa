"""Whether an index can serve a query, whatever the statistics of a test's few rows are."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet

# Those of constraints can't be dropped alone; an index of theirs is never the one that is tested
# here with another beside it.
_OTHERS = {
    "postgresql": """
        SELECT other.indexrelid::regclass::text FROM pg_index tested
        JOIN pg_index other ON other.indrelid = tested.indrelid
        WHERE tested.indexrelid = to_regclass(%s) AND other.indexrelid <> tested.indexrelid
        AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = other.indexrelid)
    """,
    "sqlite": """
        SELECT other.name FROM sqlite_master tested
        JOIN sqlite_master other ON other.tbl_name = tested.tbl_name AND other.type = 'index'
        WHERE tested.name = %s AND other.name <> tested.name AND other.sql IS NOT NULL
    """,
}


def plan_with(index: str, rows: QuerySet[Any]) -> str:
    """Return the plan of a query on a table that has this index alone, and its constraints'.

    Must be called in the transaction of a test, which brings the other indexes back.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The tables of a test are so small that reading them whole would be cheapest.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(_OTHERS[connection.vendor], [index])
        for (other,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX {other}")
    return rows.explain()
