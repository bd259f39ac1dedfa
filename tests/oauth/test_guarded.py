"""Addresses that others chose: where they lead is looked at when they are connected to."""

import gzip
import socket
import time
import tracemalloc
from ipaddress import ip_network
from typing import Any

import pytest

from connections_project.oauth.guarded import FetchError, GuardedClient, Policy
from tests.support.platform_server import Answer, PlatformServer

LOOPBACK = [ip_network("127.0.0.0/8")]


def client(largest: int = 1000) -> GuardedClient:
    return GuardedClient(networks=LOOPBACK, largest=largest)


def code(made: GuardedClient, url: str, within: float = 5.0) -> str:
    with pytest.raises(FetchError) as failure:
        made.send("POST", url, within=within, body=b"{}")
    assert failure.value.__cause__ is None
    return failure.value.code


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
        "192.0.0.192", "2002:c000:c0::", "192.88.99.1", "3fff::1",
    ],
)  # fmt: skip
def test_what_is_not_global_is_refused(address: str) -> None:
    assert not Policy().allows(address, scheme="https")


def test_what_is_global_needs_https() -> None:
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"):
        assert Policy().allows(address, scheme="https")
        assert not Policy().allows(address, scheme="http")
    assert Policy((ip_network("10.0.0.0/8"),)).allows("10.1.2.3", scheme="http")


def test_a_private_address_is_not_connected_to(server: PlatformServer) -> None:
    port = server.url.rpartition(":")[2]
    closed = GuardedClient(networks=[], largest=1000)
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1"):
        assert code(closed, f"http://{host}:{port}/") == "address_refused"
        assert code(closed, f"https://{host}:{port}/") == "address_refused"
    assert server.requests == []


def test_a_name_that_changes_leads_nowhere(
    server: PlatformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is looked at is what is connected to: there is no second lookup."""
    lookups: list[str] = []

    def rebinding(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        lookups.append(host)
        address = "93.184.215.14" if len(lookups) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    reached: list[Any] = []

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        reached.append(address[0])
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr("connections_project.oauth.guarded.create_connection", connect)
    assert code(GuardedClient(networks=[], largest=9), "https://evil.example/") == "connect_error"
    assert reached == ["93.184.215.14"]


def test_a_redirect_is_an_answer(server: PlatformServer) -> None:
    server.on("POST", "/", Answer(307, headers={"Location": f"{server.url}/private"}))
    assert client().send("POST", f"{server.url}/", within=5, body=b"").status == 307
    assert len(server.requests) == 1


def test_an_answer_is_read_to_a_limit(server: PlatformServer) -> None:
    server.on("POST", "/", Answer(200, body=b"x" * 5_000_000))
    answer = client().send("POST", f"{server.url}/", within=5, body=b"")
    assert (len(answer.body), answer.is_whole) == (1000, False)


def test_a_redirect_is_read_to_the_limit_too(server: PlatformServer) -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    headers = {"Location": "/elsewhere", "Content-Encoding": "gzip"}
    server.on("POST", "/", Answer(302, body=bomb, headers=headers))
    tracemalloc.start()
    try:
        answer = client().send("POST", f"{server.url}/", within=15, body=b"")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status, len(answer.body), answer.is_whole) == (302, 1000, False)
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize("answer", [Answer(delay=30), Answer(body=b"x" * 500, drip_body=0.2)])
def test_all_of_it_ends_in_time(server: PlatformServer, answer: Answer) -> None:
    server.on("POST", "/", answer)
    began = time.monotonic()
    assert code(client(), f"{server.url}/", within=0.5) == "timeout"
    assert time.monotonic() - began < 2
