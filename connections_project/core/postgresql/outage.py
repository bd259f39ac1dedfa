"""Whether this process is known to get no session of its database.

Who waits for one waits for seconds; in a crowd each waits for all who asked before. What a request
does about it is up to `connections_project/middleware/outage.py`; nothing here fails earlier.
"""

import time
from collections.abc import Callable
from threading import Lock
from weakref import WeakSet

import psycopg

# Until somebody looks again, in seconds.
PAUSE = 1.0


class Outage:
    """What all threads of a process know of it."""

    def __init__(self) -> None:
        self._noticed_at: float | None = None
        self._looks = Lock()
        self._sessions: WeakSet[psycopg.Connection] = WeakSet()
        self._changes = Lock()

    def connected(self, session: psycopg.Connection) -> None:
        """Note a session that was made."""
        with self._changes:
            self._sessions.add(session)

    def not_connected(self) -> None:
        """Note that a session could not be made; where there are others, who waits may get one."""
        with self._changes:
            is_cut_off = all(one.closed for one in self._sessions)
        if is_cut_off:
            self.begins()

    def begins(self) -> None:
        """Note that the database answers nobody."""
        self._noticed_at = time.monotonic()

    def is_over(self, look: Callable[[], object]) -> bool:
        """Whether it is worth while to ask the database; True where no outage is known.

        Args:
            look: Asks it, and raises what it meets. One thread does so at a time, and the others
                are told what is known.
        """
        # Another thread may see its end meanwhile.
        noticed_at = self._noticed_at
        if noticed_at is None:
            return True
        if time.monotonic() - noticed_at < PAUSE or not self._looks.acquire(blocking=False):
            return False
        try:
            look()
        finally:
            self._looks.release()
        self._noticed_at = None
        return True


outage = Outage()
