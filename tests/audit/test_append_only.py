"""The database refuses to change or remove what the audit log says, whoever asks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

Recorded = Callable[..., AuditEvent]


@pytest.fixture
def event(recorded: Recorded) -> Iterator[AuditEvent]:
    """An event that is still there, unchanged, after whatever the test does."""
    before = recorded(reason="as it was")
    yield before
    after = AuditEvent.objects.get()
    assert (after.pk, after.reason) == (before.pk, "as it was")


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def upsert(event: AuditEvent) -> None:
    copy = AuditEvent(pk=event.pk, action="changed", reason="changed")
    AuditEvent.objects.bulk_create(
        [copy], update_conflicts=True, unique_fields=["id"], update_fields=["reason"]
    )


def save_changed(event: AuditEvent) -> None:
    event.reason = "changed"
    event.save()


ATTEMPTS: dict[str, Callable[[AuditEvent], Any]] = {
    "save": save_changed,
    "queryset update": lambda event: AuditEvent.objects.update(reason="changed"),
    "bulk update": lambda event: AuditEvent.objects.bulk_update([event], ["reason"]),
    "upsert": upsert,
    "delete": lambda event: event.delete(),
    "queryset delete": lambda event: AuditEvent.objects.all().delete(),
    "raw update": lambda _: execute("UPDATE audit_auditevent SET reason = 'changed'"),
    "raw update of one": lambda event: execute(
        "UPDATE audit_auditevent SET reason = 'changed' WHERE action = %s", event.action
    ),
    "raw delete": lambda _: execute("DELETE FROM audit_auditevent"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_a_change_is_refused(event: AuditEvent, attempt: Callable[[AuditEvent], Any]) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        attempt(event)


def test_replacing_a_row_is_refused_on_sqlite(event: AuditEvent) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("left out: INSERT OR REPLACE is SQLite's")
    columns = ", ".join(str(one.column) for one in AuditEvent._meta.fields if one.name != "reason")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        execute(
            f"INSERT OR REPLACE INTO audit_auditevent ({columns}, reason)"
            f" SELECT {columns}, 'changed' FROM audit_auditevent"
        )


@pytest.mark.parametrize("role", ["origin", "replica"])
def test_truncating_is_refused_on_postgresql(event: AuditEvent, role: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("left out: TRUNCATE is PostgreSQL's")
    execute(f"SET LOCAL session_replication_role = {role}")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        execute("TRUNCATE audit_auditevent CASCADE")
