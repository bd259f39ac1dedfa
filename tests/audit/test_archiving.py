"""Archiving: the oldest part of the log goes into a file, and both parts verify."""

import hashlib
import json
import os
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import archive
from audit.models import Archive, AuditEvent, Seal, SealedEvent
from audit.public_keys import as_text
from audit.statements import known_keys, signing_key
from audit.verify import Finding, Kind, Verification
from audit.verify_export import Reading, TamperedError
from tests.support.audit_tampering import insert, record_events, seal, sealed
from tests.support.audit_triggers import drop_triggers
from tests.support.provider_rows import events

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checkpoints_file")]

Lines = list[dict[str, Any]]


@pytest.fixture
def old() -> list[Any]:
    """Two seals."""
    return [*sealed(3), *sealed(2)]


def run(to: Path, *arguments: str, before: datetime | None = None) -> str:
    output, time = StringIO(), (before or timezone.now()).isoformat()
    call_command("archive_audit_log", "--before", time, "--to", str(to), *arguments, stdout=output)
    return output.getvalue()


def read(source: Path | str) -> Reading:
    lines = source.read_bytes() if isinstance(source, Path) else source.encode()
    reading = Reading([as_text(signing_key().public_key())], (), [])
    reading.read(lines.splitlines(keepends=True))
    return reading


def export() -> str:
    output = StringIO()
    call_command("export_audit_log", stdout=output)
    return output.getvalue()


def findings() -> list[Finding]:
    return list(Verification(keys=known_keys()).findings())


def test_both_parts_verify(old: list[Any], tmp_path: Path) -> None:
    now = timezone.now()
    kept = sealed(4)
    planned = json.loads(run(tmp_path / "first.jsonl", "--dry-run", "--json", before=now))
    seals = {"first_seal": 1, "last_seal": 2, "left_behind": None}
    assert planned == {"dry_run": True, "events": 5, **seals, "removed_events": 0}
    answer = run(tmp_path / "first.jsonl", "--reason", "Yearly", before=now)
    assert answer.startswith("Archived: 5 events of seals 1 to 2, in ")
    assert answer.endswith("Removed here: 5 events.\n")
    assert not AuditEvent.objects.filter(pk__in=old).exists()
    assert AuditEvent.objects.filter(pk__in=kept).count() == 4
    archived = read(tmp_path / "first.jsonl")
    assert (archived.events, archived.seal["number"], archived.everything) == (5, 2, True)
    output = StringIO()
    call_command("verify_audit_log", stdout=output)
    assert "4 events in 3 seals" in output.getvalue()
    assert "In archives, up to seal 2: 5 events." in output.getvalue()
    left = read(export())
    assert (left.first, left.seal["number"], left.everything) == (3, 3, True)
    (event,) = events("audit_archived")
    assert (event.reason, event.details["last_seal"]) == ("Yearly", 2)


def test_the_next_archive_goes_on_at_its_head(old: list[Any], tmp_path: Path) -> None:
    run(tmp_path / "first.jsonl")
    seal()
    assert "of seals 3 to 3" in run(tmp_path / "second.jsonl")
    assert findings() == []
    second = (tmp_path / "second.jsonl").read_text()
    assert read(second).first == 3
    opening, *rest = second.splitlines(keepends=True)
    other = json.loads(opening)
    other["after"]["head"] = "1" * 64
    with pytest.raises(TamperedError, match="follows another seal"):
        read(json.dumps(other) + "\n" + "".join(rest))


def test_a_dry_run_changes_nothing(old: list[Any], tmp_path: Path) -> None:
    answer = run(tmp_path / "a.jsonl", "--dry-run")
    assert answer == "Would archive: 5 events of seals 1 to 2.\n"
    assert AuditEvent.objects.count() == 5
    assert not (tmp_path / "a.jsonl").exists()


def test_what_is_not_sealed_is_refused(old: list[Any], tmp_path: Path) -> None:
    late = insert()
    with pytest.raises(CommandError, match="not sealed"):
        run(tmp_path / "a.jsonl")
    assert not Archive.objects.exists()
    # Sealed by now, but dated before what an earlier seal has closed.
    seal()
    with pytest.raises(CommandError, match=f"{late} was inserted"):
        run(tmp_path / "a.jsonl")
    assert "6 events" in run(tmp_path / "b.jsonl", "--accept", str(late))


def test_what_was_tampered_with_is_refused(old: list[Any], tmp_path: Path) -> None:
    drop_triggers()
    AuditEvent.objects.filter(pk=old[1]).update(reason="another one")
    with pytest.raises(CommandError, match=f"{old[1]} was changed"):
        run(tmp_path / "a.jsonl")
    assert AuditEvent.objects.filter(pk__in=old).count() == 5
    assert not Archive.objects.exists()


