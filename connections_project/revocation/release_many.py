"""Let go of many connections' tokens at once: the rules of `release`, by a few statements for all.

The sealed tokens are moved within the database, from the connections' table to the jobs'. They
don't even pass through this process.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.middleware.tracing import current_trace_id
from connections_project.platforms.registry import upstream
from connections_project.revocation.grants import (
    Grant,
    clients_with_holders,
    holders_of,
    remove_holders,
)
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.release import Decision, decide, ends_the_grant


@dataclass(frozen=True)
class Leaving:
    """A connection that leaves its grant, without its tokens: those stay in the database."""

    connection_id: UUID
    owner_id: UUID
    platform_slug: str
    grant: Grant
    had_tokens: bool


@dataclass(frozen=True)
class Source:
    """A table of connections, for a statement that takes tokens from it.

    Args:
        model: It has the columns `authority`, `client_id`, `granting_user_id` and `auth_state`.
        platform_column: Where its platform's slug stands.
        owner_column: Where its owner's id stands.
    """

    app: str
    model: type[models.Model]
    platform_column: str
    owner_column: str


@dataclass(frozen=True)
class Released:
    """What was decided for each connection, and the jobs that came of it."""

    decisions: Mapping[UUID, Decision]
    job_ids: tuple[UUID, ...]


def release_many(
    leaving: Sequence[Leaving],
    source: Source,
    *,
    revoke: bool = True,
    shared: Collection[UUID] = (),
) -> Released:
    """End the connections' holds on their grants, and owe the platforms the revocations due.

    Must stand in the transaction that ends the connections, before their tokens are erased; the
    caller has locked them, and nudges the drain. Of several on one grant that nobody else stays
    on, exactly one is revoked.

    Args:
        leaving: The connections.
        source: Where their tokens stand.
        revoke: False where an operator asked to skip the platforms.
        shared: Those whose very tokens another connection lives on, or is revoked with.
    """
    beside_others = _on_shared_grants(leaving) if revoke else frozenset()
    decisions = {
        one.connection_id: Decision.SHARED_GRANT
        if one.connection_id in shared
        else decide(
            upstream(one.platform_slug),
            asked=revoke and one.had_tokens,
            is_shared=partial(beside_others.__contains__, one.connection_id),
        )
        for one in leaving
    }
    remove_holders(*decisions)
    owed = [key for key, decision in decisions.items() if decision is Decision.PENDING]
    return Released(decisions, _owe(owed, source))


def _on_shared_grants(leaving: Sequence[Leaving]) -> frozenset[UUID]:
    """Find those whose revocation would end, or be done by that of, another connection's grant."""
    slugs = {one.platform_slug for one in leaving}
    delicate = {slug for slug in slugs if ends_the_grant(upstream(slug))}
    asked = [one for one in leaving if one.had_tokens and one.platform_slug in delicate]
    everybody = frozenset(one.connection_id for one in leaving)
    known = [one for one in asked if one.grant.platform_user_id is not None]
    unknown = [one for one in asked if one.grant.platform_user_id is None]
    return _besides_the_last(known, everybody) | _beside_others(unknown, everybody)


def _besides_the_last(known: Sequence[Leaving], everybody: Collection[UUID]) -> frozenset[UUID]:
    """Leave one for each grant on which nobody stays: the youngest that was alive on it."""
    holders = holders_of({one.grant for one in known})
    together = defaultdict(list)
    for one in known:
        together[one.grant].append(one.connection_id)
    shared: set[UUID] = set()
    for grant, ids in together.items():
        alive = holders.get(grant, frozenset())
        shared |= set(ids)
        if alive.issubset(everybody):
            shared.discard(max(ids, key=lambda one: (one in alive, one)))
    return frozenset(shared)


def _beside_others(unknown: Sequence[Leaving], everybody: Collection[UUID]) -> frozenset[UUID]:
    """Nobody knows whose these grants are, so any holder of our client may be a sibling."""
    if not unknown:
        return frozenset()
    clients = {(one.grant.authority, one.grant.client_id) for one in unknown}
    in_use = clients_with_holders(clients, besides=everybody)
    return frozenset(
        one.connection_id for one in unknown if (one.grant.authority, one.grant.client_id) in in_use
    )


def _owe(connection_ids: Sequence[UUID], source: Source) -> tuple[UUID, ...]:
    """Make the jobs by one INSERT … SELECT, with the ciphertexts as they stand."""
    if not connection_ids:
        return ()
    now = timezone.now()
    alike = RevocationJob(app=source.app, created_at=now, due_at=now, trace_id=current_trace_id())
    pairs = [(connection_id, uuid7()) for connection_id in connection_ids]
    sql, parameters = _insert(alike, source, pairs)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    return tuple(job_id for _, job_id in pairs)


def _insert(
    alike: RevocationJob, source: Source, pairs: Sequence[tuple[UUID, UUID]]
) -> tuple[str, list[Any]]:
    """Write the statement: what differs comes from the source, the rest is the same for all."""
    quote, table = connection.ops.quote_name, source.model._meta
    taken = {
        "id": "owed.column2",
        "connection_id": "owed.column1",
        "platform": f"source.{quote(source.platform_column)}",
        "owner_id": f"source.{quote(source.owner_column)}",
        "authority": "source.authority",
        "client_id": "source.client_id",
        "platform_user_id": "source.granting_user_id",
        "sealed_tokens": "source.auth_state",
    }
    columns, values, parameters = [], [], list[Any]()
    for field in RevocationJob._meta.local_concrete_fields:
        columns.append(quote(field.attname))
        values.append(taken.get(field.attname, "%s"))
        if field.attname not in taken:
            value = getattr(alike, field.attname)
            parameters.append(field.get_db_prep_save(value, connection))
    stored = table.pk.get_db_prep_value
    rows = ", ".join(["(%s, %s)"] * len(pairs))
    parameters += [stored(key, connection) for pair in pairs for key in pair]
    # Names of columns and tables only; every value is a parameter.
    sql = (
        f"INSERT INTO {quote(RevocationJob._meta.db_table)} ({', '.join(columns)})"  # noqa: S608
        f" SELECT {', '.join(values)} FROM (VALUES {rows}) AS owed"
        f" JOIN {quote(table.db_table)} AS source ON source.id = owed.column1"
    )
    return sql, parameters
