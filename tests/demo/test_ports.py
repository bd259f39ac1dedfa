"""A port that somebody else has is named before anything is started."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from connections_project.sandbox.local.ports import PortTakenError, check_free
from connections_project.sandbox.local.processes import ROOT


def listener(family: socket.AddressFamily, host: str) -> Iterator[int]:
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError as error:
        pytest.skip(f"this machine has no {host}: {error}")
    with server:
        yield int(server.getsockname()[1])


@pytest.fixture(
    params=[
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET, "0.0.0.0"),
        (socket.AF_INET6, "::1"),
    ],
    ids=lambda given: given[1],
)
def taken_port(request: pytest.FixtureRequest) -> Iterator[int]:
    yield from listener(*request.param)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_taken_port_is_named_with_what_to_do(taken_port: int, free_port: int) -> None:
    with pytest.raises(PortTakenError, match=f"^port {taken_port} is taken: stop it$"):
        check_free(free_port, taken_port, hint="stop it")


def test_a_port_is_free_again_right_after_its_use(free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)) as server:
        client = socket.create_connection(("127.0.0.1", free_port))
        connection, _ = server.accept()
        connection.close()  # The side that closes first keeps the port in TIME_WAIT.
        client.close()
    check_free(free_port, hint="stop it")


def test_the_demo_says_so_in_one_line(taken_port: int, free_port: int) -> None:
    command = [sys.executable, "-m", "connections_project.sandbox.local.demo"]
    ports = ["--port", str(free_port), "--sandbox-port", str(taken_port)]
    refused = subprocess.run(
        [*command, *ports], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith(f"Demo: port {taken_port} is taken: ")
    assert len(refused.stderr.splitlines()) == 1
