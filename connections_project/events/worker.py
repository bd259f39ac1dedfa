"""Deliver what is due, by however many workers."""

import math
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from connections_project.core.jobs.worker import Worker
from connections_project.events.attempts import attempt
from connections_project.events.claims import claim


def deliver(*, due_by: datetime | None = None) -> Iterator[str]:
    """Try what is due, many deliveries at a time, until nothing is.

    Args:
        due_by: Only what is due by then; None for all that becomes due meanwhile.

    Yields:
        What each has become, of `DeliveryState`; "pending" for one that was put off.
    """
    worker = Worker(
        claim=lambda limit: claim(limit, due_by=due_by or timezone.now()),
        handle=attempt,
        threads=settings.EVENT_THREADS,
        # An endpoint that hangs must not keep what is due at others waiting for the next pass.
        seconds=math.inf,
    )
    yield from worker.run()


def process_deliveries() -> None:
    """Deliver what is due, as a periodic task."""
    for _ in deliver():
        pass


def deliver_new(endpoints: Collection[UUID], *, within: float) -> None:
    """Try once what was never tried, at endpoints that are to be told of something new.

    Args:
        endpoints: Each has a thread; where there is one, the caller's is enough.
        within: Seconds for all of it.
    """
    worker = Worker(
        claim=partial(claim, due_by=timezone.now(), only=endpoints, untried=True),
        handle=partial(attempt, within=within),
        threads=min(len(endpoints), settings.EVENT_THREADS),
        seconds=within,
    )
    for _ in worker.run():
        pass
