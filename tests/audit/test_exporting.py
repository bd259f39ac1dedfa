"""Exporting: what leaves can be verified anywhere, and what was done to it since is named."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit import seal as sealing
from audit.export import Selection, exported_events
from audit.models import AuditEvent, SealedEvent
from audit.public_keys import as_text
from audit.statements import signing_key
from audit.verify_export import Reading, TamperedError
from connections_project.core.ids import uuid7
from connections_project.core.text import escaped
from connections_project.identity.models import User
from tests.support import audit_tampering as tampering
from tests.support.audit_tampering import change, insert, record_events, remove, sealed
from tests.support.audit_triggers import drop_triggers
from tests.support.process_environment import ROOT, environment_with
from tests.support.provider_rows import events

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checkpoints_file")]

SCRIPT = ROOT / "audit" / "verify_export.py"
Lines = list[dict[str, Any]]


def export(*arguments: str) -> Lines:
    output = StringIO()
    call_command("export_audit_log", *arguments, stdout=output)
    return [json.loads(line) for line in output.getvalue().splitlines()]


def events_in(lines: Lines) -> list[dict[str, Any]]:
    return [line["event"] for line in lines if line["kind"] == "event"]


def as_bytes(lines: Lines) -> list[bytes]:
    return [
        json.dumps(one, sort_keys=True, separators=(",", ":")).encode() + b"\n" for one in lines
    ]


def verify(lines: Lines, *, checkpoints: str = "", accept: tuple[str, ...] = ()) -> Reading:
    reading = Reading([as_text(signing_key().public_key())], checkpoints.splitlines(), list(accept))
    reading.read(as_bytes(lines))
    return reading


def refusal(lines: Lines, **how: Any) -> str:
    with pytest.raises(TamperedError) as refused:
        verify(lines, **how)
    return str(refused.value)


def of_event(lines: Lines, event_id: UUID) -> dict[str, Any]:
    (line,) = (one for one in lines if one.get("event", {}).get("id") == str(event_id))
    return line


def by_script(folder: Path, heads: Path) -> "subprocess.CompletedProcess[str]":
    """Export the log into a folder, and have the script verify it against checkpoints."""
    call_command("export_audit_log", "--output", str(folder / "audit.jsonl"), stdout=StringIO())
    key = as_text(signing_key().public_key())
    command = [sys.executable, str(SCRIPT), str(folder / "audit.jsonl"), "--public-key", key]
    return subprocess.run(
        [*command, "--heads", str(heads)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("heads", ["", None])
def test_checkpoints_that_compare_nothing_are_wrong_use(heads: str | None, tmp_path: Path) -> None:
    sealed(2)
    if heads is not None:
        (tmp_path / "heads").write_text(heads)
    run = by_script(tmp_path, tmp_path / "heads")
    assert run.returncode == 2
    said = "has no checkpoint" if heads == "" else "No such file"
    assert said in run.stderr.splitlines()[-1]


@pytest.mark.parametrize("key", ["no base64!", "AAAA", "\u00e9"])
def test_a_key_that_is_none_is_wrong_use(key: str) -> None:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "-", "--public-key", key],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert run.returncode == 2
    assert "argument --public-key: invalid public_key value" in run.stderr


def test_checkpoints_may_hold_bytes_that_are_no_text(
    checkpoints_file: Path, tmp_path: Path
) -> None:
    sealed(2)
    with checkpoints_file.open("ab") as file:
        file.write(b"\xff\xfe\n")
    run = by_script(tmp_path, checkpoints_file)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_file_that_can_not_be_finished_leaves_nothing(tmp_path: Path) -> None:
    record_events(1)
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(CommandError, match="Is a directory") as refused:
        export("--output", str(tmp_path / "audit.jsonl"))
    assert refused.value.returncode == 2
    assert [one.name for one in tmp_path.iterdir()] == ["audit.jsonl"]


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    record_events(1)
    (folder := tmp_path / "elsewhere").mkdir()
    for name, target in (("old", folder / "old"), ("new", folder / "new")):
        (tmp_path / name).symlink_to(target)
    (folder / "old").write_text("as it was")
    for name in ("old", "new"):
        call_command("export_audit_log", "--output", str(tmp_path / name), stdout=StringIO())
        assert (tmp_path / name).is_symlink()
        assert '"kind":"end"' in (folder / name).read_text()
    assert sorted(one.name for one in folder.iterdir()) == ["new", "old"]


def test_a_fifo_is_written_to(tmp_path: Path) -> None:
    record_events(1)
    os.mkfifo(fifo := tmp_path / "fifo")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    call_command("export_audit_log", "--output", str(fifo), stdout=StringIO())
    assert b'"kind":"end"' in os.read(reader, 1 << 16)
    os.close(reader)
    assert fifo.is_fifo()
    assert [one.name for one in tmp_path.iterdir()] == ["fifo"]


def test_standard_output_by_its_name_holds_the_export_alone() -> None:
    record_events(1)
    verify(export("--output", "/dev/stdout"))


def test_the_name_of_a_file_is_on_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, list[str]]] = []

    def noted(file: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(file).st_mode) else "file"
        synced.append((kind, [one.name for one in tmp_path.iterdir()]))

    monkeypatch.setattr("os.fsync", noted)
    record_events(1)
    call_command("export_audit_log", "--output", str(tmp_path / "a"), stdout=StringIO())
    assert synced == [("file", ["a.part"]), ("folder", ["a"])]


def test_a_whole_export_verifies() -> None:
    ids = [*sealed(5), *sealed(3), *record_events(2)]
    lines = export()
    reading = verify(lines)
    # The export's own event is the last one.
    assert [event["id"] for event in events_in(lines)][:-1] == [str(one) for one in ids]
    assert events_in(lines)[-1]["action"] == "audit_exported"
    assert (reading.events, reading.unsealed, reading.seal["number"]) == (11, 3, 2)


@pytest.mark.parametrize("to", ["stdout", "file"])
def test_a_name_moves_no_terminal_and_verifies(
    recorded: Callable[..., AuditEvent], tmp_path: Path, to: str
) -> None:
    event, output, file = recorded(details={"name": "a\x7f\x9bb"}), StringIO(), tmp_path / "export"
    list(sealing.seal_all())
    arguments = ("--output", str(file)) if to == "file" else ()
    call_command("export_audit_log", *arguments, stdout=output)
    text = file.read_text() if to == "file" else output.getvalue()
    assert escaped(text) == text
    reading = Reading([as_text(signing_key().public_key())], [], [])
    reading.read(line.encode() for line in text.splitlines(keepends=True))
    lines = [json.loads(line) for line in text.splitlines()]
    assert of_event(lines, event.pk)["event"]["details"] == {"name": "a\x7f\x9bb"}


def test_the_script_needs_nothing_of_ours(tmp_path: Path) -> None:
    ids = sealed(3)
    path = tmp_path / "audit.jsonl"
    call_command("export_audit_log", "--output", str(path), stdout=StringIO())
    key = as_text(signing_key().public_key())
    # -I: isolated from the environment and from the folder that it is called in.
    command = [sys.executable, "-I", str(SCRIPT), str(path), "--public-key", key]
    run: Any = {"capture_output": True, "text": True, "check": False, "cwd": tmp_path}
    good = subprocess.run(command, **run)
    assert (good.returncode, good.stderr) == (0, "")
    assert "This is what was sealed: 4 events, everything up to seal 1; 1 of them" in good.stdout
    path.write_text(path.read_text().replace('"number":1,"platform"', '"number":7,"platform"'))
    bad = subprocess.run(command, **run)
    assert bad.returncode == 1
    assert f"Event {ids[1]} was changed" in bad.stderr


def test_the_readmes_own_verifier_says_the_same(tmp_path: Path) -> None:
    evidence = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", evidence, flags=re.MULTILINE | re.DOTALL)
    brief, path = tmp_path / "verify.py", tmp_path / "audit.jsonl"
    brief.write_text(code)
    ids = [*sealed(3), *sealed(2)]
    call_command("export_audit_log", "--output", str(path), stdout=StringIO())
    lines = path.read_text().splitlines(keepends=True)
    command = [sys.executable, "-I", str(brief), str(path), as_text(signing_key().public_key())]

    def said(*changed: str) -> str:
        path.write_text("".join(changed))
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    assert said(*lines) == ""
    forged = [line.replace('"number":1,"platform"', '"number":7,"platform"') for line in lines]
    assert f"AssertionError: {ids[1]}" in said(*forged)
    assert "AssertionError" in said(*lines[:2], *lines[3:])
    assert "AssertionError: end" in said(*lines[:-2], lines[-1])
    assert "the tail was cut off" in said(*lines[:-1])


def test_the_file_is_private_and_appears_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(2)
    path = tmp_path / "audit.jsonl"
    call_command("export_audit_log", "--output", str(path), stdout=StringIO())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not (tmp_path / "audit.jsonl.part").exists()

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("audit.export.event_as_json", interrupt)
    with pytest.raises(CommandError, match="no whole export") as stopped:
        call_command("export_audit_log", "--output", str(tmp_path / "half"), stdout=StringIO())
    assert stopped.value.returncode == 130
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("half")] == []


def test_a_file_that_cannot_be_written_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("export_audit_log", "--output", str(tmp_path / "none" / "audit.jsonl"))
    assert refused.value.returncode == 2


def test_an_export_is_audited_with_who_why_and_what(operator: User) -> None:
    subject = uuid7()
    export("--subject", str(subject), "--operator", operator.email, "--reason", "Art. 15")
    (event,) = events("audit_exported")
    assert (event.actor_type, event.actor_id, event.interface) == (
        "operator",
        operator.pk,
        "command",
    )
    assert event.reason == "Art. 15"
    assert event.details["selection"]["subject"] == str(subject)
    assert event.details["os_user"]


def test_an_interrupted_export_is_audited_too() -> None:
    sealed(1)
    with pytest.raises(ZeroDivisionError):
        call_command("export_audit_log", stdout=Failing())
    assert len(events("audit_exported")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_closed_pipe_is_reported_in_words(use_catalogue: Any, tmp_path: Path) -> None:
    use_catalogue("")
    sealed(400)
    run = subprocess.run(
        ["bash", "-c", f"{sys.executable} manage.py export_audit_log | head -c 10"],
        cwd=ROOT,
        env=environment_with(catalogue=tmp_path / "catalog.toml"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == "CommandError: Nobody read the export to its end.\n"


class Failing(StringIO):
    """A place that nothing can be written to."""

    def write(self, _: str) -> int:
        raise ZeroDivisionError


def test_a_part_by_owner_verifies_as_far_as_it_goes(owner: User) -> None:
    record_events(2)
    mine = record_events(2, owner=owner.pk)
    record_events(1)
    tampering.seal()
    sealed(2)
    mine += record_events(1, owner=owner.pk)
    for chosen in (owner.email.upper(), str(owner.pk)):
        lines = export("--owner", chosen)
        assert [event["id"] for event in events_in(lines)] == [str(one) for one in mine]
        assert [line["number"] for line in lines if line["kind"] == "seal"] == [1]
        assert all("proof" in of_event(lines, one) for one in mine[:2])
        reading = verify(lines)
        assert (reading.events, reading.unsealed, reading.everything) == (3, 1, False)


def test_a_part_does_not_show_what_was_not_asked_for(owner: User) -> None:
    record_events(3, owner=owner.pk)
    others = record_events(3)
    tampering.seal()
    text = json.dumps(export("--owner", str(owner.pk)))
    assert not any(str(one) in text for one in others)


def test_a_time_range_is_half_open() -> None:
    ids = record_events(4)
    for number, event_id in enumerate(ids):
        change(event_id, occurred_at=timezone.now().replace(year=2025, microsecond=number))
    tampering.seal()
    since, until = (AuditEvent.objects.get(pk=ids[at]).occurred_at for at in (1, 3))
    lines = export("--since", since.isoformat(), "--until", until.isoformat())
    assert [event["id"] for event in events_in(lines)] == [str(ids[1]), str(ids[2])]
    verify(lines)


def test_dates_are_days_of_utc() -> None:
    (event_id,) = record_events(1)
    change(event_id, occurred_at="2025-03-01T00:00:00Z")
    assert len(events_in(export("--since", "2025-03-01", "--until", "2025-03-02"))) == 1
    assert events_in(export("--since", "2025-02-28", "--until", "2025-03-01")) == []


def test_a_part_by_subject_verifies() -> None:
    ids = sealed(3)
    subject = AuditEvent.objects.get(pk=ids[1]).subject_id
    lines = export("--subject", str(subject))
    assert [event["id"] for event in events_in(lines)] == [str(ids[1])]
    verify(lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--owner", "nobody"],
        ["--since", "yesterday"],
        ["--subject", "x"],
        ["--reason", "x" * 513],
    ],
)
def test_wrong_use_is_said_and_nothing_is_exported(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        export(*arguments)
    assert events("audit_exported") == []


def test_an_unknown_address_is_named() -> None:
    with pytest.raises(CommandError, match=r"nobody@example\.com"):
        export("--owner", "nobody@example.com")


def test_a_changed_event_shows_in_the_export() -> None:
    ids = sealed(4)
    change(ids[2], reason="forged")
    assert f"Event {ids[2]} was changed" in refusal(export())


def test_a_removed_event_shows_in_the_export() -> None:
    ids = sealed(4)
    remove(ids[2])
    assert "An event was removed (seal 1, position 2)" in refusal(export())


def test_a_removed_tail_shows_in_the_export() -> None:
    ids = sealed(4)
    remove(ids[3])
    assert "An event was removed (seal 1, position 3)" in refusal(export())


def test_an_inserted_event_shows_in_the_export() -> None:
    sealed(2)
    forged = insert()
    assert f"Event {forged} was inserted" in refusal(export())
    sealed(2)
    lines = export()
    assert f"Event {forged} was inserted" in refusal(lines)
    verify(lines, accept=(str(forged),))


def test_changed_digests_show_in_the_export() -> None:
    ids = sealed(3)
    drop_triggers()
    SealedEvent.objects.filter(pk=ids[1]).update(digest=b"x" * 32)
    assert "The digests of seal 1 were changed" in refusal(export())


def test_a_cut_tail_shows_by_outside_checkpoints(checkpoints_file: Path) -> None:
    sealed(2)
    sealed(2)
    tampering.cut_off(from_seal=2)
    lines = export()
    verify(lines)
    words = refusal(lines, checkpoints=checkpoints_file.read_text())
    assert words.startswith("The tail was cut off: seal 2 is known outside.")


def test_an_export_from_before_a_seal_says_what_to_do(checkpoints_file: Path) -> None:
    sealed(2)
    copied, lines = checkpoints_file.read_text(), export()
    sealed(2)
    verify(lines, checkpoints=copied)
    words = refusal(lines, checkpoints=checkpoints_file.read_text())
    assert "seal 2 is known outside. An export from before that seal fails so too" in words


def test_checkpoints_show_a_resealed_log(checkpoints_file: Path) -> None:
    sealed(2)
    outside = checkpoints_file.read_text()
    tampering.start_anew(checkpoints_file)
    tampering.seal()
    assert "begun anew" in refusal(export(), checkpoints=outside)


def test_checkpoints_show_a_resealed_tail(checkpoints_file: Path) -> None:
    sealed(1)
    sealed(1)
    outside = checkpoints_file.read_text()
    tampering.cut_off(from_seal=2)
    checkpoints_file.unlink()
    sealed(1)
    assert "sealed anew" in refusal(export(), checkpoints=outside)
    # Who may only append to them can't have a later line stand for an earlier one.
    again = checkpoints_file.read_text().splitlines(keepends=True)[-1]
    words = refusal(export(), checkpoints=outside + again)
    assert words == "Line 3 of the checkpoints has seal 2 as another than before: sealed anew."


def test_foreign_checkpoints_are_named(checkpoints_file: Path) -> None:
    sealed(1)
    foreign = json.dumps({**json.loads(checkpoints_file.read_text()), "log": "another"})
    outside = f"{checkpoints_file.read_text()}{foreign}\n"
    assert refusal(export(), checkpoints=outside).startswith(
        "Line 2 of the checkpoints is a foreign"
    )


def test_a_wiped_log_shows_by_checkpoints(checkpoints_file: Path) -> None:
    sealed(2)
    outside = checkpoints_file.read_text()
    tampering.cut_off(from_seal=1)
    assert refusal(export(), checkpoints=outside).startswith("The tail was cut off: seal 1")


def test_a_seal_removed_from_the_export_is_named() -> None:
    sealed(1)
    sealed(1)
    lines = export()
    kept = [one for one in lines if one.get("seal") != 1 and one.get("number") != 1]
    assert refusal(kept) == "Seal 1 was removed, with its events."


def test_an_event_removed_from_the_export_is_named() -> None:
    ids = sealed(3)
    lines = export()
    lines.remove(of_event(lines, ids[1]))
    assert refusal(lines) == "An event was removed (seal 1, position 1)."


def test_an_event_copied_within_the_export_is_named() -> None:
    ids = sealed(3)
    lines = export()
    line = of_event(lines, ids[1])
    lines.insert(lines.index(line), line)
    assert f"Event {ids[1]} was inserted" in refusal(lines)


def test_an_event_of_a_part_cannot_be_changed(owner: User) -> None:
    (mine,) = record_events(1, owner=owner.pk)
    record_events(2)
    tampering.seal()
    lines = export("--owner", str(owner.pk))
    of_event(lines, mine)["event"]["reason"] = "forged"
    assert f"Event {mine} was changed" in refusal(lines)


def test_an_omitted_event_breaks_the_signature(owner: User) -> None:
    mine = record_events(2, owner=owner.pk)
    record_events(1)
    tampering.seal()
    lines = export("--owner", str(owner.pk))
    lines.remove(of_event(lines, mine[1]))
    assert refusal(lines) == "The export was changed after it was made."


@pytest.mark.parametrize("field", ["events", "unsealed", "sha256"])
def test_the_last_line_cannot_be_changed(field: str) -> None:
    sealed(1)
    lines = export()
    lines[-1][field] = 7
    assert refusal(lines) == "The signature of the last line is wrong."


def test_an_export_without_its_end_was_cut_off() -> None:
    sealed(2)
    lines = export()[:-1]
    assert "cut off" in refusal(lines)
    with pytest.raises(ValueError, match="cut off"):
        list(exported_events(as_bytes(lines)))


@pytest.mark.parametrize("kind", ["export", "seal", "event", "end"])
def test_nothing_can_be_appended(kind: str) -> None:
    sealed(1)
    record_events(1)
    lines = export()
    for line in [one for one in lines if one["kind"] == kind]:
        assert "after the last line" in refusal([*lines, line])


def test_a_forged_event_cannot_be_appended() -> None:
    sealed(1)
    record_events(1)
    lines = export()
    forged = {**lines[-2], "event": {**lines[-2]["event"], "id": str(uuid7())}}
    assert "after the last line" in refusal([*lines, forged])


def test_a_part_cannot_be_made_everything(owner: User) -> None:
    record_events(1, owner=owner.pk)
    record_events(1)
    tampering.seal()
    part, everything = export("--owner", str(owner.pk)), export()
    for at in (1, len(part) - 1):
        words = refusal([*part[:at], everything[0], *part[at:]])
        assert words.endswith("`export` is the first line alone.")
    assert "`export` is the first line alone" in refusal(part[1:])


def test_a_line_of_endless_depth_is_refused() -> None:
    reading = Reading([as_text(signing_key().public_key())], (), [])
    with pytest.raises(TamperedError, match="Line 1 is not"):
        reading.read([b"[" * 100_000])


def test_a_foreign_line_is_named_by_its_number() -> None:
    lines = export()
    assert refusal([*lines[:1], {"kind": "verify"}, *lines[1:]]).startswith("Line 2 is not")


def test_somebody_elses_key_vouches_for_nothing(settings: Any) -> None:
    sealed(1)
    lines = export()
    settings.AUDIT_SIGNING_KEY = bytes(32)
    assert refusal(lines).endswith("unknown.")


def test_the_events_can_be_read_without_verifying() -> None:
    ids = [*sealed(2), *record_events(1)]
    read = list(exported_events(as_bytes(export())))
    assert [event["id"] for event in read][:3] == [str(one) for one in ids]


def test_an_export_of_many_asks_little_for_each_seal(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 10)
    sealed(50)
    with django_assert_max_num_queries(9 + 2 * 5):
        export()


def test_a_part_is_found_by_an_index(owner: User) -> None:
    """Owner, subject and time each have one, so that a part costs what it holds."""
    sealed(1)
    parts = [
        Selection(owner=owner.pk),
        Selection(subject=uuid7()),
        Selection(since=timezone.now() - timedelta(days=1), until=timezone.now()),
    ]
    if connection.vendor == "postgresql":
        # Few rows are cheaper to scan; what matters is whether there is another way.
        tampering.sql("SET LOCAL enable_seqscan = off")
    for part in parts:
        plan = part.events().explain()
        assert "Seq Scan" not in plan
        assert "SCAN audit_auditevent" not in plan.splitlines()
