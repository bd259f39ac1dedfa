"""A circuit breaker: what fails again and again is left alone for a while, then asked once first.

What becomes of that one call closes the circuit, or opens it for longer.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.db.models.expressions import Combinable

FAILURES_TO_OPEN = 5
LONGEST_RETRY_AFTER = timedelta(hours=1)
# A wait that ends later was stored by a clock that was wrong; readings of one differ a little.
LONGEST_WAIT = LONGEST_RETRY_AFTER + timedelta(minutes=1)


class CircuitBreaker(models.Model):
    """How something is doing that is called, as all processes on all hosts know it."""

    # Failures in a row that speak of what is called rather than of one call.
    faults = models.PositiveIntegerField(default=0)
    # It is left alone until then, and after that asked once first.
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def is_in_trouble(self) -> bool:
        """Whether the next call is a probe, beside which no other is made."""
        return self.faults >= FAILURES_TO_OPEN

    def left_alone_for(self, at: datetime) -> timedelta:
        """Return how long nothing is called from a time on; zero where it may be."""
        left = self.blocked_until - at if self.blocked_until else timedelta()
        return left if timedelta() < left <= LONGEST_WAIT else timedelta()

    def count_failure(
        self, at: datetime, block_after: Callable[[int], timedelta], retry_after: int | None
    ) -> None:
        """Count a failure, and open the circuit with the last one of too many; nothing is saved.

        Args:
            block_after: For how long it opens, by how many probes have failed, this one included.
            retry_after: Seconds that were asked for.
        """
        self.faults += 1
        if self.is_in_trouble:
            requested = min(timedelta(seconds=retry_after or 0), LONGEST_RETRY_AFTER)
            block = block_after(self.faults - FAILURES_TO_OPEN + 1)
            self.blocked_until = at + max(block, requested)


def left_alone(at: datetime | Combinable, *, patience: timedelta = timedelta()) -> Q:
    """Return the condition of rows that are left alone, and by so much longer than until a time."""
    return Q(blocked_until__gt=at + patience, blocked_until__lte=at + LONGEST_WAIT)


def in_trouble() -> Q:
    """Return the condition of rows that are left alone or asked by one probe at a time."""
    return Q(faults__gte=FAILURES_TO_OPEN)
