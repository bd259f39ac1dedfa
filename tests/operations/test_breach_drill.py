"""`manage.py breach_drill`: suspended, ended, revoked, told and proved, in one command."""

import json
import time
import tracemalloc
from datetime import timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.connections.registry import connection_types
from connections_project.core.clock import database_clock
from connections_project.core.ids import first_uuid7
from connections_project.events import audience
from connections_project.identity.models import User
from connections_project.operations import breach_report
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import RevocationJob
from tests.support import audit_tampering as tampering
from tests.support.bank import Bank
from tests.support.breach_reports import verified
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.event_receiver import receiver_at
from tests.support.platform_server import Answer, PlatformServer
from tests.support.provider_rows import connection_of, events
from tests.support.unreadable_events import FORGERIES, IDS, forge, unchecked

__all__ = ["unchecked"]

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "drill of 1 May"


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AUDIT_HEADS_FILE = tmp_path / "heads.jsonl"
    settings.EVENT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.EVENT_RETRY_SECONDS = (0,)
    settings.REVOCATION_FIRST_RETRY_SECONDS = 0
    monkeypatch.setattr(audience, "KNOWN_SECONDS", 0.0)


def drill(slug: str, output: Path, *options: str) -> dict[str, Any]:
    out = StringIO()
    given = ("--reason", REASON, "--output", str(output), "--yes", "--json", *options)
    call_command("breach_drill", slug, *given, stdout=out, stderr=StringIO())
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_it_ends_tells_and_proves(owner: User, outsider: User, bank: Bank, tmp_path: Path) -> None:
    for number in range(3):
        connection_of(owner, account_id=f"c-{number}")
    connection_of(outsider, account_id="other")
    with PlatformServer() as host:
        receiver = receiver_at(host, types="connection.disconnected,revocation.succeeded")
        report = drill("bank", tmp_path)
        events = receiver.types
    claims = verified(Path(report.pop("folder")))
    assert claims == report
    assert claims["connections"][0] == {"app": "providers", "ended": 4}
    assert (claims["revocations"], claims["events"]) == ({"revoked": 4}, {"delivered": 8})
    assert claims["left"] == {"connections": 0, "revocations": 0, "events": 0}
    assert claims["started_at"] <= claims["ended_at"] <= claims["revoked_at"] <= claims["told_at"]
    assert events.count("connection.disconnected") == events.count("revocation.succeeded") == 4
    assert len(bank.revoked) == 8
    # A drill's platform may be used again; nobody's address is in the list of whom to notify.
    assert not Suspension.objects.exists()
    owners = next(tmp_path.glob("breach-*/owners.jsonl")).read_text("utf-8")
    assert {json.loads(line)["connections"] for line in owners.splitlines()} == {3, 1}
    assert "@" not in owners


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_the_hosts_clock_may_be_wrong(
    owner: User, bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """What ended, and the audit log, is by the database's clock."""
    connection_of(owner)
    monkeypatch.setattr(database_clock, "_lead", time.time() - time.monotonic())
    monkeypatch.setattr(database_clock, "is_due", lambda: False)
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds)):
        done = drill("bank", tmp_path)
    claims = verified(Path(done["folder"]))
    assert (claims["connections"][0]["ended"], claims["revocations"]) == (1, {"revoked": 1})
    assert claims["started_at"] <= claims["suspended_at"] <= claims["ended_at"]
    assert next(tmp_path.glob("breach-*/owners.jsonl")).read_text("utf-8")
    exported = next(tmp_path.glob("breach-*/audit.jsonl")).read_text("utf-8")
    assert '"breach_drill_started"' in exported


def test_a_reason_may_look_like_an_option(owner: User, bank: Bank, tmp_path: Path) -> None:
    connection_of(owner)
    assert drill("bank", tmp_path, "--reason=-breach")["reason"] == "-breach"


def test_a_real_one_is_not_the_rest_of_a_drill(owner: User, bank: Bank, tmp_path: Path) -> None:
    connection_of(owner)
    bank.server.on("POST", "/revoke", Answer(503))
    with pytest.raises(CommandError, match="Not over yet"):
        drill("bank", tmp_path, "--wait", "0")
    bank.server.on("POST", "/revoke", Answer(200))
    RevocationJob.objects.update(due_at=RevocationJob.objects.get().created_at)
    assert drill("bank", tmp_path, "--for-real")["for_real"] is True
    assert Suspension.objects.filter(pk="bank").exists()


