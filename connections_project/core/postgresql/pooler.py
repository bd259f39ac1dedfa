"""Sessions through a pooler, such as PgBouncer, in front of a server that may fall silent.

A pooler lets callers in by itself, and keeps them waiting while its server is silent. Only the
answer to a statement tells of the server.
"""

import time
from collections.abc import Callable
from contextlib import closing
from math import ceil
from threading import Lock
from typing import Any, Self

import psycopg

from connections_project.core.postgresql.silence import Connection

# A pooler whose sessions are all busy for a moment keeps a new caller waiting, too. Together with
# SILENCE_SECONDS less than ten seconds.
SERVED_WITHIN = 5.0
# Until a caller who was refused comes again.
RETRY_AFTER = 0.5


class OneLook:
    """What one thread finds out for all of a process's that wait for it meanwhile."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ended_at = float("-inf")
        self._found = False

    def found(self, look: Callable[[], bool]) -> bool:
        """Return what a look finds that ends after this call begins."""
        began = time.monotonic()
        with self._lock:
            if self._ended_at < began:
                self._found = look()
                self._ended_at = time.monotonic()
            return self._found


_one_look = OneLook()


class _Caller(Connection):
    """A new caller's session, for one statement."""

    def server_answers(self) -> bool:
        """Whether others are answered: nobody else is asked."""
        return False


class PoolerConnection(Connection):
    """A connection that gives up on a pooler's server that has stopped answering."""

    _parameters: dict[str, Any]

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        """Connect, and keep by what a new caller can do the same."""
        made = super().connect(*args, **kwargs)
        made._parameters = kwargs
        return made

    def server_answers(self) -> bool:
        """Whether a new caller's statement is answered in time; the whole process asks once."""
        return _one_look.found(self._serves_a_caller)

    def _serves_a_caller(self) -> bool:
        ends_at = time.monotonic() + SERVED_WITHIN
        while not self._serves(ends_at):
            # Also a pooler that has no place for another caller refuses, and so does one that has
            # given its server up.
            if time.monotonic() + RETRY_AFTER >= ends_at:
                return False
            time.sleep(RETRY_AFTER)
        return True

    def _serves(self, ends_at: float) -> bool:
        # Of several addresses, the one that this session has.
        place = {"host": self.info.host, "hostaddr": self.info.hostaddr, "port": self.info.port}
        # The driver takes whole seconds, and two at least.
        within = ceil(ends_at - time.monotonic())
        how = {"connect_timeout": within, "autocommit": True}
        try:
            with closing(_Caller.connect(**self._parameters | place | how)) as caller:
                caller.silence_seconds = ends_at - time.monotonic()
                caller.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True
