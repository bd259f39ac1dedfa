"""The Redis that tests use, in a database of their own, and a way to take it away."""

import os
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from tests.support.platform_server import free_port

# That of the first worker; each other one has one of its own below it.
DATABASE = 9


def url_or_skip() -> str:
    """Return the address of this worker's database; without a Redis skip, or fail under CI=true."""
    server = urlsplit(os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379")
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    url = server._replace(path=f"/{DATABASE - worker}").geturl()
    try:
        redis.Redis.from_url(url, socket_connect_timeout=1).ping()
    except redis.RedisError:
        message = f"left out: no Redis at {server.hostname}:{server.port}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return url


@contextmanager
def redis_at_socket(path: Path) -> Iterator[None]:
    """Run a Redis that listens at a socket alone; without the program skip."""
    program = shutil.which("redis-server") or pytest.skip("left out: no redis-server")
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            ends_at = time.monotonic() + 10
            while not path.exists() and time.monotonic() < ends_at:
                time.sleep(0.05)
            yield
        finally:
            server.terminate()


class Relay:
    """A port that leads to Redis while it is open."""

    def __init__(self, url: str) -> None:
        self.target = urlsplit(url)
        self.port = free_port()
        self.url = self.target._replace(netloc=f"127.0.0.1:{self.port}").geturl()
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
                peer = socket.create_connection((relay.target.hostname, relay.target.port or 6379))
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
        _cut(source)
        _cut(target)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # It is cut already.
    finally:
        connection.close()
