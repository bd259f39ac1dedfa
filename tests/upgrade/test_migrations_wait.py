"""A migration that waits for a table's lock has nobody queue for long behind it."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from audit.management.commands import migrate
from tests.support.audit_triggers import drop_triggers

pytestmark = pytest.mark.django_db(transaction=True)
CHANGE = ("audit", "0006_plausible_time")


def session(name: str) -> "psycopg.Connection[Any]":
    given = connection.get_connection_params()
    options = {name: given[name] for name in ("host", "port", "user", "dbname") if name in given}
    return psycopg.connect(**options, application_name=name)


@pytest.fixture
def backup() -> Iterator["psycopg.Connection[Any]"]:
    """Return a session that reads the audit log for as long as it likes, as pg_dump does."""
    if connection.vendor != "postgresql":
        pytest.skip("a file has no locks of tables")
    call_command("migrate", "audit", "0005", verbosity=0)
    with session("pg_dump") as reader:
        reader.execute("LOCK TABLE audit_auditevent IN ACCESS SHARE MODE")
        yield reader
        reader.rollback()
    drop_triggers()
    call_command("migrate", verbosity=0)


def is_applied() -> bool:
    return CHANGE in MigrationRecorder(connection).applied_migrations()


def test_it_gives_way_and_says_who_holds_it_up(
    backup: "psycopg.Connection[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "PAUSES", ())
    who = rf"process {backup.info.backend_pid} \(pg_dump\)"
    with pytest.raises(CommandError, match=rf"audit\.0006_plausible_time waits .* by {who}"):
        call_command("migrate", verbosity=0)
    assert not is_applied()


def test_it_is_tried_again(
    backup: "psycopg.Connection[Any]",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: backup.rollback())
    monkeypatch.setattr(migrate, "PAUSES", (1,))
    call_command("migrate", verbosity=0)
    assert is_applied()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("; again in 1 s.")


def test_triggers_that_are_put_in_place_afterwards_give_way_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With nothing to migrate they lock the tables that they count, which waits for any writer."""
    if connection.vendor != "postgresql":
        pytest.skip("a file has no locks of tables")
    monkeypatch.setattr(migrate, "PAUSES", ())
    with session("writer") as writer:
        writer.execute("LOCK TABLE providers_connection IN ROW EXCLUSIVE MODE")
        who = rf"process {writer.info.backend_pid} \(writer\)"
        with pytest.raises(CommandError, match=rf"migrate waits .* by {who}"):
            call_command("migrate", verbosity=0)


def test_what_is_built_concurrently_waits_as_long_as_it_takes() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a file has no locks of tables")
    for is_atomic, limit in ((True, "2s"), (False, "0")):
        with connection.schema_editor(atomic=is_atomic), connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == (limit,)
