"""What the system keeps for clients that don't read, and for how long."""

import os
import socket
from contextlib import suppress
from pathlib import Path

UNREAD_SECONDS = 30.0
UNREAD_BYTES = 128 * 1024
# Linux lists a process's open files here; elsewhere nothing is limited.
OPEN_FILES = Path("/proc/self/fd")
_TCP = (socket.AF_INET, socket.AF_INET6)


def limit_unread_answers(seconds: float = UNREAD_SECONDS) -> None:
    """Bound what waits for a client that reads nothing, and end its connection.

    granian has no setting for this, and the system by itself keeps up to 4 MB for each connection,
    without end. Connections inherit what is set for the sockets on which this process listens.

    Args:
        seconds: How long a client may take nothing while something waits for it. An idle
            connection, for which nothing waits, is none of these.
    """
    for number in os.listdir(OPEN_FILES) if OPEN_FILES.is_dir() else ():
        # Most are no sockets, and the one by which they are listed is closed.
        with suppress(OSError):
            one = socket.socket(fileno=int(number))
            try:
                _limit(one, seconds)
            finally:
                one.detach()


def _limit(one: socket.socket, seconds: float) -> None:
    if one.family in _TCP and one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        # The system doubles it, for its own part (socket(7)).
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_BYTES)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
