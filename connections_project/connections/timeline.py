"""What happened to a connection, for operators to read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.models import AuditEvent
from audit.readable import read
from connections_project.identity.names import names_of

# An operator reads the newest; `show_audit_trail` prints all.
LONGEST = 200


@dataclass(frozen=True)
class Entry:
    """One event of the audit log, its actor by name where one is known.

    `when` is None of one that can't be read, as its details say.
    """

    when: datetime | None
    action: str
    outcome: str
    actor: str
    interface: str
    reason: str
    trace_id: str
    details: Mapping[str, Any]


def timeline(subject_id: UUID) -> list[Entry]:
    """Return the audit events about one thing, newest first, at most `LONGEST`."""
    events = read(AuditEvent.objects.filter(subject_id=subject_id).order_by("-id")[:LONGEST])
    names = names_of(event.actor_id for event in events)
    return [_entry(event, names) for event in events]


def _entry(event: AuditEvent, names: Mapping[UUID, str]) -> Entry:
    return Entry(
        when=event.occurred_at,
        action=event.action,
        outcome=event.outcome,
        actor=_named(event, names),
        interface=event.interface,
        reason=event.reason,
        trace_id=event.trace_id,
        details=event.details,
    )


def _named(event: AuditEvent, names: Mapping[UUID, str]) -> str:
    if event.actor_id is None:
        return event.actor_type
    return f"{event.actor_type} {names.get(event.actor_id, event.actor_id)}"
