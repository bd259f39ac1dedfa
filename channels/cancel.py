"""Cancel what is scheduled: one, several, or all of a channel."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from audit.events import Action
from audit.record import Event, Origin, record_many
from channels.errors import ScheduleCancelledError, ScheduleNotCancellableError
from channels.models import ACTIVE, ChannelConnection, Schedule, ScheduleQuerySet, ScheduleStatus
from channels.selectors import locked_connections, own_connection, own_schedule
from connections_project.connections.records import event_about
from connections_project.core import clock
from connections_project.identity.models import User


@dataclass(frozen=True)
class CancelledSchedules:
    """What was cancelled on connections at one moment; the ids are read when they are asked for.

    Args:
        counts: How many on each connection; connections with none are left out.
    """

    counts: Mapping[UUID, int]
    cancelled_at: datetime

    def ids_of(self, connection_id: UUID) -> list[UUID]:
        return self._ids[connection_id]

    @cached_property
    def _ids(self) -> Mapping[UUID, list[UUID]]:
        done = Schedule.objects.filter(
            channel_connection__in=list(self.counts),
            status=ScheduleStatus.CANCELLED,
            cancelled_at=self.cancelled_at,
        )
        found = defaultdict(list)
        for connection_id, pk in done.order_by("pk").values_list("channel_connection", "pk"):
            found[connection_id].append(pk)
        return found


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
        _lock_connections(Schedule.objects.filter(pk=schedule_id, user=user))
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
    """Lock schedules after their connections, as a disconnect does, so that the two never
    deadlock."""
    own = Schedule.objects.filter(pk__in=wanted, user=user)
    _lock_connections(own)
    return {schedule.pk: schedule for schedule in _with_connections(own.order_by("pk"))}


def _lock_connections(schedules: ScheduleQuerySet) -> None:
    connections = locked_connections().filter(pk__in=schedules.values("channel_connection"))
    list(connections.order_by("pk").values_list("pk"))


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
        cancelled = cancel_active_on([connection.pk])
        count = cancelled.counts.get(connection.pk, 0)
        if count:
            ids = partial(cancelled.ids_of, connection.pk)
            record_many([_event(connection, count, origin, ids)])
    return Cancellation(count, {})


def cancel_active_on(connection_ids: Collection[UUID]) -> CancelledSchedules:
    """Cancel all that is scheduled on connections that the caller has locked."""
    now = clock.now()
    schedules = Schedule.objects.filter(channel_connection__in=connection_ids)
    count = _cancel(schedules, now=now)
    if not count:
        return CancelledSchedules({}, now)
    if len(connection_ids) == 1:
        return CancelledSchedules(dict.fromkeys(connection_ids, count), now)
    # A count taken before could miss what a worker takes or gives back just then.
    done = schedules.filter(status=ScheduleStatus.CANCELLED, cancelled_at=now)
    counts = done.values_list("channel_connection").annotate(count=Count("pk")).order_by()
    return CancelledSchedules(dict(counts), now)


def _cancel(schedules: ScheduleQuerySet, *, now: datetime | None = None) -> int:
    now = now or clock.now()
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
        _event(connection, len(ids), origin, partial(list, ids), schedule_ids=ids)
        for connection, ids in of_channel.items()
    )


def _event(
    connection: ChannelConnection,
    count: int,
    origin: Origin,
    ids: Callable[[], Sequence[UUID | str]],
    **details: Any,
) -> Event:
    action, notes = Action.SCHEDULES_CANCELLED, {"schedules": ids}
    return event_about(connection, action, origin=origin, notes=notes, count=count, **details)
