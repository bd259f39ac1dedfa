"""Cancel what is scheduled: one, several, or all of a channel."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from audit.events import Action
from audit.record import Event, Origin, record_many
from channels.errors import ScheduleCancelledError, ScheduleNotCancellableError
from channels.models import (
    ACTIVE,
    ChannelConnection,
    Schedule,
    ScheduleQuerySet,
    ScheduleStatus,
)
from channels.selectors import locked_connections, own_connection, own_schedule
from connections_project.identity.models import User


@dataclass(frozen=True)
class Cancellation:
    """What came of cancelling several: how many were, and why each of the others was not."""

    cancelled: int
    refused: dict[UUID, str]


def cancel_own(*, schedule_id: UUID, user: User, origin: Origin) -> Schedule:
    """Cancel a user's own schedule.

    Raises:
        ScheduleNotFoundError, ScheduleNotOwnerError: See `own_schedule`.
        ScheduleCancelledError: It was cancelled before.
        ScheduleNotCancellableError: It is being published, or that is over.
    """
    with transaction.atomic():
        rows = _with_connections(Schedule.objects.all())
        schedule = own_schedule(schedule_id, user=user, rows=rows)
        if schedule.status == ScheduleStatus.CANCELLED:
            raise ScheduleCancelledError
        if schedule.status not in ACTIVE:
            raise ScheduleNotCancellableError
        _cancel(Schedule.objects.filter(pk=schedule.pk))
        _record([schedule], origin=origin)
    schedule.refresh_from_db()
    return schedule


def cancel_several(*, schedule_ids: Iterable[UUID], user: User, origin: Origin) -> Cancellation:
    """Cancel those of a user's own schedules that can be.

    Args:
        schedule_ids: Which ones; one that is named twice counts once.
        user: Who asks; others' schedules are unknown ones.
        origin: The call, for the audit log.
    """
    wanted = list(dict.fromkeys(schedule_ids))
    with transaction.atomic():
        found = _locked(wanted, user)
        active = [schedule for schedule in found.values() if schedule.status in ACTIVE]
        _cancel(Schedule.objects.filter(pk__in=[schedule.pk for schedule in active]))
        _record(active, origin=origin)
    refused = {pk: _refusal(found.get(pk)) for pk in wanted}
    return Cancellation(len(active), {pk: code for pk, code in refused.items() if code})


def _locked(wanted: list[UUID], user: User) -> dict[UUID, Schedule]:
    """Lock schedules behind their connections, as a disconnect does, so that none waits in a ring
    for the other."""
    own = Schedule.objects.filter(pk__in=wanted, user=user)
    connections = locked_connections().filter(pk__in=own.values("channel_connection"))
    list(connections.order_by("pk").values_list("pk"))
    return {schedule.pk: schedule for schedule in _with_connections(own.order_by("pk"))}


def _with_connections(schedules: ScheduleQuerySet) -> ScheduleQuerySet:
    """Lock schedules alone, and read the connections that the audit log names beside them."""
    locked = schedules.select_for_update(no_key=True, of=("self",))
    return locked.select_related("channel_connection")


def _refusal(schedule: Schedule | None) -> str:
    if schedule is None:
        return "SCHEDULE_NOT_FOUND"
    if schedule.status == ScheduleStatus.CANCELLED:
        return "SCHEDULE_ALREADY_CANCELLED"
    return "" if schedule.status in ACTIVE else "SCHEDULE_CANNOT_BE_CANCELLED"


def cancel_all_of(*, connection_id: UUID, user: User, origin: Origin) -> Cancellation:
    """Cancel all that is scheduled on a user's own channel.

    Raises:
        ConnectionNotFoundError, NotOwnerError: See `own_connection`.
    """
    with transaction.atomic():
        connection = own_connection(connection_id, user=user, rows=locked_connections())
        count = _cancel(connection.schedules.all())
        if count:
            record_many([_event(connection, count, origin)])
    return Cancellation(count, {})


def cancel_active_on(connection_ids: Collection[UUID]) -> dict[UUID, int]:
    """Cancel all that is scheduled on connections that the caller has locked; report it later.

    Returns:
        How many were cancelled on each; connections with none are left out.
    """
    now = timezone.now()
    schedules = Schedule.objects.filter(channel_connection__in=connection_ids)
    count = _cancel(schedules, now=now)
    if not count:
        return {}
    if len(connection_ids) == 1:
        return dict.fromkeys(connection_ids, count)
    # A count taken before could miss what a worker takes or gives back just then.
    done = schedules.filter(status=ScheduleStatus.CANCELLED, cancelled_at=now)
    return dict(done.values_list("channel_connection").annotate(count=Count("pk")).order_by())


def _cancel(schedules: ScheduleQuerySet, *, now: datetime | None = None) -> int:
    now = now or timezone.now()
    return schedules.active().update(
        status=ScheduleStatus.CANCELLED,
        cancelled_at=now,
        lease=None,
        leased_until=None,
        updated_at=now,
    )


def _record(schedules: Iterable[Schedule], *, origin: Origin) -> None:
    """Record what was cancelled, by one event a channel."""
    of_channel: dict[ChannelConnection, list[str]] = {}
    for schedule in schedules:
        of_channel.setdefault(schedule.channel_connection, []).append(str(schedule.pk))
    record_many(
        _event(connection, len(ids), origin, schedule_ids=ids)
        for connection, ids in of_channel.items()
    )


def _event(
    connection: ChannelConnection, count: int, origin: Origin, **details: list[str]
) -> Event:
    return Event(
        action=Action.SCHEDULES_CANCELLED,
        origin=origin,
        subject_type="channels.connection",
        subject_id=connection.pk,
        subject_owner_id=connection.user_id,
        details={"platform": connection.channel, "count": count, **details},
    )
