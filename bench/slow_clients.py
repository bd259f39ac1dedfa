"""What slow clients do to everybody else: `python -m bench.slow_clients`.

Some hundreds of clients announce a body and send half of it. Meanwhile others ask for `/healthz`
and `GET /providers`, each on a connection of its own. Then the throughput is measured in turns
with that of another way to serve, where one is named.
"""

import argparse
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle, repeat
from pathlib import Path
from statistics import median

from bench.environment import (
    ROOT,
    Environment,
    LackingError,
    Program,
    Server,
    Size,
    serving,
)
from bench.load import Outcome, run
from bench.part import migrated, parser_of

SETTINGS = "connections_project.settings"
HALF = b'{"email": "somebody@example.com", "pass'
HEAD = (
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 80\r\n\r\n"
)
# One that isn't answered within this time counts with it.
PATIENCE = 10.0


def main() -> None:
    options = _options()
    with migrated(options) as environment:
        _measure(environment, options)


def _options() -> argparse.Namespace:
    parser = parser_of("slow_clients", __doc__)
    parser.add_argument("--clients", type=int, default=300, help="slow ones")
    parser.add_argument("--seconds", type=float, default=10.0, help="of asking beside them")
    parser.add_argument("--workers", type=int, default=2, help="processes of each server")
    parser.add_argument("--threads", type=int, default=16, help="threads of each process")
    parser.add_argument("--rounds", type=int, default=7, help="of measuring the throughput")
    parser.add_argument("--beside", type=Path, help="another checkout, served by its WSGI")
    return parser.parse_args()


def _measure(environment: Environment, options: argparse.Namespace) -> None:
    size = Size(options.workers, options.threads)
    ways = [Program("RSGI", "connections_project.rsgi:application", SETTINGS, "rsgi")]
    root = options.beside or ROOT
    ways.append(Program("WSGI", "connections_project.wsgi:application", SETTINGS, "wsgi", root))
    _throughput(environment, ways, size, options.rounds)
    for program in ways:
        with serving(environment, program, size) as server:
            _beside_slow_ones(environment, server, options)


def _beside_slow_ones(
    environment: Environment, server: Server, options: argparse.Namespace
) -> None:
    from bench import seed  # Models can be imported once Django is set up.

    [person] = seed.people(f"{server.name}-reader", number=1, connections=10)
    asked = {
        "/healthz": get_request("/healthz"),
        "GET /providers": get_request("/api/v1/providers", person.token),
    }
    for slow in (0, options.clients):
        with _slow(server.port, slow):
            environment.forget_limits()
            for name, request in asked.items():
                latencies = latency_words(ask(server.port, request, seconds=options.seconds))
                print(f"{server.name}, {slow} slow clients, {name}: {latencies}", flush=True)


@contextmanager
def _slow(port: int, number: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(number):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(HEAD + HALF)
        time.sleep(1)
        yield


def ask(port: int, request: bytes, *, seconds: float) -> list[float]:
    """Ask ten times a second, on a new connection each time; give the seconds of each answer."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
                client.sendall(request)
                is_answer = client.recv(65536).startswith(b"HTTP/1.1 200")
        except OSError:
            is_answer = False
        found.append(time.monotonic() - began if is_answer else PATIENCE)
        time.sleep(0.1)
    return found


def latency_words(found: list[float]) -> str:
    unanswered = sum(seconds >= PATIENCE for seconds in found)
    return (
        f"median {median(found) * 1000:.0f} ms, longest {max(found) * 1000:.0f} ms, "
        f"{unanswered} of {len(found)} unanswered"
    )


def get_request(path: str, token: str = "") -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*lines, "", ""]).encode()


def post_request(path: str, body: bytes, *, token: str = "", keep: bool = False) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [] if keep else ["Connection: close"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _throughput(environment: Environment, ways: list[Program], size: Size, rounds: int) -> None:
    from bench.cases import Case, cases

    refused = post_request("/api/v1/auth/login", b"{}", keep=True)
    wanted = [case for case in cases(disconnects=0) if case.name == "get"]
    wanted.append(Case("a body that is refused", 400, None, lambda: repeat(refused)))
    with ExitStack() as running:
        servers = [running.enter_context(serving(environment, program, size)) for program in ways]
        for case in wanted:
            found: dict[str, list[tuple[Outcome, float]]] = {way.name: [] for way in ways}
            # Each round begins with the other one.
            turns = cycle([servers, servers[::-1]])
            for _ in range(rounds):
                for server in next(turns):
                    environment.forget_limits()
                    spent = server.worker_seconds()
                    outcome = run(server.port, case.requests(), lanes=16, seconds=2)
                    if set(outcome.statuses) != {case.status}:
                        raise LackingError(f"{server.name} answered {dict(outcome.statuses)}")
                    each = (server.worker_seconds() - spent) / len(outcome.latencies)
                    found[server.name].append((outcome, each))
            _compare(case.name, found)


def _compare(case: str, found: dict[str, list[tuple[Outcome, float]]]) -> None:
    for name, rounds in found.items():
        rate = median(outcome.per_second for outcome, _ in rounds)
        spent = median(seconds for _, seconds in rounds) * 1000
        print(f"{name}, {case}: {rate:.0f}/s, {spent:.2f} ms of processor time each", flush=True)
    ours, others = found.values()
    pairs = zip(ours, others, strict=True)
    ratios = [one.per_second / other.per_second for (one, _), (other, _) in pairs]
    print(f"{case}, ratio of each round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    print(f"{case}, ratio: {median(ratios):.2f}", flush=True)


if __name__ == "__main__":
    main()
