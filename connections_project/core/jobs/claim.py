"""Claim jobs: lock rows that nobody holds, and have them under a lease from then on.

On PostgreSQL claims pass over rows that others claim just now (FOR UPDATE SKIP LOCKED); on SQLite
a transaction that writes has the database to itself.
"""

from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import F, QuerySet

from connections_project.core.ids import uuid7
from connections_project.core.jobs.lease import lease_end


class LeasedRow(models.Model):
    """A row that one process at a time works on, under a lease."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Each claim is one, also that of a worker that died.
    attempts = models.PositiveIntegerField(default=0)
    # Who works on it just now, and until when nobody else may; a lost worker's lease runs out.
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @classmethod
    def lease_seconds(cls) -> float:
        """Return for how long a claim holds a job; longer than any attempt takes."""
        return 30.0


J = TypeVar("J", bound=LeasedRow)


def claim_rows(rows: QuerySet[J], limit: int, **columns: Any) -> list[J]:
    """Claim the first of some rows, past those that others claim just now.

    Args:
        rows: Nobody holds them, and they are in the order in which they are to be claimed.
        columns: What else a claim changes in the database.
    """
    with transaction.atomic():
        return lease_jobs(locked_rows(rows, limit), **columns)


def locked_rows(rows: QuerySet[J], limit: int) -> list[J]:
    """Return the first of some rows, locked in the caller's transaction."""
    if limit <= 0:
        return []
    return list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",))[:limit])


def lease_jobs(jobs: list[J], **columns: Any) -> list[J]:
    """Lease jobs that are locked, and count the attempt, in one statement.

    When the lease ends only the database knows; `leased_until` is not read back.
    """
    if not jobs:
        return []
    lease = uuid7()
    rows = type(jobs[0])._default_manager.filter(pk__in=[job.pk for job in jobs])
    until = lease_end(jobs[0].lease_seconds())
    rows.update(lease=lease, leased_until=until, attempts=F("attempts") + 1, **columns)
    for job in jobs:
        job.lease = lease
        job.attempts += 1
    return jobs
