"""What is done with database connections while nothing is asked of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# How long those who come after a change of a table wait behind it.
LOCK_TIMEOUT = "2s"

# PostgreSQL, appendix A: foreign_key_violation (what a row belongs to has gone meanwhile, or got
# another one), unique_violation, serialization_failure, deadlock_detected.
LOST_RACES = frozenset({"23503", "23505", "40001", "40P01"})
# SQLite's words; it has no such codes.
TAKEN_OR_GONE = (
    "UNIQUE constraint failed",
    "FOREIGN KEY constraint failed",
    # Django, of a row that went while it was changed.
    "Save with update_fields did not affect any rows",
)


def release_connections() -> None:
    """Let others have this thread's connections to a server, as before a call outside.

    A platform that is slow to answer would otherwise keep all of a pool's connections busy. A file
    is nobody else's, so SQLite keeps it open.
    """
    for each in connections.all(initialized_only=True):
        if each.vendor != "sqlite" and not each.in_atomic_block:
            each.close()


def is_away(error: Exception) -> bool:
    """Whether the database can't be reached or has broken off: trying again later may help.

    SQLite's word for a missing table or column is a defect, as PostgreSQL's ProgrammingError is.
    """
    is_defect = str(error).startswith("no such ")
    return isinstance(error, OperationalError | InterfaceError) and not is_defect


def is_lost_race(error: Exception) -> bool:
    """Whether a transaction was broken off since another one did the same, or stood in its way."""
    if not isinstance(error, DatabaseError):
        return False
    return (
        str(error).startswith(TAKEN_OR_GONE)
        or getattr(error.__cause__, "sqlstate", None) in LOST_RACES
    )


def wait_briefly_for_locks(database: BaseDatabaseWrapper) -> None:
    """Have this transaction give up soon where it waits for a lock: others queue behind it."""
    if database.vendor == "postgresql":
        with database.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")


def is_lock_timeout(error: Exception) -> bool:
    """Whether a lock was not to be had within `lock_timeout` (PostgreSQL, appendix A)."""
    return getattr(error.__cause__, "sqlstate", None) == "55P03"


def broken_rule(error: Exception) -> str:
    """Return the name of the constraint that an error is about, or else of the error's class.

    Its words say more, but show the row, too.
    """
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or type(error).__name__


@contextmanager
def in_index_order() -> Iterator[None]:
    """Have PostgreSQL read what is ordered by the index that has that order, and sort nothing.

    A planner that knows nothing yet of a table that has just been filled takes it for empty, and
    reads and sorts all of it for each row; a queue would be at a standstill until autovacuum comes
    (PostgreSQL, section 20.7.1: enable_sort). It holds in the caller's transaction.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
        yield
        cursor.execute("SET LOCAL enable_sort = on")
