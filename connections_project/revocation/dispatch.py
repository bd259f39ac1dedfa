"""Revoke right after the commit, which neither waits for the platform nor fails with it.

A worker gets a message where there are any. On the embedded default the jobs are tried in the same
request, for at most five seconds in all however many they are (docs/api.md, "Revocation").
"""

import time
from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.events import Interface
from connections_project.core.dispatch import enqueue
from connections_project.revocation.attempts import attempt
from connections_project.revocation.worker import process_due

INLINE_SECONDS = 5.0
# Less than this is not worth a try: it would count as one, and be put off for longer.
LEAST_SECONDS = 0.1

# What the request under way has left of its time; None outside of requests.
_left: ContextVar[float | None] = ContextVar("inline_seconds_left", default=None)


def dispatch_revocations(job_ids: Collection[UUID], *, interface: Interface) -> None:
    """Try jobs after the commit of the transaction that creates them.

    Args:
        job_ids: What was just made and is due, if anything is.
        interface: Where they were caused, for the audit of tries in this process.
    """
    if not job_ids:
        return
    for _, waiting, *_ in transaction.get_connection().run_on_commit:
        if isinstance(waiting, _Inline):
            waiting.job_ids += job_ids
            return
    enqueue(process_due, inline=_Inline(list(job_ids), interface))


@dataclass(eq=False)
class _Inline:
    job_ids: list[UUID]
    interface: Interface

    def __call__(self) -> None:
        left = _left.get()
        ends_at = time.monotonic() + (INLINE_SECONDS if left is None else left)
        for job_id in self.job_ids:
            if (within := ends_at - time.monotonic()) < LEAST_SECONDS:
                break  # The others are due, and tried by whoever comes next.
            attempt(job_id, within=within, interface=self.interface)
        if left is not None:
            _left.set(max(ends_at - time.monotonic(), 0))


def start_of_request(**_: Any) -> None:
    """Give the request that begins its seconds; a receiver of `request_started`."""
    _left.set(INLINE_SECONDS)


def end_of_request(**_: Any) -> None:
    """Receive `request_finished`."""
    _left.set(None)
