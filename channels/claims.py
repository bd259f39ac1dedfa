"""Which schedules are due, and which of many publishers works on which.

Claiming makes a pending schedule `queued` under a lease. Just before it is sent it is marked
`publishing`: a lease that runs out from there on may have left a post behind at the platform.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from channels.models import ChannelConnection, Schedule, ScheduleQuerySet, ScheduleStatus, Status
from channels.selectors import locked_connections
from connections_project.core.ids import uuid7
from connections_project.platforms.models import Suspension


def due(at: datetime) -> ScheduleQuerySet:
    """Find the schedules whose time has come, the longest waiting first.

    Those of a suspended platform stay as they are until it is resumed.
    """
    waiting = Schedule.objects.filter(status=ScheduleStatus.PENDING, due_at__lte=at)
    suspended = list(Suspension.objects.values_list("slug", flat=True))
    if suspended:
        waiting = waiting.exclude(channel_connection__channel__in=suspended)
    return waiting.order_by("due_at", "id")


def left_behind() -> ScheduleQuerySet:
    """Find the schedules whose publisher must have died: their lease has run out.

    Only what is in work has a lease, so nothing need be said of the status.
    """
    return Schedule.objects.filter(leased_until__lt=timezone.now()).order_by("leased_until", "id")


def claim(at: datetime) -> Schedule | None:
    """Claim what was left behind, or the next schedule that was due at a time.

    Returns:
        The schedule, past those that others claim just now; `publishing` where whoever had it died
        while it was sent. None if there is nothing more to do.
    """
    return _claimed(left_behind()) or _claimed(due(at))


def _claimed(rows: ScheduleQuerySet) -> Schedule | None:
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
        schedule = free.select_related("channel_connection").first()
        if schedule is None:
            return None
        if schedule.status == ScheduleStatus.PENDING:
            schedule.status = ScheduleStatus.QUEUED
        schedule.lease = uuid7()
        _extend(schedule, status=schedule.status, lease=schedule.lease)
    return schedule


def lock_if_owned(schedule: Schedule) -> Schedule | None:
    """Lock a claimed schedule in the caller's transaction.

    Returns:
        The row; None where it was cancelled, or claimed by somebody else after its lease ran out.
    """
    rows = Schedule.objects.select_for_update(no_key=True)
    return rows.filter(pk=schedule.pk, lease=schedule.lease).first()


def begin_sending(schedule: Schedule) -> ChannelConnection | None:
    """Mark a claimed schedule as being sent, if it still may be.

    `schedule` keeps saying since when it was unsure before this.

    Returns:
        The connection as it stood at the mark, with the tokens to send by. Where it was not
        connected any more, nothing was marked. None where the claim is lost.
    """
    with transaction.atomic():
        connection = locked_connections().get(pk=schedule.channel_connection_id)
        row = lock_if_owned(schedule)
        if row is None:
            return None
        if connection.status == Status.CONNECTED:
            since = row.unsure_since or timezone.now()
            _extend(schedule, status=ScheduleStatus.PUBLISHING, unsure_since=since)
    return connection


def back_to_queue(schedule: Schedule) -> None:
    """Let a claimed schedule be cancelled again: what was sent of it was surely not accepted.

    Not on a connection that is over, on which nothing may become active again.
    """
    with transaction.atomic():
        connection = locked_connections().get(pk=schedule.channel_connection_id)
        if connection.status != Status.DISCONNECTED and lock_if_owned(schedule):
            since = schedule.unsure_since
            _extend(schedule, status=ScheduleStatus.QUEUED, unsure_since=since)


def _extend(schedule: Schedule, **columns: Any) -> None:
    now = timezone.now()
    until = now + timedelta(seconds=settings.PUBLISH_LEASE_SECONDS)
    Schedule.objects.filter(pk=schedule.pk).update(leased_until=until, updated_at=now, **columns)
