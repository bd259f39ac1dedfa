"""Write events and their deliveries, in the transaction of what they tell, set-based."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Max

from connections_project.core import clock
from connections_project.core.documents import as_document
from connections_project.core.ids import uuid7
from connections_project.events.audience import Audience
from connections_project.events.models import Delivery, Endpoint, OutgoingEvent

ENDPOINTS = Endpoint._meta.db_table
EVENTS, DELIVERIES = OutgoingEvent._meta.db_table, Delivery._meta.db_table


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What is to be told.

    Args:
        type: Of `EventType`.
        data: The members of the event's `data`, but for the sequence.
        connection_id: Of which connection; None for what is about none.
        platform: Its slug, where there is one.
    """

    type: str
    data: Mapping[str, Any]
    connection_id: UUID | None = None
    platform: str = ""


def write(facts: Sequence[Fact], audience: Audience) -> list[UUID]:
    """Write facts in their order, and a delivery for each enabled endpoint that wants one.

    Returns:
        The endpoints that are to be told.
    """
    now = clock.now()
    events = [_event(fact) for fact in facts]
    wanting = {kind: audience.endpoints_for(kind) for kind in {fact.type for fact in facts}}
    if connection.vendor == "postgresql":
        _write_as_documents(events, wanting, now)
    else:
        _write_rows(events, wanting, now)
    return list({endpoint for endpoints in wanting.values() for endpoint in endpoints})


def _event(fact: Fact) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "type": fact.type,
        "connection_id": fact.connection_id,
        "platform": fact.platform,
        "data": orjson.dumps(fact.data).decode(),
    }


# The clock is read after the connections' rows were locked. Should it have been set back, the
# sequence goes on from the last one.
_SEQUENCE = f"""
    GREATEST(
        (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint,
        COALESCE((SELECT MAX(sequence) + 1 FROM {EVENTS} AS earlier
                  WHERE earlier.connection_id = fresh.connection_id), 0)
    ) + fresh.place - 1
"""  # noqa: S608 - a name of a table; every value is a parameter.
# A delivery's id begins with its event's time, as ids do that are made here (RFC 9562,
# section 5.7), and goes on with the random part of another one.
_DELIVERY_ID = "overlay(gen_random_uuid()::text PLACING left(stored.id::text, 15) FROM 1)::uuid"
_INSERT = f"""
    WITH stored AS (
        INSERT INTO {EVENTS} (id, sequence, type, occurred_at, connection_id, platform, data)
        SELECT id, {_SEQUENCE}, type, %(now)s, connection_id, platform, data
        FROM ROWS FROM (
            jsonb_to_recordset(%(events)s::jsonb)
            AS (id uuid, type text, connection_id uuid, platform text, data text)
        ) WITH ORDINALITY AS fresh (id, type, connection_id, platform, data, place)
        RETURNING id, type, sequence, connection_id
    )
    INSERT INTO {DELIVERIES}
        (id, event_id, endpoint_id, connection_id, sequence, state, due_at, begun_at, attempts,
         last_error)
    SELECT {_DELIVERY_ID}, stored.id, endpoint.id, stored.connection_id, stored.sequence,
        'pending', %(now)s, %(now)s, 0, ''
    FROM stored
    JOIN jsonb_to_recordset(%(wanting)s::jsonb) AS wanting (type text, endpoint_id uuid)
        ON wanting.type = stored.type
    JOIN {ENDPOINTS} AS endpoint
        ON endpoint.id = wanting.endpoint_id AND endpoint.disabled_at IS NULL
"""  # noqa: S608 - names of tables; every value is a parameter.

Events = Sequence[Mapping[str, Any]]
Wanting = Mapping[str, Collection[UUID]]


def _write_as_documents(
    events: Sequence[Mapping[str, Any]], wanting: Wanting, now: datetime
) -> None:
    """Have PostgreSQL make all rows of both tables by one statement."""
    pairs = [
        {"type": kind, "endpoint_id": endpoint}
        for kind, endpoints in wanting.items()
        for endpoint in endpoints
    ]
    values: dict[str, Any] = {
        "events": as_document(events),
        "wanting": as_document(pairs),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)


def _write_rows(events: Events, wanting: Wanting, now: datetime) -> None:
    """Write on SQLite, where this transaction is the only one that writes."""
    last = OutgoingEvent.objects.aggregate(last=Max("sequence"))["last"] or 0
    first = max(int(now.timestamp() * 1_000_000), last + 1)
    stored = OutgoingEvent.objects.bulk_create(
        OutgoingEvent(**event, sequence=first + place, occurred_at=now)
        for place, event in enumerate(events)
    )
    enabled = set(Endpoint.objects.filter(disabled_at=None).values_list("pk", flat=True))
    Delivery.objects.bulk_create(
        event.delivery_to(endpoint, at=now)
        for event in stored
        for endpoint in wanting[event.type]
        if endpoint in enabled
    )
