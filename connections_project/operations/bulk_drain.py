"""Work off bulk jobs: each batch and what is written of its items are one commit.

Whoever claims a job has it for a while, and for longer with each batch; where a process dies, the
next one goes on behind the last commit.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.end_many import DisconnectResult, Failure
from connections_project.connections.registry import connection_type
from connections_project.core.ids import uuid7
from connections_project.core.periodic import stopping
from connections_project.identity.models import User
from connections_project.middleware.tracing import tracing
from connections_project.operations.engine import Engine
from connections_project.operations.models import (
    UNFINISHED,
    BulkItem,
    BulkJob,
    BulkState,
    ItemState,
)

logger = logging.getLogger(__name__)

BATCH = 1000
LEASE = timedelta(seconds=60)


class LostLeaseError(Exception):
    """Somebody else has taken the job over, because its lease had run out."""


def process_due(*, within: float | None = None) -> None:
    """Work off every bulk job that nobody else works on.

    Args:
        within: Seconds after which no further batch is begun; None for no limit.
    """
    ends = None if within is None else time.monotonic() + within
    while (job := _claim()) is not None:
        try:
            with tracing(job.trace_id):
                over = _Run(job).go_on(until=ends)
        except LostLeaseError:
            logger.warning("Somebody else goes on with bulk job %s", job.pk)
            continue
        if not over:
            return


def _claim() -> BulkJob | None:
    now = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    waiting = BulkJob.objects.filter(free, state__in=UNFINISHED).order_by("created_at", "pk")
    for key in waiting.values_list("pk", flat=True)[:10]:
        lease = uuid7()
        claimed = BulkJob.objects.filter(free, pk=key, state__in=UNFINISHED).update(
            lease=lease,
            leased_until=now + LEASE,
            state=BulkState.RUNNING,
            started_at=Coalesce("started_at", now),
        )
        if claimed:
            return BulkJob.objects.get(pk=key)
    return None


@dataclass(frozen=True)
class _Run:
    """One process's turn at a job that it has claimed."""

    job: BulkJob

    def go_on(self, *, until: float | None) -> bool:
        """Take batch after batch.

        Returns:
            Whether the job is over; otherwise it was given back in time.
        """
        while not stopping.is_set() and (until is None or time.monotonic() < until):
            if not self._is_permitted():
                logger.warning("Bulk job %s was refused on the way", self.job.pk)
                return self._end(BulkState.REFUSED)
            ids = self._next()
            if not ids:
                return self._end(BulkState.FINISHED)
            self._take(ids)
        self._update(lease=None, leased_until=None)
        return False

    def _is_permitted(self) -> bool:
        user = User.objects.filter(pk=self.job.requested_by).first()
        return connection_type(self.job.app).may_force_disconnect(user)

    def _next(self) -> list[UUID]:
        waiting = self.job.items.filter(state=ItemState.PENDING).order_by("connection_id")
        return list(waiting.values_list("connection_id", flat=True)[:BATCH])

    def _take(self, ids: Sequence[UUID]) -> None:
        job = self.job
        origin = Origin(
            ActorType.OPERATOR, job.requested_by, Interface(job.interface), job.client_address
        )
        details = {"bulk_job": str(job.pk)}
        batch = Engine(job.app, job.options, origin, details, beside=self._note).end(ids)
        with transaction.atomic():
            self._note_rest(ids, batch)

    def _note(self, batch: DisconnectResult) -> None:
        """Write down what is done, in the commit in which it is done."""
        self._mark([one.connection_id for one in batch.ended], ItemState.DONE)
        self._count(processed=len(batch.ended), revocations=len(batch.job_ids))

    def _note_rest(self, ids: Sequence[UUID], batch: DisconnectResult) -> None:
        passed_over = set(ids) - batch.named
        self._mark(passed_over, ItemState.PASSED_OVER)
        self._fail(batch.failures)
        self._count(
            processed=len(passed_over) + len(batch.failures),
            passed_over=len(passed_over),
            failed=len(batch.failures),
        )

    def _mark(self, ids: Iterable[UUID], state: ItemState) -> None:
        self.job.items.filter(connection_id__in=list(ids)).update(state=state)

    def _fail(self, failures: Sequence[Failure]) -> None:
        causes = {one.connection_id: one for one in failures}
        items = list(self.job.items.filter(connection_id__in=list(causes)))
        for item in items:
            failure = causes[item.connection_id]
            item.state, item.cause, item.detail = (
                ItemState.FAILED,
                failure.cause,
                failure.detail,
            )
        BulkItem.objects.bulk_update(items, ["state", "cause", "detail"])

    def _count(self, **more: int) -> None:
        counts = {name: F(name) + number for name, number in more.items()}
        self._update(leased_until=timezone.now() + LEASE, **counts)

    def _end(self, state: BulkState) -> bool:
        self._update(state=state, finished_at=timezone.now(), lease=None, leased_until=None)
        return True

    def _update(self, **columns: object) -> None:
        """Change the job as long as it is this process's.

        Raises:
            LostLeaseError: It no longer is; the transaction that the caller stands in is undone.
        """
        mine = BulkJob.objects.filter(pk=self.job.pk, lease=self.job.lease)
        if not mine.update(**columns):
            raise LostLeaseError
