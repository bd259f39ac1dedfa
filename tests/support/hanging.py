"""A platform that answers only when it is told to, and callers who wait for it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from tests.support.database_threads import with_own_connection
from tests.support.platform_server import Answer, PlatformServer


@contextmanager
def hanging(server: PlatformServer, method: str, path: str, then: Answer) -> Iterator["Hanging"]:
    """Let an address hang inside, and answer everybody afterwards."""
    made = Hanging()

    def answer(_: object) -> Answer:
        made.arrived.release()
        made.released.wait(20)
        return then

    server.on(method, path, answer)
    with ThreadPoolExecutor(32) as made.pool:
        try:
            yield made
        finally:
            made.released.set()


class Hanging:
    """What came to the address and waits there."""

    pool: ThreadPoolExecutor

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self.released = threading.Event()

    def call(self, call: Callable[[], Any]) -> "Future[Any]":
        """Make a call in a thread of its own."""
        return self.pool.submit(with_own_connection, call)

    def occupy(self, call: Callable[[], Any]) -> "Future[Any]":
        """Make a call, and go on once the platform has it."""
        future = self.call(call)
        assert self.arrived.acquire(timeout=10), future.result(0)
        return future
