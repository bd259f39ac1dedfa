"""A granian of its own, and requests to it byte by byte."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from connections_project.sandbox.local.certificate import Certificate
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
def serving(
    *target: str, files: int = 0, tls: Certificate | None = None, **environment: str
) -> Iterator[int]:
    """Serve the small site by granian, and give its port.

    It is killed with its worker: by itself it would first answer all who still wait.

    Args:
        target: What granian is told.
        files: How many a process may have open; 0 as many as here.
        tls: By which certificate it ends TLS, where it does.
        environment: Variables besides.
    """
    port = free_port()
    command = granian("--port", str(port), *_tls_options(tls), *target, files=files)
    environment = os.environ | environment
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as server:
        try:
            wait_for(port, tls)
            yield port
        finally:
            os.killpg(server.pid, signal.SIGKILL)


def granian(*options: str, files: int = 0) -> list[str]:
    """Return the command of a granian that may have so many files open."""
    limited = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh"] if files else []
    return [*limited, sys.executable, "-m", "granian", "--no-ws", *options]


def _tls_options(tls: Certificate | None) -> list[str]:
    if tls is None:
        return []
    return ["--ssl-certificate", str(tls.chain), "--ssl-keyfile", str(tls.key)]


def wait_for(port: int, tls: Certificate | None = None) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = exchange(port, request("GET", "/healthz", "Connection: close"), tls=tls)
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


def exchange(
    port: int,
    *parts: bytes,
    pause: float = 0.0,
    seconds: float = 20,
    tls: Certificate | None = None,
) -> bytes:
    """Send the parts, and give all that is answered until the server closes the connection."""
    with _connected(port, seconds, tls) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(pause)
        return b"".join(iter(lambda: client.recv(65536), b""))


def _connected(port: int, seconds: float, tls: Certificate | None) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    if tls is None:
        return client
    context = ssl.create_default_context(cafile=str(tls.authority))
    try:
        return context.wrap_socket(client, server_hostname="localhost")
    except OSError:
        client.close()
        raise


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
