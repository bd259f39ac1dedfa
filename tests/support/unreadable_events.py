"""Rows of the audit log that nobody of ours wrote, and that Python can't read."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from connections_project.core.ids import uuid7

TIMES = ["-infinity", "infinity", "20000-01-01 00:00:00+00"]
DEEP = f'{{"a": {"[" * 3000}{"]" * 3000}}}'
# Deep enough for an export to fail, and not for a digest.
LESS_DEEP = f'{{"a": {"[" * 600}{"]" * 600}}}'
LONG = f'{{"a": {"9" * 5000}}}'
FORGERIES = [*((time, "{}") for time in TIMES), *((None, one) for one in (DEEP, LESS_DEEP, LONG))]
IDS = [*TIMES, "deep", "less deep", "long number"]
CHECK = (
    "CONSTRAINT audit_plausible_time CHECK (occurred_at >= '1970-01-01 00:00:00+00'"
    " AND occurred_at < '9999-01-01 00:00:00+00')"
)
COLUMNS = {"action": "login", "outcome": "success", "actor_type": "user", "interface": "api",
           "subject_type": "user", "reason": "", "trace_id": ""}  # fmt: skip


def forge(
    time: str | None = None,
    details: str = "{}",
    *,
    event_id: UUID | None = None,
    subject: UUID | None = None,
    **columns: Any,
) -> UUID:
    """Put a row in as could whoever may insert."""
    chosen = event_id or uuid7()
    row = COLUMNS | columns | {"id": _key(chosen), "subject_id": subject and _key(subject)}
    row |= {"occurred_at": time or timezone.now(), "details": details}
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO audit_auditevent ({names}) VALUES ({marks})",
            [*row.values()],
        )
    return chosen


def _key(key: UUID) -> str:
    return str(key) if connection.vendor == "postgresql" else key.hex


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Take the check of times away, as a log has it whose rows are older than the check."""
    if connection.vendor == "postgresql":
        run("ALTER TABLE audit_auditevent DROP CONSTRAINT audit_plausible_time")
        yield
        # Of a test without a transaction of its own nothing is rolled back.
        run(f"ALTER TABLE audit_auditevent ADD {CHECK} NOT VALID")
        return
    run("PRAGMA ignore_check_constraints = ON")
    yield
    run("PRAGMA ignore_check_constraints = OFF")


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
