"""Publish what is due: one pass over it, several schedules at a time."""

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.db import connections
from django.utils import timezone

from audit.events import Interface
from channels.attempt import attempt
from channels.claims import claim
from channels.models import Schedule
from connections_project.core import periodic

# One platform that hangs must not keep the posts for all others waiting.
AT_ONCE = 8


def publish_due(
    *, interface: Interface, stop: threading.Event = periodic.stopping
) -> Iterator[str]:
    """Try every schedule that is due now once, several at a time.

    Args:
        interface: The door through which this is done, for the audit.
        stop: Once it is set nothing more is claimed; what is being sent comes to its end.

    Yields:
        What each has become: "published", "failed", or "pending" for one that was put off.
    """
    started = timezone.now()
    running: set[Future[str | None]] = set()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="publish") as pool:
        while True:
            while len(running) < AT_ONCE and not stop.is_set() and (claimed := claim(started)):
                running.add(pool.submit(_attempt_in_thread, claimed, interface))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from filter(None, (each.result() for each in done))


def process_due() -> None:
    """Publish what is due, as a worker's chore."""
    for _ in publish_due(interface=Interface.WORKER):
        pass


def _attempt_in_thread(schedule: Schedule, interface: Interface) -> str | None:
    try:
        return attempt(schedule, interface=interface)
    finally:
        connections.close_all()
