"""What becomes of answers on their way from Django to the wire."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.real_server import RSGI, exchange, request, serving, status_of

STATIC = "/static/admin/css/base.css"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(*RSGI, WEB_THREADS="2") as port:
        yield port


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def get(port: int, path: str, *headers: str, method: str = "GET") -> bytes:
    return exchange(port, request(method, path, *headers, "Connection: close"))


@pytest.mark.parametrize("path", ["/api/open", "/outside/body", "/nowhere", "/static/a.css"])
def test_who_sends_96_mib_is_told_413(port: int, path: str) -> None:
    size = 96 * 1024 * 1024
    head = request("POST", path, f"Content-Length: {size}", "Connection: close")
    assert status_of(exchange(port, head + bytes(size))) == 413


def test_a_static_file_is_whole(port: int) -> None:
    answer = get(port, STATIC)
    assert status_of(answer) == 200
    assert f"content-length: {len(body_of(answer))}".encode() in answer
    assert b"x-trace-id" in answer


def test_head_of_it_has_no_body(port: int) -> None:
    answer = get(port, STATIC, method="HEAD")
    assert (status_of(answer), body_of(answer)) == (200, b"")


def test_a_stream_is_whole(port: int) -> None:
    answer = get(port, "/stream", "User-Agent: x")
    assert status_of(answer) == 200
    assert b"999\n" in body_of(answer)


def test_a_stream_that_breaks_is_cut_off(port: int) -> None:
    answer = get(port, "/stream?breaks")
    assert b"999\n" not in answer
    assert b"\nINCOMPLETE\n" in answer
    assert status_of(get(port, "/api/open")) == 200


@pytest.mark.parametrize(("path", "requests"), [(STATIC, 50), ("/head", 50), ("/stream", 1)])
def test_who_reads_nothing_holds_up_nobody(port: int, path: str, requests: int) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            client.sendall(request("GET", path) * requests)
        time.sleep(1)
        began = time.monotonic()
        assert status_of(get(port, "/api/open")) == 200
        assert time.monotonic() - began < 2


def test_who_leaves_early_takes_no_thread_along(port: int) -> None:
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(request("GET", "/stream"))
    assert status_of(get(port, "/api/open")) == 200


def test_no_more_is_made_than_is_read(port: int) -> None:
    def made() -> int:
        return int(body_of(get(port, "/made")))

    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(request("GET", "/stream?large"))
        before, now = -1, made()
        while not now or now > before:
            time.sleep(0.5)
            before, now = now, made()
        assert now < 1600 * 64 * 1024
    assert len(body_of(get(port, "/stream?large"))) > 1600 * 64 * 1024
    assert made() == 1600 * 64 * 1024


def test_who_pauses_too_long_is_told_that_it_is_cut() -> None:
    with (
        serving(*RSGI, PIECE_SECONDS="0.5") as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as client,
    ):
        client.sendall(request("GET", "/stream?large", "Connection: close"))
        time.sleep(2)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"999\n" not in answer
    assert b"\nINCOMPLETE\n" in answer
