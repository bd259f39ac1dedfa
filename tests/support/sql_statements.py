"""The statements that a call makes, beside authentication and transaction control."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

from connections_project.events.audience import audience

CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK")
AUTHENTICATION = 'FROM "identity_user"'

Statements = list[str]


@contextmanager
def counted() -> Iterator[Statements]:
    """Collect the statements of what stands inside."""
    # Once a second a process asks who listens to events.
    audience()
    statements: Statements = []
    with CaptureQueriesContext(connection) as captured:
        yield statements
    for query in captured.captured_queries:
        sql = query["sql"]
        if not sql.startswith(CONTROL) and AUTHENTICATION not in sql:
            statements.append(sql)