def test_an_interrupted_removal_is_resumed(
    old: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = archive._remove

    def interrupted(number: int, through: int) -> int:
        if number == 2:
            raise KeyboardInterrupt
        return remove(number, through)

    monkeypatch.setattr(archive, "_remove", interrupted)
    with pytest.raises(CommandError, match="Stopped"):
        run(tmp_path / "a.jsonl")
    monkeypatch.setattr(archive, "_remove", remove)
    assert AuditEvent.objects.filter(pk__in=old).count() == 2
    assert findings() == []
    now = AuditEvent.objects.get(action="audit_archived").occurred_at
    answer = run(tmp_path / "a.jsonl", before=now)
    assert answer.endswith("nothing. Removed here: 2 events.\n")
    assert findings() == []


@pytest.mark.parametrize("file", ["cut", "missing", "another"])
def test_nothing_more_goes_once_the_file_is_another(
    old: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    kept, other, now = tmp_path / "a.jsonl", tmp_path / "b.jsonl", timezone.now()
    with monkeypatch.context() as patch:
        patch.setattr(archive, "_remove", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(CommandError, match="Stopped"):
            run(kept, before=now)
    text = kept.read_text()
    if file == "cut":
        kept.write_text(text[:100])
    elif file == "missing":
        kept.unlink()
    with pytest.raises(CommandError, match="--to must name their file") as refused:
        run(other if file == "another" else kept, before=now)
    assert refused.value.returncode == 2
    assert AuditEvent.objects.filter(pk__in=old).count() == 5
    assert not other.exists()
    assert "First the rest of seals 1 to 2 is removed." in run(kept, "--dry-run", before=now)
    planned = json.loads(run(kept, "--dry-run", "--json", before=now))
    assert planned["left_behind"] == {"first_seal": 1, "last_seal": 2}
    kept.write_text(text)
    assert "Removed here: 5 events." in run(kept, before=now)


def test_one_interrupted_before_its_record_goes_on(
    old: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    with monkeypatch.context() as patch:
        patch.setattr(archive, "record_archive", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(CommandError, match="Stopped"):
            run(tmp_path / "a.jsonl", before=now)
    kept = (tmp_path / "a.jsonl").read_bytes()
    assert not Archive.objects.exists()
    assert "Removed here: 5 events." in run(tmp_path / "a.jsonl", before=now)
    assert (tmp_path / "a.jsonl").read_bytes() == kept
    assert Archive.objects.get().sha256 == hashlib.sha256(kept).hexdigest()
    assert findings() == []


def test_another_file_is_neither_taken_nor_touched(old: list[Any], tmp_path: Path) -> None:
    now = timezone.now()
    whole = export()
    (tmp_path / "dir").mkdir()
    cut = "".join(whole.splitlines(keepends=True)[:-2])
    for number, text in enumerate(["", "\xff\n", "[]\n", "{}\n", "notes\n", cut]):
        file = tmp_path / f"{number}.jsonl"
        file.write_text(text)
        with pytest.raises(CommandError, match="is there already") as refused:
            run(file, before=now)
        assert refused.value.returncode == 2
        assert file.read_text() == text
    with pytest.raises(CommandError, match="is there already"):
        run(tmp_path / "dir", before=now)
    assert AuditEvent.objects.filter(pk__in=old).count() == 5
    assert not Archive.objects.exists()


def test_the_triggers_keep_all_else(old: list[Any], tmp_path: Path) -> None:
    run(tmp_path / "a.jsonl")
    kept = record_events(1)
    for rows in (AuditEvent.objects.filter(pk__in=kept), Seal.objects.all(), Archive.objects.all()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            rows._raw_delete(using="default")
    # An archive that is not there opens nothing.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('audit.archived_through', '99', true)")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEvent.objects.filter(pk__in=kept)._raw_delete(using="default")


def test_an_unsigned_archive_excuses_nothing(old: list[Any]) -> None:
    Archive.objects.create(
        last_seal=2,
        first_seal=1,
        events=5,
        sha256="0" * 64,
        archived_at=timezone.now(),
        key_id="x",
        signature="x",
    )
    drop_triggers()
    AuditEvent.objects.filter(pk__in=old).delete()
    SealedEvent.objects.all().delete()
    kinds = [finding.kind for finding in findings()]
    assert (kinds[0], kinds.count(Kind.REMOVED)) == (Kind.NOT_SIGNED, 5)


@pytest.mark.timeout(20)
def test_what_keeps_nothing_is_refused(old: list[Any], tmp_path: Path) -> None:
    os.mkfifo(fifo := tmp_path / "fifo")
    with pytest.raises(CommandError, match="keeps") as refused:
        run(fifo)
    assert refused.value.returncode == 2
    assert fifo.is_fifo()
