"""End connections by force: one or a hundred thousand, batch by batch."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q

from audit.record import Origin
from connections_project.connections.disconnect import DisconnectResult
from connections_project.connections.registry import Selection
from connections_project.core.inline import inline_pass
from connections_project.operations.engine import Engine
from connections_project.operations.options import DisconnectOptions, Result
from connections_project.operations.pipeline import pipelined
from connections_project.operations.snapshot import take_snapshot
from connections_project.revocation.dispatch import dispatch_revocations

BATCH = 1000
# More than a request has the time to try.
INLINE_JOBS = 1000


def force_disconnect(
    app: str,
    selection: Selection,
    options: DisconnectOptions,
    *,
    origin: Origin,
    details: Mapping[str, Any] | None = None,
    condition: Q | None = None,
    batch_size: int = BATCH,
    on_batch: Callable[[Result], object] | None = None,
) -> Result:
    """End connections for good; each batch is a commit of its own, and what is over is passed over.

    A row that can't be ended is named and leaves the others alone. Revocations are sent by the
    workers; without a broker, in this process, at most 5 s in all, and the rest is left to
    `run_background`.

    Args:
        selection: Connections of that app, or their ids; a snapshot is taken at the start.
        origin: Who does it, for the audit: `admin_origin(request)` or `command_origin(operator)`.
            The caller checks that one's permission (`ConnectionType.may_force_disconnect`).
        details: What else the audit should know, such as the operating system's user.
        condition: See `Engine`.
        on_batch: Called with each batch after its commit, for a progress bar.

    Raises:
        OperationalError: The database is away. What is committed is done; it may be run again.
    """
    engine = Engine(app, options, origin, details or {}, condition=condition or Q())
    snapshot = take_snapshot(app, selection, erase_tokens=options.erase_tokens)
    total, job_ids = Result(), list[UUID]()
    with inline_pass():
        for done, jobs in pipelined(partial(_end, engine), snapshot.batches(batch_size)):
            job_ids += jobs[: INLINE_JOBS - len(job_ids)]
            total += done
            if on_batch:
                on_batch(done)
        dispatch_revocations(job_ids, interface=origin.interface)
    return total


def _end(engine: Engine, ids: Sequence[UUID]) -> tuple[Result, Sequence[UUID]]:
    """End a batch; return what became of it, and its jobs. The rows may be forgotten."""
    batch = engine.end(ids)
    return result_of(batch, size=len(ids)), batch.job_ids


def result_of(batch: DisconnectResult, *, size: int) -> Result:
    """Count what became of a batch of so many ids."""
    ended, failures = len(batch.ended), tuple(batch.failures)
    passed_over = size - ended - len(failures)
    return Result(ended, passed_over, failures, revocations=len(batch.job_ids))
