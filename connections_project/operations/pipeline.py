"""Batch after batch, of which one is prepared while the database is busy with another one."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import chain, islice
from typing import TypeVar

from django.db import connection, connections

B = TypeVar("B")
R = TypeVar("R")

THREADS = 2


def pipelined(work: Callable[[B], R], batches: Iterable[B]) -> Iterator[R]:
    """Yield what `work` returns for each batch, in the order in which they are done.

    Each thread has a session, and so transactions, of its own. There are none for a single batch,
    on SQLite, which has one writer, where the pool is too small, and in a transaction of the
    caller's, which they can't join.

    Args:
        work: Does one batch. Where it fails, or this thread is interrupted, no other one is begun;
            what is under way is done and yielded first.
        batches: The next one is taken when a thread is free to begin it.
    """
    left = iter(batches)
    first = list(islice(left, 1 if _must_wait() else THREADS))
    if len(first) < THREADS:
        yield from map(work, chain(first, left))
    else:
        yield from _in_threads(work, first, left)


def _must_wait() -> bool:
    # This thread keeps the session that it has.
    pool = connection.settings_dict.get("OPTIONS", {}).get("pool") or {}
    is_too_small = pool.get("max_size", THREADS + 1) <= THREADS
    return connection.vendor == "sqlite" or connection.in_atomic_block or is_too_small


def _in_threads(work: Callable[[B], R], first: list[B], left: Iterator[B]) -> Iterator[R]:
    def begin(batch: B) -> "Future[R]":
        return pool.submit(copy_context().run, _in_own_session, work, batch)

    with ThreadPoolExecutor(THREADS, "batches") as pool:
        running = {begin(batch) for batch in first}
        try:
            while running:
                for one in wait(running, return_when=FIRST_COMPLETED).done:
                    result = one.result()
                    running |= {begin(batch) for batch in islice(left, 1)}
                    running.remove(one)
                    yield result
        except (Exception, KeyboardInterrupt):
            yield from (one.result() for one in running if one.exception() is None)
            raise


def _in_own_session(work: Callable[[B], R], batch: B) -> R:
    try:
        return work(batch)
    finally:
        connections.close_all()
