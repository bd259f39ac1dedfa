"""Note once that a grant will end by itself, in time for its owner to give a new one."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from audit.events import Action
from audit.record import WORKER, record_many
from connections_project.connections.attention import AttentionReason
from connections_project.connections.records import event_about
from connections_project.connections.registry import DISCONNECTED, ConnectionType, connection_types
from connections_project.core import clock
from connections_project.core.parsing import render_datetime

BATCH = 500
# So long a renewal that is due is waited for: its platform may be left alone, however long.
PATIENCE = timedelta(days=1)
COLUMNS = ("attention_reason", "attention_since", "ending_notice_at")


def note_ending_grants() -> int:
    """Mark each connection whose grant is about to end as needing its owner.

    Returns:
        How many.
    """
    return sum(_note_all(one) for one in connection_types())


def _note_all(one: ConnectionType) -> int:
    noted = 0
    while batch := _note_some(one):
        noted += batch
    return noted


def _note_some(one: ConnectionType) -> int:
    now = clock.now()
    # Where a grant can be renewed without its owner, that is tried first.
    tried = Q(renew_at=None) | Q(renew_at__gt=now) | Q(renew_at__lte=now - PATIENCE)
    due = one.rows.filter(tried, ending_notice_at__lte=now).order_by("ending_notice_at")
    if not due.exists():
        return 0
    with transaction.atomic():
        rows = list(due.defer("auth_state").select_for_update(skip_locked=True)[:BATCH])
        ending = [row for row in rows if _is_healthy(row)]
        for row in rows:
            row.ending_notice_at = None
        for row in ending:
            row.need_attention(AttentionReason.GRANT_ENDING, now=now)
        one.model._default_manager.bulk_update(rows, COLUMNS)
        record_many(_event(row) for row in ending)
    return len(rows)


def _is_healthy(row: Any) -> bool:
    """Whether its owner needs to be told of nothing worse already."""
    return row.status != DISCONNECTED and row.attention_reason is None


def _event(row: Any) -> Any:
    ends_at = render_datetime(row.grant_expires_at)
    return event_about(row, Action.CONNECTION_GRANT_ENDING, origin=WORKER, ends_at=ends_at)
