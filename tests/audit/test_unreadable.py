"""Rows that nobody of ours wrote and that Python can't read stop nothing, and are named."""

import json
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test import Client
from django.utils import timezone

from audit import seal
from audit.models import PLAUSIBLE_TIME, AuditEvent, Seal, SealedEvent
from audit.public_keys import as_text
from audit.statements import known_keys
from audit.triggers import install
from audit.unsealed import oldest_unsealed
from audit.verify_export import Reading, TamperedError
from tests.support import audit_tampering as tampering
from tests.support.process_environment import ROOT
from tests.support.unreadable_events import (
    FORGERIES,
    IDS,
    LESS_DEEP,
    LONG,
    forge,
    run,
    unchecked,
)

__all__ = ["unchecked"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checkpoints_file")]


@pytest.mark.parametrize("time", ["-infinity", "infinity", "1969-12-31 23:59:59+00"])
def test_a_time_that_is_no_clocks_is_refused(time: str) -> None:
    with pytest.raises(IntegrityError, match="audit_plausible_time"):
        forge(time)


@pytest.fixture(params=FORGERIES, ids=IDS)
def forged(request: pytest.FixtureRequest, unchecked: None) -> UUID:
    """A row of each kind, between two honest ones."""
    tampering.record_events(1)
    event_id = forge(*request.param)
    tampering.record_events(1)
    return event_id


def named(command: str, *arguments: str) -> str:
    """Run a command that has to name the row in one line, and give what it wrote."""
    out = StringIO()
    with pytest.raises(CommandError) as raised:
        call_command(command, *arguments, stdout=out)
    assert raised.value.returncode == 1
    assert "can't be read: it was not written by this service" in str(raised.value)
    return f"{raised.value}\n{out.getvalue()}"


def test_sealing_goes_on_and_names_it(forged: UUID) -> None:
    assert str(forged) in named("seal_audit_log")
    assert SealedEvent.objects.count() == 2
    assert not SealedEvent.objects.filter(pk=forged).exists()
    # What came beside it counts as complete.
    assert AuditEvent.objects.filter(sealed=None).values_list("pk", flat=True).get() == forged


def test_the_periodic_sealing_says_so_as_an_error(
    forged: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    assert seal.seal_recent() == 2
    (error,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert str(forged) in error.getMessage()


def test_more_of_them_than_a_seal_takes_hold_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "BATCH", 4)
    for _ in range(9):
        forge(details=LESS_DEEP)
    tampering.record_events(6)
    assert seal.seal_recent() == 6
    assert [one.size for one in Seal.objects.order_by("pk")] == [4, 2]


def test_verifying_names_it(forged: UUID) -> None:
    assert str(forged) in named("verify_audit_log")
    seal.seal_recent()
    result = json.loads(named("verify_audit_log", "--all", "--json").splitlines()[-1])
    assert [one["event_id"] for one in result["findings"]] == [str(forged)]


def test_exporting_names_it(forged: UUID, tmp_path: Path) -> None:
    seal.seal_recent()
    output = tmp_path / "audit.jsonl"
    assert str(forged) in named("export_audit_log", f"--output={output}")
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line for line in lines if line["kind"] == "unreadable"] == [
        {"kind": "unreadable", "seal": None, "event_id": str(forged)}
    ]
    reading = exported(output)
    # The export itself is an event, too, and not sealed yet.
    assert (reading.events, reading.unsealed, reading.unreadable) == (3, 1, 1)


def exported(path: Path) -> Reading:
    """Verify an export as its readers do."""
    reading = Reading([as_text(key) for key in known_keys().values()], (), [])
    with path.open("rb") as lines:
        reading.read(lines)
    return reading


def test_a_part_of_the_log_is_exported_beside_it(forged: UUID, tmp_path: Path) -> None:
    output = tmp_path / "part.jsonl"
    honest = AuditEvent.objects.exclude(pk=forged).order_by("pk").values_list("subject_id")[0][0]
    tampering.change(forged, subject_id=honest)
    assert str(forged) in named("export_audit_log", f"--output={output}", f"--subject={honest}")
    assert (exported(output).events, exported(output).unreadable) == (1, 1)


def test_a_trail_names_it_beside_the_others(forged: UUID) -> None:
    honest = AuditEvent.objects.exclude(pk=forged).order_by("pk").values_list("subject_id")[0][0]
    tampering.change(forged, subject_id=honest)
    first, second = named("show_audit_trail", str(honest)).splitlines()[1:]
    assert " provider_connected success" in first
    assert second.startswith(f"Event {forged} can't be read")
    lines = named("show_audit_trail", str(honest), "--json").splitlines()[1:]
    assert [bool(json.loads(line)["occurred_at"]) for line in lines] == [True, False]


def test_what_is_sealed_is_followed_past_it(forged: UUID) -> None:
    seal.seal_recent()
    out = StringIO()
    call_command("follow_audit_log", "--once", stdout=out)
    assert len(out.getvalue().splitlines()) == 2


def test_how_long_sealing_lags_can_be_told(forged: UUID) -> None:
    seal.seal_recent()
    # What has no time that could be told is none that waits.
    times = AuditEvent.objects.filter(PLAUSIBLE_TIME, pk=forged).values_list(
        "occurred_at", flat=True
    )
    assert oldest_unsealed() == times.first()


@pytest.mark.parametrize("details", [LESS_DEEP, LONG])
def test_a_sealed_event_that_was_made_unreadable_is_named(details: str, tmp_path: Path) -> None:
    (event_id,) = tampering.sealed(1)
    key = str(event_id) if connection.vendor == "postgresql" else event_id.hex
    tampering.sql("UPDATE audit_auditevent SET details = %s WHERE id = %s", details, key)
    with pytest.raises(CommandError, match=f"{event_id} was changed"):
        call_command("verify_audit_log", stdout=StringIO())
    before = f"--before={timezone.now():%Y-%m-%dT%H:%M:%S.%fZ}"
    assert str(event_id) in named("archive_audit_log", before, f"--to={tmp_path / 'old'}")
    assert str(event_id) in named("follow_audit_log", "--once")
    assert json.loads(named("follow_audit_log", "--once").splitlines()[1])["id"] == str(event_id)
    named("export_audit_log", f"--output={tmp_path / 'audit.jsonl'}")
    with pytest.raises(TamperedError, match=f"{event_id} was changed"):
        exported(tmp_path / "audit.jsonl")


@pytest.mark.parametrize("forged", [(None, LESS_DEEP)], indirect=True)
def test_it_is_taken_out_as_the_documentation_says(forged: UUID) -> None:
    seal.seal_recent()
    (honest, *_) = SealedEvent.objects.values_list("event_id", flat=True)
    for event_id in (forged, honest):
        for statement in documented(event_id):
            run(statement)
        assert install(connection) == (
            [] if connection.vendor == "postgresql" else ["audit_no_delete"]
        )
    assert set(AuditEvent.objects.values_list("pk", flat=True)) == set(
        SealedEvent.objects.values_list("event_id", flat=True)
    )
    for command in ("seal_audit_log", "verify_audit_log", "export_audit_log"):
        call_command(command, stdout=StringIO())


def documented(event_id: UUID) -> list[str]:
    """Return the statements that take a row out; the test has its own transaction."""
    text = (ROOT / "docs/evidence.md").read_text().partition("## Rows that can't be read")[2]
    _, postgresql, sqlite, *_ = text.split("```sql\n")
    block, key = (
        (postgresql, str(event_id)) if connection.vendor == "postgresql" else (sqlite, event_id.hex)
    )
    statements = block.partition("```")[0].replace("…", key).split(";\n")
    return [one for one in statements if one not in {"", "BEGIN", "COMMIT"}]


def test_operators_see_it_in_the_list_and_on_its_page(forged: UUID, admin_client: Client) -> None:
    for query in ("", f"?q={forged}"):
        page = admin_client.get(f"/admin/audit/auditevent/{query}")
        assert str(forged) in page.content.decode()
        assert "can&#x27;t be read" in page.content.decode()
    page = admin_client.get(f"/admin/audit/auditevent/{forged}/change/")
    assert page.status_code == 200
    assert f"Event {forged} can&#x27;t be read" in page.content.decode()
    assert admin_client.get(f"/admin/audit/auditevent/{forged}/history/").status_code == 200


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_operators_export_it_in_its_place(forged: UUID, admin_client: Client, kind: str) -> None:
    answer: Any = admin_client.get(f"/admin/audit/auditevent/export.{kind}")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    # Of the export, which was recorded, of the two honest ones and of itself; newest first.
    listed = lines[kind == "csv" :]
    assert [str(forged) in line for line in listed] == [False, False, True, False]
    assert f"Event {forged} can't be read" in listed[2]


def test_sealing_reports_what_it_did_all_the_same(forged: UUID) -> None:
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("seal_audit_log", "--json", stdout=out)
    assert json.loads(out.getvalue())["sealed_events"] == AuditEvent.objects.count() - 1
