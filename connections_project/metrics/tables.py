"""Metrics that need a count over a table, taken once a minute by a periodic task.

None reads a whole table: the large ones are counted by the database as they change
(`metrics/counters.py`), the rest by indexes that hold little.

A scrape reads one row. Only where no periodic tasks have run for a while does it count by
itself: just then somebody must see how old the oldest revocation has become.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import Error
from django.db.models import Count, Min

from audit.unsealed import oldest_unsealed
from connections_project.connections.registry import ConnectionType, connection_types
from connections_project.core import clock
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
    return {
        "connections": {one.app: by_name[one.app] for one in connection_types()},
        "revocation_jobs": dict.fromkeys(JobState.values, 0) | by_name[counters.JOBS],
        "jobs_by_platform": _jobs_by_platform(),
        "verifications": _verifications(),
        "unanswered": _unanswered(),
        "oldest_pending": _iso(oldest),
        "oldest_event": _iso(oldest_pending()),
        "oldest_unsealed": _iso(oldest_unsealed()),
        "oldest_schedule": _iso(_oldest_overdue()),
        "circuits": open_circuits() | {"events": open_endpoint_circuits()},
        "attention": {one.app: _attention(one) for one in connection_types()},
    }


def _jobs_by_platform() -> list[tuple[str, str, int]]:
    # The finished ones may be millions.
    pending = RevocationJob.objects.filter(state=JobState.PENDING).order_by()
    rows = pending.values_list("platform", "state")
    return list(rows.annotate(number=Count("pk")))


def _verifications() -> list[tuple[str, str, str, int]]:
    # Those that have gone as they should may be millions.
    alive = RevocationJob.objects.filter(verification=Verification.STILL_ALIVE).order_by()
    rows = alive.values_list("state", "platform", "verification")
    return list(rows.annotate(number=Count("pk")))


def _unanswered() -> list[tuple[str, int]]:
    """Return how many open questions each platform leaves unanswered, though asked many times."""
    old = OpenQuestion.objects.filter(created_at__lt=clock.now() - UNANSWERED).order_by("platform")
    return list(old.values_list("platform").annotate(number=Count("pk")))


def _oldest_overdue() -> datetime | None:
    """Return since when the oldest of what is scheduled should have been done."""
    found = (one.oldest_overdue() for one in connection_types() if one.oldest_overdue)
    return min((one for one in found if one is not None), default=None)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _attention(one: ConnectionType) -> dict[str, int]:
    needy = one.rows.filter(attention_reason__isnull=False).order_by()
    rows = needy.values_list("attention_reason").annotate(number=Count("pk"))
    return {str(reason): number for reason, number in rows}
