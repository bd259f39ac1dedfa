"""Who may try which job now: any number of workers on any number of hosts share them.

A claimed job has a lease, and nobody else tries it before that ends. So a job of a worker that died
is taken over, and one that is tried is never tried twice at once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.revocation.circuits import is_in_trouble, not_blocked
from connections_project.revocation.models import Circuit, JobState, RevocationJob


def free(at: datetime) -> Q:
    """Find jobs that nobody works on."""
    return Q(leased_until=None) | Q(leased_until__lt=at)


def due(at: datetime) -> QuerySet[RevocationJob]:
    return RevocationJob.objects.filter(free(at), state=JobState.PENDING, due_at__lte=at)


def claim_one(job_id: UUID) -> RevocationJob | None:
    """Claim a certain job, due or not; None where somebody else has it or has finished it."""
    now = timezone.now()
    with transaction.atomic():
        rows = RevocationJob.objects.select_for_update(skip_locked=True)
        job = rows.filter(free(now), pk=job_id, state=JobState.PENDING).first()
        return _leased([job], now)[0] if job else None


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
        circuits = _locked(due_by, heed_circuits=heed_circuits)
        room = _room(circuits, heed_circuits=heed_circuits)
        for circuit in circuits:
            chosen += _next(circuit, min(room[circuit.platform], limit - len(chosen)), due_by)
        return _leased(chosen, timezone.now())


def _locked(due_by: datetime, *, heed_circuits: bool) -> list[Circuit]:
    """Lock the platforms that have work, in one order, so that claims wait for each other.

    Only what is read after the lock tells how many jobs others have claimed.

    Returns:
        The platforms, in the order in which they are to be served.
    """
    first = due(due_by).filter(platform=OuterRef("platform")).order_by("due_at").values("due_at")
    rows = Circuit.objects.annotate(longest_due=Subquery(first[:1])).exclude(longest_due=None)
    if heed_circuits:
        rows = rows.filter(not_blocked(timezone.now()))
    locked = rows.select_for_update().order_by("platform")
    in_order = sorted(locked, key=lambda circuit: (is_in_trouble(circuit), circuit.longest_due))
    return list(in_order)


def _room(circuits: Sequence[Circuit], *, heed_circuits: bool) -> Counter[str]:
    """Say how many more jobs each platform may be asked for at a time, over all workers."""
    in_flight = (
        RevocationJob.objects.filter(
            platform__in=[circuit.platform for circuit in circuits],
            leased_until__gte=timezone.now(),
        )
        .values_list("platform")
        .annotate(number=Count("*"))
    )
    room = Counter(
        {
            circuit.platform: 1
            if heed_circuits and is_in_trouble(circuit)
            else settings.REVOCATION_PLATFORM_LIMIT
            for circuit in circuits
        }
    )
    room.subtract(dict(in_flight))
    return room


def _next(circuit: Circuit, limit: int, due_by: datetime) -> list[RevocationJob]:
    if limit <= 0:
        return []
    rows = due(due_by).filter(platform=circuit.platform).order_by("due_at", "id")
    return list(rows.select_for_update(skip_locked=True)[:limit])


def _leased(jobs: list[RevocationJob], now: datetime) -> list[RevocationJob]:
    if not jobs:
        return []
    lease, until = uuid7(), now + timedelta(seconds=settings.REVOCATION_LEASE_SECONDS)
    for job in jobs:
        job.lease, job.leased_until, job.attempts = lease, until, job.attempts + 1
    rows = RevocationJob.objects.filter(pk__in=[job.pk for job in jobs])
    rows.update(lease=lease, leased_until=until, attempts=F("attempts") + 1)
    return jobs


def open_circuits() -> None:
    """See to it that each platform that has work has the row under which it is claimed."""
    known = set(Circuit.objects.values_list("platform", flat=True))
    missing = [Circuit(platform=slug) for slug in _platforms_with_work() if slug not in known]
    if missing:
        Circuit.objects.bulk_create(missing, ignore_conflicts=True)


def _platforms_with_work() -> Iterator[str]:
    """Go from each platform to the next one by the index: DISTINCT would read every job."""
    pending = RevocationJob.objects.filter(state=JobState.PENDING)
    slug = pending.aggregate(next=Min("platform"))["next"]
    while slug is not None:
        yield slug
        slug = pending.filter(platform__gt=slug).aggregate(next=Min("platform"))["next"]
