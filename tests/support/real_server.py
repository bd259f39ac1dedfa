"""A granian of its own, and requests to it byte by byte."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from tests.support.platform_server import free_port
from tests.support.process_environment import ROOT

RSGI = ("--interface", "rsgi", "tests.support.failing_site_rsgi:application")
WSGI = (
    "--interface",
    "wsgi",
    "--blocking-threads",
    "16",
    "tests.support.failing_site_wsgi:application",
)


@contextmanager
def serving(*target: str, **environment: str) -> Iterator[int]:
    """Serve the small site by granian, and give its port.

    It is killed with its worker: by itself it would first answer all who still wait.
    """
    port = free_port()
    command = [sys.executable, "-m", "granian", "--no-ws", "--port", str(port), *target]
    environment = os.environ | environment
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            os.killpg(server.pid, signal.SIGKILL)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = exchange(port, request("GET", "/healthz", "Connection: close"))
        except OSError:
            answer = b""
        if answer.startswith(b"HTTP/1.1 200"):
            return
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *headers]
    if not any(line.lower().startswith("host:") for line in headers):
        lines.append("Host: localhost")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def exchange(port: int, *parts: bytes, pause: float = 0.0, seconds: float = 20) -> bytes:
    """Send the parts, and give all that is answered until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(pause)
        return b"".join(iter(lambda: client.recv(65536), b""))


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@contextmanager
def stalled(port: int, number: int, *, path: str = "/api/open") -> Iterator[list[socket.socket]]:
    """Hold connections that have announced a body of ten bytes and sent one."""
    head = request("POST", path, "Content-Type: application/json", "Content-Length: 10", body=b"{")
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            for _ in range(number)
        ]
        for client in clients:
            client.sendall(head)
        yield clients


def drip(port: int, *, path: str, seconds: float) -> tuple[bytes, float]:
    """Send a byte of a body every now and then; give the first of the answer, and when it came."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=0.2) as client:
        client.sendall(request("POST", path, "Content-Length: 1000"))
        while time.monotonic() - began < seconds:
            client.sendall(b"x")
            with suppress(TimeoutError):
                return client.recv(65536), time.monotonic() - began
    return b"", seconds
