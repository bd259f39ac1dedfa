"""Tell endpoints right after the commit, which neither waits for them nor fails with them.

A worker is told to look where there are any. On the embedded default what is new is tried once in
the same call, behind what platforms are told, in what is left of its time.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from connections_project.core import inline
from connections_project.core.dispatch import enqueue
from connections_project.events.worker import deliver_new, process_deliveries

logger = logging.getLogger(__name__)


def dispatch_deliveries(endpoints: Sequence[UUID]) -> None:
    """Have endpoints told after the commit of the transaction that wrote their deliveries."""
    if not endpoints:
        return
    for _, waiting, *_ in transaction.get_connection().run_on_commit:
        if isinstance(waiting, inline.LastAfterCommit) and isinstance(waiting.work, _Inline):
            waiting.work.endpoints.update(endpoints)
            return
    enqueue(process_deliveries, inline=inline.LastAfterCommit(_Inline(set(endpoints))))


@dataclass(eq=False)
class _Inline:
    endpoints: set[UUID]

    def __call__(self) -> None:
        with inline.spending() as ends_at:
            if (within := ends_at - time.monotonic()) < inline.LEAST_SECONDS:
                return  # It is due, and tried by whoever comes next.
            try:
                deliver_new(self.endpoints, within=within)
            except Exception:
                # What caused the event is committed; the delivery is due, and tried again.
                logger.exception("Events were not delivered at once")
