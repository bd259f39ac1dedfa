"""Read events with their digests: rows and not models, since sealing reads them by the million."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import MAXYEAR, UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.core.management import CommandError
from django.db import DataError, connections
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from audit import merkle
from audit.canonical import FIELDS, canonical_event, precise
from audit.models import AuditEvent

# Read as text, which C code parses: Django has psycopg parse times in Python, and JSON by `json`.
_AS_TEXT = ("occurred_at", "details")
# Text as well, where the database writes it as `str` does: a UUID is one more object to collect.
_IDS = ("actor_id", "subject_id", "subject_owner_id")
_REST = (*_IDS, *(name for name in FIELDS if name not in {*_AS_TEXT, *_IDS}))

# Of nested details; ours have few, and far more can't be read or written everywhere.
_MOST_LEVELS = 64
# What reading a row raises: psycopg, `json`, and Django where it reads SQLite's text.
_ODDITIES = (DataError, ValueError, OverflowError, RecursionError, TypeError, AttributeError)


class UnreadableEventError(CommandError):
    """There are events that can't be read; of this kind, so that each command ends by its words."""

    def __init__(self, event_ids: Sequence[UUID]) -> None:
        more = f" (and {len(event_ids) - 1} more)" if len(event_ids) > 1 else ""
        super().__init__(unreadable(f"{event_ids[0]}{more}"))


class DigestedEvent(NamedTuple):
    """An event, in short; its digest is empty where it can't be read."""

    event_id: UUID
    occurred_at: datetime
    digest: bytes


def unreadable(event: object) -> str:
    """Say of an event that it can't be read."""
    return f"Event {event} can't be read: it was not written by this service (docs/evidence.md)."


@contextmanager
def naming_unreadable(events: QuerySet[AuditEvent]) -> Iterator[None]:
    """Name the event of these because of which reading them fails.

    Raises:
        UnreadableEventError: See above.
    """
    try:
        yield
    except _ODDITIES:
        require_readable(events)
        raise


def require_readable(events: QuerySet[AuditEvent]) -> None:
    """Read events in a way in which each can be told apart.

    Raises:
        UnreadableEventError: Some can't be read.
    """
    ids = [event.event_id for event in digested(events) if not event.digest]
    if ids:
        raise UnreadableEventError(ids) from None


def digested(events: QuerySet[AuditEvent]) -> list[DigestedEvent]:
    """Return events as they stand in the database, digested; all of them are in memory."""
    has_text_of_ids = connections[events.db].features.has_native_uuid_field
    as_text = {*_AS_TEXT, *(_IDS if has_text_of_ids else ())}
    columns = (Cast(name, TextField()) if name in as_text else name for name in (*_AS_TEXT, *_REST))
    return [_digested(*row) for row in events.values_list(*columns)]


def _digested(moment: str, details: str, *others: Any) -> DigestedEvent:
    columns = dict(zip(_REST, others, strict=True))
    try:
        occurred_at = _parsed(moment)
        columns["occurred_at"] = precise(occurred_at)
        _require_shallow(details)
        digest = merkle.leaf(canonical_event(columns, details))
    except _ODDITIES:
        return DigestedEvent(columns["id"], datetime.fromtimestamp(0, UTC), b"")
    return DigestedEvent(columns["id"], occurred_at, digest)


def _parsed(moment: str) -> datetime:
    parsed = datetime.fromisoformat(moment)
    if parsed.year == MAXYEAR:
        raise ValueError("nothing could be added to it")
    # SQLite has none: Django writes UTC there.
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _require_shallow(details: str) -> None:
    # Nearly all are told apart by this, in no time.
    if details.count("{") + details.count("[") <= _MOST_LEVELS:
        return
    level = [json.loads(details)]
    for _ in range(_MOST_LEVELS):
        level = [part for value in level for part in _parts(value)]
    if level:
        raise ValueError("nested too deep")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else []
