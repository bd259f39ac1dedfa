"""Claim deliveries, of no endpoint more at a time than its share of the threads.

Any number of workers on any number of hosts share them.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone

from connections_project.core.jobs.claim import lease_jobs, locked_rows
from connections_project.core.jobs.lease import leased
from connections_project.events.circuits import is_in_trouble
from connections_project.events.models import Delivery, Endpoint


def claim(
    limit: int, *, due_by: datetime, only: Collection[UUID] | None = None, untried: bool = False
) -> list[Delivery]:
    """Claim the next deliveries, a share for each endpoint, those in trouble last.

    Args:
        limit: How many at most.
        due_by: Only deliveries that are due by then.
        only: Of these endpoints alone.
        untried: Only deliveries that were never tried.
    """
    which = Q(attempts=0) if untried else Q()
    chosen: list[Delivery] = []
    with transaction.atomic():
        endpoints = _locked_endpoints(due_by, only)
        room = _room(endpoints)
        for endpoint in endpoints:
            rows = Delivery.claimable(due_by).filter(which, endpoint=endpoint)
            number = min(room[endpoint.pk], limit - len(chosen))
            found = locked_rows(rows.select_related("event"), number)
            for delivery in found:
                delivery.endpoint = endpoint
            chosen += found
        return lease_jobs(chosen)


def claim_one(delivery_id: UUID) -> Delivery | None:
    """Claim a certain delivery, whether or not its endpoint is left alone now.

    Returns:
        None where somebody else has it, or an earlier one goes first.
    """
    with transaction.atomic():
        rows = Delivery.claimable(timezone.now()).filter(pk=delivery_id)
        jobs = lease_jobs(locked_rows(rows.select_related("event", "endpoint"), 1))
    return jobs[0] if jobs else None


def _locked_endpoints(due_by: datetime, only: Collection[UUID] | None) -> Sequence[Endpoint]:
    """Lock the endpoints that have work, in one order, so that claims wait for each other.

    Only what is read after the lock tells how many deliveries others have claimed.
    """
    now = timezone.now()
    first = Delivery.pending().filter(endpoint=OuterRef("pk"), due_at__lte=due_by)
    rows = Endpoint.objects.filter(disabled_at=None).filter(
        Q(blocked_until=None) | Q(blocked_until__lte=now)
    )
    if only is not None:
        rows = rows.filter(pk__in=only)
    longest = Subquery(first.order_by("due_at").values("due_at")[:1])
    rows = rows.annotate(longest_due=longest).exclude(longest_due=None)
    locked = rows.select_for_update(no_key=True).order_by("pk")
    return sorted(locked, key=lambda one: (is_in_trouble(one), one.longest_due))


def _room(endpoints: Sequence[Endpoint]) -> Counter[UUID]:
    """Return how many more deliveries each endpoint may be sent at a time, over all workers."""
    in_flight = (
        Delivery.objects.filter(leased(), endpoint__in=[one.pk for one in endpoints])
        .values_list("endpoint")
        .annotate(number=Count("*"))
        .order_by()
    )
    limit = settings.EVENT_ENDPOINT_LIMIT
    room = Counter({one.pk: 1 if is_in_trouble(one) else limit for one in endpoints})
    room.subtract(dict(in_flight))
    return room
