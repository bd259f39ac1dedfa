"""Publish what is due: one pass over it, several schedules at a time."""

import math
from collections.abc import Iterator
from functools import partial

from audit.events import Interface
from channels.attempt import attempt
from channels.claims import claim
from connections_project.core import clock, periodic
from connections_project.core.jobs.worker import Worker

# One platform that hangs must not keep the posts for all others waiting.
AT_ONCE = 8


def publish_due(*, interface: Interface) -> Iterator[str]:
    """Try every schedule that is due now once, several at a time.

    In a process that is to end nothing more is claimed; what is being sent comes to its end.

    Args:
        interface: The entry point through which this is done, for the audit.

    Yields:
        What each has become: "published", "failed", or "pending" for one that was put off.
    """
    started = clock.now()
    worker = Worker(
        claim=partial(claim, due_by=started),
        handle=partial(attempt, interface=interface),
        threads=AT_ONCE,
        seconds=math.inf,
        stop=periodic.stopping,
    )
    yield from worker.run()


def process_schedules() -> None:
    """Publish what is due, as a periodic task."""
    for _ in publish_due(interface=Interface.WORKER):
        pass
