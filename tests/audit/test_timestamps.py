"""A real authority dates the heads, so that a stolen key can't rewrite what is older."""

import time
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from audit import verify_timestamps
from audit.models import Seal, SealedEvent, Timestamp
from audit.seal import seal_recent
from audit.timestamps import timestamped_at
from connections_project.conf.values import certificates
from tests.support.audit_tampering import (
    change,
    cut_off,
    record_events,
    seal,
    seal_by_stolen_key,
    sealed,
)
from tests.support.audit_triggers import drop_triggers
from tests.support.audit_verifying import only_finding, verify
from tests.support.platform_server import Answer, PlatformServer, Request, Script
from tests.support.timestamp_authority import PATH, TimestampAuthority

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checkpoints_file")]


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    return TimestampAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    return TimestampAuthority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def _timestamped(tsa: TimestampAuthority, server: PlatformServer, settings: LazySettings) -> None:
    settings.AUDIT_TIMESTAMP_URL = tsa.serve(server)
    settings.AUDIT_TIMESTAMP_ROOTS = certificates(tsa.root)


timestamped = pytest.mark.usefixtures("_timestamped")


@timestamped
def test_each_head_is_timestamped_once(tsa: TimestampAuthority, server: PlatformServer) -> None:
    sealed(2)
    sealed(1)
    seal_recent()
    assert len(server.requests_to(PATH)) == 2
    result = verify()
    assert (result["ok"], result["timestamps"]) == (True, 2)
    for one in Timestamp.objects.all():
        assert tsa.verified_by_openssl(bytes(one.response), digest=one.seal.head)
        assert not tsa.verified_by_openssl(bytes(one.response), digest="0" * 64)
    output = StringIO()
    call_command("verify_audit_log", stdout=output)
    assert output.getvalue().endswith("Not sealed yet: 0. Verified: 2 timestamps.\n")


def test_nobody_is_asked_without_an_address(server: PlatformServer) -> None:
    sealed(1)
    assert (server.requests, verify()["timestamps"]) == ([], 0)


