"""What the audit log says about schedules."""

from audit.events import Action, Outcome
from audit.record import Origin, record
from channels.models import Schedule


def record_about_schedule(
    schedule: Schedule,
    action: Action,
    *,
    origin: Origin,
    outcome: Outcome = Outcome.SUCCESS,
    **details: str,
) -> None:
    """Record an event about a schedule, with its platform and connection in the details."""
    connection = schedule.channel_connection
    where = {"platform": connection.channel, "connection_id": str(connection.pk)}
    record(
        action,
        origin=origin,
        subject_type="channels.schedule",
        subject_id=schedule.pk,
        subject_owner_id=schedule.user_id,
        outcome=outcome,
        details={**where, **details},
    )
