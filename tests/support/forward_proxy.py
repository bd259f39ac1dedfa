"""A forward proxy for http, which refuses tunnels, and notes what it is asked for."""

import base64
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import pytest

from connections_project.oauth.proxy import OutboundProxy
from connections_project.oauth.transport import use_proxy


@pytest.fixture
def proxy() -> "Iterator[ForwardProxy]":
    """Run one, and have nothing go through it afterwards."""
    with ForwardProxy() as running:
        yield running
        use_proxy(OutboundProxy())


class ForwardProxy:
    """Its address has credentials, which callers must send."""

    credentials = "Basic " + base64.b64encode(b"user:word").decode()

    def __init__(self) -> None:
        # Of each request: the method, what was asked for, and with which credentials.
        self.seen: list[tuple[str, str, str | None]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.seen))
        self.url = f"http://user:word@127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(seen: list[tuple[str, str, str | None]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._note()
            directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            wanted = urllib.request.Request(self.path, method=self.command)
            try:
                found = directly.open(wanted, timeout=5)
            except urllib.error.HTTPError as refusal:
                found = refusal
            with found as answer:
                body = answer.read()
                self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_CONNECT(self) -> None:
            self._note()
            self.send_error(403)

        def _note(self) -> None:
            seen.append((self.command, self.path, self.headers["Proxy-Authorization"]))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
