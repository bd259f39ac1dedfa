"""A log with a row that the check of times refuses, at the release that brings the check."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from audit.models import AuditEvent
from tests.support import audit_tampering as tampering
from tests.support.audit_triggers import drop_triggers
from tests.support.unreadable_events import TIMES, forge

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, CHECK = "0005", "0006_plausible_time"


@pytest.fixture(autouse=True)
def honest() -> Iterator[UUID]:
    """An event in a log from before the check."""
    call_command("migrate", "audit", BEFORE, verbosity=0)
    (event_id,) = tampering.record_events(1)
    yield event_id
    drop_triggers()
    AuditEvent.objects.all().delete()
    call_command("migrate", verbosity=0)


def migrate() -> bool:
    """Migrate, and give whether the log has the check."""
    call_command("migrate", verbosity=0)
    applied = MigrationRecorder(connection).applied_migrations()
    return ("audit", CHECK) in applied


@pytest.mark.parametrize("time", [*TIMES[:2], "0001-01-01 00:00:00+00"])
def test_a_row_that_it_refuses_is_named_and_kept(honest: UUID, time: str) -> None:
    if time.startswith("-") and connection.vendor == "sqlite":
        time = "1969-12-31 23:59:59"
    kept = {honest, forge(time)}
    if connection.vendor == "postgresql":
        # Nothing that is there is looked at.
        assert migrate()
    else:
        (forged,) = kept - {honest}
        with pytest.raises(
            CommandError, match=f"^Event {forged} breaks audit_plausible_time"
        ) as said:
            migrate()
        assert "docs/evidence.md" in str(said.value)
        assert "\n" not in str(said.value)
    assert set(AuditEvent.objects.values_list("pk", flat=True)) == kept


def test_once_it_is_taken_out_the_log_is_migrated(honest: UUID) -> None:
    forged = [forge("9999-01-01 00:00:00+00") for _ in range(2)]
    if connection.vendor == "sqlite":
        with pytest.raises(CommandError, match=r"\(and 1 more\) breaks"):
            migrate()
    tampering.remove(*forged)
    assert migrate()
    assert AuditEvent.objects.values_list("pk", flat=True).get() == honest
