"""`manage.py follow_audit_log`: each sealed event, in order, from wherever a reader stands."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from audit.management.commands import follow_audit_log
from audit.models import AuditEvent
from audit.seal import seal_all
from tests.support import audit_tampering as tampering
from tests.support.process_environment import ROOT, environment_with

Recorded = Callable[..., AuditEvent]


@pytest.fixture(autouse=True)
def _own_checkpoints(checkpoints_file: Path) -> None:
    """Write no checkpoints of the tests beside the project."""


def followed(*options: str) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("follow_audit_log", "--once", *options, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def sealed(recorded: Recorded, *reasons: str) -> None:
    for reason in reasons:
        recorded(reason=reason)
    list(seal_all())


@pytest.mark.django_db
@pytest.mark.parametrize("interval", ["-1", "0", "nan", "inf", "often"])
def test_an_interval_that_is_none_is_refused(interval: str) -> None:
    with pytest.raises(CommandError, match="invalid number of seconds"):
        call_command("follow_audit_log", "--interval", interval, stdout=StringIO())
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_a_name_moves_no_terminal_and_is_json(recorded: Recorded) -> None:
    recorded(details={"name": "a\x7f\x9bb"})
    list(seal_all())
    assert followed()[0]["details"] == {"name": "a\x7f\x9bb"}


@pytest.mark.django_db
def test_it_goes_on_after_the_last_event(recorded: Recorded) -> None:
    sealed(recorded, "a", "b")
    sealed(recorded, "c")
    recorded(reason="not sealed yet")
    lines = followed()
    assert [line["reason"] for line in lines] == ["a", "b", "c"]
    assert [(line["seal"], line["position"]) for line in lines] == [(1, 0), (1, 1), (2, 0)]
    # Each reading is recorded itself.
    list(seal_all())
    assert [one["reason"] for one in followed("--after", lines[0]["id"])][:3] == [
        "b",
        "c",
        "not sealed yet",
    ]
    rest = followed("--after", lines[2]["id"])
    assert [line["action"] for line in rest[1:]] == ["audit_exported"]
    assert rest[1]["details"]["follows"] is True


@pytest.mark.django_db
def test_an_event_that_commits_late_is_not_passed_over(recorded: Recorded) -> None:
    early = recorded(reason="early")
    sealed(recorded, "late id, sealed first")
    AuditEvent.objects.bulk_create([AuditEvent(**columns(early, str(early.pk)[:-1]))])
    last = followed()[-1]["id"]
    list(seal_all())
    assert next(line["reason"] for line in followed("--after", last)) == "early"


def columns(event: AuditEvent, beginning: str) -> dict[str, Any]:
    """An event with an earlier id than those that are sealed."""
    given = {field.attname: getattr(event, field.attname) for field in event._meta.fields}
    other = next(digit for digit in "0123456789abcdef" if not str(event.pk).endswith(digit))
    return given | {"id": f"{beginning}{other}"}


@pytest.mark.django_db
def test_an_id_that_no_seal_has_is_wrong_use(recorded: Recorded) -> None:
    unsealed = recorded()
    for event_id in (uuid4(), unsealed.pk):
        with pytest.raises(CommandError, match=str(event_id)) as caught:
            followed("--after", str(event_id))
        assert caught.value.returncode == 2


def begin_anew(checkpoints_file: Path) -> None:
    """Begin the log anew, beside the file of the one before."""
    known = checkpoints_file.read_text()
    tampering.start_anew(checkpoints_file)
    tampering.record_events(1)
    list(seal_all())
    checkpoints_file.write_text(known)


@pytest.mark.django_db
@pytest.mark.parametrize("after", ["", "the last one", "one of the new log"])
def test_a_log_that_is_begun_anew_is_an_alarm(checkpoints_file: Path, after: str) -> None:
    tampering.sealed(2)
    last = followed()[-1]["id"]
    begin_anew(checkpoints_file)
    ids = {"the last one": last, "one of the new log": str(AuditEvent.objects.latest("pk").pk)}
    with pytest.raises(CommandError, match="begun anew") as caught:
        followed(*(["--after", ids[after]] if after else []))
    assert caught.value.returncode == 1


@pytest.mark.django_db
@pytest.mark.parametrize("end", [begin_anew, lambda _: tampering.cut_off(from_seal=1)])
def test_it_is_one_for_whoever_follows_it_too(
    checkpoints_file: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[[Path], None]
) -> None:
    tampering.sealed(2)
    monkeypatch.setattr("time.sleep", lambda _: end(checkpoints_file))
    # It would be the test's own.
    monkeypatch.setattr(follow_audit_log, "close_old_connections", lambda: None)
    with pytest.raises(CommandError, match="begun anew") as caught:
        call_command("follow_audit_log", stdout=StringIO())
    assert caught.value.returncode == 1


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_what_comes_until_sigterm(recorded: Recorded, tmp_path: Path) -> None:
    sealed(recorded, "before")
    (catalogue := tmp_path / "catalog.toml").touch()
    command = [sys.executable, "manage.py", "follow_audit_log", "--interval", "0.1"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment_with(catalogue=catalogue), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["reason"] == "before"
        sealed(recorded, "after")
        # Between them stands that somebody follows.
        assert json.loads(process.stdout.readline())["action"] == "audit_exported"
        assert json.loads(process.stdout.readline())["reason"] == "after"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
