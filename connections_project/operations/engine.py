"""End one batch of connections by force, whatever stands in the way of some of them."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import Q

from audit.events import Action
from audit.record import Origin, record_many
from connections_project.connections.disconnect import DisconnectResult, Failure, lock_rows
from connections_project.connections.registry import Rows, connection_type
from connections_project.core.database import broken_rule
from connections_project.core.dispatch import notify_workers
from connections_project.operations.options import DisconnectOptions
from connections_project.revocation.worker import process_revocations

logger = logging.getLogger(__name__)

TRIES = 3
PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Engine:
    """A forced disconnect of one app's connections.

    Args:
        in_commit: Called with each batch in the transaction that ends it.
        condition: What a connection must be like when it is ended, whatever it was when it was
            selected.
    """

    app: str
    options: DisconnectOptions
    origin: Origin
    details: Mapping[str, Any] = field(default_factory=dict)
    in_commit: Callable[[DisconnectResult], object] = lambda _: None
    condition: Q = field(default_factory=Q)

    def end(self, ids: Sequence[UUID]) -> DisconnectResult:
        """End a batch: those that are free in one commit, then those that somebody else holds.

        Only a transaction that holds no connection's lock waits for one, so that two batches
        can't wait for each other.
        """
        done = self._attempt(ids)
        while held := self._still_live(ids, done):
            done += self._attempt(held[:1], wait=True)
            done += self._attempt(held[1:])
        return done

    def _still_live(self, ids: Sequence[UUID], done: DisconnectResult) -> list[UUID]:
        rest = set(ids) - done.named
        if not rest:
            return []
        return list(self._unfinished(rest).values_list("pk", flat=True))

    def _unfinished(self, ids: Collection[UUID]) -> Rows:
        erases = self.options.erase_tokens
        rows = connection_type(self.app).unfinished(ids, erase_tokens=erases)
        return rows.filter(self.condition).order_by("pk")

    def _attempt(self, ids: Sequence[UUID], *, wait: bool = False) -> DisconnectResult:
        if not ids:
            return DisconnectResult()
        return all_but_refused(partial(self._commit_patiently, wait=wait), ids)

    def _commit_patiently(self, ids: Sequence[UUID], *, wait: bool) -> DisconnectResult:
        """Try again where the database had to break off one of several, as in a deadlock."""
        for tries in range(1, TRIES + 1):
            try:
                return self._commit(ids, wait=wait)
            except OperationalError:
                if tries == TRIES or not connection.is_usable():
                    raise
                time.sleep(PAUSE_SECONDS * tries)
        raise AssertionError

    def _commit(self, ids: Sequence[UUID], *, wait: bool) -> DisconnectResult:
        target = connection_type(self.app)
        request = self.options.request(self.origin, self.details)
        with transaction.atomic():
            rows = lock_rows(self._unfinished(ids), skip_locked=not wait)
            batch = target.disconnect(rows, request)
            record_many(
                request.event(row, Action.CONNECTION_FORCE_DISCONNECTED) for row in batch.ended
            )
            self.in_commit(batch)
            if batch.job_ids:
                # A hundred thousand connections are not over before the first is revoked.
                notify_workers(process_revocations)
        return batch


def all_but_refused(
    end: Callable[[Sequence[UUID]], DisconnectResult], ids: Sequence[UUID]
) -> DisconnectResult:
    """End what can be ended; a row that the database refuses is found by halving and named.

    Args:
        end: Ends rows in one transaction, all of them or none.
    """
    try:
        return end(ids)
    except OperationalError:
        raise
    except DatabaseError as error:
        if len(ids) == 1:
            return DisconnectResult(failures=(_refused(ids[0], error),))
    half = len(ids) // 2
    return all_but_refused(end, ids[:half]) + all_but_refused(end, ids[half:])


def _refused(connection_id: UUID, error: DatabaseError) -> Failure:
    """Return why a row can't be ended; not in the database's words, which may show the row."""
    broken = broken_rule(error)
    logger.warning("The database refuses to end %s: %s", connection_id, broken)
    return Failure(connection_id, "database_refused", f"The database refuses the change: {broken}.")
