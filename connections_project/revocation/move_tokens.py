"""Move connections' sealed tokens into revocation jobs, within the database and unopened."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.db import connection

from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.core.lookups import uuid_array
from connections_project.middleware.tracing import current_trace_id
from connections_project.revocation.grants import Grant
from connections_project.revocation.models import RevocationJob


class Leaving(Protocol):
    """A connection that leaves its grant: a row of a table with the columns of credentials.

    Args:
        platform_column: Where its platform's slug stands.
        owner_column: Where its owner's id stands.
        holds_tokens: Whether there are any; they are never read here.
    """

    app: ClassVar[str]
    platform_column: ClassVar[str]
    owner_column: ClassVar[str]
    _meta: ClassVar[Any]

    @property
    def pk(self) -> UUID: ...

    @property
    def platform_slug(self) -> str: ...

    @property
    def grant(self) -> Grant: ...

    @property
    def holds_tokens(self) -> bool: ...


def move_tokens(pending: Sequence[Leaving], *, extras_only: bool = False) -> tuple[UUID, ...]:
    """Create the jobs by one INSERT … SELECT, with the ciphertexts as they are."""
    if not pending:
        return ()
    pairs = [(one.pk, uuid7()) for one in pending]
    now = clock.now()
    alike = RevocationJob(
        app=pending[0].app,
        extras_only=extras_only,
        created_at=now,
        due_at=now,
        trace_id=current_trace_id(),
    )
    sql, parameters = _insert(alike, pending[0], pairs)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    return tuple(job_id for _, job_id in pairs)


def _insert(
    alike: RevocationJob, source: Leaving, pairs: Sequence[tuple[UUID, UUID]]
) -> tuple[str, list[Any]]:
    """Write the statement: what differs comes from the source, the rest is the same for all."""
    into, fields = _from_source(type(source))
    source_rows, ids = _pending(pairs)
    values = [field.get_db_prep_save(getattr(alike, field.attname), connection) for field in fields]
    table = connection.ops.quote_name(source._meta.db_table)
    joined = f"{source_rows} JOIN {table} AS source ON source.id = pending.column1"
    return f"{into} FROM {joined}", [*values, *ids]


@cache
def _from_source(source: type[Leaving]) -> tuple[str, list[Any]]:
    """Write its beginning, which each disconnect needs, and name the fields of its parameters."""
    quote = connection.ops.quote_name
    taken = {
        "id": "pending.column2",
        "connection_id": "pending.column1",
        "platform": f"source.{quote(source.platform_column)}",
        "owner_id": f"source.{quote(source.owner_column)}",
        "authority": "source.authority",
        "client_id": "source.client_id",
        "platform_user_id": "source.granting_user_id",
        "sealed_tokens": "source.auth_state",
        "token_expires_at": "source.token_expires_at",
    }
    fields = RevocationJob._meta.local_concrete_fields
    columns = ", ".join(quote(field.attname) for field in fields)
    values = ", ".join(taken.get(field.attname, "%s") for field in fields)
    # Names of columns and tables only; every value is a parameter.
    into = f"INSERT INTO {quote(RevocationJob._meta.db_table)} ({columns}) SELECT {values}"
    return into, [field for field in fields if field.attname not in taken]


def _pending(pairs: Sequence[tuple[UUID, UUID]]) -> tuple[str, list[Any]]:
    """Write the ids of connections and jobs as a table; PostgreSQL gets them as two arrays."""
    if connection.vendor == "postgresql":
        columns = [uuid_array(column) for column in zip(*pairs, strict=True)]
        return "unnest(%s::uuid[], %s::uuid[]) AS pending (column1, column2)", columns
    stored = RevocationJob._meta.pk.get_db_prep_value
    rows = ", ".join(["(%s, %s)"] * len(pairs))
    return f"(VALUES {rows}) AS pending", [
        stored(key, connection) for pair in pairs for key in pair
    ]
