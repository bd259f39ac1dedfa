"""What this app writes to the audit log."""

from typing import Any

from audit.events import Action, Outcome
from audit.record import Origin, record
from providers.models import Connection


def record_about(
    connection: Connection,
    action: Action,
    *,
    origin: Origin,
    outcome: Outcome = Outcome.SUCCESS,
    **details: Any,
) -> None:
    """Record an event about a connection; its platform always stands in the details."""
    record(
        action,
        origin=origin,
        subject_type="providers.connection",
        subject_id=connection.pk,
        subject_owner_id=connection.user_id,
        outcome=outcome,
        details={"platform": connection.provider_slug, **details},
    )
