"""The feed: events in an order in which none appears before one that a reader has had."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection

from connections_project.events.models import OutgoingEvent

# Whoever writes an event has an id of its transaction by then, and draws the sequence after that
# transaction began. So nothing comes before the oldest of those that are under way.
# All processes of the service are one role to the database, which sees its own sessions whole.
_OLDEST_OPEN = """
    SELECT LEAST(statement_timestamp(), min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
        AND backend_xid IS NOT NULL
"""


class UnknownEventError(Exception):
    """There is no such event, or it is older than events are kept."""


def read(*, after: UUID | None, types: Collection[str], limit: int) -> list[OutgoingEvent]:
    """Return the next events, the oldest first.

    Args:
        after: The last one that the reader has; None for the beginning.
        types: Of these alone; all where there are none.

    Raises:
        UnknownEventError: `after` names none.
    """
    # Before the events are read: what commits between must not be taken for the last.
    horizon = _horizon()
    events = OutgoingEvent.objects.order_by("sequence", "pk")
    if horizon is not None:
        events = events.filter(sequence__lt=int(horizon.timestamp() * 1_000_000))
    if types:
        events = events.filter(type__in=types)
    if after is not None:
        last = OutgoingEvent.objects.filter(pk=after).only("sequence").first()
        if last is None:
            raise UnknownEventError
        events = events.filter(sequence__gte=last.sequence)
        events = events.exclude(sequence=last.sequence, pk__lte=last.pk)
    return list(events[:limit])


def _horizon() -> datetime | None:
    """Return the time before which no event is still to come; None where writers take turns."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_OPEN)
        (oldest,) = cursor.fetchone()
    found: datetime = oldest
    return found
