"""Which schedules are due, and which of many publishers works on which.

Claiming makes a pending schedule `queued` under a lease. Just before it is sent it is marked
`publishing`: a lease that runs out from there on may have left a post behind at the platform.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Now

from channels.models import ChannelConnection, Schedule, ScheduleQuerySet, ScheduleStatus, Status
from channels.selectors import locked_connections
from connections_project.core import clock
from connections_project.core.jobs.batches import Claimed
from connections_project.core.jobs.circuit import in_trouble, left_alone
from connections_project.core.jobs.claim import lease_jobs, locked_rows
from connections_project.core.jobs.keys import keys_of
from connections_project.core.jobs.lanes import Lane
from connections_project.core.jobs.lease import lease_end
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import PostCircuit
from connections_project.revocation.slots import Offer, claimed, share_out

# What one platform gets of a worker's threads, so that one that hangs leaves some to others.
LARGEST_SHARE = 0.75
UNLIMITED = 1_000_000
NO_LANES = MappingProxyType[str, Lane[Schedule]]({})


def oldest_overdue() -> datetime | None:
    """Return since when the longest waiting schedule is due; None where none is.

    Those of a platform that is left alone don't count, since its circuit says so, nor those of one
    that is suspended. Each platform's first is looked up: the backlog of one may be very long.
    """
    in_vain = PostCircuit.objects.filter(in_trouble()).values_list("platform", flat=True)
    passed_over = {*in_vain, *Suspension.objects.values_list("slug", flat=True)}
    slugs = [one for one in keys_of(Schedule.pending(), "channel") if one not in passed_over]
    first = (due(slug, clock.now()).values_list("due_at", flat=True).first() for slug in slugs)
    return min((one for one in first if one is not None), default=None)


def due(platform: str | OuterRef, at: datetime) -> ScheduleQuerySet:
    """Return a platform's schedules whose time has come, the longest waiting first."""
    # By the whole key, which no other index has: else one is read past the backlog of others.
    return Schedule.pending().filter(channel=platform, due_at__lte=at).order_by("due_at", "id")


def late(platform: str | OuterRef, at: datetime) -> ScheduleQuerySet:
    """Return what was tried and is tried no more, since its time is too long ago."""
    last = at - timedelta(seconds=settings.PUBLISH_GIVE_UP_SECONDS)
    tried = Schedule.pending().filter(channel=platform, attempts__gt=0, run_at__lte=last)
    return tried.order_by("run_at")


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

    Those of platforms that are left alone stay as they are, whatever has become of their lease; but
    what is tried no more is ended there too, by whoever claims it, without a call.

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


def lane_of(schedule: Schedule) -> str:
    """Return the name under which workers hold slots for a schedule's platform."""
    return _lane(schedule.channel)


def _lane(platform: str) -> str:
    return f"posts:{platform}"


def _locked_circuits(due_by: datetime) -> list[PostCircuit]:
    """Lock the platforms that have work, in one order, so that claims wait for each other."""
    now, platform = clock.now(), OuterRef("platform")
    rows = PostCircuit.objects.annotate(
        is_left_alone=ExpressionWrapper(left_alone(now), BooleanField()),
        longest_due=Subquery(due(platform, due_by).values("due_at")[:1]),
        is_suspended=Exists(Suspension.objects.filter(slug=platform)),
        has_lost=Exists(left_behind().filter(channel=platform)),
        # No EXISTS, for which PostgreSQL would read the late ones of all platforms.
        longest_late=Subquery(late(platform, now).values("run_at")[:1]),
    )
    is_due = Q(longest_due__isnull=False, is_suspended=False)
    is_over = left_alone(now) & Q(longest_late__isnull=False, is_suspended=False)
    rows = rows.filter(is_over | ~left_alone(now) & (is_due | Q(has_lost=True)))
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("platform"))


def _in_turn(circuits: Iterable[Any], lanes: Mapping[str, Lane[Schedule]]) -> list[Any]:
    """Return platforms as they are served: those in trouble last, the least busy first."""

    def turn(circuit: Any) -> tuple[bool, int, datetime]:
        lane = lanes.get(_lane(circuit.platform))
        running = lane.running if lane else 0
        return circuit.is_in_trouble, running, circuit.longest_due or clock.now()

    return sorted(circuits, key=turn)


def _offer(circuit: Any, threads: int, due_by: datetime) -> Offer[Schedule]:
    is_probed = circuit.is_in_trouble and not circuit.is_left_alone
    most = 1 if is_probed else UNLIMITED
    here = max(1, int(LARGEST_SHARE * threads))
    return Offer(_lane(circuit.platform), most, partial(_take, circuit, due_by), here=here)


def _take(circuit: Any, due_by: datetime, number: int) -> list[Schedule]:
    """Lock so many schedules of a platform."""
    taken: list[Schedule] = []
    for rows in _kinds(circuit, due_by):
        locked = rows.select_related("channel_connection")
        taken += locked_rows(locked, number - len(taken))
    for schedule in taken:
        schedule.has_faults = circuit.faults > 0
    return taken


def _kinds(circuit: Any, due_by: datetime) -> Iterator[ScheduleQuerySet]:
    """Yield what is claimed of a platform: what was left behind, and then what is due."""
    if circuit.is_left_alone:
        yield late(circuit.platform, clock.now())
        return
    if circuit.has_lost:
        yield left_behind().filter(channel=circuit.platform)
    if not circuit.is_suspended:
        yield due(circuit.platform, due_by)


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
