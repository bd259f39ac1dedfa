"""A way to take a server away: Redis, PostgreSQL."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.support.platform_server import free_port

PORTS = {"redis": 6379, "postgres": 5432}


class Relay:
    """A port that leads to a server while it is open."""

    def __init__(self, url: str) -> None:
        self.target = urlsplit(url)
        self._address = (self.target.hostname, self.target.port or PORTS[self.target.scheme])
        self.port = free_port()
        who = f"{self.target.username}@" if self.target.username else ""
        self.url = self.target._replace(netloc=f"{who}127.0.0.1:{self.port}").geturl()
        self.connections: list[socket.socket] = []
        self._silent: set[socket.socket] = set()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Listen, and cut all connections at the end, as a server that dies does."""
        server = _Server(("127.0.0.1", self.port), self._handler())
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            for connection in self.connections:
                _cut(connection)
            self.connections.clear()

    def fall_silent(self) -> None:
        """Pass on nothing of the connections that there are, and close none, as a failover does."""
        self._silent.update(self.connections)

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        relay = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                peer = socket.create_connection(relay._address)
                relay.connections += [self.request, peer]
                back = (peer, self.request, relay._silent)
                threading.Thread(target=_pump, args=back, daemon=True).start()
                _pump(self.request, peer, relay._silent)

        return Handler


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


def _pump(source: Any, target: Any, silent: set[socket.socket]) -> None:
    try:
        while data := source.recv(65536):
            if source not in silent:
                target.sendall(data)
    except OSError:
        return  # The other direction or the test has cut the connection.
    finally:
        if source not in silent:
            _cut(source)
            _cut(target)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # It is cut already.
    finally:
        connection.close()
