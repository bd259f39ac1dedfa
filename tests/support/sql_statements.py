"""The statements that a call makes, beside authentication and transaction control."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK")
AUTHENTICATION = 'FROM "identity_user"'
# Once a second a process asks who listens to events.
LISTENERS = "FROM events_endpoint WHERE disabled_at"

Statements = list[str]


@contextmanager
def counted() -> Iterator[Statements]:
    """Collect the statements of what stands inside."""
    statements: Statements = []
    with CaptureQueriesContext(connection) as captured:
        yield statements
    for query in captured.captured_queries:
        sql = query["sql"]
        if not sql.startswith(CONTROL) and AUTHENTICATION not in sql and LISTENERS not in sql:
            statements.append(sql)
