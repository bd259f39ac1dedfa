"""Delete what has been kept for long enough, a batch at a time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Model, QuerySet

from connections_project.core import clock
from connections_project.core.periodic import stopping

M = TypeVar("M", bound=Model)

# So many rows are locked, and gone, in well under a second.
BATCH = 1000


def expiry(days: int) -> datetime | None:
    """Return the moment before which something is old; None where it is kept for ever.

    Args:
        days: How long it is kept; 0 for ever.
    """
    return clock.now() - timedelta(days=days) if days else None


def batches(rows: QuerySet[M]) -> Iterator[QuerySet[M]]:
    """Yield the rows a batch at a time, each to be deleted before the next one is looked for.

    A process that is to end stops between two of them; the next one goes on.

    Args:
        rows: Found by an index.
    """
    while not stopping.is_set() and (keys := list(rows.values_list("pk", flat=True)[:BATCH])):
        # Once more with all conditions: a row may have changed meanwhile.
        yield rows.model._default_manager.filter(pk__in=keys) & rows.order_by()


def delete(rows: QuerySet[M]) -> int:
    """Delete rows a batch at a time, and return how many there were."""
    return sum(batch.delete()[0] for batch in batches(rows))
