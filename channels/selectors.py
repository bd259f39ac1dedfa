"""Read a user's channels and schedules."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from channels.errors import ScheduleNotFoundError, ScheduleNotOwnerError, ServiceAccountError
from channels.models import (
    ChannelConnection,
    ChannelConnectionQuerySet,
    PublishEvent,
    Schedule,
    ScheduleQuerySet,
)
from connections_project.connections.errors import ConnectionNotFoundError, NotOwnerError
from connections_project.identity.models import PrincipalType, User

FOR_OPERATORS = (
    *("id", "status", "run_at", "due_at", "attempts", "leased_until"),
    "failure_reason",
)
MOST_FOR_OPERATORS = 100


def own_connection(
    connection_id: UUID, *, user: User, rows: ChannelConnectionQuerySet | None = None
) -> ChannelConnection:
    """Return a user's own connection.

    Args:
        rows: Where to look, such as locked rows; all visible ones by default.

    Raises:
        ConnectionNotFoundError: Unknown, or soft-deleted.
        NotOwnerError: Somebody else's.
    """
    visible = (ChannelConnection.objects.all() if rows is None else rows).visible()
    connection = visible.filter(pk=connection_id).first()
    if connection is None:
        raise ConnectionNotFoundError
    if connection.user_id != user.pk:
        raise NotOwnerError
    return connection


def own_connection_to_end(
    connection_id: UUID, *, user: User, rows: ChannelConnectionQuerySet
) -> ChannelConnection:
    """Return a user's own connection, that is to be disconnected.

    Raises:
        ConnectionNotFoundError, NotOwnerError: See `own_connection`.
        ServiceAccountError: A service account asks for somebody else's.
    """
    try:
        return own_connection(connection_id, user=user, rows=rows)
    except NotOwnerError:
        if user.principal_type == PrincipalType.SERVICE:
            raise ServiceAccountError from None
        raise


def locked_connections() -> ChannelConnectionQuerySet:
    """Return connections under the lock that orders what happens to one.

    Whoever locks connections and schedules locks the connections first. It is no lock against
    rows that only point to them, such as a new publish event.
    """
    return ChannelConnection.objects.select_for_update(no_key=True)


def own_connections(
    user: User, *, status: str | None = None, channel: str | None = None
) -> ChannelConnectionQuerySet:
    """Return a user's connections, newest first."""
    rows = ChannelConnection.objects.of_user(user.pk)
    rows = rows.filter(status=status) if status is not None else rows
    return rows.filter(channel=channel) if channel is not None else rows


def own_publish_events(connection_id: UUID, *, user: User) -> QuerySet[PublishEvent]:
    """Return what was published through a connection, newest first.

    Raises:
        ConnectionNotFoundError, NotOwnerError: See `own_connection`.
    """
    connection = own_connection(connection_id, user=user)
    return connection.publish_events.order_by("-occurred_at", "-id")


def own_schedule(
    schedule_id: UUID, *, user: User, rows: ScheduleQuerySet | None = None
) -> Schedule:
    """Return a user's own schedule; it outlives its connection.

    Raises:
        ScheduleNotFoundError: Unknown.
        ScheduleNotOwnerError: Somebody else's.
    """
    schedules = Schedule.objects.all() if rows is None else rows
    schedule = schedules.filter(pk=schedule_id).first()
    if schedule is None:
        raise ScheduleNotFoundError
    if schedule.user_id != user.pk:
        raise ScheduleNotOwnerError
    return schedule


def own_schedules(
    user: User, *, status: str | None = None, connection_id: UUID | None = None
) -> ScheduleQuerySet:
    """Return a user's schedules, newest first.

    Raises:
        ConnectionNotFoundError, NotOwnerError: Of that connection.
    """
    rows = Schedule.objects.of_user(user.pk)
    rows = rows.filter(status=status) if status is not None else rows
    if connection_id is None:
        return rows
    return rows.filter(channel_connection=own_connection(connection_id, user=user))


def schedules_for_operators(connection: ChannelConnection) -> dict[str, Any]:
    """Return a channel's schedules by status, and those that are still to be published."""
    rows = Schedule.objects.filter(channel_connection=connection.pk)
    counts = rows.values_list("status").annotate(count=Count("pk")).order_by("status")
    active = rows.active().order_by("run_at", "id").values(*FOR_OPERATORS)
    return {"schedules": dict(counts), "active_schedules": list(active[:MOST_FOR_OPERATORS])}


def scheduled_on(connection: ChannelConnection) -> list[tuple[datetime, str]]:
    """Return what is still to be published through a channel, the next first: when, and what."""
    active = connection.schedules.active().order_by("run_at", "id")
    return list(active.values_list("run_at", "content")[:MOST_FOR_OPERATORS])
