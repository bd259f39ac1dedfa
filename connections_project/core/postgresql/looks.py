"""What a new caller sees of a server that has kept a session waiting."""

import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

import psycopg

Seen = TypeVar("Seen")

ANSWER_SECONDS = 2.0
# SSLRequest (PostgreSQL, section 55.7): answered by one byte, before any authentication.
_SSL_REQUEST = struct.pack("!II", 8, 80877103)
# A process that has not heeded its `statement_timeout`, the caller's too, for so long stands still.
STILL_SECONDS = 5.0
# A role sees its own sessions whole (PostgreSQL, section 27.2). A statement may have several
# transactions, and a transaction several statements: the older of both counts.
_AT_WORK = """
    SELECT pid, extract(epoch FROM clock_timestamp() - least(query_start, xact_start))::float8,
    extract(epoch FROM clock_timestamp() - query_start)::float8,
    extract(epoch FROM nullif(current_setting('statement_timeout'), '0')::interval)::float8
    FROM pg_stat_activity WHERE usename = session_user AND state NOT LIKE 'idle%'
"""


def accepts_callers(server: psycopg.ConnectionInfo) -> bool:
    """Whether the server answers a new caller in time, whom it need not let in."""
    try:
        with _connected(server.hostaddr or server.host, server.port) as sock:
            sock.sendall(_SSL_REQUEST)
            return bool(sock.recv(1))
    except OSError:
        return False


def _connected(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=ANSWER_SECONDS)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(ANSWER_SECONDS)
    sock.connect(f"{host}/.s.PGSQL.{port}")
    return sock


@dataclass(frozen=True)
class Activity:
    """The role's sessions at work on a server.

    Attributes:
        seconds: For how long each has been, by its process id; None where the server doesn't tell.
        has_real_ids: Whether the driver knows a session by that id. A pooler gives out its own.
        limit: Seconds that a statement may take; None for any.
    """

    seconds: Mapping[int, float | None]
    has_real_ids: bool
    limit: float | None = None

    def may_include(self, session_id: int, at_least: float) -> bool:
        """Whether one of them may be the session, and goes on.

        Args:
            at_least: For how many seconds it has been at work, by this process's monotonic clock.
        """
        if self.has_real_ids:
            # The server's clock, by which it counts the seconds, may have been set since.
            return session_id in self.seconds and not _is_over(at_least, self.limit)
        # Where it was set back, some have yet to begin.
        found = self.seconds.values()
        return any(seconds is None or seconds < 0 or seconds >= at_least for seconds in found)


def _is_over(seconds: float | None, limit: float | None) -> bool:
    return seconds is not None and limit is not None and seconds > limit + STILL_SECONDS


def activity_seen_by(caller: psycopg.Connection[Any]) -> Activity:
    """Return what a session that has just been made is told."""
    found = caller.execute(_AT_WORK).fetchall()
    has_real_ids = any(pid == caller.info.backend_pid for pid, *_ in found)
    seconds = {
        pid: age
        for pid, age, of_statement, limit in found
        if has_real_ids or not _is_over(of_statement, limit)
    }
    return Activity(seconds, has_real_ids, limit=found[0][3] if found else None)


class OneLook(Generic[Seen]):
    """What one thread finds out for all of a process's that wait for it meanwhile."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ended_at = float("-inf")
        self._seen: Seen

    def seen(self, look: Callable[[], Seen]) -> Seen:
        """Return what a look sees that ends after this call begins."""
        began = time.monotonic()
        with self._lock:
            if self._ended_at < began:
                self._seen = look()
                self._ended_at = time.monotonic()
            return self._seen


one_look = OneLook[Activity | None]()
