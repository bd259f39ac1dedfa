"""Write events and their deliveries, in the transaction of what they tell, set-based."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from connections_project.core.documents import as_document
from connections_project.core.ids import uuid7
from connections_project.events.audience import Audience
from connections_project.events.models import Delivery, OutgoingEvent

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
    """Write facts in their order, and a delivery for each endpoint that wants one.

    Returns:
        The endpoints that are to be told.
    """
    now = timezone.now()
    events = [_event(fact, now, place) for place, fact in enumerate(facts)]
    deliveries = [
        {"id": uuid7(), "event_id": event["id"], "endpoint_id": endpoint, "now": now}
        for event in events
        for endpoint in audience.endpoints_for(event["type"])
    ]
    if connection.vendor == "postgresql":
        _write_as_documents(events, deliveries)
    else:
        _write_rows(events, deliveries)
    return list({delivery["endpoint_id"] for delivery in deliveries})


def _event(fact: Fact, now: datetime, place: int) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "sequence": place,
        "type": fact.type,
        "occurred_at": now,
        "connection_id": fact.connection_id,
        "platform": fact.platform,
        "data": json.dumps(fact.data, separators=(",", ":"), ensure_ascii=False),
    }


# The clock is read after the connections' rows were locked. Should it have been set back, the
# sequence goes on from the last one.
_SEQUENCE = f"""
    GREATEST(
        (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint,
        COALESCE((SELECT MAX(sequence) + 1 FROM {EVENTS} AS earlier
                  WHERE earlier.connection_id = fresh.connection_id), 0)
    ) + fresh.sequence
"""  # noqa: S608 - a name of a table; every value is a parameter.
_INSERT = f"""
    WITH stored AS (
        INSERT INTO {EVENTS} (id, sequence, type, occurred_at, connection_id, platform, data)
        SELECT id, {_SEQUENCE}, type, occurred_at, connection_id, platform, data
        FROM jsonb_populate_recordset(NULL::{EVENTS}, %s::jsonb) AS fresh
        RETURNING id, sequence, connection_id
    )
    INSERT INTO {DELIVERIES}
        (id, event_id, endpoint_id, connection_id, sequence, state, due_at, begun_at, attempts,
         last_error)
    SELECT wanted.id, stored.id, wanted.endpoint_id, stored.connection_id, stored.sequence,
        'pending', wanted.now, wanted.now, 0, ''
    FROM jsonb_to_recordset(%s::jsonb)
        AS wanted (id uuid, event_id uuid, endpoint_id uuid, now timestamptz)
    JOIN stored ON stored.id = wanted.event_id
"""  # noqa: S608 - names of tables; every value is a parameter.


def _write_as_documents(events: list[dict[str, Any]], deliveries: list[dict[str, Any]]) -> None:
    """Have PostgreSQL make all rows of both tables by one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [as_document(events), as_document(deliveries)])


def _write_rows(events: list[dict[str, Any]], deliveries: list[dict[str, Any]]) -> None:
    """Write on SQLite, where this transaction is the only one that writes."""
    last = OutgoingEvent.objects.aggregate(last=Max("sequence"))["last"] or 0
    first = max(int(timezone.now().timestamp() * 1_000_000), last + 1)
    stored = {event["id"]: event | {"sequence": first + event["sequence"]} for event in events}
    OutgoingEvent.objects.bulk_create(OutgoingEvent(**event) for event in stored.values())
    Delivery.objects.bulk_create(
        Delivery(
            id=delivery["id"],
            endpoint_id=delivery["endpoint_id"],
            event_id=delivery["event_id"],
            connection_id=stored[delivery["event_id"]]["connection_id"],
            sequence=stored[delivery["event_id"]]["sequence"],
            due_at=delivery["now"],
            begun_at=delivery["now"],
        )
        for delivery in deliveries
    )