@timestamped
def test_an_authority_that_fails_stops_no_sealing(
    tsa: TimestampAuthority,
    stranger: TimestampAuthority,
    server: PlatformServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sealed(1)
    old = bytes(Timestamp.objects.get().response)
    failures: dict[str, Script] = {
        "unavailable": Answer(503),
        "reset": Answer(reset=True),
        "redirected": Answer(307, headers={"Location": f"{server.url}/elsewhere"}),
        "too_large": Answer(body=b"x" * 3_000_000),
        "grants none": Answer(body=b"no timestamp"),
        "another request": Answer(body=old),
        "not signed by an authority": stranger.answer,
    }
    for number, (words, failure) in enumerate(failures.items(), start=2):
        server.on("POST", PATH, failure)
        caplog.clear()
        sealed(1)
        assert Seal.objects.count() == number
        (said,) = [one.getMessage() for one in caplog.records if "timestamped" in one.msg]
        assert f"The head of seal {number} was not timestamped" in said
        assert words in said
    assert Timestamp.objects.count() == 1
    # The next one's timestamp vouches for all of them.
    tsa.serve(server)
    sealed(1)
    assert [one.seal_id for one in Timestamp.objects.order_by("pk")] == [1, len(failures) + 2]
    assert verify()["timestamps"] == 2


@timestamped
def test_what_failed_is_tried_again_without_a_new_seal(
    tsa: TimestampAuthority, server: PlatformServer
) -> None:
    server.on("POST", PATH, Answer(503))
    sealed(1)
    tsa.serve(server)
    assert seal_recent() == 0
    assert Timestamp.objects.get().seal_id == 1


@pytest.mark.django_db(transaction=True)
@timestamped
def test_others_seal_while_an_authority_is_asked(
    tsa: TimestampAuthority, server: PlatformServer
) -> None:
    def slow(request: Request) -> Answer:
        sealed(1)
        connections.close_all()
        return tsa.answer(request)

    server.on("POST", PATH, slow, tsa.answer)
    sealed(1)
    assert verify()["timestamps"] == 2


@timestamped
def test_a_stolen_key_rewrites_nothing_that_is_older(
    monkeypatch: pytest.MonkeyPatch, checkpoints_file: Path, settings: LazySettings
) -> None:
    forged, *_ = sealed(3)
    roots = settings.AUDIT_TIMESTAMP_ROOTS
    first = Seal.objects.get()
    made_at = timestamped_at(bytes(first.timestamp.response), head=first.head, roots=roots)
    # A day is over as soon as the clock has gone on by a second more than it took.
    late = max(made_at - first.sealed_at, timedelta(0)) + timedelta(seconds=1)
    monkeypatch.setattr(verify_timestamps, "LATE", late)
    assert verify()["ok"]

    change(forged, reason="It was not me.")
    assert verify()["findings"][0]["event_id"] == str(forged)
    url, settings.AUDIT_TIMESTAMP_URL = settings.AUDIT_TIMESTAMP_URL, ""
    seal_by_stolen_key(checkpoints_file)
    # By the seals alone it is a good log; what the authority has seen is another one.
    finding = only_finding()
    assert (finding["kind"], finding["seal"]) == ("sealed_anew", 1)
    assert "another head was timestamped at" in finding["words"]

    # Without the timestamps, too.
    drop_triggers()
    Timestamp.objects.all().delete()
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        sealed(1)
    assert only_finding()["words"].startswith("Seals 1 to 2 may have been sealed anew: they were")

    # Nor does it help to have the forgery timestamped, which comes too late.
    settings.AUDIT_TIMESTAMP_URL = url
    overdue = first.sealed_at + late + timedelta(seconds=1) - timezone.now()
    time.sleep(max(overdue.total_seconds(), 0))
    seal_by_stolen_key(checkpoints_file)
    (finding,) = verify()["findings"]
    assert (finding["kind"], finding["seal"]) == ("not_timestamped", 1)
    assert "they were timestamped only at" in finding["words"]


@timestamped
def test_a_log_timestamped_late_needs_a_head_that_is_known(settings: LazySettings) -> None:
    url, settings.AUDIT_TIMESTAMP_URL = settings.AUDIT_TIMESTAMP_URL, ""
    with time_machine.travel(timezone.now() - timedelta(days=3), tick=False):
        sealed(1)
    settings.AUDIT_TIMESTAMP_URL = url
    sealed(1)
    finding = only_finding()
    assert (finding["kind"], finding["seal"]) == ("not_timestamped", 1)
    assert finding["words"].startswith("Seals 1 to 2 may have been sealed anew: they were timestam")
    heads = dict(Seal.objects.values_list("number", "head"))
    # Who knows the first one only has no word about the second one.
    assert only_finding("--known-head", heads[1])["seal"] == 2
    assert verify("--known-head", heads[2])["ok"]
    finding = only_finding("--known-head", heads[2], "--known-head", "0" * 64)
    assert (finding["kind"], finding["seal"]) == ("sealed_anew", None)


@timestamped
def test_a_cut_tail_is_named_by_what_was_timestamped(checkpoints_file: Path) -> None:
    sealed(1)
    sealed(1)
    cut_off(from_seal=2)
    checkpoints_file.unlink()
    finding = only_finding()
    assert (finding["kind"], finding["seal"]) == ("cut_off", 2)


@timestamped
def test_only_a_trusted_authority_counts(
    stranger: TimestampAuthority, settings: LazySettings
) -> None:
    sealed(1)
    settings.AUDIT_TIMESTAMP_ROOTS = ()
    errors = StringIO()
    call_command("verify_audit_log", stdout=StringIO(), stderr=errors)
    assert "Without AUDIT_TIMESTAMP_ROOTS no timestamp was verified." in errors.getvalue()
    assert only_finding("--timestamp-roots", str(stranger.root))["kind"] == "not_timestamped"


@timestamped
def test_a_timestamp_that_was_changed_is_named() -> None:
    record_events(1)
    seal()
    one = Timestamp.objects.get()
    drop_triggers()
    for forged in (b"", b"\x30\x03", bytes(one.response)[:-1] + b"x"):
        Timestamp.objects.update(response=forged)
        assert only_finding()["kind"] == "not_timestamped"


@timestamped
def test_a_seal_dated_back_does_not_pass_for_timely(settings: LazySettings) -> None:
    sealed(1)
    settings.AUDIT_TIMESTAMP_URL = ""
    began = timezone.now()
    with time_machine.travel(began + timedelta(days=3), tick=False):
        record_events(1)
    # Whoever has the key chooses what a seal says of its time.
    with time_machine.travel(began + timedelta(hours=1), tick=False):
        seal()
    finding = only_finding()
    assert (finding["kind"], finding["seal"]) == ("not_timestamped", 2)
    assert finding["words"].startswith("Seals 2 to 2 may have been sealed anew: they were not time")


@timestamped
@pytest.mark.parametrize("from_seal", [1, 2])
def test_events_left_without_seals_are_not_timestamped(
    from_seal: int, settings: LazySettings, checkpoints_file: Path
) -> None:
    sealed(1)
    settings.AUDIT_TIMESTAMP_URL = ""
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        sealed(1)
        drop_triggers()
        for model, column in ((Timestamp, "seal_id"), (SealedEvent, "seal_id"), (Seal, "pk")):
            model._default_manager.filter(**{f"{column}__gte": from_seal}).delete()
        checkpoints_file.unlink()
        finding = only_finding()
    assert finding["kind"] == "not_timestamped"
    assert "the log goes on" in finding["words"]
