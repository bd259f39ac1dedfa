"""Metrics that need a count over a table, taken once a minute by a periodic task.

None reads a whole table: connections and jobs are counted by the database as they change
(`metrics/counters.py`), the rest by indexes, up to a limit.

A scrape reads one row. Only where no periodic tasks have run for a while does it count by
itself: just then somebody must see how old the oldest revocation has become.
"""

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import Error
from django.db.models import Min

from audit.unsealed import oldest_unsealed
from connections_project.connections.registry import connection_types
from connections_project.core import clock
from connections_project.core.ids import first_uuid7
from connections_project.events.circuits import open_endpoint_circuits
from connections_project.events.health import oldest_pending
from connections_project.metrics import counters
from connections_project.metrics.days import per_day
from connections_project.metrics.models import TableMetrics
from connections_project.revocation.circuits import open_circuits
from connections_project.revocation.models import (
    JobState,
    OpenQuestion,
    RevocationJob,
    Verification,
)

logger = logging.getLogger(__name__)

EVERY = timedelta(seconds=60)
OVERDUE = timedelta(seconds=120)
UNANSWERED = timedelta(hours=1)
# So many of the oldest open questions are looked at.
MOST_QUESTIONS = 1000
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def refresh(*, older_than: timedelta = EVERY) -> None:
    """Count anew, as a periodic task, unless that was done lately or is being done elsewhere.

    A database that is away, or that takes too long, is logged; the next round tries again.

    Args:
        older_than: How old the metrics may be.
    """
    try:
        _refresh(older_than, is_periodic=True)
    except Error as error:
        logger.warning("The tables were not counted (%s)", type(error).__name__)


def _refresh(older_than: timedelta, *, is_periodic: bool) -> None:
    row, _ = TableMetrics.objects.get_or_create(pk=1, defaults={"claimed_at": _LONG_AGO})
    now = clock.now()
    # One that lies ahead was stored by a clock that was wrong.
    if now - older_than < row.claimed_at <= now + older_than:
        return
    # Whoever changes the row from what both have read is the only one that counts.
    if TableMetrics.objects.filter(pk=1, claimed_at=row.claimed_at).update(claimed_at=now):
        metrics = _counted() | {"days": per_day(row.metrics.get("days", {}))}
        # A scrape that counts keeps the tables' figures fresh, and is no background work.
        background_at = None if is_periodic else row.metrics.get("background_at")
        metrics["background_at"] = background_at or now.isoformat()
        TableMetrics.objects.filter(pk=1).update(metrics=metrics, counted_at=clock.now())
        counters.compact()


def last_counted() -> TableMetrics | None:
    """Return the latest metrics; None before the first count, and while the database is away."""
    try:
        _refresh(OVERDUE, is_periodic=False)
        return TableMetrics.objects.filter(pk=1, counted_at__isnull=False).first()
    except Error as error:
        # The metrics of the processes themselves are needed all the more now.
        logger.warning("No metrics of the tables (%s)", type(error).__name__)
        return None


def _counted() -> dict[str, Any]:
    pending = RevocationJob.objects.filter(state=JobState.PENDING)
    oldest = pending.aggregate(oldest=Min("created_at"))["oldest"]
    by_name = counters.counts()
    jobs = by_name[counters.JOBS]
    return {
        "connections": {one.app: _by(by_name[one.app], 0) for one in connection_types()},
        "revocation_jobs": dict.fromkeys(JobState.values, 0) | _by(jobs, 0),
        "jobs_by_platform": _jobs_by_platform(jobs),
        "verifications": _verifications(jobs),
        "unanswered": _unanswered(),
        "oldest_pending": _iso(oldest),
        "oldest_event": _iso(oldest_pending()),
        "oldest_unsealed": _iso(oldest_unsealed()),
        "oldest_schedule": _iso(_oldest_overdue()),
        "circuits": open_circuits() | {"events": open_endpoint_circuits()},
        "attention": {one.app: _by(by_name[one.app], 1) for one in connection_types()},
    }


def _by(found: dict[counters.Values, int], column: int) -> dict[str, int]:
    return {value: number for (value,), number in counters.by(found, column).items()}


def _jobs_by_platform(jobs: dict[counters.Values, int]) -> list[tuple[Any, ...]]:
    found = counters.by(jobs, 1, 0).items()
    return [(*values, number) for values, number in found if values[1] == JobState.PENDING]


def _verifications(jobs: dict[counters.Values, int]) -> list[tuple[Any, ...]]:
    found = counters.by(jobs, 0, 1, 2).items()
    return [(*values, number) for values, number in found if values[2] == Verification.STILL_ALIVE]


def _unanswered() -> list[tuple[str, int]]:
    """Return how many open questions each platform leaves unanswered, though asked many times.

    Of very many these are the oldest; by their time-ordered keys they are found first.
    """
    before = first_uuid7(clock.now() - UNANSWERED)
    oldest = OpenQuestion.objects.filter(pk__lt=before).order_by("pk")[:MOST_QUESTIONS]
    return sorted(Counter(oldest.values_list("platform", flat=True)).items())


def _oldest_overdue() -> datetime | None:
    """Return since when the oldest of what is scheduled should have been done."""
    found = (one.oldest_overdue() for one in connection_types() if one.oldest_overdue)
    return min((one for one in found if one is not None), default=None)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
