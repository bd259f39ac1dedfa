"""What a crowd does to everybody else: `python -m bench.availability`.

Each crowd comes at once, on connections of its own. Meanwhile ten times a second somebody asks for
`/healthz` and for `GET /providers`, and is to be answered within a second.
"""

import argparse
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import django
from django.core.management import call_command

from bench.environment import OURS, Environment, LackingError, Server, Size, prepared, serving
from bench.load import bearer, request
from bench.part import parser_of

HEADINGS = "| crowd | `/healthz` | `GET /providers` | what became of it |"
# The longest that an answer to one of a crowd takes, and some more.
PATIENCE = 40.0
# An answer to those beside it that takes longer counts with it.
ASKER_PATIENCE = 10.0
HALF = b'{"email": "somebody@example.com", "pass'
HEAD = (
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 80\r\n\r\n"
)


def main() -> None:
    options = _options()
    try:
        with prepared(options.database_url, options.redis_url) as environment, _hanging() as port:
            _point_to(port)
            django.setup()
            call_command("migrate", verbosity=0)
            print(f"{HEADINGS}\n| --- | --- | --- | --- |", flush=True)
            for name in options.crowds:
                with serving(environment, OURS, Size(options.workers, options.threads)) as server:
                    _measure(environment, server, name, seconds=options.seconds)
    except LackingError as error:
        sys.exit(f"It can't be measured: {error}")


def _options() -> argparse.Namespace:
    parser = parser_of("availability", __doc__)
    parser.add_argument("--crowds", nargs="+", default=list(CROWDS), choices=CROWDS, metavar="NAME")
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


def _refreshes(number: int) -> list[bytes]:
    """Return refreshes of one connection each, at the platform that hangs."""
    # Models can be imported once Django is set up.
    from bench import seed

    people = seed.people(f"refreshing-{number}", number=number, connections=1)
    return [
        request(
            "POST",
            f"/api/v1/providers/{one.connections[0]}/token-refreshes",
            *("Connection: close", bearer(one.token)),
            body='{"force": true}',
        )
        for one in people
    ]


def _logins(number: int) -> list[bytes]:
    """Return as many sign-ins as an address may fail in a minute, of nobody."""
    body = '{{"email": "nobody-{}@example.com", "password": "guessed"}}'
    path, close = "/api/v1/auth/login", "Connection: close"
    return [request("POST", path, close, body=body.format(one)) for one in range(number)]


CROWDS: dict[str, Callable[[], list[bytes]]] = {
    "nobody": list,
    "32 refreshes at a platform that hangs": lambda: _refreshes(32),
    "64 refreshes at a platform that hangs": lambda: _refreshes(64),
    "300 bodies that stall": lambda: [HEAD + HALF] * 300,
    "20 logins": lambda: _logins(20),
    "24 readers of /api/schema": lambda: [_get("/api/schema")] * 24,
}


def _measure(environment: Environment, server: Server, name: str, *, seconds: float) -> None:
    # Models can be imported once Django is set up.
    from bench import seed
    from connections_project.revocation.models import CallCircuit

    # Each crowd finds a platform of which nothing is known, and a server that is warm.
    CallCircuit.objects.all().delete()
    environment.forget_limits()
    [reader] = seed.people(f"reader beside {name}", number=1, connections=10)
    requests = CROWDS[name]()
    asked = [_get("/healthz"), _get("/api/v1/providers", reader.token)]
    for one in asked:
        _ask(server.port, one, seconds=1)
    with ThreadPoolExecutor(len(requests) + len(asked)) as pool:
        crowd = [pool.submit(_send, server.port, one) for one in requests]
        beside = [pool.submit(_ask, server.port, one, seconds=seconds) for one in asked]
        told = [_latency_words(one.result()) for one in beside]
        answers = [one.result() for one in crowd]
    print(f"| {name} | {' | '.join(told)} | {_words(answers)} |", flush=True)


def _ask(port: int, asked: bytes, *, seconds: float) -> list[float]:
    """Ask ten times a second, on a new connection each time; give the seconds of each answer."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=ASKER_PATIENCE) as client:
                client.sendall(asked)
                is_answer = client.recv(65536).startswith(b"HTTP/1.1 200")
        except OSError:
            is_answer = False
        found.append(time.monotonic() - began if is_answer else ASKER_PATIENCE)
        time.sleep(0.1)
    return found


def _latency_words(found: list[float]) -> str:
    unanswered = sum(seconds >= ASKER_PATIENCE for seconds in found)
    return (
        f"median {median(found) * 1000:.0f} ms, longest {max(found) * 1000:.0f} ms, "
        f"{unanswered} of {len(found)} unanswered"
    )


def _get(path: str, token: str = "") -> bytes:
    return request("GET", path, "Connection: close", *([bearer(token)] if token else []))


def _words(answers: list[tuple[str, float]]) -> str:
    statuses = Counter(status for status, _ in answers)
    counted = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    longest = max((took for _, took in answers), default=0)
    at_once = sum(took < 1 for _, took in answers)
    return f"{counted}; {at_once} within a second, longest {longest:.1f} s" if counted else ""


def _send(port: int, asked: bytes) -> tuple[str, float]:
    """Return an answer's status, and after how many seconds all of it had come."""
    began = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(asked)
            status = client.recv(65536)[9:12].decode("ascii")
            while client.recv(262_144):
                pass
    except OSError as error:
        status = type(error).__name__
    return status, time.monotonic() - began


if __name__ == "__main__":
    main()
