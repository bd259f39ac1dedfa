"""Work on many jobs at a time, claimed and settled in batches."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.db import DatabaseError, InterfaceError

from connections_project.core.jobs.lanes import Job, Lane, Lanes
from connections_project.core.jobs.worker import LOOK_SECONDS, PASS_SECONDS
from connections_project.core.periodic import stopping

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=Job)
R = TypeVar("R")
S = TypeVar("S")

# How long what has become of a job may wait to be stored, and a worker for what `is_waiting`.
SETTLE_SECONDS = 0.2
PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class Claimed(Generic[J]):
    """What a claim has brought.

    Args:
        jobs: To be begun in this order.
        slots: How many jobs of these lanes are handled at a time from now on.
        is_waiting: Whether there are others that can be claimed soon: other workers are about to
            give up their slots, or they are about to be due.
    """

    jobs: Sequence[J] = ()
    slots: Mapping[str, int] = field(default_factory=dict)
    is_waiting: bool = False


@dataclass(frozen=True)
class BatchWorker(Generic[J, R, S]):
    """Threads that handle jobs, while one thread claims and settles them for all.

    Args:
        claim: Claims jobs, by how the lanes are doing.
        settle: Stores what has become of jobs, and says it in its own words.
        give_back: Gives claimed jobs back that were not begun.
        threads: How many are handled at a time.
        prepare: Called before claims, every LOOK_SECONDS.
        call_others: Called where there is more to do than this worker can.
        seconds: After these nothing more is claimed.
        patience: For so many seconds it stays for what is waiting, while it has nothing to do.
        stop: Once it is set nothing more is begun; what is under way comes to its end.
    """

    claim: Callable[[Mapping[str, Lane[J]]], Claimed[J]]
    lanes: Callable[[], Lanes[J, R]]
    settle: Callable[[Sequence[R]], Iterable[S]]
    give_back: Callable[[Sequence[J]], object]
    threads: int
    prepare: Callable[[], object]
    call_others: Callable[[], object]
    seconds: float = PASS_SECONDS
    patience: float = PATIENCE_SECONDS
    stop: threading.Event = stopping

    def run(self) -> Iterator[S]:
        """Yield what has become of each job, until nothing is left or the time is over."""
        until = time.monotonic() + self.seconds
        with self.lanes() as lanes:
            try:
                yield from self._work(lanes, until)
            except (DatabaseError, InterfaceError):
                yield from self._end(lanes)
                raise
        if not self.stop.is_set() and not self._goes_on(until):
            self.call_others()

    def _work(self, lanes: Lanes[J, R], until: float) -> Iterator[S]:
        next_look, is_wanted = 0.0, True
        patient_until = time.monotonic() + self.patience
        while True:
            now = time.monotonic()
            if now >= next_look:
                next_look, is_wanted = now + LOOK_SECONDS, True
                self._look(lanes)
            is_waiting = is_wanted and self._goes_on(until) and self._claim(lanes)
            handled = lanes.wait(SETTLE_SECONDS) if lanes.is_busy else []
            yield from self._settle(handled)
            self._give_back(lanes.take_back(everything=self.stop.is_set()))
            if handled or lanes.is_busy:
                patient_until = time.monotonic() + self.patience
            elif not is_waiting or now > patient_until:
                break
            is_wanted = bool(handled and lanes.needs_jobs) or is_waiting

    def _end(self, lanes: Lanes[J, R]) -> Iterator[S]:
        """Store what is under way where the database has failed: else it would be done again."""
        not_begun = lanes.take_back(everything=True)
        while lanes.is_busy:
            yield from self._settle(lanes.wait(SETTLE_SECONDS))
        self._give_back(not_begun)

    def _look(self, lanes: Lanes[J, R]) -> None:
        self.prepare()
        if lanes.running == self.threads:
            self.call_others()

    def _goes_on(self, until: float) -> bool:
        return not self.stop.is_set() and time.monotonic() < until

    def _claim(self, lanes: Lanes[J, R]) -> bool:
        """Claim jobs; give whether there are others that wait for slots of other workers."""
        claimed = self.claim(lanes.look())
        lanes.add(claimed.jobs, claimed.slots)
        if claimed.is_waiting and not lanes.is_busy:
            time.sleep(SETTLE_SECONDS)
        return claimed.is_waiting

    def _settle(self, handled: Sequence[R]) -> Iterable[S]:
        if not handled:
            return ()
        try:
            return self.settle(handled)
        except (DatabaseError, InterfaceError) as error:
            logger.warning(
                "The database failed (%s): %d jobs are tried again when their leases have run out.",
                *(type(error).__name__, len(handled)),
            )
            return ()

    def _give_back(self, jobs: Sequence[J]) -> None:
        if jobs:
            self.give_back(jobs)
