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
from audit.readable import AS_TEXT, ODDITIES, moment_of, require_shallow

# Text as well, where the database writes it as `str` does: a UUID is one more object to collect.
_IDS = ("actor_id", "subject_id", "subject_owner_id")
_REST = (*_IDS, *(name for name in FIELDS if name not in {*AS_TEXT, *_IDS}))


class DigestedEvent(NamedTuple):
    """An event, in short; its digest is empty where it can't be read."""

    event_id: UUID
    occurred_at: datetime
    digest: bytes


def digested(events: QuerySet[AuditEvent]) -> list[DigestedEvent]:
    """Return events as they stand in the database, digested; all of them are in memory."""
    has_text_of_ids = connections[events.db].features.has_native_uuid_field
    as_text = {*AS_TEXT, *(_IDS if has_text_of_ids else ())}
    columns = (Cast(name, TextField()) if name in as_text else name for name in (*AS_TEXT, *_REST))
    return [_digested(*row) for row in events.values_list(*columns)]


def _digested(moment: str, details: str, *others: Any) -> DigestedEvent:
    columns = dict(zip(_REST, others, strict=True))
    try:
        occurred_at = moment_of(moment)
        columns["occurred_at"] = precise(occurred_at)
        require_shallow(details)
        digest = merkle.leaf(canonical_event(columns, details))
    except ODDITIES:
        return DigestedEvent(columns["id"], datetime.fromtimestamp(0, UTC), b"")
    return DigestedEvent(columns["id"], occurred_at, digest)
