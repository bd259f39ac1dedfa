"""Migration operations that hold up nobody at any size of a table, and do as well on SQLite.

A migration with these has `atomic = False` (PostgreSQL, CREATE INDEX, "Building Indexes
Concurrently"); what removes comes last, so that it can be run again wherever it broke off.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.postgres import operations
from django.db.migrations import AddIndex, RemoveIndex

Step = Callable[..., None]


def _by_vendor(concurrently: Step, plainly: Step) -> Step:
    """Return a step that is taken concurrently where the database can do that."""

    def step(operation: Any, app_label: str, schema_editor: Any, *states: Any) -> None:
        can = schema_editor.connection.vendor == "postgresql"
        (concurrently if can else plainly)(operation, app_label, schema_editor, *states)

    return step


def _afresh(how: str, add: Step) -> Step:
    """Return a step that adds an index in place of the invalid one that a broken build left."""

    def step(operation: Any, app_label: str, schema_editor: Any, *states: Any) -> None:
        name = schema_editor.quote_name(operation.index.name)
        schema_editor.execute(f"DROP INDEX {how} IF EXISTS {name}")
        add(operation, app_label, schema_editor, *states)

    return step


def _remove(operation: Any, _: str, schema_editor: Any, *__: Any) -> None:
    """Remove an index that may be gone already, as the other way does (IF EXISTS)."""
    schema_editor.execute(f"DROP INDEX IF EXISTS {schema_editor.quote_name(operation.name)}")


class AddIndexConcurrently(operations.AddIndexConcurrently):
    database_forwards = _by_vendor(
        _afresh("CONCURRENTLY", operations.AddIndexConcurrently.database_forwards),
        _afresh("", AddIndex.database_forwards),
    )
    database_backwards = _by_vendor(
        operations.AddIndexConcurrently.database_backwards, AddIndex.database_backwards
    )


class RemoveIndexConcurrently(operations.RemoveIndexConcurrently):
    database_forwards = _by_vendor(operations.RemoveIndexConcurrently.database_forwards, _remove)
    database_backwards = _by_vendor(
        operations.RemoveIndexConcurrently.database_backwards, RemoveIndex.database_backwards
    )
