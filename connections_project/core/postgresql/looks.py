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
# A role sees its own sessions whole (PostgreSQL, section 27.2). A statement may have several
# transactions, and a transaction several statements: the older of both counts.
# A process that has not heeded its `statement_timeout`, the caller's too, stands still.
_AT_WORK = """
    SELECT pid, extract(epoch FROM clock_timestamp() - least(query_start, xact_start))::float8
    FROM pg_stat_activity WHERE usename = session_user AND state NOT LIKE 'idle%'
    AND (
        clock_timestamp() - query_start
        > nullif(current_setting('statement_timeout'), '0')::interval + interval '5 s'
    ) IS NOT TRUE
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
    """

    seconds: Mapping[int, float | None]
    has_real_ids: bool

    def may_include(self, session_id: int, at_least: float) -> bool:
        """Whether one of them may be the session, which has been at work for so many seconds."""
        ids = {session_id} if self.has_real_ids else set(self.seconds)
        found = [self.seconds[each] for each in ids & self.seconds.keys()]
        return any(seconds is None or seconds >= at_least for seconds in found)


def activity_seen_by(caller: psycopg.Connection[Any]) -> Activity:
    """Return what a session that has just been made is told."""
    seconds = dict(caller.execute(_AT_WORK).fetchall())
    return Activity(seconds, has_real_ids=caller.info.backend_pid in seconds)


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