def test_it_goes_on_where_it_was(owner: User, bank: Bank, tmp_path: Path) -> None:
    connection_of(owner)
    bank.server.on("POST", "/revoke", Answer(503))
    with pytest.raises(CommandError, match="Not over yet: 0 connections, 1 revocation, 0 events"):
        drill("bank", tmp_path, "--wait", "0")
    assert Suspension.objects.filter(pk="bank").exists()
    bank.server.on("POST", "/revoke", Answer(200))
    RevocationJob.objects.update(due_at=RevocationJob.objects.get().created_at)
    claims = verified(Path(drill("bank", tmp_path)["folder"]))
    assert (claims["connections"][0]["ended"], claims["revocations"]) == (1, {"revoked": 1})
    assert len(list(tmp_path.glob("breach-*"))) == 1
    assert [len(events(f"breach_drill_{one}")) for one in ("started", "finished")] == [1, 1]


def test_posts_are_cancelled_and_a_real_one_stays_suspended(
    owner: User, bank: Bank, use_catalogue: Any, tmp_path: Path
) -> None:
    text = bank.catalogue("loud").replace("[providers.", "[channels.")
    use_catalogue(text, "loud")
    schedule = schedule_of(channel_of(owner, channel="loud"))
    drill("loud", tmp_path, "--for-real")
    schedule.refresh_from_db()
    assert schedule.status == "cancelled"
    assert Suspension.objects.get(pk="loud").reason == REASON
    assert events("breach_drill_started")[0].details["for_real"] is True


def test_somebody_elses_platform_needs_to_be_meant(db: None, tmp_path: Path) -> None:
    for slug, words in (("schwab", "no sandbox"), ("nowhere", "no platform")):
        with pytest.raises(CommandError, match=words) as caught:
            drill(slug, tmp_path)
        assert caught.value.returncode == 2
    assert not Suspension.objects.exists()
    assert not events("breach_drill_started")


def test_an_export_is_never_read_whole(db: None, tmp_path: Path) -> None:
    export = tmp_path / "audit.jsonl"
    export.write_bytes(bytes(32 << 20))
    tracemalloc.start()
    try:
        digest = breach_report._audit(export)["sha256"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert digest == sha256(bytes(32 << 20)).hexdigest()
    assert peak < 2 << 20


def test_every_type_can_name_its_owners() -> None:
    for one in connection_types():
        assert one.model._meta.get_field(one.model.owner_column)


def test_an_old_row_that_cant_be_read_keeps_nothing_from_being_proved(
    owner: User, bank: Bank, tmp_path: Path
) -> None:
    connection_of(owner)
    nested = {"a": json.loads("[" * 100 + "]" * 100)}
    old = timezone.now() - timedelta(days=1)
    AuditEvent.objects.create(
        id=first_uuid7(old),
        occurred_at=old,
        action="provider_updated",
        outcome="success",
        actor_type="system",
        interface="worker",
        details=nested,
    )
    report = drill("bank", tmp_path)
    assert verified(Path(report.pop("folder"))) == report


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("time", "details"), FORGERIES, ids=IDS)
def test_rows_that_cant_be_read_are_named_and_keep_nothing_from_being_proved(
    owner: User, bank: Bank, tmp_path: Path, time: str | None, details: str
) -> None:
    connection_of(owner)
    about_it = details.replace("{", '{"platform": "bank", ', 1) if details != "{}" else details
    keys = [forge(time, about_it, action=f"breach_drill_{one}") for one in ("started", "finished")]
    said = StringIO()
    given = ("--reason", REASON, "--output", str(tmp_path), "--yes", "--json")
    call_command("breach_drill", "bank", *given, stdout=(out := StringIO()), stderr=said)
    report = json.loads(out.getvalue())
    assert verified(Path(report.pop("folder"))) == report
    assert report["connections"][0] == {"app": "providers", "ended": 1}
    assert str(keys[0]) in said.getvalue()


class TestHostsWhoseClocksDiffer:
    """What began and what ended it is told by the database's clock."""

    def test_an_end_ends_what_a_host_has_dated_ahead(
        self, owner: User, bank: Bank, tmp_path: Path
    ) -> None:
        connection_of(owner)
        drill("bank", tmp_path)
        (started,) = events("breach_drill_started")
        tampering.change(started.pk, occurred_at=started.occurred_at + timedelta(minutes=5))
        drill("bank", tmp_path)
        assert len(events("breach_drill_started")) == 2

    def test_an_earlier_releases_end_is_told_by_its_time(
        self, owner: User, bank: Bank, tmp_path: Path
    ) -> None:
        connection_of(owner)
        drill("bank", tmp_path)
        (finished,) = events("breach_drill_finished")
        del finished.details["began_at"]
        tampering.change(finished.pk, details=finished.details)
        drill("bank", tmp_path)
        assert len(events("breach_drill_started")) == 2
