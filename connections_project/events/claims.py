"""Claim deliveries, of no endpoint more at a time than its share of the threads.

Any number of workers on any number of hosts share them.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from connections_project.core import clock
from connections_project.core.database import in_index_order
from connections_project.core.jobs.batches import Claimed
from connections_project.core.jobs.circuit import left_alone
from connections_project.core.jobs.claim import lease_jobs, locked_rows
from connections_project.core.jobs.lanes import Lane
from connections_project.core.jobs.lease import FREED, not_leased
from connections_project.events.chains import Chain, lane_of
from connections_project.events.models import Delivery, Endpoint
from connections_project.revocation.slots import Offer, claimed, share_out

LONGEST_CHAIN = 16
NO_LANES = MappingProxyType[str, Lane[Chain]]({})


@dataclass(frozen=True)
class Wanted:
    """Which deliveries are claimed.

    Args:
        due_by: Those that are due by then.
        only: Of these endpoints alone.
        untried: Only those that were never tried.
        patience: Seconds within which it is worth to wait for others to be due.
    """

    due_by: datetime
    only: Collection[UUID] | None = None
    untried: bool = False
    patience: float = 0.0

    def admits_follower(self, delivery: Delivery) -> bool:
        """Whether a delivery goes on with its chain, by itself neither untried nor due."""
        if self.untried:
            return delivery.attempts == 0
        return delivery.due_at <= self.due_by or not delivery.was_refused


def claim(
    worker: UUID,
    wanted: Wanted,
    *,
    threads: int,
    each: int | None = None,
    lanes: Mapping[str, Lane[Chain]] = NO_LANES,
) -> Claimed[Chain]:
    """Claim the next deliveries, a share for each endpoint, those in trouble last.

    Args:
        worker: Who claims; its slots are its own until `release_slots`.
        threads: How many chains it handles at a time.
        each: How many of one endpoint at most; None for as many as the endpoint may be sent.
        lanes: What it handles just now, by endpoint.
    """
    with transaction.atomic():
        endpoints, more_soon = _locked_endpoints(wanted)
        if not endpoints and not lanes:
            return Claimed(is_waiting=more_soon)
        offers = [_offer(endpoint, wanted, each) for endpoint in endpoints]
        shares = share_out(worker, offers, threads=threads, lanes=lanes)
        lease_jobs([one for share in shares for chain in share.jobs for one in chain.deliveries])
    return claimed(shares, more_soon=more_soon)


def _offer(endpoint: Endpoint, wanted: Wanted, each: int | None) -> Offer[Chain]:
    most = settings.EVENT_ENDPOINT_LIMIT
    slots = 1 if endpoint.is_in_trouble else most
    return Offer(lane_of(endpoint), slots, partial(_take, endpoint, wanted), here=each or most)


def claim_one(delivery_id: UUID) -> Chain | None:
    """Claim a certain delivery, whether or not its endpoint is left alone now.

    Returns:
        None where somebody else has it, or an earlier one goes first.
    """
    ends_at = time.monotonic() + Delivery.lease_seconds()
    with transaction.atomic():
        rows = Delivery.claimable(clock.now()).filter(pk=delivery_id)
        found = lease_jobs(locked_rows(rows.select_related("event", "endpoint"), 1))
    return Chain(found[0].endpoint, found, ends_at) if found else None


def give_back(deliveries: Iterable[Delivery]) -> None:
    """Give deliveries back that were claimed and not tried."""
    for rows in held(deliveries):
        rows.update(attempts=F("attempts") - 1, **FREED)


def held(deliveries: Iterable[Delivery]) -> Iterator["QuerySet[Delivery]"]:
    """Return what is still held under the leases by which it was claimed, lease by lease."""
    claimed_by = defaultdict[UUID | None, list[UUID]](list)
    for one in deliveries:
        claimed_by[one.lease].append(one.pk)
    for lease, ids in claimed_by.items():
        yield Delivery.objects.filter(pk__in=ids, lease=lease)


def _locked_endpoints(wanted: Wanted) -> tuple[Sequence[Endpoint], bool]:
    """Lock the endpoints that have work, in one order, so that claims wait for each other.

    Only what is read after the lock tells how much others have claimed.

    Returns:
        The endpoints in the order in which they are served, and whether others soon have work.
    """
    now = clock.now()
    with in_index_order():
        rows = _endpoints_with_work(wanted, now=now)
        locked = list(rows.select_for_update(no_key=True).order_by("pk"))
    ready = [
        one for one in locked if one.longest_due <= wanted.due_by and not one.left_alone_for(now)
    ]
    in_order = sorted(ready, key=lambda one: (one.is_in_trouble, one.longest_due))
    return in_order, len(ready) < len(locked)


def _endpoints_with_work(wanted: Wanted, *, now: datetime) -> "QuerySet[Any]":
    patience = timedelta(seconds=wanted.patience)
    first = Delivery.pending().filter(endpoint=OuterRef("pk"), due_at__lte=wanted.due_by + patience)
    rows = Endpoint.objects.filter(disabled_at=None).exclude(left_alone(now, patience=patience))
    if wanted.only is not None:
        rows = rows.filter(pk__in=wanted.only)
    longest = Subquery(first.order_by("due_at").values("due_at")[:1])
    return rows.annotate(longest_due=longest).exclude(longest_due=None)


def _take(endpoint: Endpoint, wanted: Wanted, number: int) -> list[Chain]:
    """Lock the first deliveries of so many connections, each with those that follow it."""
    ends_at = time.monotonic() + Delivery.lease_seconds()
    which = Q(attempts=0) if wanted.untried else Q()
    rows = Delivery.claimable(wanted.due_by).filter(which, endpoint=endpoint)
    with in_index_order():
        heads = locked_rows(rows.select_related("event"), number)
    followers = _followers(endpoint, wanted, heads)
    chains = [Chain(endpoint, [head, *followers[head.connection_id]], ends_at) for head in heads]
    for chain in chains:
        for delivery in chain.deliveries:
            delivery.endpoint = endpoint
    return chains


def _followers(
    endpoint: Endpoint, wanted: Wanted, heads: Sequence[Delivery]
) -> Mapping[UUID | None, list[Delivery]]:
    """Lock what comes next behind the first deliveries of connections, without a gap."""
    chained = defaultdict[UUID | None, list[Delivery]](list)
    connections = [head.connection_id for head in heads if head.connection_id is not None]
    rows = Delivery.pending().filter(endpoint=endpoint, connection_id__in=connections)
    behind = rows.exclude(pk__in=[head.pk for head in heads]).order_by("connection_id", "sequence")
    most = len(connections) * (LONGEST_CHAIN - 1)
    known = list(behind.values_list("pk", "connection_id")[:most]) if connections else []
    free = Delivery.pending().filter(not_leased(), pk__in=[pk for pk, _ in known])
    locked = {one.pk: one for one in locked_rows(free.select_related("event"), len(known))}
    is_over = set[UUID | None]()
    for pk, connection_id in known:
        chain, follower = chained[connection_id], locked.get(pk)
        is_next = follower is not None and wanted.admits_follower(follower)
        if not is_next or len(chain) == LONGEST_CHAIN - 1:
            is_over.add(connection_id)
        if follower is not None and connection_id not in is_over:
            chain.append(follower)
    return chained
