"""Bodies that never come whole: nobody else notices, and whoever sends them hears 408."""

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.real_server import (
    RSGI,
    WSGI,
    drip,
    exchange,
    request,
    serving,
    stalled,
    status_of,
)

GET = request("GET", "/api/open", "Connection: close")
SECONDS = 2  # REQUEST_BODY_SECONDS
CUT_OFF = request("POST", "/api/open", "Content-Length: 10", "Connection: close", body=b"{")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(*RSGI, WEB_THREADS="2", REQUEST_BODY_SECONDS=str(SECONDS)) as port:
        yield port


def longest(ask: Callable[[], bytes], *, seconds: float) -> float:
    """Ask again and again; give the longest time that an answer took."""
    times, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        assert status_of(ask()) == 200
        times.append(time.monotonic() - began)
    return max(times)


@pytest.mark.parametrize("path", ["/api/open", "/outside/body", "/nowhere", "/healthz"])
def test_300_that_stall_hold_up_nobody(port: int, path: str) -> None:
    with stalled(port, 300, path=path):
        assert longest(lambda: exchange(port, GET), seconds=1) < 1


def test_others_send_bodies_meanwhile(port: int) -> None:
    body = b'{"text": "a"}'
    headers = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    sent = request("POST", "/api/open", *headers, "Connection: close", body=body)
    with stalled(port, 100):
        assert status_of(exchange(port, sent)) == 201


def test_a_stalled_body_is_408(port: int) -> None:
    began = time.monotonic()
    answer = exchange(port, CUT_OFF)
    assert SECONDS <= time.monotonic() - began < SECONDS + 15
    assert (status_of(answer), json.loads(answer.partition(b"\r\n\r\n")[2])["status"]) == (408, 408)
    assert b"x-trace-id" in answer


def test_outside_the_api_408_is_a_page(port: int) -> None:
    sent = request("POST", "/nowhere", "Transfer-Encoding: chunked", body=b"2\r\nab\r\n")
    answer = exchange(port, sent)
    assert status_of(answer) == 408
    assert b"text/html" in answer


def test_a_dripping_body_is_408(port: int) -> None:
    answer, seconds = drip(port, path="/api/open", seconds=SECONDS + 18)
    assert status_of(answer) == 408
    assert SECONDS <= seconds < SECONDS + 15


def test_a_slow_body_in_time_is_taken(port: int) -> None:
    body = b'{"text": "a"}'
    headers = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    head = request("POST", "/api/open", *headers, "Connection: close")
    parts = (body[at : at + 1] for at in range(len(body)))
    assert status_of(exchange(port, head, *parts, pause=0.05)) == 201


@pytest.mark.parametrize("rest", [b"zz\r\n", b"5\r\nabc", b"0\r\nX: y\r\n\r\n"])
def test_a_broken_chunk_is_never_a_whole_body(port: int, rest: bytes) -> None:
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked", "Connection: close")
    head = request("POST", "/api/open", *headers)
    answer = exchange(port, head + b'd\r\n{"text": "a"}\r\n', rest, pause=0.05)
    assert status_of(answer) in {400, 408}


def test_large_bodies_leave_room_for_small_ones(port: int) -> None:
    head = request("POST", "/api/open", "Content-Length: 1048576")
    small = request("POST", "/api/open", "Content-Length: 2", "Connection: close", body=b"{}")
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(status_of(exchange(port, head, bytes(1_000_000))))
        )
        for _ in range(80)
    ]
    for thread in threads:
        thread.start()
    assert status_of(exchange(port, small)) == 415
    for thread in threads:
        thread.join()
    # 64 MiB hold 67 of them at most; the others are refused at once.
    assert set(statuses) == {408, 503}
    assert statuses.count(408) <= 67
    assert status_of(exchange(port, small)) == 415


def test_wsgi_answers_others_while_40_stall() -> None:
    with serving(*WSGI) as port, stalled(port, 40):
        assert longest(lambda: exchange(port, GET), seconds=2) < 1
