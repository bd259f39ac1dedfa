"""A log whose reader stalls: requests are answered all the same."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.platform_server import free_port
from tests.support.process_environment import ROOT
from tests.support.real_server import RSGI, exchange, granian, request, wait_for

ASKED = request("GET", "/api/nowhere/" + "x" * 400, "Connection: close")


@pytest.fixture
def port() -> Iterator[int]:
    """Serve with a log that nobody reads."""
    port, (reading, writing) = free_port(), os.pipe()
    command = granian("--port", str(port), "--http", "1", *RSGI)
    with subprocess.Popen(command, cwd=ROOT, stdout=writing, stderr=writing) as server:
        os.close(writing)
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()
            server.wait(30)
            os.close(reading)


def test_requests_are_answered(port: int) -> None:
    for _ in range(400):
        assert exchange(port, ASKED, seconds=10).startswith(b"HTTP/1.1 404")
