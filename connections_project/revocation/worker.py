"""Work off the revocation jobs that are due, by however many workers."""

from collections.abc import Iterator
from functools import partial

from django.conf import settings
from django.utils import timezone

from audit.events import Interface
from connections_project.core.dispatch import notify_workers
from connections_project.core.jobs.worker import Worker
from connections_project.revocation.attempts import attempt_claimed
from connections_project.revocation.claims import claim, open_circuits
from connections_project.revocation.give_up import give_up
from connections_project.revocation.models import JobState


def run_worker(*, interface: Interface, heed_circuits: bool = True) -> Iterator[str]:
    """Try every job that is due now once, one after the other, and yield what became of each.

    Args:
        interface: The entry point through which this is done, for the audit.
        heed_circuits: Leave platforms alone that have failed again and again. Otherwise those
            come last.

    Yields:
        A state of JobState; "pending" for one that failed and was put off.
    """
    started = timezone.now()
    yield from [JobState.ABANDONED] * give_up(interface=interface)
    open_circuits()
    # A job that was tried is finished, or due later than the start, so each claim is a new one.
    while jobs := claim(1, due_by=started, heed_circuits=heed_circuits):
        yield attempt_claimed(jobs[0], interface=interface)


def process_due() -> None:
    """Try whatever is due, many jobs at a time, as a periodic task."""
    give_up(interface=Interface.WORKER)
    worker = Worker(
        claim=lambda limit: claim(limit, due_by=timezone.now()),
        handle=partial(attempt_claimed, interface=Interface.WORKER),
        threads=settings.REVOCATION_THREADS,
        prepare=open_circuits,
        call_others=lambda: notify_workers(process_due),
    )
    for _ in worker.run():
        pass
