"""Who asks and reads nothing: what waits for him is bounded, and his connection ends."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.platform_server import free_port
from tests.support.real_server import RSGI, request, serving

MIB = 1024 * 1024
SECONDS = 2
Address = tuple[str, int]
SOCKETS = Path("/proc/net/tcp")
ASKED = request("GET", "/bytes?mib=1") * 20

pytestmark = pytest.mark.skipif(not SOCKETS.exists(), reason="Only Linux has these limits.")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving("--http", "1", *RSGI, WEB_THREADS="2", UNREAD_SECONDS=str(SECONDS)) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[socket.socket]:
    """Connect with little room for what comes, as who means to keep the rest at the server."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(("127.0.0.1", port))
        yield client


def waiting_for(client: Address, server: Address) -> int | None:
    """Return how many bytes the system keeps for this client, None once it is disconnected.

    The client's port alone doesn't say which connection it is: the system keeps for a minute what a
    server has ended, and gives the port to the next client meanwhile.
    """
    ends = [in_table(server), in_table(client)]
    for line in SOCKETS.read_text(encoding="ascii").splitlines():
        # Which one, its own address, the other's, its state, what waits to be sent and read.
        _, local, remote, _, queues, *_ = line.split()
        if [local, remote] == ends:
            return int(queues.partition(":")[0], 16)
    return None


def in_table(address: Address) -> str:
    host, port = address
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"


def test_an_earlier_connection_of_the_port_is_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            server.accept()[0].close()  # The side that closes first is the one that is kept.
            assert client.recv(1) == b""
            ours = client.getsockname()
        assert waiting_for(ours, server.getsockname()) == 0
    assert waiting_for(ours, ("127.0.0.1", free_port())) is None


def test_who_reads_nothing_is_disconnected(client: socket.socket) -> None:
    ours, server = client.getsockname(), client.getpeername()
    client.sendall(ASKED)
    until = time.monotonic() + SECONDS + 10
    while waiting_for(ours, server) is not None:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_little_waits_in_the_system(client: socket.socket) -> None:
    client.sendall(ASKED)
    time.sleep(0.5)
    waiting = waiting_for(client.getsockname(), client.getpeername())
    assert waiting is not None
    assert 0 < waiting < MIB // 2


def test_who_reads_slowly_gets_all(client: socket.socket) -> None:
    client.sendall(request("GET", "/bytes?mib=1", "Connection: close"))
    got, began = 0, time.monotonic()
    while part := client.recv(16 * 1024):
        got += len(part)
        if time.monotonic() - began < 2 * SECONDS:
            time.sleep(0.2)
    assert time.monotonic() - began >= 2 * SECONDS
    assert got > MIB


def test_who_waits_between_requests_stays_connected(client: socket.socket) -> None:
    for _ in range(2):
        client.sendall(request("GET", "/api/open"))
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        time.sleep(SECONDS + 1)
