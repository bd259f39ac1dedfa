"""A trigger that is gone is found by a check and put back by the next migrate."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command
from django.db import NotSupportedError, connection, models

from audit import triggers
from audit.models import AuditEvent
from tests.support.audit_triggers import TABLES, drop, drop_triggers, triggers_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def standing() -> Iterator[None]:
    """Leave the triggers as they were found."""
    yield
    triggers.install(connection)


def found() -> list[str | None]:
    return [one.id for one in run_checks(tags=[Tags.database], databases=["default"])]


def test_the_check_is_content_after_a_migrate() -> None:
    assert found() == []


@pytest.mark.parametrize("table", TABLES)
def test_the_check_names_dropped_triggers(table: str) -> None:
    for name in triggers_of(table):
        drop(name, table)
        (error,) = run_checks(tags=[Tags.database], databases=["default"])
        assert error.id == "audit.E001"
        assert name in error.msg
        assert "migrate" in str(error.hint)
        triggers.install(connection)


def test_the_check_command_fails_on_a_dropped_trigger() -> None:
    drop_triggers()
    with pytest.raises(CommandError, match=r"audit\.E001"):
        call_command("check", databases=["default"], stderr=StringIO())


def test_a_migrate_restores_the_triggers() -> None:
    drop_triggers()
    stderr = StringIO()
    call_command("migrate", verbosity=0, skip_checks=False, stderr=stderr)
    assert found() == []
    assert all(name in stderr.getvalue() for table in TABLES for name in triggers_of(table))


def test_a_migrate_without_checks_puts_them_back_too() -> None:
    drop_triggers()
    call_command("migrate", verbosity=0, skip_checks=True)
    assert found() == []


def test_a_disabled_trigger_counts_as_dropped() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("left out: SQLite can't disable a trigger")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_append_only")
    assert found() == ["audit.E001"]
    triggers.install(connection)
    assert found() == []


def hollow_out(table: str) -> list[str]:
    """Put triggers of the same names in place that do nothing, and name them."""
    names = triggers_of(table)
    with connection.cursor() as cursor:
        for name in names:
            drop(name, table)
            body = (
                "WHEN 0 BEGIN SELECT 1; END"
                if connection.vendor == "sqlite"
                else "FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION audit_refuse_change()"
            )
            cursor.execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} {body}")
            if connection.vendor == "postgresql":
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    return names


@pytest.mark.parametrize("table", TABLES)
def test_a_trigger_that_does_nothing_counts_as_dropped(table: str) -> None:
    names = hollow_out(table)
    (error,) = run_checks(tags=[Tags.database], databases=["default"])
    assert all(name in error.msg for name in names)
    assert triggers.install(connection) == names
    assert found() == []


def test_a_function_that_does_nothing_counts_as_dropped() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("left out: SQLite's triggers have no function")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NULL; END $$"
        )
    assert found() == ["audit.E001"]
    triggers.install(connection)
    assert found() == []


def test_a_migrate_mends_a_remade_sqlite_table() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("left out: only SQLite remakes a table")
    longer = models.CharField(max_length=99)
    longer.set_attributes_from_name("action")
    with connection.schema_editor() as editor:
        editor.alter_field(AuditEvent, AuditEvent._meta.get_field("action"), longer)
    assert found() == ["audit.E001"]
    call_command("migrate", verbosity=0)
    assert found() == []


def test_no_table_means_nothing_to_find(monkeypatch: Any) -> None:
    monkeypatch.setitem(triggers._TABLES, "audit_of_tomorrow", ("audit_of_tomorrow", "true"))
    assert found() == []


def test_an_unrestorable_trigger_stops_the_migrate(monkeypatch: Any) -> None:
    monkeypatch.setitem(triggers._STATEMENTS[connection.vendor], "ghost", "SELECT 1")
    with pytest.raises(NotSupportedError, match="audit_ghost"):
        triggers.install_after_migrate(sender=apps.get_app_config("audit"), using="default")
