"""Sealing: every committed event gets a digest, in a chain of signed seals."""

import json
import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import checkpoints as publishing
from audit import horizon, merkle, seal, statements
from audit.canonical import FIELDS, canonical, event_as_json
from audit.models import AuditEvent, Seal, SealedEvent
from audit.statements import signed_seal
from audit.unsealed import Window, oldest_unsealed, windows
from connections_project.core.ids import first_uuid7, uuid7
from connections_project.core.periodic import periodic_task_of
from tests.support import audit_tampering as tampering
from tests.support.audit_tampering import insert, record_events
from tests.support.audit_triggers import drop_triggers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checkpoints_file")]


def any_unsealed() -> bool:
    return any(window.unsealed().exists() for window in windows())


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("seal_audit_log", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_seals_all_that_is_committed() -> None:
    ids = record_events(3)
    done = json.loads(run("--json"))
    assert (done["sealed_events"], done["seals"], done["last_seal"]) == (3, 1, 1)
    assert set(SealedEvent.objects.values_list("event_id", flat=True)) == set(ids)
    assert not any_unsealed()


def test_the_command_says_what_it_did() -> None:
    assert run() == "The audit log has nothing to seal.\n"
    record_events(2)
    assert run().startswith("Sealed 2 events in 1 seal. The last seal is 1: ")
    assert run().startswith("Sealed 0 events in 0 seals. The last seal is 1: ")


def test_each_digest_is_of_the_canonical_text() -> None:
    (event_id,) = tampering.sealed(1)
    event = AuditEvent.objects.filter(pk=event_id).values(*FIELDS).get()
    row = SealedEvent.objects.get(pk=event_id)
    assert bytes(row.digest) == merkle.leaf(canonical(event_as_json(event)))


def test_a_seal_is_signed_and_names_the_previous() -> None:
    tampering.sealed(2)
    tampering.sealed(2)
    first, second = Seal.objects.order_by("pk")
    assert first.previous == statements.NO_PREDECESSOR
    assert second.previous == first.head
    assert second.log == first.log
    for one in (first, second):
        statements.verify(signed_seal(one), statements.known_keys())
        assert one.head == statements.head(signed_seal(one))


def test_a_late_commit_is_sealed_after_younger_ones() -> None:
    late = uuid7()
    tampering.sealed(2)
    AuditEvent.objects.create(
        pk=late, action="late", outcome="success", actor_type="system", interface="worker",
        subject_type="thing", trace_id="0" * 32,
    )  # fmt: skip
    assert seal.seal_recent() == 1
    assert SealedEvent.objects.filter(pk=late).exists()


def test_many_are_sealed_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "BATCH", 4)
    record_events(10)
    assert [one.size for one in seal.seal_all()] == [4, 4, 2]


def test_a_log_longer_than_a_window_is_sealed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "BATCH", 4)
    monkeypatch.setattr("audit.unsealed.WINDOW", 10)
    record_events(23)
    seals = list(seal.seal_all())
    assert [one.size for one in seals] == [4, 4, 2, 4, 4, 2, 3]
    assert [one.complete_until > seal.THE_BEGINNING for one in seals] == [False] * 6 + [True]
    assert not any_unsealed()


def test_a_batch_that_is_just_full_closes_the_log_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "BATCH", 4)
    record_events(8)
    assert [one.complete_until > seal.THE_BEGINNING for one in seal.seal_all()] == [False, True]


def test_an_incomplete_batch_claims_no_completeness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seal, "BATCH", 4)
    record_events(5)
    first, second = seal.seal_all()
    assert first.complete_until == seal.THE_BEGINNING
    assert second.complete_until > timezone.now() - timedelta(minutes=1)


def test_an_event_from_long_ago_is_found_once_a_day() -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        tampering.sealed(1)
        drop_triggers()
        SealedEvent.objects.all().delete()
        Seal.objects.update(complete_until=timezone.now() + timedelta(hours=1))
        assert seal.seal_recent() == 0
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        assert seal.seal_recent() == 1


def test_an_empty_hour_is_sealed_too() -> None:
    tampering.sealed(1)
    assert seal.seal_recent() == 0
    assert Seal.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert seal.seal_recent() == 0
        assert [one.size for one in Seal.objects.order_by("pk")] == [1, 0]


def test_the_periodic_task_stays_within_a_minute() -> None:
    record_events(1)
    task = periodic_task_of(seal.seal_recent)
    assert task.every < 60
    task.do()
    assert not any_unsealed()


def test_a_stopping_process_leaves_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopping = threading.Event()
    stopping.set()
    monkeypatch.setattr(seal, "stopping", stopping)
    monkeypatch.setattr(seal, "BATCH", 1)
    record_events(3)
    seal.seal_recent()
    assert Seal.objects.count() == 1
    stopping.clear()
    assert seal.seal_recent() == 2


def test_the_log_says_the_head_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="audit.seal"):
        tampering.sealed(1)
    assert Seal.objects.get().head in caplog.text


def test_an_idle_task_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    tampering.sealed(3)
    with django_assert_max_num_queries(12):
        seal.seal_recent()


def test_no_event_is_read_by_scanning_the_log() -> None:
    """The task's look at recent events must use the key's index, at any size."""
    window = Window(first_uuid7(timezone.now()), None)
    if connection.vendor == "postgresql":
        # Few rows are cheaper to scan; what matters is whether there is another way.
        tampering.sql("SET LOCAL enable_seqscan = off")
    plan = window.unsealed()[:1000].explain()
    assert "Seq Scan on audit_auditevent" not in plan
    assert "SCAN audit_auditevent" not in plan


