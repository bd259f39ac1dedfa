"""Re-apply disconnects, and platforms' endings, to a database restored from before them.

The rows that a backup brings back hold the tokens that their owners have had erased. What an
export records is done once more by the apps' own verbs; what is over already, or was connected anew
after its disconnect, is left alone, so that it may be run as often as one likes.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.events import Action
from audit.record import Origin, record_many
from connections_project.connections.disconnect import (
    DisconnectResult,
    Failure,
    lock_rows,
)
from connections_project.connections.registry import (
    Rows,
    connection_type,
    connection_types,
)
from connections_project.core.inline import inline_pass
from connections_project.operations.engine import all_but_refused
from connections_project.operations.force import INLINE_JOBS, result_of
from connections_project.operations.options import DisconnectOptions, Result
from connections_project.operations.replay_history import ReplayHistory, Way
from connections_project.operations.replay_ways import end, unfinished
from connections_project.revocation.dispatch import dispatch_revocations

BATCH = 1000


@dataclass
class Plan:
    """What a replay would do.

    Args:
        due: The ids to be ended, by the way in which that is done.
        over: How many are over already.
        anew: Those that were connected anew after their disconnect.
        unknown: Those that this database doesn't have.
    """

    due: dict[Way, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    over: int = 0
    anew: list[UUID] = field(default_factory=list)
    unknown: list[UUID] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(map(len, self.due.values()))


def planned(histories: Mapping[UUID, ReplayHistory]) -> Plan:
    """Return what is left to be done of an export's histories; nothing is changed."""
    plan, apps = Plan(), {one.app for one in connection_types()}
    ways: dict[Way, list[UUID]] = defaultdict(list)
    for key, history in sorted(histories.items()):
        if history.app in apps:
            ways[history.way].append(key)
        else:
            plan.unknown.append(key)
    for way, keys in ways.items():
        for start in range(0, len(keys), BATCH):
            _add_to_plan(plan, way, keys[start : start + BATCH], histories)
    return plan


def _add_to_plan(
    plan: Plan, way: Way, keys: list[UUID], histories: Mapping[UUID, ReplayHistory]
) -> None:
    rows = connection_type(way.app).rows.filter(pk__in=keys)
    connected: dict[UUID, datetime | None] = dict(rows.values_list("pk", "connected_at"))
    left = set(unfinished(way, keys).values_list("pk", flat=True))
    for key in keys:
        if key not in connected:
            plan.unknown.append(key)
        elif histories[key].is_outdated(connected[key]):
            plan.anew.append(key)
        elif key in left:
            plan.due[way].append(key)
        else:
            plan.over += 1


@dataclass(frozen=True)
class Replay:
    """A replay under way.

    Args:
        reason: Why it is replayed, for the audit.
    """

    histories: Mapping[UUID, ReplayHistory]
    reason: str
    origin: Origin
    details: Mapping[str, Any]

    def run(self, plan: Plan, *, on_batch: Callable[[Result], object]) -> Result:
        """End what is due, batch by batch, each a commit of its own.

        Args:
            on_batch: Called with each batch after its commit.

        Raises:
            OperationalError: The database is away. What is committed is done; run it again.
        """
        total, job_ids = Result(), list[UUID]()
        with inline_pass():
            for way, keys in plan.due.items():
                for start in range(0, len(keys), BATCH):
                    ids = keys[start : start + BATCH]
                    batch = all_but_refused(partial(self._commit, way), ids)
                    job_ids += batch.job_ids
                    total += (done := result_of(batch, size=len(ids)))
                    on_batch(done)
            dispatch_revocations(job_ids[:INLINE_JOBS], interface=self.origin.interface)
        return total

    def _commit(self, way: Way, ids: Sequence[UUID]) -> DisconnectResult:
        options = DisconnectOptions(
            self.reason, way.revokes, cancel_schedules=True, erase_tokens=way.erases, cause="replay"
        )
        request = options.request(self.origin, self.details)
        with transaction.atomic():
            rows = unfinished(way, ids)
            batch = end(way, self._locked(rows), request)
            record_many(
                request.event(
                    row,
                    Action.CONNECTION_DISCONNECT_REPLAYED,
                    **self.histories[row.pk].as_details(),
                )
                for row in batch.ended
            )
            left = set(rows.values_list("pk", flat=True)) - batch.named
        return batch + DisconnectResult(failures=tuple(map(_busy, sorted(left))))

    def _locked(self, rows: Rows) -> list[Any]:
        """Lock those that nobody else holds; of them leave alone what was connected meanwhile."""
        free = lock_rows(rows.order_by("pk"), skip_locked=True)
        return [row for row in free if not self.histories[row.pk].is_outdated(row.connected_at)]


def _busy(connection_id: UUID) -> Failure:
    return Failure(connection_id, "busy", "Somebody else is changing it; run the replay again.")
