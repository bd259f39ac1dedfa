"""Read events among which there may be some that can't be read (docs/evidence.md).

One such row must hide no other: what reads the log shows it in its place, without time and details.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import MAXYEAR, UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management import CommandError
from django.db import DataError
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from audit.canonical import FIELDS
from audit.models import AuditEvent
from connections_project.core.text import has_bytes

# Read as text, which C code parses: Django has psycopg parse times in Python, and JSON by `json`.
AS_TEXT = ("occurred_at", "details")
# What reading a row raises: psycopg, `json`, and Django where it reads SQLite's text.
ODDITIES = (DataError, ValueError, OverflowError, RecursionError, TypeError, AttributeError)

# Of nested details; ours have few, and far more can't be read or written everywhere.
_MOST_LEVELS = 64
_REST = tuple(name for name in FIELDS if name not in AS_TEXT)
_COLUMNS: tuple[Cast | str, ...] = (*(Cast(name, TextField()) for name in AS_TEXT), *_REST)


class UnreadableEventError(CommandError):
    """There are events that can't be read; of this kind, so that each command ends by its words."""

    def __init__(self, event_ids: Sequence[UUID]) -> None:
        more = f" (and {len(event_ids) - 1} more)" if len(event_ids) > 1 else ""
        super().__init__(unreadable(f"{event_ids[0]}{more}"))


def unreadable(event: object) -> str:
    """Say of an event that it can't be read."""
    return f"Event {event} can't be read: it was not written by this service (docs/evidence.md)."


def read(events: QuerySet[AuditEvent]) -> list[AuditEvent]:
    """Return events in their order; one that can't be read says so in its details.

    It has no time then, so that its `is_readable` is False; nor have those that can be digested
    and no reader of ours could show.
    """
    return [_event(events.db, row) for row in rows(events)]


def rows(
    events: QuerySet[AuditEvent], *more: str, in_memory: bool = True
) -> Iterator[dict[str, Any]]:
    """Yield the columns of events that a digest covers; of one that can't be read as `read` has it.

    Args:
        more: What is wanted besides.
        in_memory: Whether all may be in memory at once.
    """
    names = (*_REST, *more)
    found = events.values_list(*_COLUMNS, *more)
    for moment, details, *others in found if in_memory else found.iterator():
        yield _row(moment, details, dict(zip(names, others, strict=True)))


def moment_of(text: str) -> datetime:
    """Return the time that a database has written as text."""
    parsed = datetime.fromisoformat(text)
    if parsed.year == MAXYEAR:
        raise ValueError("nothing could be added to it")
    # SQLite has no zone: Django writes UTC there.
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def require_shallow(details: str) -> None:
    """Refuse details that can't be read or written everywhere."""
    # Nearly all are told apart by this, in no time.
    if details.count("{") + details.count("[") <= _MOST_LEVELS:
        return
    level = [json.loads(details)]
    for _ in range(_MOST_LEVELS):
        level = [part for value in level for part in _parts(value)]
    if level:
        raise ValueError("nested too deep")


def _row(moment: str, details: str, row: dict[str, Any]) -> dict[str, Any]:
    try:
        require_shallow(details)
        return row | {"occurred_at": moment_of(moment), "details": json.loads(details)}
    except ODDITIES:
        return row | _unread(row)


def _unread(row: dict[str, Any]) -> dict[str, Any]:
    return {"occurred_at": None, "details": {"unreadable": unreadable(row["id"])}}


def _event(database: str, row: dict[str, Any]) -> AuditEvent:
    columns = row if _is_showable(row["details"]) else row | _unread(row)
    return AuditEvent.from_db(database, FIELDS, [columns[name] for name in FIELDS])


def _is_showable(details: Any) -> bool:
    """Whether details are an object, of text that has bytes: SQLite keeps half a surrogate pair."""
    return isinstance(details, dict) and has_bytes(json.dumps(details, ensure_ascii=False))


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else []
