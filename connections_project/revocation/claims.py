"""Claim revocations, of no platform more at a time than it may be asked for.

Any number of workers on any number of hosts share the jobs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, OuterRef, Subquery
from django.utils import timezone

from connections_project.core.jobs.claim import claim_rows, lease_jobs, locked_rows
from connections_project.core.jobs.lease import leased, not_leased
from connections_project.revocation.circuits import is_in_trouble, not_blocked
from connections_project.revocation.models import Circuit, RevocationJob


def claim_one(job_id: UUID) -> RevocationJob | None:
    """Claim a certain job, due or not; None where somebody else has it or has finished it, or its
    platform is to be left alone for now."""
    down = Circuit.objects.exclude(not_blocked(timezone.now())).values("platform")
    rows = RevocationJob.pending().filter(not_leased(), pk=job_id).exclude(platform__in=down)
    jobs = claim_rows(rows, 1)
    return jobs[0] if jobs else None


def claim(limit: int, *, due_by: datetime, heed_circuits: bool = True) -> list[RevocationJob]:
    """Claim the next jobs, a share for each platform.

    Platforms come in the order of their longest waiting jobs, and those in trouble last.

    Args:
        limit: How many at most.
        due_by: Only jobs that are due by then.
        heed_circuits: Leave platforms alone that have failed again and again.
    """
    chosen: list[RevocationJob] = []
    with transaction.atomic():
        circuits = _locked_circuits(due_by, heed_circuits=heed_circuits)
        capacity = _capacity(circuits, heed_circuits=heed_circuits)
        for circuit in circuits:
            rows = RevocationJob.claimable(due_by).filter(platform=circuit.platform)
            chosen += locked_rows(rows, min(capacity[circuit.platform], limit - len(chosen)))
        return lease_jobs(chosen)


def _locked_circuits(due_by: datetime, *, heed_circuits: bool) -> list[Circuit]:
    """Lock the platforms that have work, in one order, so that claims wait for each other.

    Only what is read after the lock shows how many jobs others have claimed.

    Returns:
        The platforms, in the order in which they are to be served.
    """
    jobs = RevocationJob.claimable(due_by).filter(platform=OuterRef("platform"))
    first = jobs.order_by("due_at").values("due_at")
    rows = Circuit.objects.annotate(longest_due=Subquery(first[:1])).exclude(longest_due=None)
    if heed_circuits:
        rows = rows.filter(not_blocked(timezone.now()))
    locked = rows.select_for_update().order_by("platform")
    in_order = sorted(locked, key=lambda circuit: (is_in_trouble(circuit), circuit.longest_due))
    return list(in_order)


def _capacity(circuits: Sequence[Circuit], *, heed_circuits: bool) -> Counter[str]:
    """Return how many more jobs each platform may be asked for at a time, over all workers."""
    in_flight = (
        RevocationJob.objects.filter(
            leased(), platform__in=[circuit.platform for circuit in circuits]
        )
        .values_list("platform")
        .annotate(number=Count("*"))
    )
    capacity = Counter(
        {
            circuit.platform: 1
            if heed_circuits and is_in_trouble(circuit)
            else settings.REVOCATION_PLATFORM_LIMIT
            for circuit in circuits
        }
    )
    capacity.subtract(dict(in_flight))
    return capacity


def open_circuits() -> None:
    """Create the missing circuits of platforms that have jobs."""
    known = set(Circuit.objects.values_list("platform", flat=True))
    missing = [Circuit(platform=slug) for slug in _platforms_with_work() if slug not in known]
    if missing:
        Circuit.objects.bulk_create(missing, ignore_conflicts=True)


def _platforms_with_work() -> Iterator[str]:
    """Return the platforms with jobs, from one to the next by the index: DISTINCT reads all."""
    pending = RevocationJob.pending()
    slug = pending.aggregate(next=Min("platform"))["next"]
    while slug is not None:
        yield slug
        slug = pending.filter(platform__gt=slug).aggregate(next=Min("platform"))["next"]
