"""Probes are answered while all threads for requests are taken."""

import socket
import time
from contextlib import ExitStack

from tests.support.real_server import RSGI, exchange, request, serving, status_of


def test_a_full_pool_holds_up_no_probe() -> None:
    with serving(*RSGI) as port, ExitStack() as stack:
        # More than it has threads.
        for _ in range(40):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(request("GET", "/slow"))
        time.sleep(0.5)
        for method in ("GET", "HEAD"):
            began = time.monotonic()
            for path in ("/healthz", "/readyz", "/healthz?by=a-proxy"):
                answer = exchange(port, request(method, path, "Connection: close"))
                assert status_of(answer) in {200, 503}
            assert time.monotonic() - began < 3
