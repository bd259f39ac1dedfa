"""A load generator: keep-alive connections, one request under way on each, in one thread.

It is small on purpose. On a machine where it shares the processor with what it measures, each
microsecond of its own makes two servers look more alike than they are.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

SILENCE_SECONDS = 30.0


@dataclass
class Outcome:
    """What a run of requests came to.

    Args:
        seconds: From the first byte sent to the last byte received.
        latencies: Seconds of each request, in the order of their ends.
        processor: Seconds of processor time that the server's workers used meanwhile.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    processor: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    @property
    def processor_ms(self) -> float:
        """Return the processor time of one request, in milliseconds."""
        return self.processor * 1000 / len(self.latencies) if self.latencies else 0.0

    def percentile(self, share: float) -> float:
        """Return the latency, in milliseconds, below which this share of all requests lies."""
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000 if ordered else 0.0


class _Lane:
    """One connection; it reads answers that say their length."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self._read = b""

    def send(self, request: bytes) -> None:
        self._read = b""
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Read what is there; give the status once the answer is whole."""
        piece = self.socket.recv(262_144)
        if not piece:
            raise ConnectionError("The server closed the connection.")
        self._read += piece
        head, ended, body = self._read.partition(b"\r\n\r\n")
        if not ended or len(body) < _length(head):
            return None
        return int(head[9:12])


def request(method: str, path: str, *headers: str, body: str = "") -> bytes:
    """Write a request of HTTP/1.1; the headers are whole lines."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json", *headers]
    if body:
        lines.append("Content-Type: application/json")
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", body]).encode()


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    if head[9:12] == b"204":
        return 0
    raise ValueError("An answer came without its length.")


def run(port: int, requests: Iterator[bytes], *, lanes: int, seconds: float) -> Outcome:
    """Send requests until the time is up or none is left; answers under way are waited for.

    Args:
        requests: Whole HTTP/1.1 requests.
        seconds: For how long new ones are sent.

    Raises:
        TimeoutError: Nothing came back for half a minute.
    """
    outcome = Outcome()
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        for _ in range(lanes):
            _next(_Lane(port), requests, selector, until=began + seconds)
        while selector.get_map():
            ready = selector.select(SILENCE_SECONDS)
            if not ready:
                raise TimeoutError("The server fell silent.")
            for key, _ in ready:
                lane: _Lane = key.data
                status = lane.receive()
                if status is not None:
                    outcome.latencies.append(time.perf_counter() - lane.began)
                    outcome.statuses[status] += 1
                    selector.unregister(lane.socket)
                    _next(lane, requests, selector, until=began + seconds)
        outcome.seconds = time.perf_counter() - began
    return outcome


def _next(
    lane: _Lane, requests: Iterator[bytes], selector: selectors.BaseSelector, *, until: float
) -> None:
    request = next(requests, None) if time.perf_counter() < until else None
    if request is None:
        lane.socket.close()
        return
    lane.send(request)
    selector.register(lane.socket, selectors.EVENT_READ, lane)
