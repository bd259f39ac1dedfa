"""Rows that nobody of ours wrote and that Python can't read stop nothing, and are named."""

from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from connections_project.core.ids import uuid7

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checkpoints_file")]


def forge(time: str | None = None, details: str = "{}", *, event_id: UUID | None = None) -> UUID:
    """Put a row in as an attacker could who may insert."""
    chosen = event_id or uuid7()
    key = str(chosen) if connection.vendor == "postgresql" else chosen.hex
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditevent (id, occurred_at, action, outcome, actor_type, interface,"
            " subject_type, reason, trace_id, details)"
            " VALUES (%s, %s, 'login', 'success', 'user', 'api', 'user', '', '', %s)",
            [key, time or timezone.now(), details],
        )
    return chosen


@pytest.mark.parametrize("time", ["-infinity", "infinity", "1999-12-31 23:59:59+00"])
def test_a_time_that_is_no_clocks_is_refused(time: str) -> None:
    with pytest.raises(IntegrityError, match="audit_plausible_time"):
        forge(time)
