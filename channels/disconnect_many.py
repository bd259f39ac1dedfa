"""Disconnect many channels at once, by the rules of `channels/disconnect.py` for one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils import timezone

from audit.events import Action
from audit.record import Event, record_many
from channels.cancel import cancel_active_on
from channels.models import ChannelConnection, Schedule, Status
from connections_project.connections.end_many import (
    DisconnectRequest,
    DisconnectResult,
    Failure,
    LockedConnection,
    erased,
    event_about,
    lock_rows,
    source_of,
    update,
)
from connections_project.revocation.release_many import Released, release_many


def disconnect_many(
    ids: Collection[UUID], *, order: DisconnectRequest, cancel_schedules: bool = False
) -> DisconnectResult:
    """End a batch of channels in the caller's transaction, which must be open.

    Args:
        ids: Connections; one that is over, gone, or held by somebody else is passed over.
        order: Who says so, and how.
        cancel_schedules: Cancel what is scheduled; a channel that has something scheduled is left
            as it is otherwise, and named.
    """
    live = ChannelConnection.objects.exclude(status=Status.DISCONNECTED)
    rows = lock_rows(live, ids, wait=order.wait)
    if not rows:
        return DisconnectResult()
    keys = [one.connection_id for one in rows]
    cancelled = cancel_active_on(keys) if cancel_schedules else {}
    busy = {} if cancel_schedules else _active(keys)
    rows = [one for one in rows if one.connection_id not in busy]
    failures = [_failure(key, count) for key, count in busy.items()]
    return _end(rows, order, cancelled) + DisconnectResult(failures=failures)


def _end(
    rows: Sequence[LockedConnection], order: DisconnectRequest, cancelled: Mapping[UUID, int]
) -> DisconnectResult:
    """End locked connections on which nothing is scheduled any more."""
    if not rows:
        return DisconnectResult()
    released = release_many(rows, source_of(ChannelConnection), revoke=order.revoke)
    now = timezone.now()
    update(
        ChannelConnection,
        rows,
        status=Status.DISCONNECTED,
        disconnected_at=now,
        cached_data=None,
        **erased(now),
    )
    record_many([*_cancellations(rows, order, cancelled), *_ends(rows, order, cancelled, released)])
    return DisconnectResult(rows, job_ids=released.job_ids)


def _cancellations(
    rows: Sequence[LockedConnection], order: DisconnectRequest, cancelled: Mapping[UUID, int]
) -> list[Event]:
    return [
        _about(one, Action.SCHEDULES_CANCELLED, order, count=cancelled[one.connection_id])
        for one in rows
        if one.connection_id in cancelled
    ]


def _ends(
    rows: Sequence[LockedConnection],
    order: DisconnectRequest,
    cancelled: Mapping[UUID, int],
    released: Released,
) -> list[Event]:
    return [
        _about(
            one,
            Action.CHANNEL_DISCONNECTED,
            order,
            credentials_erased=one.had_tokens,
            revocation=released.decisions[one.connection_id],
            schedules_cancelled=cancelled.get(one.connection_id, 0),
        )
        for one in rows
    ]


def _about(
    one: LockedConnection, action: Action, order: DisconnectRequest, **details: Any
) -> Event:
    return event_about(one, action, app=ChannelConnection.app, order=order, **details)


def _failure(connection_id: UUID, count: int) -> Failure:
    what = "1 schedule is" if count == 1 else f"{count} schedules are"
    return Failure(connection_id, "active_schedules", f"{what} pending or queued.")


def _active(connection_ids: Collection[UUID]) -> dict[UUID, int]:
    active = Schedule.objects.active().filter(channel_connection__in=connection_ids)
    return dict(active.values_list("channel_connection").annotate(count=Count("pk")).order_by())


def active_schedules(connections: "QuerySet[ChannelConnection]") -> int:
    """Count what is pending or queued on connections."""
    return Schedule.objects.active().filter(channel_connection__in=connections.values("pk")).count()
