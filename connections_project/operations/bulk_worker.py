"""Work off bulk jobs: each batch and what is written of its items are one commit.

Whoever claims a job has it for a while, and for longer with each batch; where a process dies, the
next one goes on with what is left.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.disconnect import DisconnectResult, Failure
from connections_project.connections.registry import connection_type
from connections_project.core import clock
from connections_project.core.jobs.claim import claim_rows
from connections_project.core.jobs.lease import FREED, lease_end
from connections_project.core.periodic import stopping
from connections_project.identity.models import User
from connections_project.middleware.tracing import tracing
from connections_project.operations.engine import Engine
from connections_project.operations.models import BulkItem, BulkJob, BulkState, ItemState
from connections_project.operations.pipeline import pipelined

logger = logging.getLogger(__name__)

BATCH = 1000


class LostLeaseError(Exception):
    """Somebody else has taken the job over, because its lease had run out."""


def process_bulk_jobs(*, within: float | None = None) -> None:
    """Work off every bulk job that nobody else works on.

    Args:
        within: Seconds after which no further batch is begun; None for no limit.
    """
    ends = None if within is None else time.monotonic() + within
    while (job := _claim()) is not None:
        if not _process(job, ends):
            return


def _process(job: BulkJob, until: float | None) -> bool:
    """Process a job; one that fails is put off, so that it keeps no others waiting.

    Returns:
        Whether there is time for another one.
    """
    try:
        with tracing(job.trace_id):
            return _Run(job).run(until=until)
    except LostLeaseError:
        logger.warning("Somebody else goes on with bulk job %s", job.pk)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are not at fault.
        # Its text may hold a secret.
        logger.warning("Bulk job %s failed: %s", job.pk, type(error).__name__)
        job.put_off()
    return True


def _claim() -> BulkJob | None:
    started_at = Coalesce("started_at", Now())
    rows = BulkJob.claimable(clock.now())
    jobs = claim_rows(rows, 1, state=BulkState.RUNNING, started_at=started_at)
    return jobs[0] if jobs else None


class NotPermittedError(Exception):
    """Who asked for the job has lost the permission."""


@dataclass(frozen=True)
class _Run:
    """One process's turn at a job that it has claimed."""

    job: BulkJob

    def run(self, *, until: float | None) -> bool:
        """Process batch after batch.

        Returns:
            Whether the job is over; otherwise it was given back in time.
        """
        # What was committed before that stays so.
        with suppress(NotPermittedError):
            for _ in pipelined(self._process, self._batches(until)):
                pass
        if not self._is_permitted():
            logger.warning("Bulk job %s was refused on the way", self.job.pk)
            return self._end(BulkState.REFUSED)
        if not self._next():
            return self._end(BulkState.FINISHED)
        self._update(**FREED)
        return False

    def _batches(self, until: float | None) -> Iterator[list[UUID]]:
        """Yield the ids of one batch after the other, while the job may go on."""
        ids: list[UUID] = []
        while not stopping.is_set() and (until is None or time.monotonic() < until):
            if not self._is_permitted() or not (ids := self._next(*ids[-1:])):
                return
            yield ids

    def _is_permitted(self) -> bool:
        user = User.objects.filter(pk=self.job.requested_by).first()
        return connection_type(self.job.app).may_force_disconnect(user)

    def _next(self, *after: UUID) -> list[UUID]:
        waiting = self.job.items.filter(state=ItemState.PENDING).order_by("connection_id")
        for last in after:
            waiting = waiting.filter(connection_id__gt=last)
        return list(waiting.values_list("connection_id", flat=True)[:BATCH])

    def _process(self, ids: Sequence[UUID]) -> None:
        job = self.job
        origin = Origin(
            ActorType.OPERATOR, job.requested_by, Interface(job.interface), job.client_address
        )
        details = {"bulk_job": str(job.pk)}
        batch = Engine(job.app, job.options, origin, details, in_commit=self._note).end(ids)
        with transaction.atomic():
            self._note_rest(ids, batch)

    def _note(self, batch: DisconnectResult) -> None:
        """Write down what is done, in the commit in which it is done.

        Raises:
            NotPermittedError: The permission went while locks were waited for; nothing is done.
        """
        if not self._is_permitted():
            raise NotPermittedError
        self._mark([row.pk for row in batch.ended], ItemState.DONE)
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
            item.state, item.cause, item.detail = (ItemState.FAILED, failure.cause, failure.detail)
        BulkItem.objects.bulk_update(items, ["state", "cause", "detail"])

    def _count(self, **more: int) -> None:
        counts = {name: F(name) + number for name, number in more.items()}
        self._update(leased_until=lease_end(self.job.lease_seconds()), **counts)

    def _end(self, state: BulkState) -> bool:
        self._update(state=state, finished_at=clock.now(), **FREED)
        return True

    def _update(self, **columns: Any) -> None:
        """Change the job as long as it is this process's.

        Raises:
            LostLeaseError: It no longer is; the transaction that the caller stands in is undone.
        """
        if not self.job.owned().update(**columns):
            raise LostLeaseError
