"""Revoke right after the commit, which neither waits for the platform nor fails with it.

A worker gets a message where there are any. On the embedded default the jobs are tried in the same
request, for at most five seconds in all however many they are (docs/api.md, "Revocation").
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from audit.events import Interface
from connections_project.core import inline
from connections_project.core.dispatch import enqueue
from connections_project.revocation.attempts import attempt
from connections_project.revocation.worker import process_revocations


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
    enqueue(process_revocations, inline=_Inline(list(job_ids), interface))
    inline.move_last_to_end()


@dataclass(eq=False)
class _Inline:
    job_ids: list[UUID]
    interface: Interface

    def __call__(self) -> None:
        with inline.inline_pass(), inline.spending() as ends_at:
            for job_id in self.job_ids:
                if (within := ends_at - time.monotonic()) < inline.LEAST_SECONDS:
                    break  # The others are due, and tried by whoever comes next.
                attempt(job_id, within=within, interface=self.interface)
