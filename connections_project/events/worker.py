"""Deliver what is due, by however many workers."""

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter
from uuid import UUID

from django.conf import settings

from connections_project.core import clock
from connections_project.core.dispatch import notify_workers
from connections_project.core.ids import uuid7
from connections_project.core.jobs.batches import BatchWorker
from connections_project.core.jobs.lanes import Lanes
from connections_project.events.attempts import settle
from connections_project.events.chains import Chain, Tried, send_chain
from connections_project.events.claims import Wanted, claim, give_back
from connections_project.revocation.slots import keep_slots, release_slots

# A worker's pass stays for what is due before the next one would come.
PATIENCE_SECONDS = 5.0


def deliver(*, due_by: datetime | None = None, patience: float = 0.0) -> Iterator[str]:
    """Try what is due, many deliveries at a time, until nothing is.

    Args:
        due_by: Only what is due by then; None for all that becomes due meanwhile.
        patience: Seconds for which it stays for what is about to be due.

    Yields:
        What each has become, of `DeliveryState`; "pending" for one that was put off.
    """
    yield from _run(
        lambda: Wanted(due_by or clock.now(), patience=patience),
        threads=settings.EVENT_THREADS,
        call_others=lambda: notify_workers(process_deliveries),
        patience=patience,
    )


def process_deliveries() -> None:
    """Deliver what is due, as a periodic task."""
    # `run_background --once` ends where nothing is due.
    patience = PATIENCE_SECONDS if settings.CELERY_BROKER_URL else 0.0
    for _ in deliver(patience=patience):
        pass


def deliver_new(endpoints: Collection[UUID], *, within: float) -> None:
    """Try once what was never tried, at endpoints that are to be told of something new.

    Args:
        endpoints: Each has a thread.
        within: Seconds for all of it.
    """
    wanted = Wanted(clock.now(), only=endpoints, untried=True)
    for _ in _run(
        lambda: wanted, threads=min(len(endpoints), settings.EVENT_THREADS), each=1, within=within
    ):
        pass


def _run(
    wanted: Callable[[], Wanted],
    *,
    threads: int,
    each: int | None = None,
    within: float = math.inf,
    call_others: Callable[[], object] = lambda: None,
    patience: float = 0.0,
) -> Iterator[str]:
    """Deliver; without end, since what is due at others mustn't wait for a hanging endpoint."""
    worker, ends_at = uuid7(), time.monotonic() + within
    batches = BatchWorker(
        claim=lambda lanes: claim(worker, wanted(), threads=threads, each=each, lanes=lanes),
        lanes=partial(_lanes, threads=threads, ends_at=ends_at),
        settle=settle,
        give_back=_give_back,
        threads=threads,
        prepare=lambda: keep_slots(worker),
        call_others=call_others,
        seconds=within,
        patience=patience,
    )
    try:
        yield from batches.run()
    finally:
        release_slots(worker)


def _lanes(*, threads: int, ends_at: float) -> Lanes[Chain, Tried]:
    send = partial(send_chain, ends_at=ends_at)
    well, name = attrgetter("is_well"), attrgetter("lane")
    return Lanes(send, name_of=name, is_well=well, threads=threads)


def _give_back(chains: Sequence[Chain]) -> None:
    give_back([delivery for chain in chains for delivery in chain.deliveries])
