"""Until when a log is complete: no honest event from before then can turn up any more.

Identifiers and times of events are drawn before their transaction commits, so the last one to
commit may be older than others that were sealed long ago. What is known for certain is which
transactions were open when the sealer looked: whatever began later, happened later. The moment is
taken before the unsealed events are read, so that none falls between.
"""

from datetime import UTC, datetime, timedelta

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.models import AuditEvent
from connections_project.core import clock

# By how much what processes know of the database's clock usually differs at most: the answer to
# who reads it waits on the way, and for the interpreter.
CLOCKS_AGREE_WITHIN = timedelta(milliseconds=500)
# By how much it may differ, or the clock be set back, before an honest event counts as inserted
# even once it is sealed.
CLOCKS_MAY_DIFFER_BY = timedelta(seconds=5)

# All processes of the service are one role to the database, which sees its own sessions whole.
_OLDEST_OPEN = """
    SELECT LEAST(statement_timestamp(), min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


def database() -> BaseDatabaseWrapper:
    """Return the connection to the audit log's database."""
    return connections[router.db_for_write(AuditEvent)]


def complete_until() -> datetime:
    """Return the time until which this transaction sees every event.

    It must run inside the sealer's transaction. On SQLite that one holds the only right to write,
    and events are made inside a transaction that held it before (`audit.record`), so that nothing
    is under way. On PostgreSQL the oldest open transaction sets the limit.
    """
    connection = database()
    if connection.vendor == "sqlite":
        return clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_OPEN)
        (oldest,) = cursor.fetchone()
    until: datetime = oldest
    return until.astimezone(UTC) - CLOCKS_AGREE_WITHIN
