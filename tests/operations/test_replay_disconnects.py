"""After a restore: what had been ended since the backup is ended again (issue: outage test)."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from django.utils import timezone

from audit.canonical import precise
from audit.events import Action, ActorType, Interface
from audit.export import exported_events
from audit.models import AuditEvent
from audit.record import Origin
from channels.models import ChannelConnection, Schedule
from connections_project.connections.models import OAuthConnection
from connections_project.connections.records import record_about
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import DisconnectOptions
from connections_project.operations.replay import Replay, planned
from connections_project.operations.replay_history import Way, replay_histories
from connections_project.revocation.grants import add_holder
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection
from tests.operations.conftest import account_of_user
from tests.support.audit_tampering import insert, seal
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.disconnects import disconnect_one
from tests.support.provider_rows import connection_of, events
from tests.support.sql_statements import counted

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "restored the backup of noon"
NOT_COMPARED = {"disconnected_at", "updated_at", "epoch"}
ORIGIN = command_origin(None)
REPLAYED = "connection_disconnect_replayed"

Row = OAuthConnection


def state(row: Row) -> dict[str, Any]:
    """Return every column but when it was ended."""
    fields = [field.name for field in row._meta.concrete_fields if field.name not in NOT_COMPARED]
    fresh = type(row)._default_manager.get(pk=row.pk)
    return {name: getattr(fresh, name) for name in fields}


@pytest.fixture
def rows(owner: User, platforms: Bank) -> list[Row]:
    """One live connection in each app; the channel has something to publish."""
    channel = channel_of(owner, account_id="c")
    schedule_of(channel)
    return [connection_of(owner, account_id="p"), channel, account_of_user(owner, account_id="s")]


@pytest.fixture
def restore(rows: list[Row]) -> Callable[[], None]:
    """Bring the rows back as they are now."""
    backup = [type(row)._default_manager.get(pk=row.pk) for row in rows]

    def restore() -> None:
        RevocationJob.objects.all().delete()
        for row in backup:
            row.save()
            add_holder(row.grant, app=row.app, connection_id=row.pk)
            if isinstance(row, ChannelConnection):
                row.schedules.update(status="pending", cancelled_at=None)

    return restore


def disconnect_by_their_owner(rows: list[Row], origin: Origin) -> None:
    for row in rows:
        disconnect_one(row, origin=origin, cancel_schedules=True)


@pytest.fixture
def export(tmp_path: Path) -> Callable[[], Path]:
    def export() -> Path:
        path = tmp_path / "audit.jsonl"
        call_command("export_audit_log", output=path, stdout=io.StringIO())
        return path

    return export


def replay(path: Path, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    given = {"reason": WHY, "yes": True, "json": True, **options}
    call_command("replay_disconnects", path, stdout=out, stderr=io.StringIO(), **given)
    summary: dict[str, Any] = json.loads(out.getvalue())
    return summary


def refused(path: Path, **options: Any) -> CommandError:
    with pytest.raises(CommandError) as error:
        replay(path, **options)
    return error.value


def sealed_late() -> UUID:
    """Have an event turn up that is dated before what a seal has closed, and seal it."""
    seal()
    late = insert()
    seal()
    return late


Export = Callable[[], Path]


def test_a_restored_database_ends_as_the_lost_one_did(
    rows: list[Row], restore: Callable[[], None], export: Export
) -> None:
    disconnect_by_their_owner(rows, ORIGIN)
    ended, path = [state(row) for row in rows], export()
    restore()
    assert [state(row)["status"] for row in rows] == ["active", "connected", "active"]
    summary = replay(path)
    assert (summary["recorded"], summary["disconnected"], summary["failures"]) == (3, 3, [])
    assert [state(row) for row in rows] == ended
    # A social account keeps its tokens, unused, after any plain disconnect.
    assert [state(row)["auth_state"] is None for row in rows] == [True, True, False]
    assert not Schedule.objects.active().exists()
    assert not GrantHold.objects.exists()
    jobs = RevocationJob.objects.values_list("app", flat=True)
    assert sorted(jobs) == ["channels", "providers"]


def test_each_replay_is_audited_as_what_it_is(
    rows: list[Row], restore: Callable[[], None], export: Export, owner: User, permitted: User
) -> None:
    origin = Origin(ActorType.USER, owner.pk, Interface.API, client_address="192.0.2.1")
    disconnect_by_their_owner(rows, origin)
    (original,) = events("provider_disconnected")
    path = export()
    restore()
    replay(path, operator=permitted.email)
    recorded = {event.subject_id: event for event in events(REPLAYED)}
    assert set(recorded) == {row.pk for row in rows}
    event = recorded[rows[0].pk]
    assert (event.actor_type, event.actor_id, event.interface, event.reason) == (
        "operator",
        permitted.pk,
        "command",
        WHY,
    )
    assert event.details["original"] == {
        "id": str(original.pk),
        "occurred_at": precise(original.occurred_at),
        "actor_type": "user",
        "actor_id": str(owner.pk),
        "interface": "api",
        "reason": "",
        "trace_id": original.trace_id,
    }
    assert event.details["os_user"]
    # The app's own event names it in the app's own words.
    assert events("provider_disconnected")[-1].actor_id == permitted.pk
    assert events("connection_force_disconnected") == []


def test_it_may_be_repeated(rows: list[Row], restore: Callable[[], None], export: Export) -> None:
    disconnect_by_their_owner(rows, ORIGIN)
    path = export()
    restore()
    replay(path)
    before, ended = AuditEvent.objects.count(), [state(row) for row in rows]
    summary = replay(path)
    assert (summary["disconnected"], summary["already_over"]) == (0, 3)
    assert AuditEvent.objects.count() == before
    assert [state(row) for row in rows] == ended


def test_disconnects_in_the_backup_are_skipped(rows: list[Row], export: Export) -> None:
    disconnect_by_their_owner(rows, ORIGIN)
    summary = replay(export())
    assert (summary["disconnected"], summary["already_over"]) == (0, 3)
    assert events(REPLAYED) == []


def test_a_since_reconnected_account_is_untouched(
    rows: list[Row], restore: Callable[[], None], export: Export
) -> None:
    account = rows[2]
    disconnect_by_their_owner([account], ORIGIN)
    path = export()
    restore()
    # Its owner was faster than the operator.
    type(account)._default_manager.filter(pk=account.pk).update(connected_at=timezone.now())
    before = state(account)
    summary = replay(path)
    assert (summary["connected_anew"], summary["disconnected"]) == ([str(account.pk)], 0)
    assert state(account) == before


def test_an_account_reconnected_in_the_export_stays(
    rows: list[Row], restore: Callable[[], None], export: Export
) -> None:
    account = rows[2]
    disconnect_by_their_owner([account], ORIGIN)
    with transaction.atomic():
        record_about(account, Action.ACCOUNT_CONNECTED, origin=ORIGIN)
    path = export()
    restore()
    assert replay(path)["connected_anew"] == [str(account.pk)]


def test_one_reconnected_during_the_run_stays(
    rows: list[Row], restore: Callable[[], None], export: Export
) -> None:
    account = rows[2]
    disconnect_by_their_owner([account], ORIGIN)
    recorded = replay_histories(exported_events(export().read_bytes().splitlines()))
    restore()
    plan = planned(recorded)
    assert plan.count == 1
    type(account)._default_manager.filter(pk=account.pk).update(connected_at=timezone.now())
    result = Replay(recorded, WHY, ORIGIN, {}).run(plan, on_batch=lambda _: None)
    assert result.disconnected == 0
    assert state(account)["status"] == "active"


def test_a_disconnect_after_a_reauthorisation_counts(
    rows: list[Row], restore: Callable[[], None], export: Export
) -> None:
    with transaction.atomic():
        record_about(rows[0], Action.PROVIDER_CONNECTED, origin=ORIGIN)
    disconnect_by_their_owner(rows[:1], ORIGIN)
    path = export()
    restore()
    assert replay(path)["disconnected"] == 1


def test_what_is_unknown_here_is_named(
    rows: list[Row], restore: Callable[[], None], export: Export, capsys: Any
) -> None:
    """It was connected after the backup, and its tokens are lost with it."""
    disconnect_by_their_owner(rows, ORIGIN)
    path = export()
    gone = rows[0].pk
    Connection.objects.filter(pk=gone).delete()
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("replay_disconnects", path, reason=WHY, yes=True, stderr=out)
    assert error.value.returncode == 1
    assert f"{gone}: unknown here" in out.getvalue()


def test_a_dry_run_changes_nothing(
    rows: list[Row], restore: Callable[[], None], export: Export
) -> None:
    disconnect_by_their_owner(rows, ORIGIN)
    path = export()
    restore()
    before, count = [state(row) for row in rows], AuditEvent.objects.count()
    summary = replay(path, dry_run=True, reason="")
    assert (summary["dry_run"], summary["disconnected"]) == (True, 3)
    assert [state(row) for row in rows] == before
    assert AuditEvent.objects.count() == count


@pytest.mark.parametrize("revoke", [True, False])
def test_revocation_skipped_then_is_skipped_now(
    rows: list[Row], restore: Callable[[], None], export: Export, revoke: bool
) -> None:
    ids = [rows[0].pk]
    force_disconnect("providers", ids, DisconnectOptions("breach", revoke=revoke), origin=ORIGIN)
    path = export()
    restore()
    replay(path)
    assert state(rows[0])["auth_state"] is None
    assert RevocationJob.objects.exists() is revoke


@pytest.mark.parametrize("revoke", [True, False])
def test_tokens_erased_then_are_erased_again(
    rows: list[Row], restore: Callable[[], None], export: Export, revoke: bool
) -> None:
    account = rows[2]
    options = DisconnectOptions("breach", revoke=revoke, erase_tokens=True)
    force_disconnect("social", [account.pk], options, origin=ORIGIN)
    ended, path = state(account), export()
    restore()
    assert replay(path)["disconnected"] == 1
    assert state(account) == ended
    assert state(account)["auth_state"] is None
    assert RevocationJob.objects.exists() is revoke


def test_an_export_that_was_changed_is_refused(
    rows: list[Row], restore: Callable[[], None], export: Export, outsider: User
) -> None:
    victim = connection_of(outsider, account_id="v")
    disconnect_by_their_owner(rows[:1], ORIGIN)
    path = export()
    restore()
    path.write_text(path.read_text().replace(str(rows[0].pk), str(victim.pk)))
    error = refused(path)
    assert error.returncode == 2
    assert "changed" in str(error)
    assert state(victim)["status"] == "active"


def test_an_event_that_came_late_is_accepted_by_its_id(
    rows: list[Row],
    restore: Callable[[], None],
    export: Export,
    settings: LazySettings,
    tmp_path: Path,
) -> None:
    settings.AUDIT_HEADS_FILE = tmp_path / "checkpoints.jsonl"
    disconnect_by_their_owner(rows, ORIGIN)
    late = sealed_late()
    path = export()
    restore()
    assert f"Event {late} was inserted" in str(refused(path))
    assert replay(path, accept=[late])["disconnected"] == 3


def test_an_export_that_was_cut_off_is_refused(rows: list[Row], export: Export) -> None:
    path = export()
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert refused(path).returncode == 2


@pytest.mark.parametrize("line", [0, -1])
def test_an_export_with_lines_after_its_end(rows: list[Row], export: Export, line: int) -> None:
    path = export()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[line]]))
    error = refused(path)
    assert error.returncode == 2
    assert "after the last line" in str(error)
    assert "\n" not in str(error)


def test_wrong_use_is_refused_in_words(
    rows: list[Row], restore: Callable[[], None], export: Export, operator: User, tmp_path: Path
) -> None:
    disconnect_by_their_owner(rows, ORIGIN)
    path = export()
    restore()
    for error in (
        refused(tmp_path / "nowhere.jsonl"),
        refused(path, reason=""),
        refused(path, operator="nobody@example.com"),
        refused(path, operator=operator.email),  # Without the permission.
    ):
        assert error.returncode == 2
    assert [state(row)["status"] for row in rows] == ["active", "connected", "active"]


@pytest.mark.parametrize(("answer", "ends"), [("y\n", True), ("no\n", False), ("", False)])
def test_it_asks_before_it_changes_anything(
    rows: list[Row],
    restore: Callable[[], None],
    export: Export,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    ends: bool,
) -> None:
    disconnect_by_their_owner(rows, ORIGIN)
    path = export()
    restore()
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    asked = io.StringIO()
    recorded: dict[str, Any] = {"reason": WHY, "stdout": io.StringIO(), "stderr": asked}
    if ends:
        call_command("replay_disconnects", path, **recorded)
    else:
        with pytest.raises(CommandError) as error:
            call_command("replay_disconnects", path, **recorded)
        assert error.value.returncode == 2
    assert "3 connections will be ended again" in asked.getvalue()
    assert (state(rows[0])["status"] == "disconnected") is ends


def test_many_take_few_statements(owner: User, platforms: Bank, export: Export) -> None:
    made = [connection_of(owner, account_id=str(number)) for number in range(60)]
    backup = [Connection.objects.get(pk=row.pk) for row in made]
    disconnect_by_their_owner(list(made), ORIGIN)
    path = export()
    for row in backup:
        row.save()
    recorded = replay_histories(exported_events(path.read_bytes().splitlines()))
    with counted() as statements:
        plan = planned(recorded)
        with transaction.atomic():
            Replay(recorded, WHY, ORIGIN, {})._commit(Way("providers"), list(recorded))
    assert plan.count == 60
    assert len(statements) < 25


@pytest.mark.parametrize(
    ("fault", "words", "code"),
    [
        (KeyboardInterrupt, "Stopped. What is done", 130),
        (OperationalError, "The database can't be reached (OperationalError). What is done", 1),
    ],
)
def test_what_breaks_it_off_is_one_line(
    rows: list[Row],
    export: Callable[[], Path],
    restore: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    fault: type[BaseException],
    words: str,
    code: int,
) -> None:
    disconnect_by_their_owner(rows, ORIGIN)
    path = export()
    restore()

    def broken_off(*_: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(Replay, "_commit", broken_off)
        error = refused(path)
    assert str(error).startswith(words)
    assert error.returncode == code
    assert replay(path)["disconnected"] == 3
