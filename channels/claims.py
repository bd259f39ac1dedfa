"""Which schedules are due, and which of many publishers works on which.

Claiming makes a pending schedule `queued` under a lease. Just before it is sent it is marked
`publishing`: a lease that runs out from there on may have left a post behind at the platform.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Now

from channels.models import ChannelConnection, Schedule, ScheduleQuerySet, ScheduleStatus, Status
from channels.selectors import locked_connections
from connections_project.core import clock
from connections_project.core.jobs.batches import Claimed
from connections_project.core.jobs.circuit import in_trouble, left_alone
from connections_project.core.jobs.claim import lease_jobs, locked_rows
from connections_project.core.jobs.lanes import Lane
from connections_project.core.jobs.lease import lease_end
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import PostCircuit
from connections_project.revocation.slots import Offer, claimed, share_out

# What one platform gets of a worker's threads, so that one that hangs leaves some to others.
LARGEST_SHARE = 0.75
UNLIMITED = 1_000_000
NO_LANES = MappingProxyType[str, Lane[Schedule]]({})


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
    """Return since when the longest waiting schedule is due; None where none is.

    Those of a platform that is left alone don't count: its circuit says so.
    """
    in_vain = PostCircuit.objects.filter(in_trouble()).values_list("platform", flat=True)
    rows = due(clock.now()).exclude(channel__in=list(in_vain))
    return rows.values_list("due_at", flat=True).first()


def left_behind() -> ScheduleQuerySet:
    """Return the schedules whose publisher must have died: their lease has run out.

    Only what is in work has a lease, so nothing need be said of the status.
    """
    return Schedule.objects.filter(leased_until__lt=Now()).order_by("leased_until", "id")


def claim(
    worker: UUID,
    *,
    threads: int,
    lanes: Mapping[str, Lane[Schedule]] = NO_LANES,
    due_by: datetime,
) -> Claimed[Schedule]:
    """Claim the next schedules, a share for each platform; `publishing` where whoever had one died.

    Those of platforms that are left alone stay as they are, whatever has become of their lease.

    Args:
        worker: Who claims; its slots are its own until `release_slots`.
        threads: How many schedules it handles at a time.
        lanes: What it handles just now, by `lane_of`.
        due_by: Only schedules that were due by then.
    """
    with transaction.atomic():
        circuits = _locked_circuits(due_by)
        if not circuits and not lanes:
            return Claimed()
        offers = [_offer(circuit, threads, due_by) for circuit in _in_turn(circuits, lanes)]
        shares = share_out(worker, offers, threads=threads, lanes=lanes)
        _lease([schedule for share in shares for schedule in share.jobs])
    return claimed(shares)


def tried_until(moment: datetime) -> ScheduleQuerySet:
    """Return what was tried and put off, of a time until then; not of a suspended platform."""
    rows = Schedule.pending().filter(attempts__gt=0, run_at__lte=moment)
    is_suspended = Exists(Suspension.objects.filter(slug=OuterRef("channel_connection__channel")))
    return rows.exclude(is_suspended).order_by("run_at")


def claim_late(limit: int) -> list[Schedule]:
    """Claim what is tried no more, since its time is too long ago: its platform is not called."""
    last = clock.now() - timedelta(seconds=settings.PUBLISH_GIVE_UP_SECONDS)
    with transaction.atomic():
        rows = tried_until(last).select_related("channel_connection")
        return _lease(locked_rows(rows, limit))


def lane_of(schedule: Schedule) -> str:
    """Return the name under which workers hold slots for a schedule's platform."""
    return _lane(schedule.channel)


def _lane(platform: str) -> str:
    return f"posts:{platform}"


def _locked_circuits(due_by: datetime) -> list[PostCircuit]:
    """Lock the platforms that have work, in one order, so that claims wait for each other."""
    of_platform = Q(channel=OuterRef("platform"))
    # By the whole key, which no other index has: else one is read past the backlog of others.
    waiting = Schedule.pending().filter(of_platform, due_at__lte=due_by).order_by("due_at", "id")
    rows = PostCircuit.objects.exclude(left_alone(clock.now())).annotate(
        longest_due=Subquery(waiting.values("due_at")[:1]),
        is_suspended=Exists(Suspension.objects.filter(slug=OuterRef("platform"))),
        has_lost=Exists(left_behind().filter(of_platform)),
    )
    is_due = Q(longest_due__isnull=False, is_suspended=False)
    rows = rows.filter(is_due | Q(has_lost=True))
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("platform"))


def _in_turn(circuits: Iterable[Any], lanes: Mapping[str, Lane[Schedule]]) -> list[Any]:
    """Return platforms as they are served: those in trouble last, the least busy first."""

    def turn(circuit: Any) -> tuple[bool, int, datetime]:
        lane = lanes.get(_lane(circuit.platform))
        running = lane.running if lane else 0
        return circuit.is_in_trouble, running, circuit.longest_due or clock.now()

    return sorted(circuits, key=turn)


def _offer(circuit: Any, threads: int, due_by: datetime) -> Offer[Schedule]:
    most = 1 if circuit.is_in_trouble else UNLIMITED
    here = max(1, int(LARGEST_SHARE * threads))
    return Offer(_lane(circuit.platform), most, partial(_take, circuit, due_by), here=here)


def _take(circuit: Any, due_by: datetime, number: int) -> list[Schedule]:
    """Lock so many schedules of a platform: what was left behind, or else what is due."""
    due_rows = Schedule.pending().filter(due_at__lte=due_by).order_by("due_at", "id")
    kinds = [left_behind()] * circuit.has_lost + [due_rows] * (not circuit.is_suspended)
    taken: list[Schedule] = []
    for rows in kinds:
        of_platform = rows.filter(channel=circuit.platform).select_related("channel_connection")
        taken += locked_rows(of_platform, number - len(taken))
    for schedule in taken:
        schedule.has_faults = circuit.faults > 0
    return taken


def _lease(schedules: list[Schedule]) -> list[Schedule]:
    queued = When(status=ScheduleStatus.PENDING, then=Value(ScheduleStatus.QUEUED))
    status = Case(queued, default=F("status"))
    for schedule in lease_jobs(schedules, status=status, updated_at=clock.now()):
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
