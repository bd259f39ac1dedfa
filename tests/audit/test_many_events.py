"""A log of many events: sealed and verified in memory that does not grow with it."""

import os
from pathlib import Path

import pytest
from django.db import connection

from audit.models import AuditEvent
from audit.seal import seal_all
from audit.statements import known_keys
from audit.verify import Verification
from connections_project.core.ids import uuid7

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checkpoints_file")]

# Twenty windows of the sealer's: a list of all of them would be seen.
COUNT = 20_000
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def kibibytes(field: str) -> int:
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])


def insert_many() -> None:
    """Insert by plain SQL: models of so many rows would hide the peak that is looked for."""
    columns = ", ".join(str(field.column) for field in AuditEvent._meta.concrete_fields)
    values = (
        "%s, '2026-01-01 00:00:00+00:00', 'provider_connected', 'success', 'user', NULL, 'api',"
        " 'thing', NULL, NULL, '', 'trace', NULL, '{\"platform\": \"bank\"}'"
    )
    as_stored = str if connection.vendor == "postgresql" else (lambda event_id: event_id.hex)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO audit_auditevent ({columns}) VALUES ({values})",
            [[as_stored(uuid7())] for _ in range(COUNT)],
        )


@pytest.fixture
def before() -> int:
    """Forget the peak so far (proc(5)), and give what the process has."""
    insert_many()
    if not os.access(CLEAR, os.W_OK):
        pytest.skip("left out: only Linux has the peak")
    CLEAR.write_text("5")
    now = kibibytes("VmRSS")
    if kibibytes("VmHWM") > now + 1024:
        pytest.skip("left out: this kernel does not forget a process's peak")
    return now


def test_many_events_are_sealed_in_flat_memory(before: int) -> None:
    assert sum(seal.size for seal in seal_all()) == COUNT
    reading = Verification(keys=known_keys())
    assert list(reading.findings()) == []
    assert (reading.events, reading.seals, reading.unsealed) == (COUNT, 20, 0)
    assert kibibytes("VmHWM") - before < 32 * 1024


def test_as_many_without_a_seal_are_verified_in_flat_memory(before: int) -> None:
    reading = Verification(keys=known_keys())
    assert list(reading.findings()) == []
    assert reading.unsealed == COUNT
    assert kibibytes("VmHWM") - before < 8 * 1024
