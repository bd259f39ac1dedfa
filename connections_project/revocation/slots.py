"""How many calls at a time each worker makes to a platform, out of what all workers may.

The claims of a platform wait for each other at its circuit, so that the sum never exceeds the
limit. A worker shrinks to its share as its calls are answered, never earlier. What is said of
platforms here holds for whatever else has a lane of its own, such as an endpoint of events.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from connections_project.core.jobs.batches import Claimed
from connections_project.core.jobs.lanes import Job, Lane
from connections_project.core.jobs.lease import lease_end, leased
from connections_project.revocation.models import WorkerSlots

J = TypeVar("J", bound=Job)

# What a lost worker had is free after so many seconds; one that lives renews it far more often.
SLOT_LEASE_SECONDS = 5.0


@dataclass(frozen=True)
class Offer(Generic[J]):
    """Jobs of one platform that can be claimed.

    Args:
        most: How many all workers together may handle at a time.
        take: Locks so many of the next ones.
        here: How many of them this worker handles at a time at most.
    """

    platform: str
    most: int
    take: Callable[[int], Sequence[J]]
    here: float = math.inf


@dataclass
class Share(Generic[J]):
    """What a worker gets of a platform.

    Args:
        running: How many of its jobs the worker handles just now.
        slots: How many it may handle at a time.
        wanted: How many it could.
        number: How many jobs it may claim.
    """

    platform: str
    running: int
    waiting: int
    slots: int
    wanted: int
    number: int = 0
    jobs: Sequence[J] = ()

    @classmethod
    def kept(cls, platform: str, lane: Lane[J]) -> Self:
        """Return what is needed for jobs that are claimed already, where there are no others."""
        running, waiting = lane.running, len(lane.waiting)
        slots = max(running, min(lane.slots, running + waiting))
        return cls(platform, running, waiting, slots, wanted=slots)

    @classmethod
    def of(
        cls, platform: str, lane: Lane[J], idle: int, most: int, others: Collection[WorkerSlots]
    ) -> Self:
        """Return a worker's share of a platform that has more jobs.

        Args:
            lane: What the worker handles of it just now.
            idle: How many of the worker's threads are free for it.
            most: What all workers together may do at a time.
        """
        running, waiting = lane.running, len(lane.waiting)
        wanted = running + idle
        fair = even_share(most, [wanted, *(each.wanted for each in others)])
        slots = max(0, min(wanted, fair, most - sum(each.slots for each in others)))
        # What is in trouble is asked by one call at a time, and nothing waits for it.
        ahead = lane.ahead(slots) if most > 1 else 0
        return cls(platform, running, waiting, slots, wanted, slots + ahead - running - waiting)

    def take(self, jobs: Sequence[J]) -> None:
        """Add what was claimed, and keep no slot for which there is no job."""
        self.jobs = jobs
        if len(jobs) < self.number:
            self.wanted = min(self.wanted, self.running + self.waiting + len(jobs))
        self.slots = max(self.running, min(self.slots, self.wanted))

    @property
    def begun(self) -> int:
        """How many more jobs are handled from now on."""
        return min(self.slots - self.running, self.waiting + len(self.jobs))

    @property
    def is_waiting(self) -> bool:
        """Whether it has none, though it could use some."""
        return not self.slots and self.wanted > 0


def share_out(
    worker: UUID,
    offers: Sequence[Offer[J]],
    *,
    threads: int,
    lanes: Mapping[str, Lane[J]],
    lease_seconds: float = SLOT_LEASE_SECONDS,
) -> list[Share[J]]:
    """Have a worker take its share of each platform, in the transaction that locked the platforms.

    Args:
        worker: Its slots are its own until `release_slots`.
        offers: Of platforms that have more jobs, in the order in which they are served.
        threads: How many jobs the worker handles at a time.
        lanes: What it handles just now, by platform.
        lease_seconds: For how long its slots count unless `keep_slots` renews them.
    """
    idle = threads - sum(lane.running for lane in lanes.values())
    others = slots_of_others(worker, [offer.platform for offer in offers])
    kept = lanes.keys() - {offer.platform for offer in offers}
    shares = [Share.kept(platform, lanes[platform]) for platform in sorted(kept)]
    for offer in offers:
        lane = lanes.get(offer.platform, Lane())
        free = int(max(0, min(idle, offer.here - lane.running)))
        share = Share.of(offer.platform, lane, free, offer.most, others[offer.platform])
        share.take(offer.take(share.number) if share.number > 0 else [])
        idle -= share.begun
        shares.append(share)
    store_slots(worker, shares, lease_seconds=lease_seconds)
    return shares


def claimed(shares: Sequence[Share[J]], *, more_soon: bool = False) -> Claimed[J]:
    """Return what shares come to; `more_soon`: whether others are about to be due."""
    return Claimed(
        [job for share in shares for job in share.jobs],
        {share.platform: share.slots for share in shares},
        is_waiting=more_soon or any(share.is_waiting for share in shares),
    )


def even_share(most: int, wanted: Iterable[int]) -> int:
    """Return what each may have of something, so that all of it is used and shared evenly.

    Args:
        most: How much there is.
        wanted: How much each could use.
    """
    left, parties = most, sorted(wanted)
    for served, each in enumerate(parties):
        share = -(-left // (len(parties) - served))
        if each >= share:
            return share
        left -= each
    return most


def slots_of_others(worker: UUID, platforms: Collection[str]) -> Mapping[str, list[WorkerSlots]]:
    """Return what other workers have of platforms whose circuits the caller has locked."""
    found: dict[str, list[WorkerSlots]] = defaultdict(list)
    rows = WorkerSlots.objects.filter(leased(), platform__in=platforms)
    for each in rows.exclude(worker=worker):
        found[each.platform].append(each)
    return found


def store_slots(worker: UUID, shares: Collection[Share[J]], *, lease_seconds: float) -> None:
    """Store what a worker has from now on, and for how long it counts if the worker is lost."""
    until = lease_end(lease_seconds)
    rows = [
        WorkerSlots(
            worker=worker,
            platform=share.platform,
            slots=share.slots,
            wanted=share.wanted,
            leased_until=until,
        )
        for share in shares
    ]
    WorkerSlots.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["platform", "worker"],
        update_fields=["slots", "wanted", "leased_until"],
    )


def keep_slots(worker: UUID) -> None:
    """Renew a worker's slots: it lives, also while its jobs take long."""
    rows = WorkerSlots.objects.filter(worker=worker)
    rows.update(leased_until=lease_end(SLOT_LEASE_SECONDS))


def release_slots(worker: UUID) -> None:
    """Give up what a worker has, and what lost ones had."""
    WorkerSlots.objects.filter(Q(worker=worker) | Q(leased_until__lt=Now())).delete()
