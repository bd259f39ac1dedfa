"""Work on many claimed jobs at a time, until nothing is due or the process is to end."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import DatabaseError, InterfaceError, connections

from connections_project.core.jobs.models import LeasedJob
from connections_project.core.periodic import stopping

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=LeasedJob)
R = TypeVar("R")

# After so many seconds a worker lets others have the thread, and comes back to what is left.
PASS_SECONDS = 20.0
# How often a worker whose jobs take long looks whether there are others.
LOOK_SECONDS = 0.5


def _do_nothing() -> None:
    pass


@dataclass(frozen=True)
class Worker(Generic[J, R]):
    """Threads that handle what is claimed; a job that hangs holds up one of them.

    Args:
        claim: Claims the next jobs, at most as many as it is given.
        handle: Handles one of them, and says what has become of it.
        threads: How many are handled at a time.
        seconds: After these nothing more is claimed.
        stop: Once it is set nothing more is claimed; what is under way comes to its end.
        prepare: Called before claims, every `LOOK_SECONDS`.
        call_others: Called where there is more to do than this worker can.
    """

    claim: Callable[[int], Sequence[J]]
    handle: Callable[[J], R | None]
    threads: int
    seconds: float = PASS_SECONDS
    stop: threading.Event = stopping
    prepare: Callable[[], object] = _do_nothing
    call_others: Callable[[], object] = _do_nothing

    def run(self) -> Iterator[R]:
        """Yield what has become of each job, until nothing is left or the time is over."""
        until = time.monotonic() + self.seconds
        next_look = 0.0
        running: set[Future[R | None]] = set()
        with ThreadPoolExecutor(self.threads, "jobs") as pool:
            while True:
                if time.monotonic() >= next_look:
                    self._prepare(len(running))
                    next_look = time.monotonic() + LOOK_SECONDS
                idle = self.threads - len(running)
                if idle and self._goes_on(until):
                    running |= {pool.submit(self._handle, job) for job in self.claim(idle)}
                if not running:
                    break
                done, running = wait(running, LOOK_SECONDS, return_when=FIRST_COMPLETED)
                results = (each.result() for each in done)
                yield from (result for result in results if result is not None)
        if not self.stop.is_set() and not self._goes_on(until):
            self.call_others()

    def _prepare(self, busy: int) -> None:
        self.prepare()
        if busy == self.threads:
            self.call_others()

    def _goes_on(self, until: float) -> bool:
        return not self.stop.is_set() and time.monotonic() < until

    def _handle(self, job: J) -> R | None:
        try:
            return self.handle(job)
        except (DatabaseError, InterfaceError) as error:
            logger.warning(
                "The database failed (%s): job %s is tried again when its lease has run out.",
                *(type(error).__name__, job.pk),
            )
            return None
        finally:
            connections.close_all()
