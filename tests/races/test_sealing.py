"""Sealers beside each other, and beside whoever writes to the log: every event is sealed once."""

import json
import threading
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from audit.models import AuditEvent, Seal, SealedEvent
from audit.seal import BATCH, seal_all, seal_recent
from audit.statements import known_keys
from audit.verify import Verification
from tests.races.conftest import at_once, meanwhile
from tests.support.audit_tampering import record_events

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def checkpoints_file(settings: LazySettings, tmp_path: Path) -> Path:
    settings.AUDIT_HEADS_FILE = tmp_path / "checkpoints.jsonl"
    return tmp_path / "checkpoints.jsonl"


def seal() -> int:
    return sum(one.size for one in seal_all())


def is_whole() -> bool:
    reading = Verification(keys=known_keys())
    found = list(reading.findings())
    assert found == []
    return reading.unsealed == 0


def test_many_sealers_seal_each_event_once(checkpoints_file: Path) -> None:
    def write() -> None:
        for _ in range(10):
            with transaction.atomic():
                AuditEvent.objects.bulk_create([made() for _ in range(5)])

    def seal_again_and_again() -> None:
        for _ in range(10):
            seal_recent()

    at_once([write, write, seal_again_and_again, seal_again_and_again])
    seal()
    assert AuditEvent.objects.count() == SealedEvent.objects.count() == 100
    assert is_whole()
    numbers = [json.loads(line)["number"] for line in checkpoints_file.read_text().splitlines()]
    assert sorted(set(numbers)) == list(Seal.objects.order_by("pk").values_list("pk", flat=True))


def made() -> AuditEvent:
    return AuditEvent(
        action="provider_connected", outcome="success", actor_type="system", interface="worker",
        subject_type="thing", trace_id="0" * 32,
    )  # fmt: skip


def test_an_open_transactions_event_is_not_inserted() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("left out: on SQLite nothing else writes while a transaction does")
    written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            made().save()
            written.set()
            assert may_commit.wait(10)

    with meanwhile(write_slowly) as slow:
        assert written.wait(10)
        record_events(3)
        assert seal() == 3
        record_events(2)
        assert seal() == 2
        may_commit.set()
        slow.result(10)
    reading = Verification(keys=known_keys())
    assert (list(reading.findings()), reading.unsealed) == ([], 1)
    assert seal_recent() == 1
    assert is_whole()


def test_a_stopped_sealer_leaves_a_whole_log(checkpoints_file: Path) -> None:
    record_events(BATCH + 1)
    next(iter(seal_all()))
    assert SealedEvent.objects.count() == BATCH
    assert len(checkpoints_file.read_text().splitlines()) == 1
    assert seal() == 1
    assert is_whole()
