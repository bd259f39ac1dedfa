"""Finds tests whose threads wait for the test itself.

Most tests run in a transaction that is rolled back. A second connection sees nothing of it, and on
SQLite waits for its end, which never comes: 20 seconds for each statement, until it gives up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


@contextmanager
def no_second_connection() -> Iterator[None]:
    """Fail a test that is in a transaction, and has asked the database in a thread besides.

    Raises:
        AssertionError: It has to be marked `django_db(transaction=True)`.
    """
    own = connections[DEFAULT_DB_ALIAS]
    found: list[BaseDatabaseWrapper] = []

    def note(connection: BaseDatabaseWrapper, **_: Any) -> None:
        if connection is not own and _is_held(own):
            found.append(connection)
            if connection.vendor == "sqlite":
                connection.connection.execute("PRAGMA busy_timeout = 0")

    connection_created.connect(note)
    try:
        yield
    finally:
        connection_created.disconnect(note)
    assert not found, "A thread asked the database: mark this test django_db(transaction=True)."


def _is_held(connection: BaseDatabaseWrapper) -> bool:
    """Whether the transaction is the test's, not one of what it tests."""
    blocks = connection.atomic_blocks
    return bool(blocks) and blocks[0]._from_testcase  # type: ignore[attr-defined]
