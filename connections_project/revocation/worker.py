"""Work off the revocation jobs that are due, by however many workers."""

import math
import time
from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from uuid import UUID

from django.conf import settings

from audit.events import Interface
from connections_project.core import clock
from connections_project.core.dispatch import notify_workers
from connections_project.core.ids import uuid7
from connections_project.core.jobs.batches import BatchWorker
from connections_project.core.jobs.lanes import Lanes
from connections_project.revocation.attempts import attempt_claimed, settle
from connections_project.revocation.claims import claim, give_back, open_circuits
from connections_project.revocation.give_up import give_up
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.slots import keep_slots, release_slots
from connections_project.revocation.tries import ask

GIVEN_UP = "given_up"


def run_worker(
    *, interface: Interface, heed_circuits: bool = True, seconds: float = math.inf
) -> Iterator[str]:
    """Try every job that is due now once, one after the other, and yield what became of each.

    Args:
        interface: The entry point through which this is done, for the audit.
        heed_circuits: Leave platforms alone that have failed again and again. Otherwise those
            come last.
        seconds: After these nothing more is claimed.

    Yields:
        A state of JobState; "pending" for one that failed and was put off; GIVEN_UP for one that
        was abandoned without a try.
    """
    yield from [GIVEN_UP] * give_up(interface=interface)
    started, worker = clock.now(), uuid7()
    until = time.monotonic() + seconds
    open_circuits()
    # Nothing renews its one slot while it waits for a platform.
    claim_next = partial(
        claim,
        worker,
        threads=1,
        due_by=started,
        heed_circuits=heed_circuits,
        lease_seconds=RevocationJob.lease_seconds(),
    )
    try:
        # A job that was tried is finished, or due later than the start: each claim is a new one.
        while time.monotonic() < until and (jobs := claim_next().jobs):
            yield attempt_claimed(jobs[0], interface=interface)
    finally:
        release_slots(worker)


def process_revocations() -> None:
    """Try whatever is due, many jobs at a time, as a periodic task."""
    give_up(interface=Interface.WORKER)
    threads, worker = settings.REVOCATION_THREADS, uuid7()
    batches = BatchWorker(
        claim=lambda lanes: claim(worker, threads=threads, lanes=lanes, due_by=clock.now()),
        lanes=lambda: Lanes(
            ask, name_of=attrgetter("platform"), is_well=attrgetter("is_well"), threads=threads
        ),
        settle=partial(settle, interface=Interface.WORKER),
        give_back=give_back,
        threads=threads,
        prepare=lambda: _prepare(worker),
        call_others=lambda: notify_workers(process_revocations),
    )
    try:
        for _ in batches.run():
            pass
    finally:
        release_slots(worker)


def _prepare(worker: UUID) -> None:
    keep_slots(worker)
    open_circuits()
