"""Threads that handle jobs by lanes: those of one lane share a number of slots.

A slot is free as soon as its job has been handled, and takes the next one of its lane by itself;
what has become of jobs is stored later, many at a time.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, Self, TypeVar

from django.db import DatabaseError, InterfaceError, connections

from connections_project.core.periodic import stopping

logger = logging.getLogger(__name__)


class Job(Protocol):
    """A row, or several that are handled one after the other."""

    @property
    def pk(self) -> Any: ...


J = TypeVar("J", bound=Job)
R = TypeVar("R")

# What is claimed ahead is begun within so many seconds, or given back after twice of them.
AHEAD_SECONDS = 0.5
# How many jobs are claimed ahead for each slot at most.
LARGEST_AHEAD = 16


@dataclass
class Lane(Generic[J]):
    """What jobs of one lane share.

    Args:
        slots: How many are handled at a time.
        seconds: What the last one took; infinite where it did not end well, or nothing is known.
        waiting: Jobs that are claimed, and begun by the next slot that is free.
        waiting_since: When the youngest of them was claimed, on the monotonic clock.
    """

    slots: int = 0
    running: int = 0
    seconds: float = math.inf
    waiting: deque[J] = field(default_factory=deque)
    waiting_since: float = 0.0

    def next_job(self) -> J | None:
        """Take what a free slot handles next."""
        fits = self.seconds < math.inf and self.running <= self.slots
        return self.waiting.popleft() if self.waiting and fits else None

    def ahead(self, slots: int) -> int:
        """Return how many jobs are claimed ahead for so many slots."""
        return slots * int(min(LARGEST_AHEAD, AHEAD_SECONDS / max(self.seconds, 1e-3)))

    @property
    def needs_jobs(self) -> bool:
        """Whether a slot is free, or so little is waiting that one soon will be."""
        if self.running < self.slots:
            return True
        ahead = self.ahead(self.slots)
        return ahead > 0 and len(self.waiting) <= ahead // 2

    @property
    def is_stale(self) -> bool:
        """Whether jobs wait that others may handle earlier."""
        waited = time.monotonic() - self.waiting_since
        return self.seconds == math.inf or waited > 2 * AHEAD_SECONDS


class Lanes(Generic[J, R]):
    """The lanes of one worker.

    Args:
        handle: Handles a job; called in a thread.
        is_well: Whether what has become of a job lets others be claimed ahead.
        threads: How many jobs are handled at a time, in all lanes.
        stop: Once it is set nothing more is begun.
    """

    def __init__(
        self,
        handle: Callable[[J], R],
        *,
        name_of: Callable[[J], str],
        is_well: Callable[[R], bool],
        threads: int,
        stop: threading.Event = stopping,
    ) -> None:
        self._handle, self._name_of, self._is_well = handle, name_of, is_well
        self._stop = stop
        self._pool = ThreadPoolExecutor(threads, "jobs")
        self._changed = threading.Condition()
        self._lanes: dict[str, Lane[J]] = {}
        self._handled: list[R] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    @property
    def running(self) -> int:
        """How many jobs are handled just now, in all lanes."""
        with self._changed:
            return sum(lane.running for lane in self._lanes.values())

    @property
    def is_busy(self) -> bool:
        """Whether jobs are handled, or what has become of some was not asked for yet."""
        with self._changed:
            return bool(self._handled) or any(lane.running for lane in self._lanes.values())

    def look(self) -> dict[str, Lane[J]]:
        """Return the lanes as they are just now."""
        with self._changed:
            return {
                name: Lane(lane.slots, lane.running, lane.seconds, lane.waiting.copy())
                for name, lane in self._lanes.items()
            }

    def add(self, jobs: Sequence[J], slots: Mapping[str, int]) -> None:
        """Begin claimed jobs, as many as there are slots; the others wait for one.

        Args:
            jobs: In the order in which they are to be begun.
            slots: How many slots lanes have from now on.
        """
        with self._changed:
            for name, number in slots.items():
                self._lanes.setdefault(name, Lane()).slots = number
            for job in jobs:
                lane = self._lanes[self._name_of(job)]
                lane.waiting.append(job)
                lane.waiting_since = time.monotonic()
            for lane in self._lanes.values():
                while lane.waiting and lane.running < lane.slots:
                    lane.running += 1
                    self._pool.submit(self._work, lane, lane.waiting.popleft())

    def take_back(self, *, everything: bool = False) -> list[J]:
        """Take back jobs that were claimed ahead.

        Args:
            everything: Not only those that have waited for too long, or at what is in trouble.
        """
        taken: list[J] = []
        with self._changed:
            for lane in self._lanes.values():
                if everything or lane.is_stale:
                    taken += lane.waiting
                    lane.waiting.clear()
        return taken

    def wait(self, seconds: float) -> list[R]:
        """Wait for jobs that have been handled, until a lane needs new ones or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._handled and self._needs_jobs(), seconds)
            handled, self._handled = self._handled, []
            return handled

    @property
    def needs_jobs(self) -> bool:
        """Whether a lane has a free slot, or soon will, or nothing is handled at all."""
        with self._changed:
            return self._needs_jobs() or not any(lane.running for lane in self._lanes.values())

    def _needs_jobs(self) -> bool:
        return any(lane.needs_jobs for lane in self._lanes.values())

    def _work(self, lane: Lane[J], job: J | None) -> None:
        while job is not None:
            began = time.monotonic()
            result = self._attempt(job)
            seconds = time.monotonic() - began
            with self._changed:
                if result is not None:
                    self._handled.append(result)
                is_well = result is not None and self._is_well(result)
                lane.seconds = seconds if is_well else math.inf
                job = None if self._stop.is_set() else lane.next_job()
                lane.running -= job is None
                self._changed.notify()

    def _attempt(self, job: J) -> R | None:
        try:
            return self._handle(job)
        except (DatabaseError, InterfaceError) as error:
            logger.warning(
                "The database failed (%s): job %s is tried again when its lease has run out.",
                *(type(error).__name__, job.pk),
            )
        except Exception as error:  # noqa: BLE001 - its slot must be free for others.
            # Its text may hold a secret.
            logger.error("Job %s failed: %s", job.pk, type(error).__name__)  # noqa: TRY400
        finally:
            connections.close_all()
        return None
