"""What a platform that hangs does to everybody else: `python -m bench.hanging_platform`.

Some dozens of people refresh connections at once, at a platform that takes each request and never
answers. Meanwhile others ask for `/healthz` and `GET /providers`, each on a connection of its own.
"""

import argparse
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command

from bench.environment import Environment, LackingError, Program, Server, Size, prepared, serving
from bench.slow_clients import ask, get_request, latency_words

OURS = Program(
    "ours", "connections_project.rsgi:application", "connections_project.settings", "rsgi"
)
BODY = b'{"force": true}'
# The longest that a refresh takes, and some more.
PATIENCE = 30.0


def main() -> None:
    options = _options()
    try:
        with prepared(options.database_url, options.redis_url) as environment, _hanging() as port:
            _point_to(port)
            django.setup()
            call_command("migrate", verbosity=0)
            for number in options.refreshes:
                with serving(environment, OURS, Size(options.workers, options.threads)) as server:
                    _measure(environment, server, number, seconds=options.seconds)
    except LackingError as error:
        sys.exit(f"It can't be measured: {error}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.hanging_platform", description=__doc__)
    parser.add_argument("--database-url", default="postgres://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("--redis-url", default="redis://127.0.0.1:6379/15")
    parser.add_argument("--refreshes", type=int, nargs="+", default=[0, 32, 64], help="at once")
    parser.add_argument("--seconds", type=float, default=8.0, help="of asking beside them")
    parser.add_argument("--workers", type=int, default=2, help="processes of the server")
    parser.add_argument("--threads", type=int, default=16, help="threads of each process")
    return parser.parse_args()


@contextmanager
def _hanging() -> Iterator[int]:
    """Give the port of a server whose connections are made, and never answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        yield int(server.getsockname()[1])


def _point_to(port: int) -> None:
    catalogue = Path(os.environ["OAUTH_CATALOG"])
    text = catalogue.read_text(encoding="utf-8").replace("127.0.0.1:9/", f"127.0.0.1:{port}/")
    catalogue.write_text(text, encoding="utf-8")


def _measure(environment: Environment, server: Server, number: int, *, seconds: float) -> None:
    # Models can be imported once Django is set up.
    from bench import seed
    from connections_project.revocation.models import CallCircuit

    # Each measurement finds a platform of which nothing is known, and a server that is warm.
    CallCircuit.objects.all().delete()
    environment.forget_limits()
    [reader] = seed.people(f"reader-{number}", number=1, connections=10)
    people = seed.people(f"refreshing-{number}", number=number, connections=1)
    requests = [_refresh(str(one.connections[0]), one.token) for one in people]
    asked = {
        "/healthz": get_request("/healthz"),
        "GET /providers": get_request("/api/v1/providers", reader.token),
    }
    for request in asked.values():
        ask(server.port, request, seconds=1)
    with ThreadPoolExecutor(number + len(asked)) as pool:
        refreshes = [pool.submit(_send, server.port, one) for one in requests]
        beside = {
            name: pool.submit(ask, server.port, request, seconds=seconds)
            for name, request in asked.items()
        }
        for name, latencies in beside.items():
            print(f"{number} refreshes, {name}: {latency_words(latencies.result())}", flush=True)
        answers = [one.result() for one in refreshes]
    statuses = Counter(status for status, _ in answers)
    at_once = sum(took < 1 for _, took in answers)
    print(f"{number} refreshes: {dict(statuses)}, {at_once} of them within a second", flush=True)


def _refresh(connection_id: str, token: str) -> bytes:
    lines = [
        f"POST /api/v1/providers/{connection_id}/token-refreshes HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + BODY


def _send(port: int, request: bytes) -> tuple[str, float]:
    """Return an answer's status, and after how many seconds it came."""
    began = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(request)
            status = client.recv(65536)[9:12].decode("ascii")
    except OSError as error:
        status = type(error).__name__
    return status, time.monotonic() - began


if __name__ == "__main__":
    main()
