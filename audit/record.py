"""Writing to the audit log, the only way in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import router, transaction

from audit.events import ActorType, Interface, Outcome
from audit.models import AuditEvent
from connections_project.core import clock
from connections_project.core.documents import insert_rows
from connections_project.core.ids import uuid7
from connections_project.middleware.tracing import current_trace_id


@dataclass(frozen=True)
class Origin:
    """Who does something, through which interface, and from which IP address where known.

    `for_team`: by a team's API key, which is a service that nobody signs in as.
    """

    actor_type: ActorType
    actor_id: UUID | None
    interface: Interface
    client_address: str | None = None
    for_team: bool = False


# What the service does by itself, on nobody's behalf.
WORKER = Origin(ActorType.SYSTEM, None, Interface.WORKER)


@dataclass(frozen=True, kw_only=True)
class Event:
    """What is to be recorded.

    Args:
        action: What was done: of `Action`, or of an app's own StrEnum; at most 64 characters.
        subject_type: What kind of thing it was done to, such as `providers.connection`.
        subject_id: Which one; None where there is none, as at a login with an unknown e-mail.
        subject_owner_id: The principal or team that it belongs to.
        reason: Why, at most 512 characters.
        details: What else is worth knowing, as JSON. Never a secret.
        trace_id: That of the cause, where it is not what runs now.
        notes: What listeners are told besides; it is not stored.
    """

    action: str
    origin: Origin
    subject_type: str
    subject_id: UUID | None
    subject_owner_id: UUID | None
    outcome: Outcome = Outcome.SUCCESS
    reason: str = ""
    details: Mapping[str, Any] | None = None
    trace_id: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Sequence[Event]], object]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have a function called with the events of each `record_many`, in their transaction.

    Called in `AppConfig.ready`. What it raises undoes the transaction.
    """
    if listener not in _listeners:
        _listeners.append(listener)


def record(
    action: str,
    *,
    origin: Origin,
    subject_type: str,
    subject_id: UUID | None,
    subject_owner_id: UUID | None,
    outcome: Outcome = Outcome.SUCCESS,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one event (see `Event`), in the transaction of the change that it records.

    Raises:
        TransactionManagementError: No transaction is open.
    """
    event = Event(
        action=action,
        origin=origin,
        subject_type=subject_type,
        subject_id=subject_id,
        subject_owner_id=subject_owner_id,
        outcome=outcome,
        reason=reason,
        details=details,
    )
    record_many([event])


def record_about_log(
    action: str, *, origin: Origin, reason: str = "", details: Mapping[str, Any]
) -> None:
    """Record what was done with the audit log itself."""
    record(
        action,
        origin=origin,
        subject_type="audit.log",
        subject_id=None,
        subject_owner_id=None,
        reason=reason,
        details=details,
    )


def record_many(events: Iterable[Event]) -> None:
    """Add any number of events by one INSERT.

    Raises:
        TransactionManagementError: No transaction is open.
    """
    database = transaction.get_connection(router.db_for_write(AuditEvent))
    if not database.in_atomic_block:
        raise transaction.TransactionManagementError(
            "An audit event is written in the transaction of its change, and none is open."
        )
    recorded = list(events)
    now = clock.now()
    insert_rows(AuditEvent, [_columns(event, now) for event in recorded])
    for listener in _listeners:
        listener(recorded)


def _columns(event: Event, now: datetime) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "occurred_at": now,
        "action": event.action,
        "outcome": event.outcome,
        "actor_type": event.origin.actor_type,
        "actor_id": event.origin.actor_id,
        "interface": event.origin.interface,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "subject_owner_id": event.subject_owner_id,
        "reason": event.reason,
        "trace_id": event.trace_id or current_trace_id(),
        "client_address": event.origin.client_address or None,
        "details": dict(event.details or {}),
    }
