"""When what a revocation has left open is tried again, and until when."""

from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings

from connections_project.core import clock
from connections_project.core.jobs.backoff import backoff

LONGEST_BACKOFF = timedelta(hours=1)


class Tried(Protocol):
    """A job: how often it was tried, and since when it stands."""

    attempts: int
    created_at: datetime


def next_try(job: Tried, *, retry_after: float | None) -> datetime:
    """Return when a job that failed is due again, for the last time at the end of its life.

    Args:
        job: The job; the try that failed is counted.
        retry_after: Seconds that the platform asks to be left alone.
    """
    first = settings.REVOCATION_FIRST_RETRY_SECONDS
    wait = backoff(job.attempts, first=first, longest=LONGEST_BACKOFF)
    return min(clock.now() + max(wait, timedelta(seconds=retry_after or 0)), end_of_life(job))


def end_of_life(job: Tried) -> datetime:
    return job.created_at + timedelta(seconds=settings.REVOCATION_GIVE_UP_SECONDS)
