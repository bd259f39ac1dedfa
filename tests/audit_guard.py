"""Lifts the audit log's triggers for the flush at the end of a transactional test.

The product has no such bypass. The flush itself puts them back, by the `post_migrate` it sends.
"""

from collections.abc import Iterator

import pytest
from django.db import connection

DROP = {
    "sqlite": ["audit_no_update", "audit_no_delete", "audit_no_replace"],
    "postgresql": ["audit_append_only"],
}


def drop_triggers() -> None:
    """Drop whatever triggers the audit log has."""
    on_table = " ON audit_auditevent" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in DROP[connection.vendor]:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def is_transactional(request: pytest.FixtureRequest) -> bool:
    """Tell whether pytest-django flushes the tables after this test."""
    marker = request.node.get_closest_marker("django_db")
    flushing = {"transactional_db", "live_server", "django_db_reset_sequences"}
    return bool(flushing & set(request.fixturenames)) or bool(
        marker and (marker.kwargs.get("transaction") or marker.kwargs.get("reset_sequences"))
    )


@pytest.fixture(autouse=True)
def audit_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop the triggers after a transactional test, and before its flush.

    Asking for `transactional_db` here makes this end first.
    """
    if not is_transactional(request):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    drop_triggers()
