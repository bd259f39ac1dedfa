"""The database's own refusal to change the audit log.

SQLite remakes a table when one of its fields changes and drops its triggers silently, so they are
put in place after every migrate and not by a migration.
"""

from collections.abc import Mapping
from typing import Any

from django.apps import AppConfig
from django.db import NotSupportedError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from connections_project.core.database import wait_briefly_for_locks

# Each guarded table: what its triggers' names begin with, and by which keys a new row would take
# the place of an old one.
_TABLES = {
    "audit_auditevent": ("audit", "id = NEW.id"),
    "audit_seal": ("audit_seal", "number = NEW.number"),
    "audit_sealedevent": (
        "audit_sealed_event",
        "event_id = NEW.event_id OR (seal_id = NEW.seal_id AND position = NEW.position)",
    ),
    "audit_archive": ("audit_archive", "last_seal = NEW.last_seal"),
    "audit_timestamp": ("audit_timestamp", "seal_id = NEW.seal_id"),
}

# The one way through: rows of seals that an archive has may go (`audit.archive`). On SQLite the
# condition of a row that may not.
_ARCHIVED = "(SELECT COALESCE(MAX(last_seal), 0) FROM audit_archive)"
_KEPT = {
    "audit_auditevent": " WHEN NOT EXISTS (SELECT 1 FROM audit_sealedevent WHERE"  # noqa: S608 - no value in it.
    f" event_id = OLD.id AND seal_id <= {_ARCHIVED})",
    "audit_sealedevent": f" WHEN OLD.seal_id > {_ARCHIVED}",
}

# INSERT OR REPLACE removes the old row without its DELETE trigger unless recursive_triggers is on
# (sqlite.org/lang_conflict.html), hence the third.
_SQLITE = {
    "no_update": """
        CREATE TRIGGER IF NOT EXISTS {prefix}_no_update BEFORE UPDATE ON {table}
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    "no_delete": """
        CREATE TRIGGER IF NOT EXISTS {prefix}_no_delete BEFORE DELETE ON {table}{kept}
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    "no_replace": """
        CREATE TRIGGER IF NOT EXISTS {prefix}_no_replace BEFORE INSERT ON {table}
        WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
}

# A statement cannot be asked for its rows before it is executed. So PostgreSQL lets a transaction
# through that names an archive which is there; `audit.archive` alone does.
_REFUSE = """
    CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('audit_auditevent', 'audit_sealedevent')
            AND COALESCE(current_setting('audit.archived_through', true), '') <> '' THEN
            IF EXISTS (SELECT 1 FROM audit_archive
                WHERE last_seal = current_setting('audit.archived_through')::bigint) THEN
                RETURN NULL;
            END IF;
        END IF;
        RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = '23001';
    END $$"""

# 23001 is restrict_violation, so that both databases raise Django's IntegrityError. ALWAYS: also
# where session_replication_role would let ordinary triggers sleep (PostgreSQL, ALTER TABLE).
_POSTGRESQL = {
    "append_only": """
        CREATE OR REPLACE TRIGGER {prefix}_append_only
        BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {prefix}_append_only"""
}

_STATEMENTS: Mapping[str, Mapping[str, str]] = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}

# The name of each trigger of a table, and its code: one of the same name may do nothing.
# 58: BEFORE each statement that is a DELETE, UPDATE or TRUNCATE (PostgreSQL, pg_trigger.h).
_STANDING = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s",
    "postgresql": (
        "SELECT tgname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled = 'A'"
        " AND tgtype = 58 AND tgqual IS NULL"
    ),
}


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Name the triggers that should stand in a database, as they should, and don't.

    A table yet to be made has none.

    Raises:
        NotSupportedError: The database is neither SQLite nor PostgreSQL.
    """
    return [name for table in _tables(connection) for name in _missing(connection, table)]


def install(connection: BaseDatabaseWrapper) -> list[str]:
    """Put the missing triggers in place, and name them."""
    missing = []
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        wait_briefly_for_locks(connection)
        lacking = [_missing(connection, table) for table in _tables(connection)]
        if connection.vendor == "postgresql":
            cursor.execute(_REFUSE)
        for name, statement in (each for one in lacking for each in one.items()):
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(statement)
            missing.append(name)
    return missing


def install_after_migrate(sender: AppConfig, using: str, **_: Any) -> None:  # noqa: ARG001
    """Put the triggers in place after a migrate (Django's `post_migrate`), and look again.

    Raises:
        NotSupportedError: The triggers can't be made to stand on this database.
    """
    install(connections[using])
    if missing := missing_triggers(connections[using]):
        raise NotSupportedError(f"The audit log's triggers don't stand: {', '.join(missing)}")


def _tables(connection: BaseDatabaseWrapper) -> list[str]:
    if connection.vendor not in _STATEMENTS:
        raise NotSupportedError("The audit log is guarded on SQLite and PostgreSQL only.")
    made = connection.introspection.table_names()
    return [table for table in _TABLES if table in made]


def _missing(connection: BaseDatabaseWrapper, table: str) -> dict[str, str]:
    """Return the statements of the triggers that a table lacks."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING[connection.vendor], [table])
        standing = {name: _squeezed(code) for name, code in cursor.fetchall()}
    wanted = _expected(connection.vendor, table, has_archive=_has_archive(connection))
    return {
        name: statement
        for name, statement in wanted.items()
        if standing.get(name) != _code_of(connection.vendor, statement)
    }


def _code_of(vendor: str, statement: str) -> str:
    """Return what a database shows of the code of a trigger that stands as it should."""
    if vendor == "postgresql":
        return _squeezed(_REFUSE.split("$$")[1])
    return _squeezed(statement.replace("IF NOT EXISTS", "", 1))


def _squeezed(code: str) -> str:
    """Leave out what SQLite adds and drops where it renames a table: blanks and quotes."""
    return "".join(code.replace('"', "").split())


def _has_archive(connection: BaseDatabaseWrapper) -> bool:
    """Whether the table is there; SQLite remakes none while a trigger names one that is not."""
    return "audit_archive" in connection.introspection.table_names()


def _expected(vendor: str, table: str, *, has_archive: bool) -> dict[str, str]:
    prefix, same = _TABLES[table]
    kept = _KEPT.get(table, "") if has_archive else ""
    return {
        f"{prefix}_{name}": statement.format(prefix=prefix, table=table, same=same, kept=kept)
        for name, statement in _STATEMENTS[vendor].items()
    }
