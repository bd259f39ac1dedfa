"""Publish what is due, several schedules at a time, of no platform more than its share."""

import math
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from audit.events import Interface
from channels.attempt import attempt
from channels.circuits import open_circuits
from channels.claims import claim, lane_of
from channels.models import Schedule
from connections_project.core import clock, periodic
from connections_project.core.dispatch import notify_workers
from connections_project.core.ids import uuid7
from connections_project.core.jobs.batches import BatchWorker
from connections_project.core.jobs.lanes import Lanes
from connections_project.revocation.slots import keep_slots, release_slots

# One platform that hangs must not keep the posts for all others waiting.
AT_ONCE = 8


def publish_due(*, interface: Interface, due_by: datetime | None = None) -> Iterator[str]:
    """Try every schedule that is due, several at a time, until none is.

    In a process that is to end nothing more is claimed; what is being sent comes to its end.

    Args:
        interface: The entry point through which this is done, for the audit.
        due_by: Only what is due by then; None for all that becomes due meanwhile.

    Yields:
        What each has become: "published", "failed", or "pending" for one that was put off.
    """
    worker = uuid7()
    batches = BatchWorker(
        claim=lambda lanes: claim(
            worker, threads=AT_ONCE, lanes=lanes, due_by=due_by or clock.now()
        ),
        lanes=lambda: _lanes(interface),
        settle=lambda outcomes: filter(None, outcomes),
        # Nothing is claimed ahead.
        give_back=lambda _: None,
        threads=AT_ONCE,
        prepare=lambda: _prepare(worker),
        call_others=lambda: notify_workers(process_schedules),
        # Without end: what becomes due must not wait for a platform that hangs.
        seconds=math.inf,
        stop=periodic.stopping,
    )
    try:
        yield from batches.run()
    finally:
        release_slots(worker)


def _lanes(interface: Interface) -> Lanes[Schedule, str]:
    return Lanes(
        # A claim that was lost or given back has become nothing, and yet its slot is free.
        lambda schedule: attempt(schedule, interface=interface) or "",
        name_of=lane_of,
        is_well=lambda _: False,
        threads=AT_ONCE,
        stop=periodic.stopping,
    )


def _prepare(worker: UUID) -> None:
    keep_slots(worker)
    open_circuits()


def process_schedules() -> None:
    """Publish what is due, as a periodic task."""
    for _ in publish_due(interface=Interface.WORKER):
        pass
