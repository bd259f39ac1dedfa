"""Periodic tasks, which apps register here.

A task processes what a table says is due, so nothing is lost when it is not run for a while, or
runs twice at once. Celery's beat has workers run them (`connections_project/celery.py`); on the
embedded default `manage.py run_background` does. `dispatch.enqueue` runs one early.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connections

from connections_project.core.database import is_away

logger = logging.getLogger(__name__)

Work = Callable[[], object]

# Celery's own eight, eight that publish, eight that renew grants, and four that ask what is open.
OTHER_THREADS = 28
# Set as soon as this process is to end: whoever processes a long queue then claims nothing more.
stopping = threading.Event()
# How often it is looked, while the caller does something else, whether anything is due.
LOOK_SECONDS = 1.0


@dataclass(eq=False)
class PeriodicTask:
    """One piece of periodic work.

    Args:
        work: Does it. Idempotent, cheap when there is nothing to do, safe beside itself.
        every: Seconds from one time to the next.
        own_thread: Whether it gets a thread of its own, since it may wait long for other people's
            servers.
    """

    work: Work
    every: float
    own_thread: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _wanted: threading.Event = field(default_factory=threading.Event)
    _done_from: float = field(default=-math.inf, init=False)

    @property
    def name(self) -> str:
        return _name_of(self.work)

    def do(self) -> None:
        """Run it; where it is running in this process already, run it once more afterwards.

        So a thousand messages don't occupy all of a worker's threads, and none is lost.
        """
        self._wanted.set()
        failure: Exception | None = None
        while self._wanted.is_set() and self._turn.acquire(blocking=False):
            try:
                self._wanted.clear()
                began_at = time.monotonic()
                self.work()
                self._done_from = began_at
            except Exception as error:  # noqa: BLE001 - who asks during a run that fails gets one.
                failure = error
            finally:
                self._turn.release()
        if failure is not None:
            raise failure

    def do_if_due(self) -> None:
        """Run it, unless this process has begun so within half its interval, and done it.

        So of what piles up with a broker while no worker is there, most is passed over.
        """
        if time.monotonic() - self._done_from > self.every / 2:
            self.do()


_periodic_tasks: dict[str, PeriodicTask] = {}


def most_threads() -> int:
    """Return how many threads of a process may be at work in the background."""
    return settings.REVOCATION_THREADS + settings.EVENT_THREADS + OTHER_THREADS


def periodic_task(work: Work, *, every: float = 60.0, own_thread: bool = False) -> Work:
    """Register a periodic task; to be called from an app's `ready`.

    Args:
        work: See `PeriodicTask`; a function of a module. Messages name it by both; one of before a
            renaming is passed over, and the work is done by the interval.
        every: Seconds from one time to the next.
        own_thread: See `PeriodicTask`.
    """
    _periodic_tasks[_name_of(work)] = PeriodicTask(work, every, own_thread)
    return work


def periodic_tasks() -> list[PeriodicTask]:
    return list(_periodic_tasks.values())


def periodic_task_of(work: Work | str) -> PeriodicTask:
    """Return the periodic task of a function or a name.

    Raises:
        KeyError: Nobody has registered it.
    """
    return _periodic_tasks[work if isinstance(work, str) else _name_of(work)]


def _name_of(work: Work) -> str:
    return f"{work.__module__}.{work.__qualname__}"


class PeriodicRunner:
    """Runs each periodic task when its interval has passed, and all of them at first."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._threads: dict[str, threading.Thread] = {}

    def run_due(self, *, besides: Collection[Work] = (), apart_only: bool = False) -> None:
        """Run what is due; a task that fails is logged and stops none of the others.

        Args:
            besides: What the caller does by itself.
            apart_only: Start only what gets a thread of its own.
        """
        for each in periodic_tasks():
            is_left_out = each.work in besides or (apart_only and not each.own_thread)
            if not is_left_out and self._is_due(each):
                self._begun[each.name] = time.monotonic()
                if each.own_thread:
                    self._start(each)
                else:
                    self._do(each)

    @contextmanager
    def starting_due(self) -> Iterator[None]:
        """Start what is due and gets a thread of its own, while the caller works for long."""
        is_over = threading.Event()

        def start() -> None:
            while not is_over.wait(LOOK_SECONDS):
                self.run_due(apart_only=True)

        thread = threading.Thread(target=start, name="periodic")
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def wait(self) -> None:
        """Wait for what is done in threads of their own."""
        for thread in self._threads.values():
            thread.join()
        self._threads.clear()

    def _start(self, each: PeriodicTask) -> None:
        running = self._threads.get(each.name)
        if running is None or not running.is_alive():
            thread = threading.Thread(target=self._do_apart, args=(each,), name=each.name)
            self._threads[each.name] = thread
            thread.start()

    def _do_apart(self, each: PeriodicTask) -> None:
        try:
            self._do(each)
        finally:
            connections.close_all()

    def _is_due(self, each: PeriodicTask) -> bool:
        begun = self._begun.get(each.name)
        return begun is None or time.monotonic() - begun >= each.every

    def _do(self, each: PeriodicTask) -> None:
        try:
            each.do()
        except Exception as error:
            failed = "A periodic task failed and is tried again later: %s (%s)"
            # Where the database is away, a traceback of each task would say nothing more.
            logger.exception(failed, each.name, type(error).__name__, exc_info=not is_away(error))


def run_due(*, besides: Collection[Work] = ()) -> None:
    """Run all periodic tasks now, and wait for their end."""
    runner = PeriodicRunner()
    runner.run_due(besides=besides)
    runner.wait()
