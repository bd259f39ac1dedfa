"""While the database is away few threads wait for it, and the others are told so at once.

Each waits for seconds. If all of a web process's did so, it would not even say that it lives
(`/healthz`), and who asked late in a crowd would wait for all who asked before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

import psycopg

from connections_project.core.database import KNOWN_OUTAGE

PROBES = 2


class Outage:
    """Whether the last one who asked for a session got none, in this process."""

    def __init__(self) -> None:
        self._is_on = False
        self._probes = BoundedSemaphore(PROBES)

    @contextmanager
    def noticed(self) -> Iterator[None]:
        """Ask for a session inside.

        Raises:
            psycopg.OperationalError: There is an outage, and as many as may wait for its end.
        """
        if not self._is_on:
            with self._kept():
                yield
            return
        if not self._probes.acquire(blocking=False):
            raise psycopg.OperationalError(KNOWN_OUTAGE)
        try:
            with self._kept():
                yield
        finally:
            self._probes.release()

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except psycopg.OperationalError:
            self._is_on = True
            raise
        self._is_on = False
