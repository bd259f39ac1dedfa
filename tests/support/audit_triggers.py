"""Lifts the audit log's triggers for the flush at the end of a transactional test.

The product has no such bypass. The flush itself puts them back, by the `post_migrate` it sends.
"""

from collections.abc import Iterator

import pytest
from django.db import connection

TABLES = {
    "audit_auditevent": "audit",
    "audit_seal": "audit_seal",
    "audit_sealedevent": "audit_sealed_event",
}
SUFFIXES = {"sqlite": ["no_update", "no_delete", "no_replace"], "postgresql": ["append_only"]}


def triggers_of(table: str) -> list[str]:
    """Name the triggers that a guarded table should have."""
    return [f"{TABLES[table]}_{suffix}" for suffix in SUFFIXES[connection.vendor]]


def drop_triggers(*tables: str) -> None:
    """Drop whatever triggers these tables have; all of the audit log by default."""
    for table in tables or TABLES:
        for name in triggers_of(table):
            drop(name, table)


def drop(name: str, table: str) -> None:
    on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def is_transactional(request: pytest.FixtureRequest) -> bool:
    """Return whether pytest-django flushes the tables after this test."""
    marker = request.node.get_closest_marker("django_db")
    flushing = {"transactional_db", "live_server", "django_db_reset_sequences"}
    return bool(flushing & set(request.fixturenames)) or bool(
        marker and (marker.kwargs.get("transaction") or marker.kwargs.get("reset_sequences"))
    )


@pytest.fixture(autouse=True)
def audit_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop the triggers after a transactional test, and before its flush.

    Asking for `transactional_db` here makes this end first.
    """
    if not is_transactional(request):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    drop_triggers()
