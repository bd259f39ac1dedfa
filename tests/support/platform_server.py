"""A platform to test against: a real HTTP server on loopback that does what it is told.

with PlatformServer() as server:
    server.on("POST", "/token", Answer(503), Answer(json={"access_token": "a"}))
    requests.post(f"{server.url}/token", data={"code": "c"})
    assert server.requests[0].form == {"code": "c"}
"""

import json
import secrets
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.support.database_threads import with_own_connection

_NOTHING: Any = object()


# Below those that Linux (32768) and macOS (49152) choose by themselves: until a process that is
# started listens there, such a one would be given to whoever connects or asks for any.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """Return a port of loopback at which nobody listens, and that the system gives to nobody."""
    while True:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@dataclass(frozen=True)
class Request:
    """A request as it came in; `headers` are looked up in any case."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to answer, and how badly.

    Args:
        status: The HTTP status.
        json: A body to encode; it wins over `body`.
        body: A body as it is.
        headers: Further headers; a Content-Length replaces the true one.
        delay: Seconds before the first byte.
        drip_headers: Seconds after each byte of status line and headers.
        drip_body: Seconds after each byte of the body.
        reset: Break the connection (TCP RST) instead of answering.
        cut_after: Close the connection after so many bytes of the body.
        hints: Interim answers that come before it, as they are.
        raw: Send just these bytes, no HTTP, and close the connection.
    """

    status: int = 200
    json: Any = _NOTHING
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip_headers: float = 0.0
    drip_body: float = 0.0
    reset: bool = False
    cut_after: int | None = None
    hints: bytes = b""
    raw: bytes | None = None

    def content(self) -> bytes:
        return self.body if self.json is _NOTHING else json.dumps(self.json).encode()

    def head(self) -> bytes:
        own = {"Content-Type": "application/json", "Content-Length": str(len(self.content()))}
        lines = [f"{name}: {value}" for name, value in {**own, **self.headers}.items()]
        return self.hints + "\r\n".join([f"HTTP/1.1 {self.status} Chosen", *lines, "", ""]).encode(
            "latin-1"
        )


Script = Answer | Callable[[Request], Answer]


class PlatformServer:
    """A scriptable server, running while the context is open.

    Args:
        tls: The server's side of TLS, for https.

    Attributes:
        url: Its address, without a slash at the end.
        requests: All requests so far, in their order.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.stopped = threading.Event()
        self._scripts: dict[tuple[str, str], list[Script]] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.platform = self
        if tls:
            # The handshake belongs to the connection's thread, not to the one that accepts.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self._thread = threading.Thread(target=self._server.serve)

    def on(self, method: str, path: str, *scripts: Script) -> Self:
        """Say what a path answers: one after the other, the last for good.

        Args:
            method: In upper case.
            path: Without the query.
            scripts: Answers, or functions that make one from a request.
        """
        with self._lock:
            self._scripts[method, path] = list(scripts)
        return self

    @property
    def connection_count(self) -> int:
        """How many connections were made in all."""
        return self._server.connection_count

    @property
    def open_connections(self) -> int:
        return len(self._server.connections)

    def requests_to(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def answer(self, request: Request) -> Answer:
        """Record a request and choose its answer: 404 for what nobody spoke of."""
        with self._lock:
            self.requests.append(request)
            scripts = self._scripts.get((request.method, request.path), [Answer(404, json={})])
            script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
        if not callable(script):
            return script
        # Outside of the lock, so that a script may wait for another request. One that asks the
        # database would else keep a session, which the tests' database can't be dropped beside.
        return with_own_connection(lambda: script(request))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        # It waits for the next client.
        socket.create_connection(("127.0.0.1", self._server.server_port)).close()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()


class _Server(ThreadingHTTPServer):
    # A client may keep its connection open: its thread must not be waited for.
    daemon_threads = True
    request_queue_size = 128
    platform: PlatformServer

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.connections: set[socket.socket] = set()
        self.connection_count = 0

    def serve(self) -> None:
        """Serve until it is stopped; `serve_forever` looks for that every now and then."""
        while not self.platform.stopped.is_set():
            self.handle_request()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self.platform.stopped.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        self.connection_count += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.connections.discard(request)

    def hang_up(self) -> None:
        """End connections that a client keeps for its next call, and their threads with them."""
        for connection in list(self.connections):
            with suppress(OSError):  # It may have ended by itself.
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what went wrong in a script, but not that a client hung up."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes, of which the second would wait for the client's ACK.
    disable_nagle_algorithm = True
    server: _Server

    def handle_any(self) -> None:
        self._give(self.server.platform.answer(self._read()))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the test's output to itself."""

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            # Whoever sent it was killed meanwhile: no platform takes that for a request.
            raise ConnectionAbortedError
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return Request(self.command, parts.path, query, self.headers, body)

    def _give(self, answer: Answer) -> None:
        self.server.platform.stopped.wait(answer.delay)
        if answer.reset:
            self._reset()
            return
        if answer.raw is not None:
            self.close_connection = True
            self.wfile.write(answer.raw)
            return
        self._write(answer.head(), every=answer.drip_headers)
        content = b"" if self.command == "HEAD" else answer.content()
        self._write(content[: answer.cut_after], every=answer.drip_body)
        if answer.cut_after is not None:
            self.close_connection = True

    def _write(self, data: bytes, *, every: float) -> None:
        if not every:
            self.wfile.write(data)
            return
        for byte in data:
            self.wfile.write(bytes([byte]))
            if self.server.platform.stopped.wait(every):
                self.close_connection = True
                return

    def _reset(self) -> None:
        # Closing with a linger of zero sends RST rather than FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
