"""A log whose reader stalls: requests are answered, and workers started and ended, all the same."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.child_processes import children_of
from tests.support.platform_server import free_port
from tests.support.process_environment import ROOT
from tests.support.real_server import RSGI, exchange, granian, wait_for
from tests.support.real_server import request as text_of

ASKED = text_of("GET", "/api/nowhere/" + "x" * 400, "Connection: close")
LOGGING = str(ROOT / "connections_project" / "conf" / "granian_logging.json")


@dataclass(frozen=True)
class Server:
    port: int
    process: "subprocess.Popen[bytes]"

    def ask(self, times: int) -> None:
        for _ in range(times):
            assert exchange(self.port, ASKED, seconds=10).startswith(b"HTTP/1.1 404")


WSGI = ("--interface", "wsgi", "connections_project.wsgi:application")


@contextmanager
def serving(*application: str, **environment: str) -> Iterator[Server]:
    """Serve with a log that nobody reads."""
    port, (reading, writing) = free_port(), os.pipe()
    options = ("--port", str(port), "--http", "1", "--respawn-failed-workers", *application)
    with subprocess.Popen(
        granian(*options), cwd=ROOT, env=os.environ | environment, stdout=writing, stderr=writing
    ) as process:
        os.close(writing)
        try:
            wait_for(port)
            yield Server(port, process)
        finally:
            process.terminate()
            process.wait(30)
            os.close(reading)


def test_nobody_waits_for_the_reader() -> None:
    """Nor does granian's own process: it ends when it is told to."""
    with serving(*RSGI, GRANIAN_LOG_CONFIG=LOGGING, PYTHONPATH=str(ROOT)) as server:
        server.ask(400)
        (worker,) = children_of(server.process.pid)
        os.kill(worker, signal.SIGKILL)
        wait_for(server.port)
        server.ask(1)


def test_nor_does_anybody_behind_wsgi() -> None:
    """Whatever server it is, of whose own log nothing is known."""
    with serving(*WSGI) as server:
        server.ask(400)
