"""A client-side limit for servers that fall silent: a frozen machine, a stopped process.

Such a server's kernel goes on acknowledging what it receives, so neither TCP's keepalives nor
`tcp_user_timeout` notice, and the server's own timeouts don't run either. A statement that merely
takes long must not be cut off; so a server that has been silent for a while is asked whether it
still answers others.
"""

import select
import socket
import struct
import time
from collections.abc import Generator
from typing import Any, Self

import psycopg

from connections_project.core.postgresql.outage import outage

# Together with the wait for a connection less than ten seconds (conf/databases.py).
SILENCE_SECONDS = 2.0
ANSWER_SECONDS = 2.0
# SSLRequest (PostgreSQL, section 55.7): answered by one byte, before any authentication.
_SSL_REQUEST = struct.pack("!II", 8, 80877103)


class SilentServerError(psycopg.OperationalError):
    """The server answers nobody."""


class Connection(psycopg.Connection[Any]):
    """A connection that gives up on a server that has stopped answering."""

    silence_seconds = SILENCE_SECONDS
    is_given_up = False

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        """Connect, and note for all threads where that fails."""
        try:
            made = super().connect(*args, **kwargs)
        except psycopg.OperationalError:
            outage.not_connected()
            raise
        outage.connected(made)
        return made

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Run a protocol exchange.

        Raises:
            SilentServerError: Nothing came for `silence_seconds`, and nobody else gets an answer.
        """
        try:
            return super().wait(_while_alive(gen, self), *args, **kwargs)
        except SilentServerError:
            # By itself the driver would wait for the end of the statement.
            self.close()
            self.is_given_up = True
            outage.begins()
            raise

    def server_answers(self) -> bool:
        """Whether the server answers a new caller in time."""
        return _answers(self.info)

    def is_alive(self) -> bool:
        """Whether the session goes on, as far as is known here.

        A server that ends one says so and closes it, which the next look at the socket shows. Only
        where something came unasked is the session asked whether it answers: no look costs a round
        trip.
        """
        if not _has_come(self.fileno()):
            return True
        try:
            self.execute("")
        except psycopg.OperationalError:
            return False
        return True


def _has_come(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _while_alive(gen: Generator[Any, Any, Any], connection: Connection) -> Generator[Any, Any, Any]:
    """Pass on what is ready; the driver says several times a second that nothing is."""
    heard_at = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            if ready := (yield wanted):
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > connection.silence_seconds:
                if not connection.server_answers():
                    raise SilentServerError("the server has stopped answering")
                heard_at = time.monotonic()
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value


def _answers(server: psycopg.ConnectionInfo) -> bool:
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
