"""The database's own refusal to change the audit log.

SQLite remakes a table when one of its fields changes and drops its triggers silently, so they are
put in place after every migrate and not by a migration.
"""

from collections.abc import Mapping
from typing import Any

from django.apps import AppConfig
from django.db import NotSupportedError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

_TABLE = "audit_auditevent"

# INSERT OR REPLACE removes the old row without its DELETE trigger unless recursive_triggers is on
# (sqlite.org/lang_conflict.html), hence the third.
_SQLITE = {
    "audit_no_update": """
        CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit_auditevent
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    "audit_no_delete": """
        CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit_auditevent
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    "audit_no_replace": """
        CREATE TRIGGER IF NOT EXISTS audit_no_replace BEFORE INSERT ON audit_auditevent
        WHEN EXISTS (SELECT 1 FROM audit_auditevent WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
}

# 23001 is restrict_violation, so that both databases raise Django's IntegrityError. ALWAYS: also
# where session_replication_role would let ordinary triggers sleep (PostgreSQL, ALTER TABLE).
_POSTGRESQL = {
    "audit_append_only": """
        CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = '23001'; END $$;
        CREATE OR REPLACE TRIGGER audit_append_only
        BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_auditevent
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
        ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER audit_append_only""",
}

_STATEMENTS: Mapping[str, Mapping[str, str]] = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}

_STANDING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s",
    "postgresql": (
        "SELECT tgname FROM pg_trigger"
        " WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled = 'A'"
    ),
}


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Name the triggers that should stand in a database and don't; none before the table is made.

    Raises:
        NotSupportedError: The database is neither SQLite nor PostgreSQL.
    """
    wanted = _wanted(connection)
    with connection.cursor() as cursor:
        if _TABLE not in connection.introspection.table_names(cursor):
            return []
        cursor.execute(_STANDING[connection.vendor], [_TABLE])
        standing = {name for (name,) in cursor.fetchall()}
    return [name for name in wanted if name not in standing]


def install(connection: BaseDatabaseWrapper) -> list[str]:
    """Put the missing triggers in place, and name them."""
    missing = missing_triggers(connection)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for name in missing:
            cursor.execute(_wanted(connection)[name])
    return missing


def install_after_migrate(sender: AppConfig, using: str, **_: Any) -> None:  # noqa: ARG001
    """Put the triggers in place after a migrate (Django's `post_migrate`), and look again.

    Raises:
        NotSupportedError: The triggers can't be made to stand on this database.
    """
    install(connections[using])
    if missing := missing_triggers(connections[using]):
        raise NotSupportedError(f"The audit log's triggers don't stand: {', '.join(missing)}")


def _wanted(connection: BaseDatabaseWrapper) -> Mapping[str, str]:
    if connection.vendor not in _STATEMENTS:
        raise NotSupportedError("The audit log is guarded on SQLite and PostgreSQL only.")
    return _STATEMENTS[connection.vendor]
