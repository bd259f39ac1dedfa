"""Sealing beside a file of checkpoints that knows another log, or other seals, is an alarm."""

import json
import logging
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit import checkpoints, seal
from audit.models import AuditEvent, Seal
from connections_project.core.instruments import REGISTRY
from tests.support import audit_tampering as tampering

pytestmark = pytest.mark.django_db


def failures(problem: str) -> float:
    name = "connections_audit_checkpoint_failures_total"
    return REGISTRY.get_sample_value(name, {"problem": problem}) or 0


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]


def run() -> str:
    output = StringIO()
    call_command("seal_audit_log", stdout=output)
    return output.getvalue()


def wiped(file: Path) -> str:
    """Empty a log that the file knows, and return what the file has."""
    tampering.sealed(2)
    tampering.cut_off(from_seal=1)
    return file.read_text()


def test_an_emptied_log_is_an_alarm(
    checkpoints_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = wiped(checkpoints_file)
    before = failures("begun_anew")
    assert seal.seal_recent() == 0
    assert failures("begun_anew") == before + 1
    (words,) = errors(caplog)
    assert json.loads(known)["log"] in words
    assert "the database has no seal" in words
    with pytest.raises(CommandError, match="AUDIT_HEADS_FILE does not have") as failed:
        run()
    assert failed.value.returncode == 1
    assert checkpoints_file.read_text() == known


def test_a_log_begun_anew_is_sealed_and_an_alarm(
    checkpoints_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = wiped(checkpoints_file)
    before = failures("begun_anew")
    tampering.record_events(1)
    assert seal.seal_recent() == 1
    assert failures("begun_anew") == before + 2
    assert str(Seal.objects.get().log) in errors(caplog)[-1]
    assert "name a new AUDIT_HEADS_FILE" in errors(caplog)[-1]
    # It goes on for as long as the file is that log's.
    tampering.record_events(1)
    with pytest.raises(CommandError, match="AUDIT_HEADS_FILE does not have"):
        run()
    assert Seal.objects.count() == 2
    assert checkpoints_file.read_text() == known


def test_a_file_is_its_first_lines_logs(checkpoints_file: Path) -> None:
    known = wiped(checkpoints_file)
    checkpoints_file.unlink()
    tampering.sealed(1)
    mixed = known + checkpoints_file.read_text()
    checkpoints_file.write_text(mixed)
    assert not checkpoints.publish()
    assert checkpoints_file.read_text() == mixed


def test_a_new_log_has_a_new_file(
    checkpoints_file: Path, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    wiped(checkpoints_file)
    tampering.sealed(1)
    settings.AUDIT_HEADS_FILE = checkpoints_file.with_name("new.jsonl")
    caplog.clear()
    assert run().startswith("Sealed 0 events")
    assert errors(caplog) == []
    (line,) = settings.AUDIT_HEADS_FILE.read_text().splitlines()
    assert json.loads(line)["log"] == str(Seal.objects.get().log)
    call_command("verify_audit_log", stdout=StringIO())


def test_nothing_sealed_and_nothing_known_is_no_alarm(
    checkpoints_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert run() == "The audit log has nothing to seal.\n"
    assert errors(caplog) == []


def test_a_tail_that_was_sealed_anew_is_an_alarm(
    checkpoints_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tampering.sealed(1)
    tampering.sealed(2)
    known, before = checkpoints_file.read_text(), failures("sealed_anew")
    tampering.cut_off(from_seal=2)
    # No sealer has looked at the file while the tail was gone: this needs a moment, and no key.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "publish", lambda: True)
        tampering.sealed(1)
    assert seal.seal_recent() == 0
    assert "seal 2 as another one" in errors(caplog)[-1]
    # It goes on, whatever is sealed behind that.
    tampering.record_events(1)
    with pytest.raises(CommandError, match="AUDIT_HEADS_FILE does not have"):
        run()
    assert failures("sealed_anew") == before + 4
    assert (Seal.objects.count(), checkpoints_file.read_text()) == (3, known)


def test_a_known_seal_that_was_removed_is_an_alarm(
    checkpoints_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tampering.sealed(1)
    known = checkpoints_file.read_text()
    tampering.sealed(1)
    tampering.sealed(1)
    checkpoints_file.write_text("".join((known, checkpoints_file.read_text().splitlines()[1])))
    tampering.sql("DELETE FROM audit_sealedevent WHERE seal_id = 2")
    tampering.sql("DELETE FROM audit_seal WHERE number = 2")
    assert not checkpoints.publish()
    assert "seal 2 as another one" in errors(caplog)[-1]


@pytest.mark.parametrize("from_seal", [1, 2])
def test_nothing_is_archived_while_they_disagree(from_seal: int, tmp_path: Path) -> None:
    tampering.sealed(1)
    tampering.sealed(1)
    tampering.cut_off(from_seal=from_seal)
    tampering.sealed(1)
    before, to = timezone.now().isoformat(), tmp_path / "archive.jsonl"
    with pytest.raises(CommandError, match="Nothing is archived") as refused:
        call_command("archive_audit_log", "--before", before, "--to", str(to), stdout=StringIO())
    assert refused.value.returncode == 1
    assert (to.exists(), AuditEvent.objects.count()) == (False, from_seal)
