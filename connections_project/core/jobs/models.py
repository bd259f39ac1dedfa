"""The row of a job."""

import logging
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone

from connections_project.core import clock
from connections_project.core.jobs.backoff import backoff
from connections_project.core.jobs.claim import LeasedRow, claim_rows
from connections_project.core.jobs.lease import FREED, not_leased

logger = logging.getLogger(__name__)


class LeasedJob(LeasedRow):
    """Something to be done, and done again if it must be.

    A subclass says what is pending, in which order it is claimed and how it ends. It needs an index
    on what `claimable` reads: by default (`due_at`, `id`) of the pending rows.
    """

    FIRST_RETRY_SECONDS: ClassVar[float] = 10.0
    LONGEST_RETRY: ClassVar[timedelta] = timedelta(hours=1)
    MAX_ATTEMPTS: ClassVar[int] = 20

    due_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    @classmethod
    def pending(cls) -> models.QuerySet[Self]:
        """Return the jobs that are not over: all of them, unless ended ones are kept."""
        return cls._default_manager.all()

    @classmethod
    def claimable(cls, due_by: datetime) -> models.QuerySet[Self]:
        """Return what may be claimed, in the order of claiming."""
        return cls.pending().filter(not_leased(), due_at__lte=due_by).order_by("due_at", "pk")

    @classmethod
    def claim(cls, limit: int, *, due_by: datetime) -> list[Self]:
        """Claim the next jobs; a queue with a limit for each key has its own way.

        Args:
            due_by: Only jobs that are due by then.
        """
        return claim_rows(cls.claimable(due_by), limit)

    def owned(self) -> models.QuerySet[Self]:
        """Return this row as long as it is held under the lease by which it was claimed."""
        return type(self)._default_manager.filter(pk=self.pk, lease=self.lease)

    def give_back(self, **columns: Any) -> bool:
        """End the claim, and change columns by the same statement.

        Returns:
            Whether the claim still was the caller's. Otherwise nothing is changed.
        """
        return bool(self.owned().update(**FREED, **columns))

    def retry(self, error: Exception) -> None:
        """Put a claimed job off by its backoff, or give it up after too many tries.

        Args:
            error: Why it failed. Its `retry_after`, in seconds, is heeded if it has one.
        """
        if self.attempts >= self.MAX_ATTEMPTS:
            self.give_up(error)
            return
        wait = backoff(self.attempts, first=self.FIRST_RETRY_SECONDS, longest=self.LONGEST_RETRY)
        wanted = timedelta(seconds=getattr(error, "retry_after", None) or 0)
        self.give_back(due_at=clock.now() + max(wait, wanted))

    def finish(self) -> None:
        """End a claimed job that is done."""
        self.owned().delete()

    def give_up(self, error: Exception | None) -> None:
        """End a claimed job that has failed too often.

        Args:
            error: The last one; None where the last attempt never came to its end.
        """
        logger.error("Gave up job %s: %s", self.pk, type(error).__name__)
        self.owned().delete()
