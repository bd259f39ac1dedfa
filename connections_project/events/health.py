"""How an endpoint is doing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from connections_project.core import clock
from connections_project.events.models import Delivery, DeliveryState, Endpoint

SPAN = timedelta(hours=1)
# More are not counted: what is shown is how bad it is, not a figure to sum up.
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Health:
    """How an endpoint is doing.

    Args:
        oldest_waiting: Since when the oldest pending delivery waits.
        waiting: How many do, up to `MOST_COUNTED`.
        tried: How many were last tried within the hour, up to `MOST_COUNTED`.
        failed: How many of those that try failed.
    """

    oldest_waiting: datetime | None
    waiting: int
    tried: int
    failed: int

    @property
    def waiting_in_words(self) -> str:
        return f"{self.waiting} or more" if self.waiting == MOST_COUNTED else str(self.waiting)

    @property
    def failure_rate_in_words(self) -> str:
        if not self.tried:
            return "—"
        return f"{self.failed * 100 / self.tried:.0f} % of {self.tried}"


def health_of(endpoint: Endpoint) -> Health:
    """Return how an endpoint is doing, by its indexes."""
    pending = Delivery.pending().filter(endpoint=endpoint)
    recent = Delivery.objects.filter(endpoint=endpoint, tried_at__gte=clock.now() - SPAN)
    failed = recent.filter(~Q(state=DeliveryState.DELIVERED))
    oldest = pending.order_by("begun_at").values_list("begun_at", flat=True)
    return Health(
        oldest_waiting=oldest.first(),
        waiting=pending.order_by()[:MOST_COUNTED].count(),
        tried=recent.order_by()[:MOST_COUNTED].count(),
        failed=failed.order_by()[:MOST_COUNTED].count(),
    )


def oldest_pending() -> datetime | None:
    """Return since when the oldest delivery to an enabled endpoint waits; None where none does."""
    rows = Endpoint.objects.filter(disabled_at=None)
    oldest = (health_of(endpoint).oldest_waiting for endpoint in rows)
    return min((one for one in oldest if one is not None), default=None)
