"""Read events with their digests: rows and not models, since sealing reads them by the million."""

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connections
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


class DigestedEvent(NamedTuple):
    """An event, in short."""

    event_id: UUID
    occurred_at: datetime
    digest: bytes


def digested(events: QuerySet[AuditEvent]) -> list[DigestedEvent]:
    """Return events as they stand in the database, digested; all of them are in memory."""
    has_text_of_ids = connections[events.db].features.has_native_uuid_field
    as_text = {*_AS_TEXT, *(_IDS if has_text_of_ids else ())}
    columns = (Cast(name, TextField()) if name in as_text else name for name in (*_AS_TEXT, *_REST))
    return [_digested(*row) for row in events.values_list(*columns)]


def _digested(moment: str, details: str, *others: Any) -> DigestedEvent:
    columns = dict(zip(_REST, others, strict=True))
    occurred_at = _parsed(moment)
    columns["occurred_at"] = precise(occurred_at)
    return DigestedEvent(columns["id"], occurred_at, merkle.leaf(canonical_event(columns, details)))


def _parsed(moment: str) -> datetime:
    parsed = datetime.fromisoformat(moment)
    # SQLite has none: Django writes UTC there.
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
