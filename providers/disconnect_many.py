"""Disconnect many providers at once, by the rules of `providers/disconnect.py` for one."""

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from audit.events import Action
from audit.record import record_many
from connections_project.connections.end_many import (
    DisconnectRequest,
    DisconnectResult,
    erased,
    event_about,
    lock_rows,
    source_of,
    update,
)
from connections_project.revocation.release_many import release_many
from providers.models import Connection, Status


def disconnect_many(ids: Collection[UUID], *, order: DisconnectRequest) -> DisconnectResult:
    """End a batch of connections in the caller's transaction, which must be open.

    Args:
        ids: Connections; one that is over, gone, or held by somebody else is passed over.
        order: Who says so, and how.
    """
    live = Connection.objects.exclude(status=Status.DISCONNECTED)
    rows = lock_rows(live, ids, wait=order.wait)
    if not rows:
        return DisconnectResult()
    released = release_many(rows, source_of(Connection), revoke=order.revoke)
    now = timezone.now()
    update(Connection, rows, status=Status.DISCONNECTED, disconnected_at=now, **erased(now))
    record_many(
        event_about(
            one,
            Action.PROVIDER_DISCONNECTED,
            app=Connection.app,
            order=order,
            credentials_erased=one.had_tokens,
            revocation=released.decisions[one.connection_id],
        )
        for one in rows
    )
    return DisconnectResult(rows, job_ids=released.job_ids)
