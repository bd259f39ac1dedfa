"""A command whose database is away says so in one line."""

import logging
from unittest.mock import Mock

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from connections_project.core.commands.base import EscapedCommand
from connections_project.core.periodic import PeriodicRunner, PeriodicTask

SOME_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
AWAY = [OperationalError("couldn't get a connection after 3.00 sec"), InterfaceError("closed")]


class Failing(EscapedCommand):
    requires_system_checks = ()

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def handle(self, *_: object, **__: object) -> None:
        raise self.error


class Looking(Failing):
    unable = 2


@pytest.mark.parametrize("error", AWAY)
def test_any_command_says_so(error: Exception) -> None:
    with pytest.raises(CommandError, match=r"^The database can't be reached .* run it again\.$"):
        call_command(Failing(error))


@pytest.mark.parametrize(
    "kind", [psycopg.errors.ForeignKeyViolation, psycopg.errors.DeadlockDetected]
)
def test_one_that_was_overtaken_says_so(kind: type[psycopg.Error]) -> None:
    error = DatabaseError("a secret of the database")
    error.__cause__ = kind()
    text = r"^Somebody else .* \(DatabaseError\)\. .* run it again\.$"
    with pytest.raises(CommandError, match=text):
        call_command(Failing(error))


@pytest.mark.parametrize("error", [*AWAY, OperationalError("no such table"), ZeroDivisionError()])
@pytest.mark.parametrize(("kind", "expected"), [(Failing, 1), (Looking, 2)])
def test_what_could_not_look_has_found_nothing(
    error: Exception, kind: type[Failing], expected: int, capfd: pytest.CaptureFixture[str]
) -> None:
    if expected == 1 and error not in AWAY:
        with pytest.raises(type(error)):
            kind(error).run_from_argv(["manage.py", "fail"])
        return
    with pytest.raises(SystemExit) as ended:
        kind(error).run_from_argv(["manage.py", "fail"])
    assert ended.value.code == expected
    assert (capfd.readouterr().err.count("\n") == 1) is (error in AWAY)


@pytest.mark.parametrize(
    "command",
    [
        ["verify_audit_log"], ["seal_audit_log"], ["follow_audit_log", "--once"],
        ["export_audit_log"], ["show_audit_trail", SOME_ID], ["inspect_connection", SOME_ID],
        ["check_catalog", "--all"],
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_no_outage_is_a_finding(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ensure_connection", Mock(side_effect=AWAY[0]))
    with pytest.raises(CommandError, match=r"^The database can't be reached") as failed:
        call_command(*command)
    assert failed.value.returncode == 2


def test_a_missing_table_is_a_defect() -> None:
    """Trying again later would not help."""
    with pytest.raises(OperationalError, match="no such table"):
        call_command(Failing(OperationalError("no such table: nothing")))


@pytest.mark.parametrize("command", ["run_background", "deliver_events"])
def test_one_pass_begins_with_a_look_at_it(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each of its parts would wait for a connection, with a traceback of its own."""

    def away() -> None:
        raise AWAY[0]

    monkeypatch.setattr(connection, "ensure_connection", away)
    with pytest.raises(CommandError, match="The database can't be reached"):
        call_command(command)


def test_a_periodic_task_has_no_traceback_for_it(caplog: pytest.LogCaptureFixture) -> None:
    def work() -> None:
        raise AWAY[0]

    PeriodicRunner()._do(PeriodicTask(work, every=60))
    (line,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert not line.exc_info
    assert "OperationalError" in line.getMessage()
