"""Mark connections that a crash left pending as failed."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.events import Action, ActorType, Interface, Outcome
from audit.record import Event, Origin, record_many
from providers.models import Connection, Status


def is_left_pending(connection: Connection, *, now: datetime) -> bool:
    if connection.status != Status.PENDING:
        return False
    return connection.created_at < now - timedelta(seconds=settings.PENDING_CONNECTION_SECONDS)


def sweep_pending() -> int:
    """End every connection whose callback has been under way for too long.

    Returns:
        How many were ended.
    """
    now = timezone.now()
    if not Connection.objects.left_pending(now=now).exists():
        return 0
    with transaction.atomic():
        # Whoever holds a row is ending it: two that wait for each other's would never end.
        left = Connection.objects.left_pending(now=now).select_for_update(skip_locked=True)
        rows = list(left)
        for row in rows:
            row.status = Status.FAILED
            row.changed(now=now)
        Connection.objects.bulk_update(
            rows, ["status", "epoch", "updated_at", "refresh_lease", "refresh_leased_until"]
        )
        record_many([_event(row) for row in rows])
    return len(rows)


def _event(row: Connection) -> Event:
    return Event(
        action=Action.PROVIDER_CONNECTION_FAILED,
        origin=Origin(ActorType.SYSTEM, None, Interface.WORKER),
        subject_type="providers.connection",
        subject_id=row.pk,
        subject_owner_id=row.user_id,
        outcome=Outcome.FAILURE,
        details={"platform": row.provider_slug, "error": "interrupted"},
    )
