"""What every app writes to the audit log about its connections."""

from collections.abc import Mapping
from typing import Any

from audit.events import Outcome
from audit.record import Event, Origin, record_many
from connections_project.connections.models import OAuthConnection


def record_about(
    connection: OAuthConnection,
    action: str,
    *,
    origin: Origin,
    outcome: Outcome = Outcome.SUCCESS,
    reason: str = "",
    notes: Mapping[str, Any] | None = None,
    **details: Any,
) -> None:
    """Record an event about a connection; its platform always stands in the details."""
    event = event_about(
        connection, action, origin=origin, outcome=outcome, reason=reason, notes=notes, **details
    )
    record_many([event])


def event_about(
    connection: OAuthConnection,
    action: str,
    *,
    origin: Origin,
    outcome: Outcome = Outcome.SUCCESS,
    reason: str = "",
    notes: Mapping[str, Any] | None = None,
    **details: Any,
) -> Event:
    """Return such an event, to be recorded with others.

    Args:
        notes: What listeners are told besides the row, as it stands when it is recorded.
    """
    return Event(
        action=action,
        origin=origin,
        subject_type=f"{connection.app}.connection",
        subject_id=connection.pk,
        subject_owner_id=connection.responsible_id,
        outcome=outcome,
        reason=reason,
        details={"platform": connection.platform_slug, **details},
        notes={"row": connection, **(notes or {})},
    )
