"""Claim revocations, of no platform more at a time than it may be asked for.

Any number of workers on any number of hosts share the jobs.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from connections_project.core import clock
from connections_project.core.jobs.batches import Claimed
from connections_project.core.jobs.circuit import left_alone
from connections_project.core.jobs.claim import claim_rows, lease_jobs, locked_rows
from connections_project.core.jobs.keys import keys_of
from connections_project.core.jobs.lanes import Lane
from connections_project.core.jobs.lease import FREED, not_leased
from connections_project.revocation.models import Circuit, RevocationJob
from connections_project.revocation.slots import SLOT_LEASE_SECONDS, Offer, claimed, share_out


def claim_one(job_id: UUID) -> RevocationJob | None:
    """Claim a certain job, due or not; None where somebody else has it or has finished it, or its
    platform is to be left alone for now."""
    down = Circuit.objects.filter(left_alone(clock.now())).values("platform")
    rows = RevocationJob.pending().filter(not_leased(), pk=job_id).exclude(platform__in=down)
    jobs = claim_rows(rows, 1)
    return jobs[0] if jobs else None


def claim(
    worker: UUID,
    *,
    threads: int,
    lanes: Mapping[str, Lane[RevocationJob]] = MappingProxyType({}),
    due_by: datetime,
    heed_circuits: bool = True,
    lease_seconds: float = SLOT_LEASE_SECONDS,
) -> Claimed[RevocationJob]:
    """Claim the next jobs, a share for each platform.

    Platforms come in the order of their longest waiting jobs, and those in trouble last.

    Args:
        worker: Who claims; its slots are its own until `release_slots`.
        threads: How many jobs it handles at a time.
        lanes: What it handles just now, by platform.
        due_by: Only jobs that are due by then.
        heed_circuits: Leave platforms alone that have failed again and again.
        lease_seconds: For how long its slots count unless `keep_slots` renews them.
    """
    with transaction.atomic():
        circuits = _locked_circuits(due_by, heed_circuits=heed_circuits)
        if not circuits and not lanes:
            return Claimed()
        offers = [
            Offer(
                circuit.platform,
                _most(circuit, heed_circuits=heed_circuits),
                partial(
                    locked_rows,
                    RevocationJob.claimable(due_by).filter(platform=circuit.platform),
                ),
            )
            for circuit in circuits
        ]
        shares = share_out(
            worker, offers, threads=threads, lanes=lanes, lease_seconds=lease_seconds
        )
        lease_jobs([job for share in shares for job in share.jobs])
    return claimed(shares)


def _most(circuit: Circuit, *, heed_circuits: bool) -> int:
    """Return how many jobs a platform may be asked for at a time, over all workers."""
    is_probed = heed_circuits and circuit.is_in_trouble
    return 1 if is_probed else settings.REVOCATION_PLATFORM_LIMIT


def give_back(jobs: Sequence[RevocationJob]) -> None:
    """Give jobs back that were claimed and not tried."""
    ids, leases = [job.pk for job in jobs], {job.lease for job in jobs}
    rows = RevocationJob.pending().filter(pk__in=ids, lease__in=leases)
    rows.update(attempts=F("attempts") - 1, **FREED)


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
        rows = rows.exclude(left_alone(clock.now()))
    locked = rows.select_for_update().order_by("platform")
    in_order = sorted(locked, key=lambda circuit: (circuit.is_in_trouble, circuit.longest_due))
    return list(in_order)


def open_circuits() -> None:
    """Create the missing circuits of platforms that have jobs."""
    known = set(Circuit.objects.values_list("platform", flat=True))
    found = keys_of(RevocationJob.pending(), "platform")
    missing = [Circuit(platform=slug) for slug in found if slug not in known]
    if missing:
        Circuit.objects.bulk_create(missing, ignore_conflicts=True)
