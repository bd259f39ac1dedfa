"""Mark connections that a crash left pending as failed."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit.events import Action, Outcome
from audit.record import WORKER, Event, record_many
from connections_project.connections.attention import AttentionReason
from connections_project.connections.records import event_about
from connections_project.core import clock
from providers.models import Connection, Status

# Locked at a time: somebody may want to end one of them.
BATCH = 200
CHANGED = (
    *("status", "epoch", "updated_at", "refresh_lease", "refresh_leased_until"),
    *("attention_reason", "attention_since", "ending_notice_at"),
)


def is_left_pending(connection: Connection, *, now: datetime) -> bool:
    if connection.status != Status.PENDING:
        return False
    return connection.created_at < now - timedelta(seconds=settings.PENDING_CONNECTION_SECONDS)


def sweep_pending() -> int:
    """End every connection whose callback has been under way for too long.

    Returns:
        How many were ended.
    """
    ended = 0
    if not Connection.objects.left_pending(now=clock.now()).exists():
        return ended
    while batch := _sweep_some(now=clock.now()):
        ended += batch
    return ended


def _sweep_some(*, now: datetime) -> int:
    with transaction.atomic():
        # Whoever holds a row is ending it: two that wait for each other's would never end.
        left = Connection.objects.left_pending(now=now).select_for_update(skip_locked=True)
        rows = list(left[:BATCH])
        for row in rows:
            row.status = Status.FAILED
            row.need_attention(AttentionReason.CONNECT_FAILED, now=now)
            row.changed(now=now)
        Connection.objects.bulk_update(rows, CHANGED)
        record_many(_failed(row) for row in rows)
    return len(rows)


def _failed(row: Connection) -> Event:
    failed = Action.PROVIDER_CONNECTION_FAILED
    return event_about(row, failed, origin=WORKER, outcome=Outcome.FAILURE, error="interrupted")
