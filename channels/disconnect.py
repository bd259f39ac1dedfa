"""Disconnect a channel: here at once and for good, at the platform right after the commit.

A channel that still has something to publish is not torn down by accident: its schedules have to
be cancelled first, or with it.
"""

from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet

from audit.events import Action
from audit.record import Event, Origin
from channels.cancel import CancelledSchedules, cancel_active_on
from channels.errors import ActiveSchedulesError
from channels.models import ChannelConnection, Schedule, Status
from channels.selectors import locked_connections, own_connection_to_end
from connections_project.connections.disconnect import (
    DisconnectRequest,
    DisconnectResult,
    Failure,
    disconnect_and_erase,
)
from connections_project.connections.records import record_about
from connections_project.core import clock
from connections_project.identity.models import User
from connections_project.revocation.dispatch import dispatch_revocations

MOST_IDS_TOLD = 100


def disconnect_own(
    *,
    connection_id: UUID,
    user: User,
    cancel_schedules: bool = False,
    soft_delete: bool = False,
    origin: Origin,
) -> ChannelConnection:
    """Disconnect a user's own channel; safe to repeat.

    Args:
        cancel_schedules: Whether what is scheduled on it is cancelled too.
        soft_delete: Whether it also goes from the user's sight, which can be asked for later too.

    Raises:
        ConnectionNotFoundError: Unknown, or soft-deleted.
        ServiceAccountError, NotOwnerError: Somebody else's.
        ActiveSchedulesError: Something is scheduled on it, and shall not be cancelled.
    """
    with transaction.atomic():
        rows = locked_connections()
        connection = own_connection_to_end(connection_id, user=user, rows=rows)
        connection.user = user
        if connection.status != Status.DISCONNECTED:
            _end(connection, DisconnectRequest(origin, cancel_schedules=cancel_schedules))
        if soft_delete:
            _delete(connection, origin=origin)
    return connection


def _end(connection: ChannelConnection, request: DisconnectRequest) -> None:
    result = disconnect([connection], request)
    for failure in result.failures:
        first = connection.schedules.active().order_by("id").values_list("id", flat=True)
        raise ActiveSchedulesError(failure.count, list(first[:MOST_IDS_TOLD]))
    dispatch_revocations(result.job_ids, interface=request.origin.interface)


def disconnect(rows: Sequence[ChannelConnection], request: DisconnectRequest) -> DisconnectResult:
    """Disconnect channels that the caller has locked, in the caller's transaction.

    One on which something is scheduled, that shall not be cancelled, is left as it is, and named.
    """
    keys = [row.pk for row in rows]
    now = clock.now()
    cancelled = cancel_active_on(keys) if request.cancel_schedules else CancelledSchedules({}, now)
    busy = {} if request.cancel_schedules else _active_on(keys)
    ended = disconnect_and_erase(
        [row for row in rows if row.pk not in busy],
        request,
        Action.CHANNEL_DISCONNECTED,
        details={key: {"schedules_cancelled": cancelled.counts.get(key, 0)} for key in keys},
        before=[
            _cancellation(row, request, cancelled) for row in rows if row.pk in cancelled.counts
        ],
    )
    return ended + DisconnectResult(failures=[_failure(*one) for one in busy.items()])


def _cancellation(
    row: ChannelConnection, request: DisconnectRequest, cancelled: CancelledSchedules
) -> Event:
    notes = {"schedules": partial(cancelled.ids_of, row.pk)}
    count = cancelled.counts[row.pk]
    return request.event(row, Action.SCHEDULES_CANCELLED, notes=notes, count=count)


def _failure(connection_id: UUID, count: int) -> Failure:
    what = "1 schedule is" if count == 1 else f"{count} schedules are"
    return Failure(connection_id, "active_schedules", f"{what} pending or queued.", count)


def _active_on(connection_ids: Collection[UUID]) -> dict[UUID, int]:
    active = Schedule.objects.active().filter(channel_connection__in=connection_ids)
    return dict(active.values_list("channel_connection").annotate(count=Count("pk")).order_by())


def active_schedules(connections: "QuerySet[ChannelConnection]") -> int:
    """Count what is pending or queued on connections."""
    return Schedule.objects.active().filter(channel_connection__in=connections.values("pk")).count()


def _delete(connection: ChannelConnection, *, origin: Origin) -> None:
    connection.deleted_at = connection.updated_at = clock.now()
    connection.save(update_fields=["deleted_at", "updated_at"])
    record_about(connection, Action.CHANNEL_DELETED, origin=origin)
