"""A whole queue out of a model and a handler."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from django.db import DatabaseError, InterfaceError

from connections_project.core import clock
from connections_project.core.dispatch import notify_workers
from connections_project.core.jobs.models import LeasedJob
from connections_project.core.jobs.worker import Worker
from connections_project.core.periodic import Work

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=LeasedJob)


def process_jobs(model: type[J], handler: Callable[[J], object], *, threads: int = 8) -> Work:
    """Return the periodic task that works on a queue, under the handler's own name.

    It is registered by `periodic_task`, under the name of the handler and its module, and run
    early by `enqueue`.

    Args:
        handler: Does one. It may be called again for one that it did, if the process died before
            that was recorded. What it raises has the job tried again after a while.
        threads: How many jobs one process works on at a time.
    """

    @wraps(handler)
    def process() -> None:
        worker: Worker[J, None] = Worker(
            claim=lambda limit: model.claim(limit, due_by=clock.now()),
            handle=lambda job: _attempt(job, handler),
            threads=threads,
            call_others=lambda: notify_workers(process),
        )
        for _ in worker.run():
            pass

    return process


def _attempt(job: J, handler: Callable[[J], object]) -> None:
    if job.attempts > job.MAX_ATTEMPTS:
        # Nobody lived to record the last one.
        job.give_up(None)
        return
    try:
        handler(job)
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - one job's failure must not keep others waiting.
        # Its text may hold a secret.
        logger.warning("Job %s failed: %s", job.pk, type(error).__name__)
        job.retry(error)
    else:
        job.finish()
