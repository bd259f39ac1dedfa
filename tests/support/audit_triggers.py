"""Lifts the audit log's triggers, as the product never does."""

from django.db import connection

TABLES = {
    "audit_auditevent": "audit",
    "audit_seal": "audit_seal",
    "audit_sealedevent": "audit_sealed_event",
    "audit_archive": "audit_archive",
    "audit_timestamp": "audit_timestamp",
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
