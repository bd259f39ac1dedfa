"""What says that events are archived is believed as far as it is signed, and of this log."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit import statements
from audit.models import Archive, AuditEvent, Seal, SealedEvent
from audit.statements import known_keys
from audit.verify import Finding, Kind, Verification
from tests.support import audit_tampering as tampering
from tests.support.audit_tampering import seal, sealed
from tests.support.audit_triggers import drop_triggers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checkpoints_file")]


def findings() -> list[Finding]:
    return list(Verification(keys=known_keys()).findings())


def unsigned(last_seal: int) -> Archive:
    """Put a row where any session of the service's role may put one, without the key."""
    return Archive.objects.create(
        last_seal=last_seal,
        first_seal=1,
        events=5,
        sha256="0" * 64,
        archived_at=timezone.now(),
        key_id="x",
        signature="x",
    )


def archive(to: Path) -> str:
    output, time = StringIO(), timezone.now().isoformat()
    call_command("archive_audit_log", "--before", time, "--to", str(to), stdout=output)
    return output.getvalue()


def export() -> list[dict[str, Any]]:
    output = StringIO()
    call_command("export_audit_log", stdout=output)
    return [json.loads(line) for line in output.getvalue().splitlines()]


@pytest.mark.parametrize("last_seal", [1, 2, 99])
def test_no_event_goes_by_an_unsigned_archive(last_seal: int, tmp_path: Path) -> None:
    ids = [*sealed(3), *sealed(2)]
    unsigned(last_seal)
    with pytest.raises(CommandError, match="signed with key x"):
        archive(tmp_path / "a.jsonl")
    assert AuditEvent.objects.filter(pk__in=ids).count() == 5


@pytest.mark.parametrize("last_seal", [1, 99])
def test_a_whole_export_begins_before_an_unsigned_archive(last_seal: int) -> None:
    ids = [*sealed(3), *sealed(2)]
    unsigned(last_seal)
    opening, *lines = export()
    assert "after" not in opening
    exported = {line["event"]["id"] for line in lines if line["kind"] == "event"}
    assert exported >= set(map(str, ids))


def test_the_archive_of_another_log_excuses_nothing(tmp_path: Path) -> None:
    sealed(3)
    archive(tmp_path / "a.jsonl")
    (row,) = Archive.objects.values()
    drop_triggers()
    for model in (Archive, SealedEvent, AuditEvent, Seal):
        model._default_manager.all().delete()
    # As on another database with the same key, or after a restore: another log of as many seals.
    ids = sealed(3)
    tampering.remove_with_digests(*ids)
    Archive.objects.create(**row)
    kinds = [finding.kind for finding in findings()]
    assert (kinds[0], kinds.count(Kind.REMOVED)) == (Kind.NOT_SIGNED, 3)


def test_an_archive_that_nobody_knows_of_any_more_is_named(tmp_path: Path) -> None:
    sealed(3)
    archive(tmp_path / "a.jsonl")
    seal()
    archive(tmp_path / "b.jsonl")
    assert findings() == []
    drop_triggers()
    Archive.objects.get(pk=1).delete()
    (finding,) = findings()
    assert (finding.kind, finding.seal) == (Kind.REMOVED, 1)
    assert "archive of seals 1 to 1" in finding.words


def test_an_archive_names_the_head_that_it_ends_with(tmp_path: Path) -> None:
    sealed(3)
    archive(tmp_path / "a.jsonl")
    signed = statements.signed_archive(Archive.objects.get())
    assert signed["head"] == Seal.objects.get(pk=1).head
