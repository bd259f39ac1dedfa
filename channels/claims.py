"""Which schedules are due, and which of many publishers works on which.

Claiming makes a pending schedule `queued` under a lease. Just before it is sent it is marked
`publishing`: a lease that runs out from there on may have left a post behind at the platform.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now

from channels.models import ChannelConnection, Schedule, ScheduleQuerySet, ScheduleStatus, Status
from channels.selectors import locked_connections
from connections_project.core import clock
from connections_project.core.jobs.claim import claim_rows
from connections_project.core.jobs.lease import lease_end
from connections_project.platforms.models import Suspension


def due(at: datetime) -> ScheduleQuerySet:
    """Return the schedules whose time has come, the longest waiting first.

    Those of a suspended platform stay as they are until it is resumed.
    """
    waiting = Schedule.pending().filter(due_at__lte=at)
    suspended = list(Suspension.objects.values_list("slug", flat=True))
    if suspended:
        waiting = waiting.exclude(channel_connection__channel__in=suspended)
    return waiting.order_by("due_at", "id")


def oldest_overdue() -> datetime | None:
    """Return since when the longest waiting schedule is due; None where none is."""
    return due(clock.now()).values_list("due_at", flat=True).first()


def left_behind() -> ScheduleQuerySet:
    """Return the schedules whose publisher must have died: their lease has run out.

    Only what is in work has a lease, so nothing need be said of the status.
    """
    return Schedule.objects.filter(leased_until__lt=Now()).order_by("leased_until", "id")


def claim(limit: int, *, due_by: datetime) -> list[Schedule]:
    """Claim what was left behind, or else the next schedules that were due at a time.

    Returns:
        The schedules, past those that others claim just now; `publishing` where whoever had it died
        while it was sent.
    """
    return _claimed(left_behind(), limit) or _claimed(due(due_by), limit)


def _claimed(rows: ScheduleQuerySet, limit: int) -> list[Schedule]:
    queued = When(status=ScheduleStatus.PENDING, then=Value(ScheduleStatus.QUEUED))
    status = Case(queued, default=F("status"))
    rows = rows.select_related("channel_connection")
    schedules = claim_rows(rows, limit, status=status, updated_at=clock.now())
    for schedule in schedules:
        if schedule.status == ScheduleStatus.PENDING:
            schedule.status = ScheduleStatus.QUEUED
    return schedules


def lock_if_owned(schedule: Schedule) -> Schedule | None:
    """Lock a claimed schedule in the caller's transaction.

    Returns:
        The row; None where it was cancelled, or claimed by somebody else after its lease ran out.
    """
    return schedule.owned().select_for_update(no_key=True).first()


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
            since = row.unsure_since or clock.now()
            _extend(schedule, status=ScheduleStatus.PUBLISHING, unsure_since=since)
    return connection


def back_to_queue(schedule: Schedule) -> None:
    """Return a claimed schedule to the queue: what was sent of it was surely not accepted.

    Not on a connection that is over, on which nothing may become active again.
    """
    with transaction.atomic():
        connection = locked_connections().get(pk=schedule.channel_connection_id)
        if connection.status != Status.DISCONNECTED and lock_if_owned(schedule):
            since = schedule.unsure_since
            _extend(schedule, status=ScheduleStatus.QUEUED, unsure_since=since)


def _extend(schedule: Schedule, **columns: Any) -> None:
    until = lease_end(schedule.lease_seconds())
    rows = Schedule.objects.filter(pk=schedule.pk)
    rows.update(leased_until=until, updated_at=clock.now(), **columns)
