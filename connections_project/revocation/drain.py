"""Work off the revocation jobs that are due, by however many workers."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from audit.events import Interface
from connections_project.core.dispatch import enqueue
from connections_project.core.periodic import stopping
from connections_project.revocation.attempts import attempt_claimed
from connections_project.revocation.claims import claim, open_circuits
from connections_project.revocation.give_up import give_up
from connections_project.revocation.models import JobState, RevocationJob

logger = logging.getLogger(__name__)

# After so many seconds a worker lets others have the thread, and comes back to what is left.
PASS_SECONDS = 20.0
# How often a worker that waits for slow platforms looks whether there is work at others.
LOOK_SECONDS = 0.5


def run_worker(*, interface: Interface, heed_circuits: bool = True) -> Iterator[str]:
    """Try every job that is due now once, one after the other, and yield what became of each.

    Args:
        interface: The door through which this is done, for the audit.
        heed_circuits: Leave platforms alone that have failed again and again. Otherwise those
            come last.

    Yields:
        A state of JobState; "pending" for one that failed and was put off.
    """
    started = timezone.now()
    yield from [JobState.ABANDONED] * give_up(interface=interface)
    open_circuits()
    # A job that was tried is settled, or due later than the start, so each claim is a new one.
    while jobs := claim(1, due_by=started, heed_circuits=heed_circuits):
        yield attempt_claimed(jobs[0], interface=interface)


def process_due() -> None:
    """Try whatever is due, many jobs at a time; a worker's chore.

    It ends when nothing is left, when its time is over, or when the worker is to end. What is being
    tried then is finished.
    """
    give_up(interface=Interface.WORKER)
    until = time.monotonic() + PASS_SECONDS
    next_look = 0.0
    with ThreadPoolExecutor(settings.REVOCATION_THREADS, "revocation") as hands:
        running: set[Future[None]] = set()
        while True:
            if time.monotonic() >= next_look:
                open_circuits()
                if len(running) == settings.REVOCATION_THREADS:
                    _call_others()  # There is more than one worker can do: so they join in.
                next_look = time.monotonic() + LOOK_SECONDS
            jobs = _claimed(settings.REVOCATION_THREADS - len(running), until=until)
            running |= {hands.submit(_try_by_hand, job) for job in jobs}
            if not running:
                break
            _, running = wait(running, LOOK_SECONDS, return_when=FIRST_COMPLETED)
    if time.monotonic() >= until and not stopping.is_set():
        _call_others()


def _call_others() -> None:
    """Have other workers look, or this one once more; without a broker there are none."""
    enqueue(process_due, inline=lambda: None)


def _claimed(hands: int, *, until: float) -> list[RevocationJob]:
    """Claim a job for each hand that is free, as long as the pass goes on."""
    if not hands or stopping.is_set() or time.monotonic() >= until:
        return []
    return claim(hands, due_by=timezone.now())


def _try_by_hand(job: RevocationJob) -> None:
    try:
        attempt_claimed(job, interface=Interface.WORKER)
    except (DatabaseError, InterfaceError) as error:
        logger.warning(
            "The database is away (%s): job %s is tried again when its lease has run out.",
            *(type(error).__name__, job.pk),
        )
    finally:
        # The thread's own; while the next platform is asked nobody needs it.
        connections.close_all()