ATTEMPTS: dict[str, Callable[[], object]] = {
    "update of a seal": lambda: Seal.objects.update(size=7),
    "delete of a seal": lambda: Seal.objects.all()._raw_delete("default"),
    "update of a digest": lambda: SealedEvent.objects.update(position=7),
    "delete of a digest": lambda: SealedEvent.objects.all().delete(),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_a_change_of_the_seals_is_refused(attempt: Callable[[], object]) -> None:
    tampering.sealed(1)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        attempt()


@pytest.mark.parametrize("same", ["event_id", "seal_id, position"])
def test_replacing_a_digest_is_refused_on_sqlite(same: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("left out: INSERT OR REPLACE is SQLite's")
    (event_id,) = tampering.sealed(1)
    taken = event_id.hex if same == "event_id" else uuid7().hex
    position = 7 if same == "event_id" else 0
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT OR REPLACE INTO audit_sealedevent (event_id, seal_id, position, digest)"
            " VALUES (%s, 1, %s, %s)",
            [taken, position, b"x" * 32],
        )


def test_what_was_not_written_outside_is_made_up_for(checkpoints_file: Path) -> None:
    tampering.sealed(1)
    checkpoints_file.unlink()
    tampering.sealed(1)
    assert [json.loads(line)["number"] for line in checkpoints_file.read_text().splitlines()] == [
        1,
        2,
    ]


def test_a_torn_line_outside_takes_nothing_along(checkpoints_file: Path) -> None:
    tampering.sealed(1)
    checkpoints_file.write_text(checkpoints_file.read_text()[:-20])
    tampering.sealed(1)
    _, *whole = checkpoints_file.read_text().splitlines()
    assert [json.loads(line)["number"] for line in whole] == [1, 2]


def test_an_unwritable_file_alarms_sealing_goes_on(
    settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AUDIT_HEADS_FILE = tmp_path
    tampering.sealed(1)
    assert Seal.objects.count() == 1
    assert "can't be written" in caplog.text


def test_the_command_fails_where_nothing_is_written_outside(
    settings: Any, tmp_path: Path, checkpoints_file: Path
) -> None:
    record_events(2)
    settings.AUDIT_HEADS_FILE = tmp_path
    with pytest.raises(CommandError, match="AUDIT_HEADS_FILE does not have") as failed:
        run()
    assert failed.value.returncode == 1
    assert Seal.objects.count() == 1
    settings.AUDIT_HEADS_FILE = checkpoints_file
    assert run().startswith("Sealed 0 events")
    assert checkpoints_file.read_text().count("\n") == 1


def test_a_database_behind_the_file_is_an_alarm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tampering.sealed(1)
    tampering.sealed(1)
    tampering.cut_off(from_seal=2)
    seal.seal_recent()
    assert "was cut off: it ends with seal 1" in caplog.text
    with pytest.raises(CommandError, match="AUDIT_HEADS_FILE does not have"):
        run()


@pytest.mark.parametrize(
    "junk", ["[" * 4000, '{"number": 9223372036854775808}', '{"number": true}']
)
def test_junk_in_the_file_stops_no_sealing(checkpoints_file: Path, junk: str) -> None:
    tampering.sealed(1)
    with checkpoints_file.open("a") as file:
        file.write(f"{junk}\n")
    tampering.sealed(1)
    lines = checkpoints_file.read_text().splitlines()
    assert [one["number"] for one in publishing.read(lines)] == [1, 2]
    call_command("verify_audit_log", stdout=StringIO())


def test_two_sealers_at_once_are_no_alarm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tampering.sealed(1)
    locked = publishing._locked_file

    def while_another_one_seals(path: Path) -> Any:
        monkeypatch.setattr(publishing, "_locked_file", locked)
        tampering.sealed(1)
        return locked(path)

    monkeypatch.setattr(publishing, "_locked_file", while_another_one_seals)
    publishing.publish()
    assert Seal.objects.count() == 2
    assert "cut off" not in caplog.text


def test_an_open_transaction_delays_completeness() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("left out: on SQLite the sealer alone may write")
    assert horizon.complete_until() < timezone.now()
    insert(ago=timedelta(0))
    assert tampering.seal()[0].complete_until < timezone.now()


def test_ctrl_c_ends_it_and_keeps_what_is_sealed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seal, "BATCH", 2)
    publish = publishing.publish
    calls: list[None] = []

    def interrupt_the_third_time() -> bool:
        calls.append(None)
        is_whole = publish()
        if len(calls) == 3:
            raise KeyboardInterrupt
        return is_whole

    monkeypatch.setattr(publishing, "publish", interrupt_the_third_time)
    record_events(6)
    with pytest.raises(CommandError, match="Stopped") as stopped:
        run()
    assert stopped.value.returncode == 130
    assert [one.size for one in Seal.objects.order_by("pk")] == [2, 2]
    assert json.loads(run("--json"))["sealed_events"] == 2


def test_what_waits_to_be_sealed_is_known_by_its_age() -> None:
    assert oldest_unsealed() is None
    ids = record_events(2)
    assert oldest_unsealed() == AuditEvent.objects.get(pk=ids[0]).occurred_at
    tampering.seal()
    assert oldest_unsealed() is None
    (waiting,) = record_events(1)
    assert oldest_unsealed() == AuditEvent.objects.get(pk=waiting).occurred_at
